-- Applied after the migrations whenever it changes: recommends titles from those that a person loved, liked and disliked.

-- Returns up to match_count titles that are not among the given ones, the best first; filters: see catalog.condition_of. Those
-- of several media types (the filter media_types) compete with each other. The given titles may be of any media type: their
-- vectors are compared with all titles, while weights from histories are among titles of one media type. The person's titles
-- are given as title_ids: as loved, liked and disliked, or with ratings of 0-100 (`rated` and `ratings` side by side; null:
-- seen, not rated; 90 and more is loved, 80 and more or no rating liked, below 50 disliked). catalog.centred_weights and
-- catalog.direction_of compute the direction of the person's taste among vectors.
-- score = similarity to that direction + popularity × standing + histories × history score, minus `diversity` × redundancy.
-- Redundancy is the largest similarity to a film chosen before (maximal marginal relevance, Carbonell and Goldstein 1998);
-- it is computed for the best 100 films, and 1 for those after them.
--   standing        0-1: the number of people who like the film if a model is served, else TMDB's votes; ln(1 + n) as a share
--                   of the largest of the media type. See catalog.title_standings.
--   history score   the sum of the weights from the given films by the served models (catalog.title_weights), as a share of the
--                   largest sum, which counts as 0.1 at least
-- Without a direction, the films most popular today come first, with a value falling from 1 to 0 instead of similarity and
-- standing. `because` is the given film with the largest weight for a film, or, if none has a weight, the most similar one.
-- `reasons`: see catalog.reasons_of. The defaults of popularity and histories were chosen by NDCG@10 on MovieLens ratings.
-- options, with their defaults:
-- {"loved": 1.0, "liked": 0.6, "disliked": -0.8, "histories": 2.0, "popularity": 1.0, "diversity": 0.2}
create or replace function catalog.recommend_titles(
    loved bigint[] default '{}',
    liked bigint[] default '{}',
    disliked bigint[] default '{}',
    filters jsonb default '{}',
    match_count integer default 10,
    options jsonb default '{}',
    rated bigint[] default '{}',
    ratings double precision[] default '{}'
)
returns table (
    title_id bigint, media_type text, tmdb_id bigint, title text, release_year smallint, score double precision,
    similarity double precision, because bigint, shared_features jsonb, reasons jsonb
)
language plpgsql stable rows 10
set jit = off
as $$
#variable_conflict use_column
declare
    weights jsonb := catalog.options_of_recommend_movies(options);
    diversity double precision := (weights ->> 'diversity')::double precision;
    active integer := (select s.set_id from catalog.embedding_sets s where s.is_active);
    by_rating record;
    all_loved bigint[];
    positive bigint[];
    named bigint[];
    pool_filters jsonb;
    factors double precision[];
    direction vector;
    pool bigint[];
    similarities double precision[];
    history_scores double precision[];
    pool_scores double precision[];
    chosen integer[];
    scores double precision[];
    films integer;  -- in the pool
    diversified integer := least(100, greatest(50, 4 * catalog.limited_count(match_count)));  -- of them
begin
    if catalog.limited_count(match_count) < 1 then
        return;
    end if;
    match_count := catalog.limited_count(match_count);
    loved := catalog.limited_ids(loved, 'loved');
    liked := catalog.limited_ids(liked, 'liked');
    disliked := catalog.limited_ids(disliked, 'disliked');
    filters := catalog.limited_filters(filters);
    perform catalog.limited_ids(rated, 'rated');
    if cardinality(ratings) > 20000 then
        raise exception 'ratings has % numbers; it can have 20,000', cardinality(ratings) using errcode = '22023';
    end if;
    select coalesce(array_agg(r.title_id) filter (where r.rating >= 90), '{}') as loved,
        coalesce(array_agg(r.title_id) filter (where r.rating >= 80 and r.rating < 90 or r.rating is null), '{}') as liked,
        coalesce(array_agg(r.title_id) filter (where r.rating < 50), '{}') as disliked,
        coalesce(array_agg(r.title_id), '{}') as all_of_them
    into by_rating
    from unnest(rated, ratings) r (title_id, rating) where r.title_id is not null;
    all_loved := loved || by_rating.loved;
    positive := all_loved || liked || by_rating.liked;
    named := positive || disliked || by_rating.disliked;
    factors := array_fill((weights ->> 'loved')::double precision, array[cardinality(all_loved)])
        || array_fill((weights ->> 'liked')::double precision, array[cardinality(positive) - cardinality(all_loved)])
        || array_fill((weights ->> 'disliked')::double precision, array[cardinality(named) - cardinality(positive)]);
    pool_filters := jsonb_set(
        coalesce(filters, '{}'), '{exclude}',
        coalesce(filters -> 'exclude', '[]') || to_jsonb(named || by_rating.all_of_them));
    if active is not null then
        select catalog.direction_of(
            array_agg(c.title_id), array_agg(c.weight), disliked || by_rating.disliked, filters,
            -(weights ->> 'disliked')::double precision, active)
        into direction
        from catalog.centred_weights(loved, liked, disliked, weights, rated, ratings) c (title_id);
    end if;
    select p.pool, p.similarities, p.history_scores, p.scores into pool, similarities, history_scores, pool_scores
    from catalog.competing_films(
        direction, named, factors, weights, pool_filters, greatest(diversified, match_count), active) p;
    films := coalesce(cardinality(pool), 0);
    diversified := least(diversified, films);
    if films = 0 then
        return;
    end if;
    select d.chosen, d.chosen_values into chosen, scores
    from catalog.diversified(
        catalog.directions_of(pool[: diversified], active), pool_scores[: diversified], diversity, match_count) d;
    for i in diversified + 1 .. least(match_count, films) loop
        chosen := chosen || i;
        scores := scores || (pool_scores[i] - diversity);
    end loop;
    return query
    with listed as materialized (
        select c.place, pool[c.i] as title_id, similarities[c.i] as similarity, coalesce(s.weights, '{0}') as weights,
            coalesce(s.films, array(select n.film from catalog.nearest_of(pool[c.i], positive, active) n (film))) as films
        from unnest(chosen) with ordinality c (i, place)
        left join catalog.speakers_of(array(select pool[i] from unnest(chosen) i), positive, factors) s (title_id)
            on s.title_id = pool[c.i] and history_scores[c.i] is not null
    ), pairs as materialized (
        select l.title_id, b.title_id as because, b.weight, b.place, row_number() over () as number
        from listed l cross join lateral unnest(l.films, l.weights) with ordinality b (title_id, weight, place)
    ), reasoned as (
        select p.title_id, jsonb_agg(
            catalog.reason_of(
                p.because, (select m.title from catalog.titles m where m.title_id = p.because), p.because = any (all_loved),
                p.weight, f.shared_features) order by p.place) as reasons
        from pairs p
        left join catalog.shared_features_of_pairs(
            array(select n.because from pairs n order by n.number), array(select n.title_id from pairs n order by n.number)) f
            on f.number = p.number
        group by 1
    )
    select m.title_id, catalog.media_type(m.title_id), catalog.tmdb_id(m.title_id), m.title, m.release_year, scores[l.place],
        l.similarity, l.films[1],
        nullif(r.reasons -> 0 -> 'shared', 'null'), coalesce(r.reasons, '[]')
    from listed l
    join catalog.titles m on m.title_id = l.title_id
    left join reasoned r on r.title_id = l.title_id
    order by l.place;
end
$$;

-- As catalog.recommend_titles, for movies.
drop function if exists catalog.recommend_movies(bigint[], bigint[], bigint[], jsonb, integer, jsonb);
create or replace function catalog.recommend_movies(
    loved bigint[] default '{}',
    liked bigint[] default '{}',
    disliked bigint[] default '{}',
    filters jsonb default '{}',
    match_count integer default 10,
    options jsonb default '{}',
    rated bigint[] default '{}',
    ratings double precision[] default '{}'
)
returns table (
    tmdb_id bigint, title text, release_year smallint, score double precision, similarity double precision,
    because bigint, shared_features jsonb, reasons jsonb
)
language sql stable rows 10
as $$
    select t.tmdb_id, t.title, t.release_year, t.score, t.similarity, t.because, t.shared_features,
        catalog.reasons_without_media(t.reasons)
    from catalog.recommend_titles(
        loved, liked, disliked, catalog.filters_of_movies(filters, 'recommend_titles'), match_count, options, rated,
        ratings) t
$$;

-- Returns the options with defaults for the missing ones. An unknown option, or one that is no number, is an error.
create or replace function catalog.options_of_recommend_movies(options jsonb) returns jsonb
language plpgsql immutable
as $$
declare
    defaults constant jsonb :=
        '{"loved": 1.0, "liked": 0.6, "disliked": -0.8, "histories": 2.0, "popularity": 1.0, "diversity": 0.2}';
    given jsonb := jsonb_strip_nulls(coalesce(options, '{}'));
    name text;
    value jsonb;
begin
    if jsonb_typeof(given) <> 'object' then
        raise exception 'options are a JSON object, not %', given;
    end if;
    for name, value in select * from jsonb_each(given) loop
        if not defaults ? name then
            raise exception 'there is no option %', name
                using hint = 'Known are loved, liked, disliked, histories, popularity and diversity.';
        elsif jsonb_typeof(value) <> 'number' then
            raise exception 'the option % takes a number, not %', name, value;
        end if;
    end loop;
    return defaults || given;
end
$$;

-- Returns the weight of each given film in the direction of a person's taste. The weight of a rating is its difference from
-- the person's mean, so that the films of a person who rates all films high are not all liked; the mean includes ten ratings
-- of 70, so that few or equal ratings have weights, too. 50 points are 1; a film without a rating counts as 10 points above
-- the mean. The weights of loved, liked and disliked films are centred the same way, with ten weights of 0 in the mean, but no
-- weight changes its sign. recommendations.quality.centred_weights computes the same in Python.
create or replace function catalog.centred_weights(
    loved bigint[], liked bigint[], disliked bigint[], weights jsonb, rated bigint[], ratings double precision[]
)
returns table (tmdb_id bigint, weight double precision)
language sql stable
as $$
    with given as (
        select u.title_id, max(u.weight) as weight
        from (
            select unnest(loved), (weights ->> 'loved')::double precision
            union all select unnest(liked), (weights ->> 'liked')::double precision
            union all select unnest(disliked), (weights ->> 'disliked')::double precision
        ) u (title_id, weight) group by 1
    ), mean as (
        select coalesce(sum(s.weight), 0) / (count(*) + 10) as weight from given s
    ), known as (
        select r.title_id, r.rating from unnest(rated, ratings) r (title_id, rating) where r.title_id is not null
    ), usual as (
        select (coalesce(sum(k.rating), 0) + 10 * 70) / (count(k.rating) + 10) as rating from known k
    )
    select s.title_id, case when sign(s.weight) = sign(s.weight - m.weight) then s.weight - m.weight else 0 end
    from given s, mean m
    union all
    select k.title_id, coalesce(k.rating - u.rating, 10) / 50
    from known k, usual u
$$;

-- Returns the first titles of a query that pass a condition, by the query's second column, the largest first. They are looked up one
-- by one in this order until enough pass, as most of them do.
create or replace function catalog.first_by(measures text, condition text, most integer) returns bigint[]
language plpgsql stable
as $$
declare
    chosen bigint[];
begin
    execute format(
        'select coalesce(array_agg(t.title_id order by t.measure desc, t.title_id), ''{}'') from (
             select k.title_id, k.measure
             from (select s.title_id, s.measure from (%s) s (title_id, measure) order by 2 desc, 1 offset 0) k
             where (select true from catalog.titles m where m.title_id = k.title_id and %s)
             limit $1) t', measures, condition)
    into chosen using most;
    return chosen;
end
$$;

-- Returns the best known titles of a media type that pass a condition, the best known first: in the order of
-- catalog.title_standings, by an index.
create or replace function catalog.best_known(media text, condition text, most integer) returns bigint[]
language plpgsql stable
as $$
declare
    weights text := format('catalog.%I', case media when 'movie' then 'film' else media end || '_weights');
    is_served boolean;
begin
    execute format('select exists (select from %s)', weights) into is_served;
    return catalog.first_by(
        case when is_served then format('select t.title_id, t.popularity from %s t (title_id)', weights)
            else format('select t.title_id, t.vote_count from catalog.title_stats t where t.title_id between %s and %s',
                catalog.title_id(media, 0), catalog.title_id(media, 999999999)) end,
        condition, most);
end
$$;

-- Returns an SQL expression for the vectors of an embedding set, of the titles of some media types: title_id and embedding.
create or replace function catalog.vectors_of_media(in_set integer, media text[]) returns text
language plpgsql stable
as $$
declare
    targets text[];
begin
    select array_agg(format('catalog.%I', catalog.vector_table(in_set, t.media)) order by t.place) into targets
    from unnest(media) with ordinality t (media, place)
    where to_regclass('catalog.' || catalog.vector_table(in_set, t.media)) is not null;
    return case coalesce(cardinality(targets), 0)
        when 0 then '(select null::bigint as title_id, null::halfvec as embedding limit 0)'
        when 1 then targets[1]
        else '(' || (
            select string_agg('select title_id, embedding::halfvec as embedding from ' || t.target, ' union all ')
            from unnest(targets) t (target)) || ')'
    end;
end
$$;

-- Returns catalog.vectors_of_media for the media types of some titles.
create or replace function catalog.vectors_of_titles(in_set integer, titles bigint[]) returns text
language sql stable
as $$
    select catalog.vectors_of_media(in_set, array(
        select t.media from unnest(catalog.media_types()) with ordinality t (media, place)
        where exists (select from unnest(titles) n (title_id) where catalog.media_type(n.title_id) = t.media)
        order by t.place))
$$;

-- Returns the films that compete for a list, the best first: the nearest to the direction, the best known, and those with the
-- largest weights from histories; with each film's similarity (0 without a vector), its history score and its score. The
-- largest history score is 1, or less if its weight is below 0.1, as such weights are learnt from few people.
drop function if exists catalog.joined_with_histories(
    bigint[], double precision[], bigint[], double precision[], double precision, jsonb, integer, vector, integer);
-- Its former form, catalog.pool_of, is not dropped yet: a call of catalog.recommend_movies that began before the upgrade uses it.
create or replace function catalog.competing_films(
    direction vector, named bigint[], factors double precision[], weights jsonb, filters jsonb, films integer,
    in_set integer,
    out pool bigint[], out similarities double precision[], out history_scores double precision[],
    out scores double precision[]
)
language plpgsql stable
as $$
declare
    condition text := catalog.condition_of(filters);
    media text[] := catalog.media_of(filters);
    of_media text;
    histories double precision := (weights ->> 'histories')::double precision;
    popularity double precision := (weights ->> 'popularity')::double precision;
    candidates bigint[] := '{}';
    popular bigint[] := '{}';
    served integer := 0;  -- media types of which a model is served
    most bigint;  -- films of which the weights from histories are read, null for all
    is_complete boolean;
begin
    if histories = 0 then
        named := '{}';
    end if;
    if direction is not null then
        select coalesce(array_agg(n.title_id), '{}') into candidates
        from catalog.nearest_titles(direction, films, filters, in_set) n;
    end if;
    if direction is null then
        popular := catalog.first_by('select s.title_id, s.popularity from catalog.title_stats s', condition, films);
    end if;
    foreach of_media in array media loop
        if exists (
            select from catalog.title_weights w
            where w.title_id between catalog.title_id(of_media, 0) and catalog.title_id(of_media, 999999999))
        then
            served := served + 1;
        end if;
        if direction is not null and popularity <> 0 then
            popular := popular || catalog.best_known(of_media, condition, films);
        end if;
    end loop;
    -- Without filters, the films with the largest weights nearly always pass, so that a few more than wanted are enough.
    if coalesce(filters, '{}') - 'exclude' = '{}' then
        most := cardinality(candidates || popular) + 2 * films;
    end if;
    loop
        execute format(
            'with history as materialized (
                 select h.title_id, h.weight from catalog.films_by_histories($3, $4) h (title_id)
                 order by h.title_id = any ($1 || $5) desc, h.weight desc, h.title_id limit $9
             ), supported as (
                 select k.title_id
                 from (select h.title_id from history h where h.weight > 0 order by h.weight desc, h.title_id offset 0) k
                 where (select true from catalog.titles m where m.title_id = k.title_id and %s)
                 limit $8
             ), joined as materialized (
                 select c.title_id, h.weight, (%s) as standing,
                     array_position($5, c.title_id) as place,
                     case when $2 is not null then coalesce(1 - (v.embedding <=> $2::halfvec), 0) end as similarity
                 from (select unnest($1 || $5) as title_id union select s.title_id from supported s) c
                 left join %s v on v.title_id = c.title_id
                 left join history h on h.title_id = c.title_id
             ), with_history as (
                 select j.*, j.weight / greatest(0.1, max(abs(j.weight)) over ()) as history_score from joined j
             ), scored as (
                 select t.title_id, t.similarity, t.history_score, $6 * coalesce(t.history_score, 0)
                     + case when $2 is not null then t.similarity + $7 * coalesce(t.standing, 0)
                         else coalesce(1 - (t.place - 1.0) / cardinality($5), 0) end as score
                 from with_history t
             )
             select array_agg(w.title_id order by w.score desc, w.title_id), array_agg(w.similarity order by w.score desc, w.title_id),
                 array_agg(w.history_score order by w.score desc, w.title_id), array_agg(w.score order by w.score desc, w.title_id),
                 (select count(*) from history) < $9 or (select count(*) from supported) >= $8
                     or exists (select from history h where h.weight <= 0 and h.title_id <> all ($1 || $5))
             from (select w.* from scored w order by w.score desc, w.title_id limit $8) w',
            condition,
            case when served = cardinality(media) then 'select t.popularity::double precision from catalog.title_weights t'
                else 'select t.standing from catalog.title_standings t' end || ' where t.title_id = c.title_id',
            catalog.vectors_of_media(in_set, media))
        into pool, similarities, history_scores, scores, is_complete
        using candidates, direction, named, factors, popular, histories, popularity, films, most;
        exit when is_complete or most is null;
        most := null;
    end loop;
end
$$;

-- Returns the three positive films with the largest weights for a film; nulls if none has a weight above 0, or if the film has
-- no history score.
create or replace function catalog.speakers_for(
    film bigint, praised bigint[], factors double precision[], is_told boolean,
    out films bigint[], out weights real[]
)
language sql stable
as $$
    select array_agg(t.title_id order by t.weight desc, t.title_id), array_agg(t.weight::real order by t.weight desc, t.title_id)
    from (
        select f.title_id, max(p.factor * f.weights[array_position(f.others, film)]) as weight
        from unnest(praised, factors[: cardinality(praised)]) p (title_id, factor)
        join catalog.title_weights f on f.title_id = p.title_id
        where is_told and f.title_id = any (praised)
        group by 1
        having max(p.factor * f.weights[array_position(f.others, film)]) > 0
        order by 2 desc, 1
        limit 3
    ) t
$$;

-- Returns, for each of some films, what catalog.speakers_for returns for one; no row for a film that no positive film supports.
create or replace function catalog.speakers_of(candidates bigint[], positive bigint[], factors double precision[])
returns table (tmdb_id bigint, films bigint[], weights real[])
language sql stable
as $$
    select t.candidate, array_agg(t.title_id order by t.weight desc, t.title_id),
        array_agg(t.weight::real order by t.weight desc, t.title_id)
    from (
        select w.candidate, w.title_id, greatest(w.highest * w.weight, w.lowest * w.weight) as weight,
            row_number() over (
                partition by w.candidate order by greatest(w.highest * w.weight, w.lowest * w.weight) desc, w.title_id) as place
        from (
            select unnest(f.others) as candidate, f.title_id, unnest(f.weights) as weight, p.highest, p.lowest
            from (
                select u.title_id, max(u.factor) as highest, min(u.factor) as lowest
                from unnest(positive, factors[: cardinality(positive)]) u (title_id, factor) group by 1
            ) p
            join catalog.title_weights f on f.title_id = p.title_id
            where f.title_id = any (positive)  -- says the same again: the view is then read by its index, not whole
        ) w
        join unnest(candidates) c (title_id) on c.title_id = w.candidate
        where greatest(w.highest * w.weight, w.lowest * w.weight) > 0
    ) t
    where t.place <= 3
    group by 1
$$;

-- Returns the direction of a person's taste in an embedding set, of length 1: the weighted sum of the given films' vectors. If
-- no weight is positive, it is the mean of the most voted films that pass the filters and share no genre with the disliked
-- films, moved away from these by the factor `against`; null if there is no such film.
drop function if exists catalog.taste(bigint[], bigint[], bigint[], jsonb, jsonb, integer);
create or replace function catalog.direction_of(
    films bigint[], weights double precision[], disliked bigint[], filters jsonb, against double precision, in_set integer
)
returns vector
language plpgsql stable
as $$
declare
    narrows boolean := coalesce(filters, '{}') ?| '{genres,keywords,people}';
    has_positive boolean;
    direction vector;
begin
    execute format(
        'select l2_normalize(sum(l2_normalize(v.embedding::vector) * array_fill(w.weight::real, array[d.dimensions])::vector)),
             coalesce(bool_or(w.weight > 0), false)
         from unnest($1, $2) w (title_id, weight)
         join %s v using (title_id)
         cross join (select dimensions from catalog.embedding_sets where set_id = $3) d',
        catalog.vectors_of_titles(in_set, films))
    into direction, has_positive using films, weights, in_set;
    if not has_positive and (direction is not null or narrows) then
        execute format(
            'select l2_normalize(l2_normalize(avg(t.embedding::vector)) + coalesce($2, l2_normalize(avg(t.embedding::vector))))
             from (
                 select v.embedding from %s v join catalog.titles m using (title_id)
                 join catalog.title_stats s using (title_id)
                 where %s and ($3 or not m.genres && array(
                     select unnest(d.genres) from catalog.titles d where d.title_id = any ($1)))
                 order by s.vote_count desc, v.title_id limit 200
             ) t', catalog.vectors_of_media(in_set, catalog.media_of(filters)), catalog.condition_of(filters))
        into direction
        using disliked,
            case when direction is not null then
                direction * array_fill(against::real, array[vector_dims(direction)])::vector end,
            narrows;
    end if;
    return case when vector_norm(direction) > 0 then direction end;
end
$$;

-- Returns the vectors of films in an embedding set, of length 1; null for a film without one.
create or replace function catalog.directions_of(films bigint[], in_set integer) returns vector[]
language plpgsql stable
as $$
declare
    directions vector[];
begin
    if in_set is not null then
        execute format(
            'select array_agg(l2_normalize(v.embedding::vector) order by f.place)
             from unnest($1) with ordinality f (title_id, place) left join %s v on v.title_id = f.title_id',
            catalog.vectors_of_titles(in_set, films)) into directions using films;
    end if;
    return directions;
end
$$;

-- Chooses films one by one: each time the one with the highest value, which is its score minus `diversity` × its largest
-- similarity to a film chosen before. Takes the films' vectors and their scores, the highest first, and returns the places of
-- the chosen ones and their values. With a diversity of 0 or more, a film is compared with those chosen only if its value
-- without them is higher than the best one so far, as few are.
create or replace function catalog.diversified(
    directions vector[], scores double precision[], diversity double precision, wanted integer,
    out chosen integer[], out chosen_values double precision[]
)
language plpgsql immutable parallel safe
as $$
declare
    films constant integer := cardinality(scores);
    is_lazy constant boolean := diversity >= 0;
    redundancy double precision[] := array_fill(0.0::double precision, array[films]);
    compared integer[] := array_fill(0, array[films]);  -- with so many of the chosen
    best integer;
    highest double precision;
begin
    chosen := '{}';
    chosen_values := '{}';
    for place in 1 .. least(wanted, films) loop
        best := null;
        highest := null;
        for i in 1 .. films loop
            exit when is_lazy and scores[i] <= highest;
            continue when compared[i] is null or is_lazy and scores[i] - diversity * redundancy[i] <= highest;
            for j in compared[i] + 1 .. place - 1 loop
                redundancy[i] := greatest(redundancy[i], coalesce(-(directions[i] <#> directions[chosen[j]]), 0));
            end loop;
            compared[i] := place - 1;
            if best is null or scores[i] - diversity * redundancy[i] > highest then
                best := i;
                highest := scores[i] - diversity * redundancy[i];
            end if;
        end loop;
        chosen := chosen || best;
        chosen_values := chosen_values || highest;
        compared[best] := null;
    end loop;
end
$$;

-- Returns the pairwise cosine similarities of films, row by row; 0 for a film without a vector.
create or replace function catalog.similarities(films bigint[], in_set integer) returns double precision[]
language plpgsql stable
as $$
declare
    pairwise_similarity double precision[];
begin
    if in_set is null then
        return array_fill(0.0::double precision, array[cardinality(films) * cardinality(films)]);
    end if;
    execute format(
        'with pool as materialized (
             select p.i, l2_normalize(v.embedding::vector) as direction
             from unnest($1) with ordinality p (title_id, i) left join catalog.%I v on v.title_id = p.title_id
         ), pairs as materialized (  -- each once
             select a.i, b.i as j, coalesce(-(a.direction <#> b.direction), 0) as similarity from pool a join pool b on a.i <= b.i
         )
         select array_agg(p.similarity order by p.i, p.j) from (
             select i, j, similarity from pairs union all select j, i, similarity from pairs where i < j
         ) p',
        'title_vectors_' || in_set) into pairwise_similarity using films;
    return pairwise_similarity;
end
$$;

-- Returns the film among `films` that is most similar to a film; no row without a vector.
create or replace function catalog.nearest_of(film bigint, films bigint[], in_set integer) returns setof bigint
language plpgsql stable
as $$
begin
    if in_set is not null then
        return query execute format(
            'select o.title_id from %s o
             where o.title_id = any ($2)
             order by (o.embedding <=> (select v.embedding from %s v where v.title_id = $1)) + 0, o.title_id
             limit 1', catalog.vectors_of_titles(in_set, films), catalog.vectors_of_titles(in_set, array[film]))
        using film, films;
    end if;
end
$$;
