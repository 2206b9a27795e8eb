-- Applied after the migrations whenever it changes: what histories say of films, and the lists made of it.

-- What a person saw, once a film, whatever its sources; a film that is only wanted was not seen. The rating is the average
-- of those given at Letterboxd, IMDb and MovieLens; a plain list's only where there is none, as it may be anybody's.
create or replace view catalog.seen_films as
select h.person, h.tmdb_id,
    coalesce(avg(h.rating) filter (where h.source <> 'list'), avg(h.rating))::double precision as rating,
    max(h.seen_at) as seen_at
from catalog.watch_histories h
where not h.is_wanted
group by h.person, h.tmdb_id;

-- What liking a film says for and against others, by the model that is served; no rows where there is none.
create or replace view catalog.film_weights as
select w.tmdb_id, w.popularity, w.others, w.weights
from pipeline.film_weights w join pipeline.recommendation_models m on m.model_id = w.model_id and m.is_served;

-- How well known each film is, 0-1; of the model that is served, or of TMDB's votes where there is none.
create or replace view catalog.standings as
select w.tmdb_id, w.popularity::double precision as standing from catalog.film_weights w
union all
select s.tmdb_id, ln(1 + s.vote_count) / greatest(1, (select ln(1 + max(o.vote_count)) from catalog.movie_stats o))
from catalog.movie_stats s
where not exists (select from catalog.film_weights);

-- What somebody's named films say of others, all weights added up; `named` with a factor for each.
create or replace function catalog.films_by_histories(named bigint[], factors double precision[])
returns table (tmdb_id bigint, weight double precision)
language sql stable
as $$
    select o.tmdb_id, sum(n.factor * o.weight)
    from (
        select u.tmdb_id, max(u.factor) as factor from unnest(named, factors) u (tmdb_id, factor) group by 1
    ) n
    join catalog.film_weights f on f.tmdb_id = n.tmdb_id
    cross join lateral unnest(f.others, f.weights) o (tmdb_id, weight)
    where o.tmdb_id <> all (named)
    group by 1
$$;

-- Why a film is recommended: for each film that speaks for it its title, how the person found it, its weight, and what the
-- two share. Films that are not in the catalogue have no title.
create or replace function catalog.reasons_of(
    film bigint, because bigint[], weights real[], loved bigint[] default '{}'
)
returns jsonb
language sql stable
as $$
    select coalesce(jsonb_agg(
        jsonb_build_object(
            'tmdb_id', b.tmdb_id, 'title', m.title, 'how', case when b.tmdb_id = any (loved) then 'loved' else 'liked' end,
            'weight', round(b.weight::numeric, 4), 'shared', catalog.shared_features(b.tmdb_id, film))
        order by b.place), '[]')
    from unnest(because, weights) with ordinality b (tmdb_id, weight, place)
    left join catalog.movies m on m.tmdb_id = b.tmdb_id
$$;

-- Films for a person with a history, the best first: of the list that the pipeline made, or, where there is none or where
-- too few of it pass the filters, by catalog.recommend_movies from the history. None of them was seen. Wanted ones may be
-- among them. `reasons`: see catalog.reasons_of.
create or replace function catalog.recommendations_for(
    who text, filters jsonb default '{}', match_count integer default 10
)
returns table (
    tmdb_id bigint, title text, release_year smallint, score double precision, is_precomputed boolean, reasons jsonb
)
language plpgsql stable rows 10
as $$
#variable_conflict use_column
declare
    loved bigint[];
    seen bigint[];
    ratings double precision[];
    passing integer;  -- films of the list
begin
    match_count := catalog.limited_count(match_count);
    filters := catalog.limited_filters(filters);
    select coalesce(array_agg(s.tmdb_id) filter (where s.rating >= 90), '{}'), coalesce(array_agg(s.tmdb_id), '{}'),
        coalesce(array_agg(s.rating), '{}')
    into loved, seen, ratings
    from catalog.seen_films s where s.person = who;
    execute format(
        'select count(*) from catalog.recommendations r join catalog.movies m using (tmdb_id)
         where r.person = $1 and r.tmdb_id <> all ($2) and %s', catalog.condition_of(filters))
    into passing using who, seen;
    if passing >= match_count then
        return query execute format(
            'select m.tmdb_id, m.title, m.release_year, r.score::double precision, true,
                 catalog.reasons_of(m.tmdb_id, r.because, r.because_weights, $4)
             from catalog.recommendations r join catalog.movies m using (tmdb_id)
             where r.person = $1 and r.tmdb_id <> all ($2) and %s
             order by r.place limit $3', catalog.condition_of(filters))
        using who, seen, match_count, loved;
    else
        return query
        select r.tmdb_id, r.title, r.release_year, r.score, false, r.reasons
        from catalog.recommend_movies(
            filters => filters, match_count => match_count, rated => seen, ratings => ratings) r;
    end if;
end
$$;
