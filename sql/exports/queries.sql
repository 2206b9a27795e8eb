-- name: export_source
-- Run by exports before it reads titles, vectors and scores: when the oldest of the titles' details were fetched, the
-- active embedding set, and the tables of its vectors. Without an active set there is no table.
select
    (select min(d.fetched_at) from pipeline.title_details d join catalog.titles t using (title_id)) as oldest_fetch,
    (select s.name from catalog.embedding_sets s where s.is_active) as embedding_set,
    array(
        select catalog.vector_table(s.set_id, m.media) from catalog.embedding_sets s
        cross join unnest(catalog.media_types()) with ordinality m (media, place)
        where s.is_active and to_regclass('catalog.' || catalog.vector_table(s.set_id, m.media)) is not null
        order by m.place
    ) as vector_tables


-- name: export_notices
-- Run by exports for the file of terms: the notices of all sources.
select source, notice, link, applies_to from catalog.attribution order by source <> 'TMDB', source


-- name: exported_titles
-- Run by exports: the rows of titles.parquet and titles.jsonl.
select
    t.title_id, catalog.stable_key(t.title_id) as key, catalog.media_type(t.title_id) as media_type,
    catalog.tmdb_id(t.title_id) as tmdb_id, t.imdb_id, t.title, t.original_title, t.original_language, t.release_date,
    t.release_year, t.runtime_minutes, t.status, t.tagline, t.overview, t.genres, t.keywords, t.directors,
    t.leading_cast, t.countries, t.collection_id, t.collection, t.certification, t.budget, t.revenue, t.poster_path,
    t.backdrop_path,
    t.embedding_text, t.text_hash, t.changed_at, s.popularity, s.vote_average, s.vote_count, s.seen_at as votes_seen_at
from catalog.titles t
left join catalog.title_stats s using (title_id)
order by t.title_id


-- name: exported_scores
-- Run by exports: the rows of scores.parquet and scores.jsonl, with the scores of each source as a text of JSON.
select title_id, media_type, votes, score, score_low, score_high, source_scores::text as source_scores, method_version,
    computed_at
from catalog.title_scores
order by title_id
