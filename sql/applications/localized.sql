-- Applied after the migrations whenever it changes: texts of titles in the languages of an application.

-- Returns the texts and the poster of titles, a row for each that the catalogue has, in the order of the ids. Of each field it is the
-- first that there is: in the languages asked for, in their order, then in English, then in the original language; beside it
-- the language that it came from (ISO 639-1). A language is written de or pt-BR: texts for that country come first, else those
-- for the country of the language's name, and others of the language follow. A poster is the first one that there is in the
-- languages asked for, then in English, then the one that TMDB shows; its language is null where that is not known, as without
-- MOVIE_ASSETS_IMAGES, and where the poster has no words.
create or replace function catalog.localized(ids bigint[], languages text[] default '{en}')
returns table (
    title_id bigint, title text, title_language text, overview text, overview_language text, tagline text,
    tagline_language text, poster_path text, poster_language text
)
language sql stable rows 50
set jit = off
as $$
    with wanted as materialized (
        select lower(split_part(l.tag, '-', 1)) as language, upper(split_part(l.tag, '-', 2)) as country, l.place
        from unnest(localized.languages || '{en}'::text[]) with ordinality as l (tag, place)
    )
    select m.title_id, t.title, t.title_language, t.overview, t.overview_language, t.tagline, t.tagline_language,
        coalesce(p.path, m.poster_path), coalesce(p.language, d.language)
    from (select i.id, min(i.place) as place from unnest(localized.ids) with ordinality as i (id, place) group by i.id) i
    join catalog.titles m on m.title_id = i.id
    cross join lateral (
        select
            (array_agg(x.title order by x.place, x.rank, x.country) filter (where x.title <> ''))[1] as title,
            (array_agg(x.language order by x.place, x.rank, x.country) filter (where x.title <> ''))[1] as title_language,
            (array_agg(x.overview order by x.place, x.rank, x.country) filter (where x.overview <> ''))[1] as overview,
            (array_agg(x.language order by x.place, x.rank, x.country) filter (where x.overview <> ''))[1]
                as overview_language,
            (array_agg(x.tagline order by x.place, x.rank, x.country) filter (where x.tagline <> ''))[1] as tagline,
            (array_agg(x.language order by x.place, x.rank, x.country) filter (where x.tagline <> ''))[1] as tagline_language
        from (
            select w.language, w.place, a.country, a.title, a.overview, a.tagline,
                case when a.country = w.country then 0 when a.country = upper(w.language) then 2 else 3 end as rank
            from (select * from wanted union all select m.original_language, '', 1000) w
            join catalog.title_translations a on a.title_id = m.title_id and a.language = w.language
            union all
            -- TMDB's texts in English; without an English title it shows the original one.
            select w.language, w.place, '', case when m.title is distinct from m.original_title then m.title end, m.overview,
                m.tagline, 1
            from wanted w where w.language = 'en'
            union all
            -- TMDB leaves the translated title empty where it is the original one.
            select w.language, w.place, '', m.original_title, null, null, 2
            from (select * from wanted union all select m.original_language, '', 1000) w
            where w.language = m.original_language
            union all
            select m.original_language, 1001, '', m.title, null, null, 1
        ) x
    ) t
    left join lateral (
        -- Of a language, TMDB's own choice if it is in it, and else the one with most votes.
        select g.path, g.language
        from wanted w
        join catalog.title_images g on (g.title_id, g.kind, g.language) = (m.title_id, 'poster', w.language)
        order by w.place, g.path is distinct from m.poster_path, g.position limit 1
    ) p on true
    left join catalog.title_images d on (d.title_id, d.kind, d.path) = (m.title_id, 'poster', m.poster_path)
    order by i.place
$$;
