-- name: active_set
-- Run by searches and reports: the embedding set that searches see, if there is one.
select set_id, provider, model, dimensions, template, held_since is not null as is_held
from pipeline.embedding_sets where is_active


-- name: catalogue_texts
-- Run by movie-assets compare-models: the distinct texts of all films, which a new set would embed.
select count(*)::integer as texts, coalesce(sum(octet_length(embedding_text)), 0)::bigint as text_bytes
from (select distinct on (text_hash) embedding_text from catalog.titles) t


-- name: document_agreement
-- Run by the check documents_agree_with_the_catalogue: what searches by words see and should not, or do not and should.
select
    (select count(*) from catalog.titles) as films,
    (select count(*) from catalog.titles m
     left join pipeline.title_document_sources s using (title_id)
     where s.source is distinct from pipeline.document_source(m.text_hash, m.facts_hash, m.original_title, m.tagline))
        as films_without_their_document,
    (select count(*) from pipeline.title_document_sources s
     full join catalog.title_documents d using (title_id)
     where s.title_id is null or d.title_id is null) as documents_half_there,
    (select count(*) from pipeline.title_document_sources s
     where not exists (select from catalog.titles m where m.title_id = s.title_id)) as documents_without_a_film,
    (select count(*) from catalog.titles m
     where m.title ~ '\w' and not exists (select from catalog.title_names n where n.title_id = m.title_id))
        as films_without_a_name,
    (select count(*) from pipeline.word_changes) as words_not_counted,
    (select count(*) from (
        select d.title_id from catalog.title_documents d
        except select p.page * 1000000000::bigint + f from catalog.postings p cross join unnest(p.films) f where p.key = '') l)
        as documents_not_listed,
    (select count(*) from (
        values ('title_documents_titles'), ('vocabulary_trigrams'), ('title_names_key'),
            ('title_names_main_key')) i (name)
     where not exists (
        select from pg_index x where x.indexrelid = to_regclass('catalog.' || i.name) and x.indisvalid))
        as indexes_missing


-- name: drop_old_sets
-- Run by movie_vectors: out with the vectors of sets that were neither searched nor built on for the days that sets are kept.
select name from pipeline.drop_old_sets(cast(:as_of as timestamptz) - make_interval(days => :days), :set_id) as d (name)


-- name: film_by_id
-- Run by movie-assets similar when it is given an id.
-- It is TMDB's id of a title of one of the media types, or from 1,000,000,000 on the key of a title.
select t.title_id, t.title, t.release_year, 1.0::double precision as confidence, 'id' as matched_by
from unnest(cast(:media as text[])) with ordinality m (media, place)
join catalog.titles t on t.title_id = case
    when cast(:number as bigint) < 1000000000 then catalog.title_id(m.media, :number) else :number end
group by t.title_id
order by min(m.place)


-- name: films_like
-- Run by movie-assets similar: the films nearest to a film, with what a person wants to see of them.
select n.title_id, catalog.media_type(n.title_id) as media_type, catalog.tmdb_id(n.title_id) as tmdb_id, n.title, n.release_year,
    n.similarity, n.shared_features, m.genres, m.directors, m.overview, s.vote_average, s.vote_count
from catalog.similar_titles(:title_id, :count, cast(:filters as jsonb)) n
join catalog.titles m using (title_id)
left join catalog.title_stats s using (title_id)
order by n.similarity desc, n.title_id


-- name: find_title
-- Run by movie-assets similar and recommend: the titles of some media types that a name can mean.
select title_id, title, release_year, confidence, matched_by
from catalog.find_title(cast(:title as text), filters => jsonb_build_object('media_types', cast(:media as text[])))


-- name: finish_documents
-- Run by search_documents last: vocabulary and indexes.
select pipeline.finish_documents() as words


-- name: golden_ranks
-- Run by movie_vectors before a set takes over, and by its check: films that belong together, and how near they are.
select title, other_title, within, place from pipeline.golden_ranks(:set_id)


-- name: index_is_current
-- Run by movie_vectors and search_quality: whether the index of a set has the options that a new one would have.
select is_current from pipeline.vector_index_state(:set_id)


-- name: index_is_needed
-- Run by movie_vectors and search_quality: whether a set has so many films that searches need an index.
select is_needed from pipeline.vector_index_state(:set_id)


-- name: index_state
-- Run by movie_vectors' check: the active set's index, its size for each vector now and when it was built, and the dead
-- rows of its table.
select
    i.is_needed,
    i.is_valid,
    coalesce(pg_relation_size(x.oid), 0) as bytes,
    pg_relation_size(x.oid)::double precision / greatest(1, (select count(*) from catalog.movie_vectors))
        / nullif(s.bytes_per_vector, 0) as growth,
    coalesce(t.n_dead_tup, 0)::integer as dead_rows
from pipeline.embedding_sets s
cross join lateral pipeline.vector_index_state(s.set_id) i
left join pg_class x on x.oid = to_regclass('catalog.title_vectors_' || s.set_id || '_nearest')
left join pg_stat_user_tables t on t.relid = to_regclass('catalog.title_vectors_' || s.set_id)
where s.is_active


-- name: make_similar_lists
-- Run by similar_movies for some hundreds of films at a time.
select made, moved from pipeline.make_similar_lists(:films, :echo)


-- name: measure_filters
-- Run by search_quality: recall and times of searches, without a filter and with some, for films and for questions.
select says, is_question, searches, recall_at_10, ms, exact_ms from pipeline.measure_filters(:set_id)


-- name: measure_neighbours
-- Run by search_quality: searches for films near others, how long each took and whether it found those of the collection.
select is_random, milliseconds, siblings, siblings_found, similarities
from pipeline.measure_neighbours(:set_id, :samples)


-- name: measure_searches
-- Run by movie_vectors before a set takes over: searches through the index against all vectors.
select title_id, recall_at_10, milliseconds, exact_ms
from pipeline.measure_searches(:set_id, :samples, cast(:filters as jsonb)) as t (title_id)


-- name: movie_texts
-- Run by movie-assets search: the texts of films, for a reranker.
select title_id, embedding_text as text from catalog.titles where title_id = any(cast(:title_ids as bigint[]))


-- name: movies_to_compare
-- Run by movie-assets compare-models: films of the catalogue, the same ones each time. Whole collections are up to half of them.
with collections as (
    select collection_id, count(*) as films from catalog.titles
    where collection_id is not null group by 1 having count(*) between 2 and 30
), chosen as (
    select collection_id
    from (select collection_id, sum(films) over (order by md5(collection_id::text)) as so_far from collections) c
    where so_far <= cast(:films as integer) / 2
), films as (
    select m.*, c.collection_id is not null as is_chosen from catalog.titles m left join chosen c using (collection_id)
    order by is_chosen desc, md5(m.title_id::text) limit :films
)
select title_id, title, overview, embedding_text, case when is_chosen then collection_id end as collection_id
from films order by md5(title_id::text)


-- name: outdate_similar_lists
-- Run by similar_movies: makes lists due again, those whose turn it is or all of them.
update pipeline.similar_title_lists set is_outdated = true where title_id % :turns = :turn and not is_outdated


-- name: people_with_histories
-- Run by movie-assets recommend --for: the person of that name, if there is one, else up to five who have a history.
(select h.person from catalog.watched_titles h where h.person = :person limit 1)
union all
(select h.person from catalog.watched_titles h
 where not exists (select from catalog.watched_titles w where w.person = :person)
 group by h.person order by h.person limit 5)


-- name: person_recommendations
-- Run by movie-assets recommend --for: films for a person, with what a person wants to see of them and why they are there.
select n.title_id, n.media_type, n.tmdb_id, n.title, n.release_year, n.score, n.is_precomputed, n.reasons, m.genres, m.directors,
    m.overview, s.vote_average, s.vote_count
from catalog.recommended_titles_for(:person, cast(:filters as jsonb), :count) with ordinality
    n (title_id, media_type, tmdb_id, title, release_year, score, is_precomputed, reasons, place)
join catalog.titles m using (title_id)
left join catalog.title_stats s using (title_id)
order by n.place


-- name: quality_content
-- Run by search_quality: how many vectors a set has, and a name for all that a measurement depends on.
select vectors, content from pipeline.quality_content(:set_id)


-- name: quality_history
-- Run by search_quality and its checks: the newest measurements of the active set, newest first.
select
    q.measurement_id, q.set_id, q.measured_at, q.content, q.vectors, q.recall_at_10, q.least_filtered_recall_at_10,
    q.p50_ms, q.p95_ms, q.exact_ms, q.collection_films, q.collection_recall_at_10, q.golden_pairs, q.golden_pairs_far,
    q.random_similarity, q.nearest_similarity, q.tenth_similarity, q.loose, q.related, q.very_similar, q.searches, q.places
from pipeline.search_quality q
join pipeline.embedding_sets s on s.set_id = q.set_id and s.is_active
order by q.measurement_id desc
limit :measurements


-- name: question_vector
-- Run by movie-assets search: the vector of a question about titles of some media types, for a set of a keyless model.
select cast(catalog.question_vector_of(cast(:text as text), cast(:set_id as integer), cast(:media as text[])) as text) as vector


-- name: recommended_movies
-- Run by movie-assets recommend: films for a person, with what a person wants to see of them and why they are there.
select n.title_id, n.media_type, n.tmdb_id, n.title, n.release_year, n.similarity, n.score, b.title as because, n.shared_features,
    n.reasons, m.genres, m.directors, m.overview, s.vote_average, s.vote_count
from catalog.recommend_titles(
    cast(:loved as bigint[]), cast(:liked as bigint[]), cast(:disliked as bigint[]), cast(:filters as jsonb), :count,
    cast(:options as jsonb)
) with ordinality n (
    title_id, media_type, tmdb_id, title, release_year, score, similarity, because_id, shared_features, reasons, place)
join catalog.titles m using (title_id)
left join catalog.title_stats s using (title_id)
left join catalog.titles b on b.title_id = n.because_id
order by n.place


-- name: record_quality
-- Run by search_quality: stores a measurement.
insert into pipeline.search_quality (
    set_id, measured_at, content, vectors, recall_at_10, least_filtered_recall_at_10, p50_ms, p95_ms, exact_ms,
    collection_films, collection_recall_at_10, golden_pairs, golden_pairs_far, random_similarity, nearest_similarity,
    tenth_similarity, loose, related, very_similar, searches, places)
values (
    :set_id, :measured_at, :content, :vectors, :recall_at_10, :least_filtered_recall_at_10, :p50_ms, :p95_ms, :exact_ms,
    :collection_films, :collection_recall_at_10, :golden_pairs, :golden_pairs_far, :random_similarity,
    :nearest_similarity, :tenth_similarity, :loose, :related, :very_similar, cast(:searches as jsonb),
    cast(:places as jsonb))


-- name: record_tuning
-- Run by movie_vectors and search_quality: what was changed so that searches find the nearest films.
update pipeline.embedding_sets set tuning = :tuning where set_id = :set_id


-- name: remove_documents
-- Run by search_documents first: takes out the films that left the catalogue.
select pipeline.remove_documents() as removed


-- name: sample_vectors
-- Run by search_quality: vectors of random films, whose pairs are compared.
select embedding, is_short from pipeline.sample_vectors(:set_id, :samples)


-- name: search_compared_vectors
-- Run by movie-assets compare-models, in the transaction of stage_compared_vectors: recall of an index over the vectors.
select approximate, exact from pipeline.search_compared_vectors(:searches)


-- name: search_movies
-- Run by movie-assets search: films by words and meaning, with what a person wants to see of them.
select
    n.title_id, n.media_type, n.tmdb_id, n.title, n.release_year, n.score, n.found_by, m.genres, m.directors, m.overview,
    s.vote_average, s.vote_count,
    catalog.why_found(
        cast(:text as text), n.title_id, cast(:embedding as vector), cast(:set_id as integer)) as why
from catalog.search_titles(
    cast(:text as text), :count, cast(:filters as jsonb), cast(:embedding as vector), cast(:set_id as integer)
) with ordinality n (title_id, media_type, tmdb_id, title, release_year, score, found_by, place)
join catalog.titles m using (title_id)
left join catalog.title_stats s using (title_id)
order by n.place


-- name: search_tuning
-- Run by movie_vectors and by the check of recall: how far searches of a set go, and what was changed for that.
select ef_search, tuning from pipeline.embedding_sets where set_id = :set_id


-- name: searched_vectors
-- Run by similar_movies, page by page, before it compares all films.
select title_id, text_hash, embedding, is_short from pipeline.searched_vectors(:set_id, :after, :most, cast(:media as text)) as t (title_id)


-- name: similar_due
-- Run by similar_movies: films whose list of nearest films is to be made.
select title_id, is_changed, catalog.media_type(title_id) as media_type from pipeline.similar_due() as t (title_id)


-- name: similar_samples
-- Run by similar_movies' check: for some films, the ones that change from day to day, which share of the ten nearest is in their list.
select
    f.title_id,
    (select count(*) from catalog.similar_titles s
     where s.title_id = f.title_id and s.similarity >= (select min(n.similarity) from unnest(n.found) n (similarity)) - 1e-3)
        ::double precision / greatest(1, cardinality(n.found)) as recall
from (
    select l.title_id from pipeline.similar_title_lists l
    order by md5(l.title_id || cast(:as_of as timestamptz)::date::text) limit :samples
) f
cross join lateral (
    select array(select s.similarity from catalog.similar_titles(f.title_id, 10) s) as found
) n


-- name: stage_compared_vectors
-- Run by movie-assets compare-models before the vectors of a model are copied in.
create temp table compared_vectors (place integer, embedding vector) on commit drop


-- name: stage_nearest_found
-- Run by similar_movies before the films near some films are copied in.
select pipeline.stage_nearest_found()


-- name: store_similar_lists
-- Run by similar_movies for some hundreds of films at a time, after the films near them were copied into nearest_found.
select made, moved from pipeline.store_similar_lists(:set_id, cast(:films as bigint[]), cast(:hashes as text[]), :echo)


-- name: store_in_suitable_form
-- Run by movie_vectors first: stores the vectors of a set without their zeros, if most components are 0 and they are not yet.
select pipeline.store_in_suitable_form(:set_id) as is_changed


-- name: tune_searches
-- Run by movie_vectors and search_quality: raises the number of films that searches visit until they find the nearest.
select ef_search, recall_at_10, says, p95_ms from pipeline.tune_searches(:set_id, :goal, :anew)


-- name: vector_agreement
-- Run by movie_vectors' check: films without a vector, vectors without a film, vectors of an older text.
select
    count(*) filter (where v.title_id is null)::integer as films_without_vector,
    count(*) filter (where m.title_id is null)::integer as vectors_without_film,
    count(*) filter (where m.text_hash <> v.text_hash)::integer as vectors_of_older_text,
    count(*)::integer as either
from catalog.titles m full join pipeline.searched_texts() v using (title_id)


-- name: write_documents
-- Run by search_documents, chunk by chunk: makes the documents of the next films that are due.
select last_id, looked_at as films_due, documents_written, names_written
from pipeline.write_documents(cast(:after as bigint), cast(:films as integer))
