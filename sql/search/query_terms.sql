-- Applied after the migrations whenever it changes: the words of a question, with those that were probably meant.

-- The words of the vocabulary that are most similar to a word: those one typing error away, common words first. If there
-- are none, and unless only_slips, those with a trigram similarity (Jaccard) of at least 0.4. A word of fewer than four
-- letters has none. The vocabulary is that of some media types, as is the number of their titles in films.
drop function if exists catalog.nearest_words(text, integer, boolean);
create or replace function catalog.nearest_words(
    wanted text, most integer default 3, only_slips boolean default false, media text[] default '{movie}')
returns table (word text, likeness double precision, films integer)
language plpgsql stable
set jit = off
set random_page_cost = 1.1
as $$
declare
    wanted_trigrams text[];
begin
    if length(wanted) not between 4 and 40 then
        return;
    end if;
    return query
    select v.word::text, 1 - 1.0::double precision / greatest(length(wanted), length(v.word)), sum(v.films)::integer as titles
    from catalog.vocabulary v
    where v.word = any (catalog.one_edit_away(wanted)) and length(v.word) > 2 and v.media_type = any (media)
    group by v.word
    order by titles desc, v.word limit most;
    if found or only_slips or length(wanted) < 5 then
        return;
    end if;
    -- Words of that similarity share two consecutive trigrams: a typing error changes three consecutive ones and leaves the
    -- others. The query asks for two together, because thousands of words have each alone.
    wanted_trigrams := catalog.trigrams(wanted);
    return query
    select n.word, n.likeness, n.films
    from (
        select v.word::text, catalog.similarity(v.trigrams, wanted_trigrams) as likeness, v.films
        from (
            select distinct on (v.word) v.word, v.trigrams, case when cardinality(media) = 1 then v.films else (
                select sum(a.films)::integer from catalog.vocabulary a where a.word = v.word and a.media_type = any (media)) end as films
            from generate_series(1, length(wanted)) n
            cross join lateral (
                select v.* from catalog.vocabulary v
                where v.trigrams @> array[substr('  ' || wanted || ' ', n, 3), substr('  ' || wanted || ' ', n + 1, 3)]
                  and v.media_type = any (media)
            ) v
        ) v
        where cardinality(v.trigrams) between 0.4 * cardinality(wanted_trigrams) and 2.5 * cardinality(wanted_trigrams)
    ) n
    where n.likeness >= 0.4
    order by n.likeness desc, n.films desc, n.word limit most;
end
$$;

-- The first 16 distinct words of a normalised text without English stop words (with them, if it has no other words): the
-- place in the text; the forms in documents (the word and its English stem); the words that were probably meant, for a word
-- that hardly any film has, or for every word with mend_all; and the number of films (titles of these media types) with one of them.
drop function if exists catalog.query_terms(text, boolean);
create or replace function catalog.query_terms(plain text, mend_all boolean default false, media text[] default '{movie}')
returns table (place integer, forms text[], meant text[], films integer)
language plpgsql stable
set jit = off
set random_page_cost = 1.1
as $$
declare
    term record;
    stem text[];
begin
    for term in
        with words as materialized (
            select w.lexeme, w.positions[1]::integer as place,
                ts_lexize('pg_catalog.english_stem', w.lexeme) = '{}' as is_stop_word
            from unnest(to_tsvector('pg_catalog.simple', left(plain, 1000))) w
            where length(w.lexeme) <= 60
        )
        select w.lexeme, w.place from words w
        where not w.is_stop_word or not exists (select from words o where not o.is_stop_word)
        order by w.place limit 16
    loop
        stem := ts_lexize('pg_catalog.english_stem', term.lexeme);
        place := term.place;
        forms := array(select distinct f from unnest(array[term.lexeme] || coalesce(stem, '{}')) f order by f);
        select coalesce(max(v.titles), 0) into films
        from (
            select sum(v.films)::integer as titles from catalog.vocabulary v
            where v.word = any (forms) and v.media_type = any (media) group by v.word
        ) v;
        meant := '{}';
        if films <= 1 or mend_all then
            select coalesce(array_agg(n.word), '{}'), greatest(query_terms.films, max(n.films))
            into meant, films
            from catalog.nearest_words(term.lexeme, case when mend_all then 5 else 3 end, only_slips => query_terms.films > 1, media => media) n
            where n.word <> all (query_terms.forms);
        end if;
        return next;
    end loop;
end
$$;

-- A tsquery that matches any of these words, in fields of these weights ('' for all).
create or replace function catalog.any_word(words text[], weights text default '') returns tsquery
language sql immutable parallel safe
return (
    select string_agg(
        '''' || replace(replace(w, '\', '\\'), '''', '''''') || '''' || case weights when '' then '' else ':' || weights end,
        ' | ')::tsquery
    from unnest(words) w
);

-- All of these queries; any of them; at least two of the six rarest (that formula grows with the square of their number).
create or replace function catalog.all_of(queries tsquery[]) returns tsquery
language sql immutable parallel safe
return (select string_agg('(' || q::text || ')', ' & ')::tsquery from unnest(queries) q);

create or replace function catalog.any_of(queries tsquery[]) returns tsquery
language sql immutable parallel safe
return (select string_agg('(' || q::text || ')', ' | ')::tsquery from unnest(queries) q);

create or replace function catalog.two_of(queries tsquery[], rarities double precision[]) returns tsquery
language sql immutable parallel safe
return (
    with rarest as (
        select r.q, row_number() over () as n
        from (
            select u.q from unnest(queries, rarities) with ordinality u (q, rarity, place)
            order by u.rarity desc, u.place limit 6
        ) r
    )
    select string_agg(format('(%s) & (%s)', a.q::text, b.rest), ' | ')::tsquery
    from rarest a
    cross join lateral (select string_agg('(' || o.q::text || ')', ' | ') from rarest o where o.n > a.n) b (rest)
    where b.rest is not null
);

-- Words for films and for likeness, which say nothing of a film: "a movie like ...".
create or replace function catalog.words_for_films() returns text[]
language sql immutable parallel safe
return '{movie,movies,film,films,filme,flick,flicks,pelicula,peliculas,like,something,anything}'::text[];

-- The number of titles of some media types that have words: of movies, by the statistics of the table.
create or replace function catalog.titles_with_words(media text[]) returns real
language sql stable
as $$
    select (case when 'movie' = any (media) then c.reltuples - coalesce(sum(v.films) filter (where v.media_type <> all (media)), 0)
        else coalesce(sum(v.films) filter (where v.media_type = any (media)), 0) end)::real
    from pg_class c left join catalog.vocabulary v on v.word = ''
    where c.oid = 'catalog.title_documents'::regclass
    group by c.reltuples
$$;

-- A normalised question as searches by words read it. Words for films and for likeness ("a movie like ...") are left out, unless
-- there are no others. For each other word, terms has a query of its forms and of the words that were probably meant, and
-- rarities the natural logarithm of 1 + all films / films that have it; pairs and pair_rarities have two words that follow one
-- another; keys has the words as catalog.posting_keys lists them, key_rarities the rarity of the word that each belongs to; forms and
-- meant_words have all words. begun has the other words and a word that begins as the last one, of three letters or more if there is no
-- other; null if that is a stop word; is_begun: no film has the last word. is_mended: a word of three letters or more is in no
-- film, or is taken for others. known_text: the question without the words that are left out, in no film or taken for others; '' if
-- only stop words are left.
drop function if exists catalog.read_question(text);
create or replace function catalog.read_question(
    plain text, media text[] default '{movie}',
    out terms tsquery[], out rarities double precision[], out pairs tsquery[], out pair_rarities double precision[],
    out keys text[], out key_rarities double precision[], out forms text[], out meant_words text[], out is_mended boolean,
    out begun tsquery, out is_begun boolean, out known_text text)
language sql stable
set jit = off
as $$
    with word as materialized (
        select t.*,
            t.forms && catalog.words_for_films() as is_empty,
            t.films > 0 and t.meant = '{}' as is_known,
            catalog.any_word(t.forms || t.meant) as query,
            ln(1 + greatest(c.titles, 1000) / greatest(t.films, 1))::double precision as rarity
        from catalog.query_terms(plain, media => media) t, catalog.titles_with_words(media) c (titles)
    ), term as materialized (
        select w.*, row_number() over (order by w.place) as number
        from word w where not w.is_empty or not exists (select from word o where not o.is_empty)
    ), pair as materialized (
        select a.place, tsquery_phrase(a.query, b.query, b.place - a.place) as query, a.rarity + b.rarity as rarity
        from term a join term b on b.number = a.number + 1 where b.place > a.place
    ), listed as materialized (
        select k.key, max(t.rarity) as rarity
        from term t cross join unnest(catalog.posting_keys(t.forms || t.meant)) k (key) group by k.key
    ), final as materialized (
        -- The last word of the question, if it is one of the terms.
        select t.*, w.word from term t, (select (string_to_array(plain, ' '))[cardinality(string_to_array(plain, ' '))]) w (word)
        where w.word = any (t.forms) and (length(w.word) > 2 or (select count(*) from term) > 1)
        order by t.place desc limit 1 -- it may be the stem of an earlier word, too
    ), unknown as materialized (
        select array(
            select unnest(w.forms) from word w where not w.is_known or w.place not in (select t.place from term t)) as words
    )
    select
        (select array_agg(t.query order by t.place) from term t), (select array_agg(t.rarity order by t.place) from term t),
        array(select p.query from pair p order by p.place), array(select p.rarity from pair p order by p.place),
        array(select l.key from listed l order by l.key), array(select l.rarity from listed l order by l.key),
        array(select unnest(t.forms) from term t), array(select unnest(t.meant) from term t),
        coalesce((select bool_or(not t.is_known and length(t.forms[1]) > 2) from term t), false),
        (select coalesce(catalog.all_of(array(select t.query from term t where t.place <> f.place)) && b.query, b.query)
         from final f, to_tsquery('pg_catalog.simple', quote_literal(f.word) || ':*') b (query)),
        coalesce((select not f.is_known or length(f.word) < 3 from final f), false),
        case when exists (select from term t where t.is_known) then coalesce((
            select string_agg(w.word, ' ' order by w.place)
            from unnest(string_to_array(left(plain, 2000), ' ')) with ordinality w (word, place), unknown u
            where w.word <> all (u.words)), '') else '' end
$$;
