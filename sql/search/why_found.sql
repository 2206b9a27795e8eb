-- Applied after the migrations whenever it changes: why a search finds a film, for applications.

-- Why catalog.search_movies finds a film with a question, as a JSON object; parts that do not apply are left out, and null is
-- returned for a film that the catalogue does not have:
--   title       the title of the film that the question is, or that it is one slip away from
--   series      the series that the question names, if the film belongs to it
--   like        {"tmdb_id", "title"} of the film that the question names ("movies like X"), if the films near it are found
--   words       [{"word", "in", "meant"}] for each word of the question that the film has, in the question's order: the fields
--               (title, people, keywords, overview), and for a misspelt word the words that it was taken for
--   missing     the words of the question that the film does not have
--   sentence    the sentence of the overview with the rarest words of the question
--   similarity  cosine of the vectors of the film and of the question (query_embedding, or the film that is named), -1 to 1
create or replace function catalog.why_found(
    query text,
    film bigint,
    query_embedding vector default null,
    in_set integer default null
)
returns jsonb
language plpgsql stable
set jit = off
set random_page_cost = 1.1
set enable_seqscan = off
as $$
declare
    named text := left(query, 300);
    plain text := coalesce(catalog.normalised(left(query, 2000)), '');
    searched integer := (
        select s.set_id from catalog.embedding_sets s where case when in_set is null then s.is_active else s.set_id = in_set end);
    media text[] := array[catalog.media_type(film)];
    needle vector := catalog.limited_vector(query_embedding);
    alike record;
    rest text;
    answer jsonb;
begin
    select l.film, l.but, catalog.vector_of(l.film, searched) as embedding into alike
    from catalog.read_likeness(catalog.normalised(named), media) l
    where l.film is not null
      and catalog.films_titled(array[catalog.title_key(named)], 'true' || catalog.condition_of_media(media), 1) = '{}';
    if alike.embedding is not null then
        needle := alike.embedding;
        plain := coalesce(catalog.with_genres(alike.but), '');
    end if;
    rest := (catalog.read_wording(plain)).rest;
    with term as materialized (
        select t.place, catalog.any_word(t.forms || t.meant) as query, t.forms || t.meant as forms, t.meant,
            coalesce(w.word, t.forms[1]) as word, 1.0 / greatest(t.films, 1) as rarity
        from catalog.query_terms(rest, media => media) t
        left join lateral (
            select w from unnest(string_to_array(left(plain, 1000) || ' ' || left(rest, 1000), ' ')) w
            where w = any (t.forms) limit 1) w (word) on true
        where not t.forms && catalog.words_for_films()
    ), found as materialized (
        select t.*, array(
            select f.label
            from (values (1, 'A', 'title'), (2, 'B', 'people'), (3, 'C', 'keywords'), (4, 'D', 'overview')) f (place, weight, label)
            where d.words @@ catalog.any_word(t.forms, f.weight) order by f.place) as fields
        from term t cross join catalog.title_documents d where d.title_id = film
    )
    select jsonb_strip_nulls(jsonb_build_object(
        'title', (
            select n.name from catalog.title_names n
            where n.title_id = film and alike.embedding is null and n.key = any (
                catalog.title_key(named) || catalog.title_variants(plain) || catalog.slips_of(plain, catalog.title_key(named)))
            order by n.key = catalog.title_key(named) desc, n.kind = 'title' desc, n.kind = 'original' desc, n.normalised limit 1),
        'series', case
            when alike.embedding is null and catalog.series_key(m.collection) = catalog.series_key(named) then m.collection end,
        'like', (
            select jsonb_build_object('tmdb_id', catalog.tmdb_id(o.title_id), 'title', o.title) from catalog.titles o
            where o.title_id = alike.film and alike.embedding is not null),
        'words', (
            select jsonb_agg(jsonb_strip_nulls(jsonb_build_object('word', f.word, 'in', to_jsonb(f.fields),
                'meant', case when f.meant <> '{}' then to_jsonb(f.meant) end)) order by f.place)
            from found f where f.fields <> '{}'),
        'missing', (select jsonb_agg(f.word order by f.place) from found f where f.fields = '{}'),
        'sentence', (
            select left(s.sentence, 500)
            from regexp_split_to_table(left(m.overview, 10000), '(?<=[.!?])\s+') with ordinality s (sentence, place)
            cross join lateral (
                select sum(f.rarity) as rarity from found f
                where to_tsvector('pg_catalog.english', catalog.normalised(s.sentence)) @@ f.query) r
            where r.rarity is not null order by r.rarity desc, s.place limit 1),
        'similarity', (1 - (catalog.vector_of(film, searched) <=> needle))::double precision
    )) into answer
    from catalog.titles m where m.title_id = film;
    return answer;
end
$$;
