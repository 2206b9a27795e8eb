-- Applied after the migrations whenever it changes: what an application shows of a title, as one object.

-- Returns a card for each title of `ids` that the catalogue has, in the order of ids. payload has everything that a page of the
-- title needs, short_payload what a tile of it needs. Texts and poster are those of catalog.localized in `language` (de, or de-AT for
-- those of a country first); `languages` in the payload says in which they are. facts_etag changes when the facts, texts or poster do,
-- numbers_etag when the votes, the popularity or the score do. Read from the tables: always current.
create or replace function catalog.cards(ids bigint[], language text default 'en')
returns table (
    title_id bigint, key text, payload jsonb, short_payload jsonb, facts_etag text, numbers_etag text
)
language plpgsql stable
set jit = off
as $$
#variable_conflict use_column
begin
    return query
    with texts as materialized (
        select * from catalog.localized(cards.ids, array[cards.language]) with ordinality
    ), made as materialized (
        select t.title_id, catalog.stable_key(t.title_id) as key, l.ordinality as place,
            jsonb_strip_nulls(jsonb_build_object(
                'key', catalog.stable_key(t.title_id), 'media_type', catalog.media_type(t.title_id),
                'tmdb_id', catalog.tmdb_id(t.title_id), 'imdb_id', t.imdb_id, 'title', l.title,
                'original_title', t.original_title, 'original_language', t.original_language, 'tagline', l.tagline,
                'overview', l.overview, 'release_date', t.release_date, 'year', t.release_year,
                'runtime_minutes', t.runtime_minutes, 'status', t.status, 'genres', t.genres, 'keywords', t.keywords,
                'directors', t.directors, 'leading_cast', t.leading_cast, 'countries', t.countries,
                'certification', t.certification, 'collection', t.collection, 'poster_path', l.poster_path,
                'backdrop_path', t.backdrop_path, 'languages', jsonb_build_object(
                    'title', l.title_language, 'overview', l.overview_language, 'poster', l.poster_language)
            )) as facts,
            jsonb_strip_nulls(jsonb_build_object(
                'vote_average', s.vote_average, 'vote_count', s.vote_count, 'popularity', s.popularity, 'score', a.score,
                'ratings', o.ratings
            )) as numbers
        from texts l
        join catalog.titles t on t.title_id = l.title_id
        left join catalog.title_stats s on s.title_id = t.title_id
        left join lateral (
            select r.score from catalog.rating_aggregates r join catalog.rating_methods m using (method_version)
            where r.scope = 'film' and r.key = t.title_id::text and m.is_current
        ) a on true
        left join lateral (
            select jsonb_object_agg(
                r.source, jsonb_build_object('value', r.raw_value, 'scale_max', r.scale_max, 'votes', r.votes)) as ratings
            from catalog.title_rating_sources r where r.title_id = t.title_id and r.source <> 'tmdb'
        ) o on true
    )
    select m.title_id, m.key, m.facts || jsonb_build_object('numbers', m.numbers),
        jsonb_strip_nulls(jsonb_build_object(
            'key', m.key, 'title', m.facts -> 'title', 'year', m.facts -> 'year', 'poster_path', m.facts -> 'poster_path',
            'vote_average', m.numbers -> 'vote_average')),
        left(encode(sha256(convert_to(m.facts::text, 'UTF8')), 'hex'), 16),
        left(encode(sha256(convert_to(m.numbers::text, 'UTF8')), 'hex'), 16)
    from made m order by m.place;
end
$$;
