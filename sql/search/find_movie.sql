-- Applied after the migrations whenever it changes: which film a title means, for applications.

-- The 40 films whose titles contain most of the words, or similar words, with rare words weighing more; and a query of the
-- words.
drop function if exists catalog.films_titled_like(text, integer, text);
create or replace function catalog.films_titled_like(
    plain text, year integer, condition text, media text[] default '{movie}', out films bigint[], out words tsquery)
language plpgsql stable
set jit = off
set random_page_cost = 1.1
as $$
declare
    terms tsquery[];
    rarities double precision[];
    wanted tsquery;
begin
    films := '{}';
    select array_agg(catalog.any_word(t.forms || t.meant) order by t.place),
        array_agg(ln(1 + greatest(c.titles, 1000) / greatest(t.films, 1)) order by t.place)
    into terms, rarities
    from catalog.query_terms(plain, mend_all => true, media => media) t, catalog.titles_with_words(media) c (titles);
    words := catalog.any_of(terms);
    foreach wanted in array array[
        catalog.all_of(terms), catalog.two_of(terms, rarities), case when cardinality(terms) < 3 then words end
    ] loop
        exit when films <> '{}';
        continue when wanted is null;
        execute format(
            'select array(
                 select f.title_id
                 from (
                     select d.title_id, coalesce(s.vote_count, 0) as votes
                     from catalog.title_documents d join catalog.titles m using (title_id)
                     left join catalog.title_stats s using (title_id)
                     where d.titles @@ $1 and ($4 is null or m.release_year is null
                         or m.release_year between $4 - 1 and $4 + 1) and %s
                     order by s.vote_count desc nulls last, d.title_id limit 300
                 ) f
                 cross join lateral (
                     select d.titles || '''' from catalog.title_documents d where d.title_id = f.title_id offset 0) d (titles)
                 cross join lateral (
                     select sum(t.rarity) from unnest($2, $3) t (query, rarity) where d.titles @@ t.query) t (rarity)
                 order by t.rarity desc, f.votes desc, f.title_id limit 40)', condition)
        into films using wanted, terms, rarities, year;
    end loop;
end
$$;

-- Candidates with a confidence from 0 to 1. From 0.9 on a candidate can be taken without asking a person.
-- All titles of catalog.title_names are compared: the title, the original one, alternative and translated ones.
--   confidence = likeness × year × share
--   likeness: exact 1; normalised (another case, accents, punctuation, & for and) 0.97; loose (another or no article,
--     other blanks; or if no film has that, another spelling: see catalog.title_variants) 0.92; mistyped (one letter missing,
--       wrong, too many, or two that changed places) 0.9 × (1 - 1 / length);
--     similar 0.9 × Jaccard similarity of trigrams. 0.03 less for an alternative or translated title.
--   year: 1 for the film's year of release, 0.88 for the year before or after, 0.95 when no year is asked for, 0.8 when the
--     film has none; a film that is two years off is no candidate.
--   share: 1 for a single film. Films of the same title share the confidence if their likeness is equal or higher (without
--     a year: up to 0.03 lower) and their year fits as well or better: two films of one title have half of it each. An
--     alternative or translated title counts a quarter.
-- Four steps follow one another until one has a candidate: titles of the same key; other spellings, as "2" for "II" or "Part Two";
-- titles one typing error away; similar titles of a trigram similarity of at least 0.45. “Matrix, The (1999)” means The Matrix of
-- 1999 if no year is given. Ties are broken by votes, then by id. matched_by names the kind of match and the title, such as
-- “normalised original title”. filters: see catalog.condition_of.
create or replace function catalog.candidates_for(asked text, asked_year integer, most integer, filters jsonb)
returns table (tmdb_id bigint, title text, release_year smallint, confidence double precision, matched_by text)
language plpgsql stable
set jit = off
set random_page_cost = 1.1
as $$
declare
    condition text := catalog.condition_of(filters);
    wanted text := btrim(normalize(left(asked, 300), nfc));
    year integer := asked_year;
    plain text;
    sought text;
    ending text[];
    films bigint[];
    slips text[];
    words tsquery;
    -- $1 name, $2 its normalised form, $3 its key, $4 year, $5 films to compare, $6 number of candidates.
    candidates constant text :=
        'with likely as (
             select n.title_id, n.key, h.how, n.kind, m.title, m.release_year, coalesce(s.vote_count, 0) as votes,
                 h.likeness - case when n.kind in (''title'', ''original'') then 0 else 0.03 end as likeness,
                 case when n.kind in (''title'', ''original'') then 1 else 0.25 end as weight,
                 case when $4 is null then 0.95 when m.release_year is null then 0.8
                     when m.release_year = $4 then 1 else 0.88 end as fits
             from catalog.title_names n
             join catalog.titles m on m.title_id = n.title_id
             left join catalog.title_stats s on s.title_id = n.title_id
             cross join lateral (%s) h (how, likeness)
             where (m.release_year between $4 - 1 and $4 + 1 or $4 is null or m.release_year is null) and %s and %s
         ), best as materialized (
             select distinct on (a.title_id) a.* from likely a
             order by a.title_id, a.likeness desc, a.kind = ''title'' desc, a.kind = ''original'' desc, a.kind
         ), equals as materialized (
             select b.key, b.fits, b.likeness, sum(b.weight) as weight from best b group by b.key, b.fits, b.likeness
         ), shared as (
             select b.*, r.rivals
             from best b
             join (
                 select e.key, e.fits, e.likeness, (
                     select sum(r.weight) from equals r
                     where r.key = e.key and r.fits >= e.fits and r.likeness >= e.likeness - case when $4 is null then 0.03 else 0 end
                 ) as rivals
                 from equals e
             ) r using (key, fits, likeness)
         )
         select s.title_id, s.title, s.release_year,
             (s.likeness * s.fits * s.weight / s.rivals)::double precision as confidence,
             s.how || '' '' || case s.kind when ''title'' then ''title'' else s.kind || '' title'' end
         from shared s
         order by confidence desc, s.votes desc, s.title_id
         limit $6';
    by_key constant text :=
        'select case when n.name = $1 then ''exact'' when n.normalised = $2 then ''normalised'' else ''loose'' end,
             case when n.name = $1 then 1 when n.normalised = $2 then 0.97 else 0.92 end';
    by_slip constant text := 'select ''mistyped'', 0.9 * (1 - 1.0 / greatest(length(n.key), length($3)))';
    by_trigrams constant text :=
        'select ''similar'', 0.9 * catalog.similarity(catalog.trigrams(n.normalised), $7) offset 0';
begin
    if coalesce(wanted, '') = '' or coalesce(most, 5) < 1 then
        return;
    end if;
    most := coalesce(most, 5);
    ending := regexp_match(wanted, '^(.*\S)\s*\((\d{4})\)$');
    if year is null and ending is not null then
        wanted := ending[1];
        year := ending[2];
    end if;
    ending := regexp_match(wanted, '^(.*\S), (the|an?|l[ae]s?|l''|el|los|il|gli|der|die|das|eine?|un[ea])$', 'i');
    if ending is not null then
        wanted := ending[2] || case when right(ending[2], 1) = '''' then '' else ' ' end || ending[1];
    end if;
    plain := catalog.normalised(wanted);
    sought := catalog.title_key(wanted);

    return query execute format(candidates, by_key, 'n.key = $3', condition)
    using wanted, plain, sought, year, films, most;
    if found or plain = '' then
        return;
    end if;
    return query execute format(candidates, by_key, 'n.key = any ($7)', condition)
    using wanted, plain, sought, year, films, most, catalog.title_variants(plain);
    if found or length(plain) < 3 then
        return;
    end if;
    slips := catalog.slips_of(plain, sought);
    films := array(select distinct n.title_id from catalog.title_names n where n.key = any (slips));
    if films <> '{}' then
        return query execute format(candidates, by_slip, 'n.title_id = any ($5) and n.key = any ($7)', condition)
        using wanted, plain, sought, year, films, most, slips;
        if found then
            return;
        end if;
    end if;
    select l.films, l.words into films, words from catalog.films_titled_like(plain, year, condition, catalog.media_of(filters)) l;
    if films = '{}' then
        return;
    end if;
    return query execute format(
        candidates, by_trigrams,
        'n.title_id = any ($5) and length(n.normalised) between 0.4 * length($2) and 2.5 * length($2)
         and to_tsvector(''pg_catalog.simple'', n.normalised) @@ $8 and h.likeness >= 0.9 * 0.45', condition)
    using wanted, plain, sought, year, films, most, catalog.trigrams(plain), words;
end
$$;

create or replace function catalog.find_movie(
    title text,
    year integer default null,
    match_count integer default 5,
    filters jsonb default '{}'
)
returns table (tmdb_id bigint, title text, release_year smallint, confidence double precision, matched_by text)
language sql stable
as $$
    select c.title_id, c.title, c.release_year, c.confidence, c.matched_by
    from catalog.candidates_for(
        left($1, 2000), $2, catalog.limited_count(coalesce($3, 5)),
        catalog.filters_of_movies(catalog.limited_filters($4), 'find_title')) c (title_id)
$$;

-- As catalog.find_movie, for titles of the media types that the filters name.
create or replace function catalog.find_title(
    title text,
    year integer default null,
    match_count integer default 5,
    filters jsonb default '{}'
)
returns table (
    title_id bigint, media_type text, tmdb_id bigint, title text, release_year smallint, confidence double precision,
    matched_by text
)
language sql stable
as $$
    select c.title_id, catalog.media_type(c.title_id), catalog.tmdb_id(c.title_id), c.title, c.release_year, c.confidence, c.matched_by
    from catalog.candidates_for(
        left($1, 2000), $2, catalog.limited_count(coalesce($3, 5)), catalog.limited_filters($4)) c (title_id)
$$;
