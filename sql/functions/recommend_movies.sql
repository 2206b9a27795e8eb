-- Applied after the migrations whenever it changes: films for a person, from what that person loved, liked and disliked.

-- Up to match_count films that the person has not named, the best first; filters: see catalog.condition_of.
--   With loved or liked films: those near the sum of their vectors by weight, disliked ones subtracted.
--   With only disliked ones, or none: near the middle of the most voted films that pass the filters and share no genre
--   with the disliked ones, these subtracted. With nothing to go by at all: the most popular films.
-- What people with watch histories liked besides the named films counts as well, where there is a model of that
-- (catalog.film_weights): the films that it says most for compete with the nearest ones.
-- score = similarity + histories × weight / largest weight (0.1 at least) + popularity × ln(1 + votes) / 10, lowered by `diversity` × the
-- similarity to what was chosen before it (maximal marginal relevance, Carbonell and Goldstein 1998). `because` is the
-- named film that says most for it, or, where none does, the one that it is most like. `reasons`: see catalog.reasons_of.
-- options, with their defaults:
-- {"loved": 1.0, "liked": 0.6, "disliked": -0.8, "histories": 0.5, "popularity": 0.05, "diversity": 0.2}
drop function if exists catalog.recommend_movies(bigint[], bigint[], bigint[], jsonb, integer, jsonb);
create function catalog.recommend_movies(
    loved bigint[] default '{}',
    liked bigint[] default '{}',
    disliked bigint[] default '{}',
    filters jsonb default '{}',
    match_count integer default 10,
    options jsonb default '{}'
)
returns table (
    tmdb_id bigint, title text, release_year smallint, score double precision, similarity double precision,
    because bigint, shared_features jsonb, reasons jsonb
)
language plpgsql stable rows 10
set jit = off
as $$
#variable_conflict use_column
declare
    weights jsonb := '{"loved": 1.0, "liked": 0.6, "disliked": -0.8, "histories": 0.5, "popularity": 0.05,
        "diversity": 0.2}' || jsonb_strip_nulls(coalesce(options, '{}'));
    unknown text := (
        select string_agg(k, ', ') from jsonb_object_keys(coalesce(options, '{}')) k
        where k not in ('loved', 'liked', 'disliked', 'histories', 'popularity', 'diversity'));
    active integer := (select s.set_id from catalog.embedding_sets s where s.is_active);
    praised bigint[] := coalesce(loved, '{}') || coalesce(liked, '{}');
    named bigint[] := praised || coalesce(disliked, '{}');
    rest jsonb := jsonb_set(
        coalesce(filters, '{}'), '{exclude}',
        coalesce(filters -> 'exclude', '[]') || to_jsonb(named));
    factors double precision[] := array_fill((weights ->> 'loved')::double precision, array[coalesce(cardinality(loved), 0)])
        || array_fill((weights ->> 'liked')::double precision, array[coalesce(cardinality(liked), 0)])
        || array_fill((weights ->> 'disliked')::double precision, array[coalesce(cardinality(disliked), 0)]);
    taste vector;
    pool bigint[];
    near double precision[];
    told double precision[];
    worth double precision[];
    alike double precision[];
    chosen integer[] := '{}';
    scores double precision[] := '{}';
    crowding double precision[];
    best integer;
    films integer;
begin
    if unknown is not null then
        raise exception 'there is no option %', unknown
            using hint = 'Known are loved, liked, disliked, histories, popularity and diversity.';
    elsif coalesce(match_count, 0) < 1 then
        return;
    end if;
    if active is not null then
        taste := catalog.taste(loved, liked, disliked, filters, weights, active);
    end if;
    films := greatest(50, least(200, 4 * match_count), match_count);
    if taste is not null then
        select array_agg(n.tmdb_id order by n.similarity desc, n.tmdb_id),
            array_agg(n.similarity order by n.similarity desc, n.tmdb_id)
        into pool, near
        from catalog.nearest_movies(taste, films, rest, active) n;
    else
        execute format(
            'select array_agg(t.tmdb_id), array_agg(null::double precision) from (
                 select m.tmdb_id from catalog.movies m join catalog.movie_stats p using (tmdb_id)
                 where %s order by p.popularity desc, m.tmdb_id limit $1) t', catalog.condition_of(rest))
        into pool, near using films;
    end if;
    if (weights ->> 'histories')::double precision <> 0 and exists (select from catalog.film_weights) then
        select j.pool, j.near, j.told into pool, near, told
        from catalog.joined_with_histories(
            pool, near, named, factors, (weights ->> 'histories')::double precision, rest, films, taste, active) j;
    end if;
    films := coalesce(cardinality(pool), 0);
    select array_agg(
        coalesce(near[p.i], 0) + (weights ->> 'histories')::double precision * coalesce(told[p.i], 0)
            + (weights ->> 'popularity')::double precision * ln(1 + coalesce(s.vote_count, 0)) / 10
            + case when taste is null then 1.0 - p.i::double precision / films else 0 end
        order by p.i)
    into worth
    from generate_subscripts(pool, 1) p (i) left join catalog.movie_stats s on s.tmdb_id = pool[p.i];
    alike := catalog.similarities(pool, active);
    crowding := array_fill(0.0::double precision, array[films]);
    while cardinality(chosen) < least(match_count, films) loop
        best := null;
        for i in 1 .. films loop
            if worth[i] is not null and (best is null or worth[i] - (weights ->> 'diversity')::double precision * crowding[i]
                    > worth[best] - (weights ->> 'diversity')::double precision * crowding[best]) then
                best := i;
            end if;
        end loop;
        chosen := chosen || best;
        scores := scores || (worth[best] - (weights ->> 'diversity')::double precision * crowding[best]);
        worth[best] := null;
        for i in 1 .. films loop
            crowding[i] := greatest(crowding[i], alike[(best - 1) * films + i]);
        end loop;
    end loop;
    return query
    select m.tmdb_id, m.title, m.release_year, scores[c.place], near[c.i], b.films[1],
        catalog.shared_features(b.films[1], m.tmdb_id),
        catalog.reasons_of(m.tmdb_id, b.films, b.weights, coalesce(loved, '{}'))
    from unnest(chosen) with ordinality c (i, place)
    join catalog.movies m on m.tmdb_id = pool[c.i]
    cross join lateral (
        select coalesce(s.films, n.films) as films, case when s.films is null then n.weights else s.weights end as weights
        from catalog.speakers_for(m.tmdb_id, praised, factors, told[c.i] is not null) s
        cross join (
            select array_agg(o.tmdb_id) as films, array_agg(0::real) as weights
            from catalog.nearest_of(m.tmdb_id, praised, active) o (tmdb_id)) n
    ) b
    order by c.place;
end
$$;

-- The best of a pool of near films and of those that histories say most for: their similarities (0 without a vector), and
-- what histories say of each, where the largest weight is 1. Weights below 0.1 in all are said by few people; the largest
-- then stays below 1.
create or replace function catalog.joined_with_histories(
    near_films bigint[], similarities double precision[], named bigint[], factors double precision[],
    share double precision, filters jsonb, films integer, taste vector, in_set integer,
    out pool bigint[], out near double precision[], out told double precision[]
)
language plpgsql stable
as $$
declare
    target text := case
        when in_set is null then '(select null::bigint as tmdb_id, null::vector as embedding)'
        else format('catalog.%I', 'movie_vectors_' || in_set)
    end;
begin
    execute format(
        'with said as materialized (
             select w.tmdb_id, w.weight from catalog.films_by_histories($3, $4) w
         ), best as (
             select s.tmdb_id from said s join catalog.movies m using (tmdb_id)
             where s.weight > 0 and %s order by s.weight desc, s.tmdb_id limit $5
         ), joined as (
             select n.tmdb_id, n.similarity, n.place from unnest($1, $2) with ordinality n (tmdb_id, similarity, place)
             union all
             select b.tmdb_id, case when $6 is not null then coalesce(1 - (v.embedding::vector <=> $6), 0) end,
                 $5 + row_number() over (order by b.tmdb_id)
             from best b left join %s v on v.tmdb_id = b.tmdb_id
             where b.tmdb_id <> all (coalesce($1, ''{}''))
         ), worth as (
             select j.tmdb_id, j.similarity, j.place, s.weight / greatest(0.1, l.largest) as told
             from joined j
             left join said s using (tmdb_id)
             cross join (select max(abs(s.weight)) as largest from joined join said s using (tmdb_id)) l
         )
         select array_agg(w.tmdb_id order by w.rank), array_agg(w.similarity order by w.rank),
             array_agg(w.told order by w.rank)
         from (
             select w.*, row_number() over (
                 order by coalesce(w.similarity, 0) + $7 * coalesce(w.told, 0) desc, w.place) as rank
             from worth w
         ) w
         where w.rank <= $5', catalog.condition_of(filters), target)
    into pool, near, told using near_films, similarities, named, factors, films, taste, share;
end
$$;

-- The three praised films whose weights say most for a film; nulls where none says anything for it.
create or replace function catalog.speakers_for(
    film bigint, praised bigint[], factors double precision[], is_told boolean,
    out films bigint[], out weights real[]
)
language sql stable
as $$
    select array_agg(t.tmdb_id order by t.weight desc, t.tmdb_id), array_agg(t.weight::real order by t.weight desc, t.tmdb_id)
    from (
        select f.tmdb_id, max(p.factor * f.weights[array_position(f.others, film)]) as weight
        from unnest(praised, factors[: cardinality(praised)]) p (tmdb_id, factor)
        join catalog.film_weights f on f.tmdb_id = p.tmdb_id
        where is_told
        group by 1
        having max(p.factor * f.weights[array_position(f.others, film)]) > 0
        order by 2 desc, 1
        limit 3
    ) t
$$;

-- The direction of a person's taste in an embedding set, of length 1; null when there is nothing to go by.
create or replace function catalog.taste(
    loved bigint[], liked bigint[], disliked bigint[], filters jsonb, weights jsonb, in_set integer
)
returns vector
language plpgsql stable
as $$
declare
    target text := format('catalog.%I', 'movie_vectors_' || in_set);
    has_praise boolean;
    direction vector;
begin
    execute format(
        'select l2_normalize(sum(l2_normalize(v.embedding::vector) * array_fill(w.weight::real, array[w.width])::vector)),
             coalesce(bool_or(w.weight > 0), false)
         from %s v
         join (
             select u.tmdb_id, max(u.weight) as weight, (select dimensions from catalog.embedding_sets where set_id = $5)
                 as width
             from (
                 select unnest($1), ($4 ->> ''loved'')::double precision
                 union all select unnest($2), ($4 ->> ''liked'')::double precision
                 union all select unnest($3), ($4 ->> ''disliked'')::double precision
             ) u (tmdb_id, weight) group by 1
         ) w using (tmdb_id)', target)
    into direction, has_praise using loved, liked, disliked, weights, in_set;
    if not has_praise and (direction is not null or coalesce(filters, '{}') ?| '{genres,keywords,people}') then
        execute format(
            'select l2_normalize(l2_normalize(avg(t.embedding::vector)) + coalesce($2, l2_normalize(avg(t.embedding::vector))))
             from (
                 select v.embedding from %s v join catalog.movies m using (tmdb_id)
                 join catalog.movie_stats s using (tmdb_id)
                 where %s and ($3 or not m.genres && array(
                     select unnest(d.genres) from catalog.movies d where d.tmdb_id = any ($1)))
                 order by s.vote_count desc, v.tmdb_id limit 200
             ) t', target, catalog.condition_of(filters))
        into direction
        using disliked,
            case when direction is not null then
                direction * array_fill(-(weights ->> 'disliked')::real, array[vector_dims(direction)])::vector end,
            coalesce(filters, '{}') ?| '{genres,keywords,people}';
    end if;
    return case when vector_norm(direction) > 0 then direction end;
end
$$;

-- The similarity of each of some films with each, row by row; 0 for one without a vector.
create or replace function catalog.similarities(films bigint[], in_set integer) returns double precision[]
language plpgsql stable
as $$
declare
    found double precision[];
begin
    if in_set is null then
        return array_fill(0.0::double precision, array[cardinality(films) * cardinality(films)]);
    end if;
    execute format(
        'with pool as materialized (
             select p.i, l2_normalize(v.embedding::vector) as direction
             from unnest($1) with ordinality p (tmdb_id, i) left join catalog.%I v on v.tmdb_id = p.tmdb_id
         )
         select array_agg(p.similarity order by p.i, p.j) from (
             select a.i, b.i as j, coalesce(-(a.direction <#> b.direction), 0) as similarity
             from pool a, pool b offset 0  -- before the sort, which else would carry the vectors
         ) p',
        'movie_vectors_' || in_set) into found using films;
    return found;
end
$$;

-- Which of some films a film is most like; none without a vector.
create or replace function catalog.nearest_of(film bigint, films bigint[], in_set integer) returns setof bigint
language plpgsql stable
as $$
begin
    if in_set is not null then
        return query execute format(
            'select o.tmdb_id from catalog.%1$I o
             where o.tmdb_id = any ($2)
             order by (o.embedding <=> (select v.embedding from catalog.%1$I v where v.tmdb_id = $1)) + 0, o.tmdb_id
             limit 1', 'movie_vectors_' || in_set) using film, films;
    end if;
end
$$;
