-- Applied after the migrations whenever it changes: titles that begin as somebody types, for applications.

-- "dark kn" completes The Dark Knight: a leading article may be left out, case, accents, punctuation and blanks do not
-- matter. Where an article was typed, any title that begins so comes first; then titles and original titles, alternative
-- and translated ones, and those with the words in their midst, the last of them begun (a single word: with three letters
-- at least). Among these, the films with the most votes. name is the title that was completed; no film comes twice.
-- filters: see catalog.condition_of.
create or replace function catalog.complete_any_title(
    prefix text,
    match_count integer default 10,
    filters jsonb default '{}'
)
returns table (title_id bigint, media_type text, tmdb_id bigint, title text, release_year smallint, name text)
language plpgsql stable
set jit = off
set random_page_cost = 1.1
as $$
#variable_conflict use_column
declare
    condition text := catalog.condition_of(catalog.limited_filters(filters));
    plain text := coalesce(catalog.normalised(left(prefix, 200)), '');
    sought text := catalog.title_key(left(prefix, 200));
    most integer := catalog.limited_count(match_count);
    words text[] := string_to_array(plain, ' ');
    begun tsquery;
    -- Without an article, the first step is the second one.
    step integer := case when sought = replace(plain, ' ', '') then 1 else 0 end;
    films bigint[] := '{}';
    names text[] := '{}';
    more_films bigint[];
    more_names text[];
    -- $1 key, $2 the first key that does not begin so, $3 as typed, $4 films that are there, $5 how many, $6 words.
    completions constant text :=
        'select array_agg(c.title_id order by c.place), array_agg(c.name order by c.place)
         from (
             select b.title_id, b.name, row_number() over (order by b.votes desc, b.title_id) as place
             from (
                 select distinct on (n.title_id) n.title_id, n.name, coalesce(s.vote_count, 0) as votes
                 from %s join catalog.titles m on m.title_id = n.title_id
                 left join catalog.title_stats s on s.title_id = n.title_id
                 where n.title_id <> all ($4) and %s
                 order by n.title_id, starts_with(n.normalised, $3) desc, n.kind = ''title'' desc, n.normalised
             ) b
             order by place limit $5
         ) c';
    names_begun constant text := 'catalog.title_names n';
    names_with_words constant text :=
        '(select m.title_id from catalog.title_documents m left join catalog.title_stats v using (title_id)
          where m.titles @@ $6 ' || catalog.condition_of_media(catalog.media_of(filters)) || ' order by v.vote_count desc nulls last, m.title_id limit 200) d
         join catalog.title_names n on n.title_id = d.title_id';
begin
    if coalesce(sought, '') = '' or most < 1 then
        return;
    end if;
    if length(words[cardinality(words)]) > (case when cardinality(words) > 1 then 1 else 2 end) then
        begun := (
            select string_agg(
                '''' || replace(w, '''', '''''') || '''' || case when n = cardinality(words) then ':*' else '' end, ' & ')
            from unnest(words) with ordinality w (w, n));
    end if;
    while cardinality(films) < most and step < case when begun is null then 3 else 4 end loop
        step := step + 1;
        execute format(
            completions,
            case step when 4 then names_with_words else names_begun end,
            case step
                when 1 then 'n.key >= $1 and n.key < $2 and starts_with(n.normalised, $3) and '
                when 2 then 'n.key >= $1 and n.key < $2 and n.kind in (''title'', ''original'') and '
                when 3 then 'n.key >= $1 and n.key < $2 and '
                else 'to_tsvector(''pg_catalog.simple'', n.normalised) @@ $6 and '
            end || condition)
        into more_films, more_names
        using sought, sought || chr(1114111), plain, films, most - cardinality(films), begun;
        films := films || more_films;
        names := names || more_names;
    end loop;
    return query
    select m.title_id, catalog.media_type(m.title_id), catalog.tmdb_id(m.title_id), m.title, m.release_year, f.name
    from unnest(films, names) with ordinality f (title_id, name, place) join catalog.titles m using (title_id)
    order by f.place;
end
$$;

-- As catalog.complete_any_title, for movies.
create or replace function catalog.complete_title(
    prefix text,
    match_count integer default 10,
    filters jsonb default '{}'
)
returns table (tmdb_id bigint, title text, release_year smallint, name text)
language sql stable
as $$
    select c.tmdb_id, c.title, c.release_year, c.name
    from catalog.complete_any_title(prefix, match_count, catalog.filters_of_movies(filters, 'complete_any_title')) c
$$;
