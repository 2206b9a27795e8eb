-- Applied after the migrations whenever it changes: the words of a question, with those that were probably meant.

-- The words of the vocabulary that are nearest to a word: those one slip away, the more common ones first; where there are
-- none, and not only_slips, those whose trigrams are at least 0.4 alike (Jaccard). Words of less than four letters have no neighbours.
create or replace function catalog.nearest_words(wanted text, most integer default 3, only_slips boolean default false)
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
    select v.word::text, 1 - 1.0::double precision / greatest(length(wanted), length(v.word)), v.films
    from catalog.vocabulary v
    where v.word = any (catalog.one_edit_away(wanted)) and length(v.word) > 2
    order by v.films desc, v.word limit most;
    if found or only_slips or length(wanted) < 5 then
        return;
    end if;
    -- Words that are so alike have two trigrams in a row in common: a slip spoils three in a row and leaves the others. Two
    -- are asked for together, because each alone is in thousands of words.
    wanted_trigrams := catalog.trigrams(wanted);
    return query
    select near.word, near.likeness, near.films
    from (
        select v.word::text, catalog.similarity(v.trigrams, wanted_trigrams) as likeness, v.films
        from (
            select distinct on (v.word) v.*
            from generate_series(1, length(wanted)) n
            cross join lateral (
                select v.* from catalog.vocabulary v
                where v.trigrams @> array[substr('  ' || wanted || ' ', n, 3), substr('  ' || wanted || ' ', n + 1, 3)]
            ) v
        ) v
        where cardinality(v.trigrams) between 0.4 * cardinality(wanted_trigrams) and 2.5 * cardinality(wanted_trigrams)
    ) near
    where near.likeness >= 0.4
    order by near.likeness desc, near.films desc, near.word limit most;
end
$$;

-- The first 16 distinct words of a normalised text that are no English stop words (or all of them, where it has no others):
-- place in the text, the forms that a document may have it in (itself, its English stem; others probably meant, where
-- hardly any film has it, or for every word with mend_all), and how many films have one of them.
create or replace function catalog.query_terms(plain text, mend_all boolean default false)
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
        select coalesce(max(v.films), 0) into films from catalog.vocabulary v where v.word = any (forms);
        meant := '{}';
        if films <= 1 or mend_all then
            select coalesce(array_agg(n.word), '{}'), greatest(query_terms.films, max(n.films))
            into meant, films
            from catalog.nearest_words(term.lexeme, case when mend_all then 5 else 3 end, only_slips => query_terms.films > 1) n
            where n.word <> all (query_terms.forms);
        end if;
        return next;
    end loop;
end
$$;

-- A tsquery that any of these words answers, in fields of these weights ('' for all).
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
