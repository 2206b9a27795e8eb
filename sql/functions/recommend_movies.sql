-- Applied after the migrations whenever it changes: films for a person, from what that person loved, liked and disliked.

-- Up to match_count films that the person has not named, the best first; filters: see catalog.condition_of.
--   With loved or liked films: those near the sum of their vectors by weight, disliked ones subtracted.
--   With only disliked ones, or none: near the middle of the most voted films that pass the filters and share no genre
--   with the disliked ones, these subtracted. With nothing to go by at all: the most popular films.
-- score = similarity + popularity × ln(1 + votes) / 10, lowered by `diversity` × the similarity to what was chosen before
-- it (maximal marginal relevance, Carbonell and Goldstein 1998). `because` is the named film that it is most like.
-- options, with their defaults: {"loved": 1.0, "liked": 0.6, "disliked": -0.8, "popularity": 0.05, "diversity": 0.2}
create or replace function catalog.recommend_movies(
    loved bigint[] default '{}',
    liked bigint[] default '{}',
    disliked bigint[] default '{}',
    filters jsonb default '{}',
    match_count integer default 10,
    options jsonb default '{}'
)
returns table (
    tmdb_id bigint, title text, release_year smallint, score double precision, similarity double precision,
    because bigint, shared_features jsonb
)
language plpgsql stable rows 10
set jit = off
as $$
#variable_conflict use_column
declare
    weights jsonb := '{"loved": 1.0, "liked": 0.6, "disliked": -0.8, "popularity": 0.05, "diversity": 0.2}'
        || jsonb_strip_nulls(coalesce(options, '{}'));
    unknown text := (
        select string_agg(k, ', ') from jsonb_object_keys(coalesce(options, '{}')) k
        where k not in ('loved', 'liked', 'disliked', 'popularity', 'diversity'));
    active integer := (select s.set_id from catalog.embedding_sets s where s.is_active);
    praised bigint[] := coalesce(loved, '{}') || coalesce(liked, '{}');
    rest jsonb := jsonb_set(
        coalesce(filters, '{}'), '{exclude}',
        coalesce(filters -> 'exclude', '[]') || to_jsonb(praised || coalesce(disliked, '{}')));
    taste vector;
    pool bigint[];
    near double precision[];
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
            using hint = 'Known are loved, liked, disliked, popularity and diversity.';
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
    films := coalesce(cardinality(pool), 0);
    select array_agg(
        coalesce(near[p.i], 0) + (weights ->> 'popularity')::double precision * ln(1 + coalesce(s.vote_count, 0)) / 10
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
    select m.tmdb_id, m.title, m.release_year, scores[c.place], near[c.i], b.tmdb_id,
        catalog.shared_features(b.tmdb_id, m.tmdb_id)
    from unnest(chosen) with ordinality c (i, place)
    join catalog.movies m on m.tmdb_id = pool[c.i]
    left join lateral catalog.nearest_of(m.tmdb_id, praised, active) b (tmdb_id) on true
    order by c.place;
end
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
