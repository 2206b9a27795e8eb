-- name: catalogue_ids
-- Run by recommendation_model and recommendations: the films of a media type, which can be recommended.
select array_send(coalesce(array_agg(m.title_id order by m.title_id), '{}')) as films
from catalog.titles m
where m.title_id between catalog.title_id(cast(:media as text), 0) and catalog.title_id(cast(:media as text), 999999999)


-- name: clear_recommendations
-- Run by recommendations for a chunk of people, before their lists of a media type are written.
delete from catalog.recommended_titles r
where r.person = any (:people) and catalog.media_type(r.title_id) = :media


-- name: content_features
-- Run by recommendation_model and recommendation_quality: the features that several films of a media type share, the most
-- frequent first, each as the ids of its films in the binary form of arrays (database.binary_arrays).
with movie as (
    select * from catalog.titles t
    where t.title_id between catalog.title_id(cast(:media as text), 0) and catalog.title_id(cast(:media as text), 999999999)
)
select array_send(array_agg(f.title_id order by f.title_id)) as films
from (
    select m.title_id, 'genre ' || unnest(m.genres) as feature from movie m
    union select m.title_id, 'keyword ' || unnest(m.keywords) from movie m
    union select m.title_id, 'person ' || unnest(m.directors || m.leading_cast) from movie m
    union select m.title_id, 'decade ' || m.release_year / 10 from movie m where m.release_year is not null
) f
group by f.feature
having count(*) >= :least
order by count(*) desc, f.feature
limit :most


-- name: film_vectors
-- Run by recommendation_quality: vectors of the active set for some films, of length 1, as pgvector sends them in binary.
select v.title_id, vector_send(v.direction) as embedding
from unnest(
    cast(:films as bigint[]),
    catalog.directions_of(:films, (select s.set_id from catalog.embedding_sets s where s.is_active))) v (title_id, direction)
where v.direction is not null order by v.title_id


-- name: finish_changes
-- Run by recommendations in the transaction that wrote the lists of a chunk of people, of all media types that are switched on. A
-- history that changed meanwhile stays due; lists of another media type are due when it is switched on. A person without a
-- history has no list.
with done as (
    delete from pipeline.changed_histories c
    using unnest(cast(:people as text[]), cast(:changes as bigint[])) d (person, changes)
    where c.person = d.person and c.changes = d.changes
)
delete from pipeline.recommendation_lists l
using unnest(cast(:people as text[]), cast(:changes as bigint[])) d (person, changes)
where l.person = d.person and (
    not exists (select from catalog.watched_titles h where h.person = l.person)
    or d.changes is not null and l.media_type <> all (cast(:media as text[])))


-- name: finish_lists
-- Run by recommendations in the transaction that writes the lists of a chunk of people, of one media type: records the model of
-- the lists.
insert into pipeline.recommendation_lists (person, media_type, model_id, films, made_at)
select p.person, :media, :model_id, (
    select count(*) from catalog.recommended_titles r where r.person = p.person and catalog.media_type(r.title_id) = :media
), :as_of
from unnest(cast(:people as text[])) p (person)
where exists (select from catalog.watched_titles h where h.person = p.person)
on conflict (person, media_type) do update
    set model_id = excluded.model_id, films = excluded.films, made_at = excluded.made_at


-- name: history_of_people
-- Run by recommendation_model, recommendations and recommendation_quality: the films of a media type that each person saw, by time, in
-- the binary form of arrays (database.binary_arrays), NaN without a rating. For the people after one by name, or for those listed.
select s.person,
    array_send(array_agg(s.title_id order by s.seen_at nulls first, s.title_id)) as films,
    array_send(array_agg(coalesce(s.rating, 'NaN') order by s.seen_at nulls first, s.title_id)) as ratings,
    array_send(array_agg((s.seen_at is not null)::integer::bigint order by s.seen_at nulls first, s.title_id)) as dated
from catalog.seen_titles s
where s.person > :after and (cast(:people as text[]) is null or s.person = any (:people))
  and s.title_id between catalog.title_id(cast(:media as text), 0) and catalog.title_id(cast(:media as text), 999999999)
group by s.person
order by s.person
limit :count


-- name: mark_served
-- Run by recommendation_model right after serve_model: marks a model as the served one.
update pipeline.recommendation_models set is_served = true where model_id = :model_id


-- name: model_weights
-- Run by recommendations, some thousands of films at a time: a model's weights, in the binary form of arrays.
select w.title_id, w.popularity, array_send(w.others) as others, array_send(w.weights) as weights,
    array_send(w.directions) as directions
from pipeline.title_weights w
where w.model_id = :model_id and w.title_id > :after
order by w.title_id
limit :count


-- name: recommend_live
-- Run by recommendations for people with too few films that the model knows: lists by catalog.recommend_titles.
insert into catalog.recommended_titles (person, place, title_id, score, because, because_weights)
select p.person, r.place, r.title_id, r.score,
    array(select (b ->> 'title_id')::bigint from jsonb_array_elements(r.reasons) b),
    array(select (b ->> 'weight')::real from jsonb_array_elements(r.reasons) b)
from unnest(cast(:people as text[])) p (person)
cross join lateral catalog.history_of(p.person, array[cast(:media as text)]) h
cross join lateral catalog.recommend_titles(
    rated => h.seen, ratings => h.ratings, match_count => :count,
    filters => jsonb_build_object('media_types', jsonb_build_array(cast(:media as text)))
) with ordinality r (
    title_id, media_type, tmdb_id, title, release_year, score, similarity, because, shared_features, reasons, place)
where exists (select from catalog.watched_titles w where w.person = p.person)


-- name: recommendation_inputs
-- Run by recommendation_model: the number of entries and people of a media type, a fingerprint of them, and whether a model is
-- due: if there is none by this method, if 2 % of the entries are new or deleted since, or if any are and the model is a week old.
with histories as (
    select count(*) as entries, count(distinct h.person) filter (where not h.is_wanted) as persons,
        max(h.imported_at) as newest
    from catalog.watched_titles h
    where h.title_id between catalog.title_id(cast(:media as text), 0) and catalog.title_id(cast(:media as text), 999999999)
), known as (
    select h.*, concat_ws(' ', cast(:method as text), h.entries, h.persons, h.newest) as inputs from histories h
)
select k.entries, k.persons, k.newest, k.inputs, m.model_id,
    m.model_id is null or m.method_version <> cast(:method as text) or (k.inputs <> m.inputs and (
        m.fitted_at < cast(:as_of as timestamptz) - interval '7 days'
        or greatest(
            abs(k.entries - m.entries),
            (select count(*) from catalog.watched_titles h
             where h.imported_at > m.newest_entry and catalog.media_type(h.title_id) = :media)) >= 0.02 * k.entries
    )) as is_due
from known k
left join pipeline.recommendation_models m on m.is_served and m.media_type = :media


-- name: recommendation_quality
-- Run by recommendation_quality and its check: the figures of the newest evaluated model of each media type, the best first.
select m.media_type, q.model_id, q.protocol, q.model, q.measured_at, q.persons, q.recall_at_10, q.recall_low, q.recall_high,
    q.ndcg_at_10, q.ndcg_low, q.ndcg_high, q.over_popularity, q.over_popularity_low, q.over_popularity_high, q.coverage,
    q.diversity, q.diversity_low, q.diversity_high, q.seconds
from pipeline.recommendation_quality q join pipeline.recommendation_models m using (model_id)
where m.media_type = any (cast(:media as text[])) and q.model_id = (
    select max(o.model_id) from pipeline.recommendation_quality o join pipeline.recommendation_models n using (model_id)
    where n.media_type = m.media_type)
order by array_position(cast(:media as text[]), m.media_type), q.protocol, q.ndcg_at_10 desc, q.model


-- name: recommendation_totals
-- Run by recommendations at its end: the numbers of lists of some media types and of films in them.
select count(*) as lists, coalesce(sum(l.films), 0) as films,
    (select count(distinct r.title_id) from catalog.recommended_titles r
     where catalog.media_type(r.title_id) = any (cast(:media as text[]))) as films_recommended
from pipeline.recommendation_lists l where l.media_type = any (cast(:media as text[]))


-- name: recommendations_due
-- Run by recommendations: the people and media types of whom a list is due: the history has changed since it was made, there is
-- none yet, or it is by another model.
select p.person, t.media as media_type, c.changes
from (select person from pipeline.changed_histories union select person from pipeline.recommendation_lists) p
cross join unnest(cast(:media as text[])) with ordinality t (media, place)
left join pipeline.recommendation_models m on m.is_served and m.media_type = t.media
left join pipeline.changed_histories c on c.person = p.person
left join pipeline.recommendation_lists l on l.person = p.person and l.media_type = t.media
where c.person is not null or l.person is null or l.model_id is distinct from m.model_id
order by p.person, t.place


-- name: record_model
-- Run by recommendation_model before its weights are stored: records the model.
insert into pipeline.recommendation_models (
    media_type, kind, method_version, inputs, parameters, persons, films, likes, entries, newest_entry, seconds, fitted_at)
values (
    :media, :kind, :method, :inputs, cast(:parameters as jsonb), :persons, :films, :likes, :entries, :newest, :seconds, :fitted_at)
returning model_id


-- name: record_recommendation_quality
-- Run by recommendation_quality for each protocol and model: stores the figures.
insert into pipeline.recommendation_quality (
    model_id, protocol, model, measured_at, persons, recall_at_10, recall_low, recall_high, ndcg_at_10, ndcg_low, ndcg_high,
    over_popularity, over_popularity_low, over_popularity_high, coverage, diversity, diversity_low, diversity_high, seconds)
values (
    :model_id, :protocol, :model, :measured_at, :persons, :recall_at_10, :recall_low, :recall_high, :ndcg_at_10, :ndcg_low,
    :ndcg_high, :over_popularity, :over_popularity_low, :over_popularity_high, :coverage, :diversity, :diversity_low,
    :diversity_high, :seconds)


-- name: serve_model
-- Run by recommendation_model in the transaction that stores its weights: ends the models of its media type before it and deletes
-- their weights.
with before as (
    update pipeline.recommendation_models set is_served = false
    where is_served and model_id <> :model_id and media_type = :media
)
delete from pipeline.title_weights w
using pipeline.recommendation_models m
where m.model_id = w.model_id and m.media_type = :media and w.model_id <> :model_id


-- name: served_model
-- Run by recommendation_model, recommendations and recommendation_quality: the model of a media type that is
-- served, if there is one.
select m.model_id, m.kind, m.method_version, m.parameters, m.persons, m.films, m.likes, m.fitted_at, m.seconds,
    (select count(*) from pipeline.title_weights w where w.model_id = m.model_id) as films_with_weights
from pipeline.recommendation_models m where m.is_served and m.media_type = :media
