-- Applied after the migrations whenever it changes: seen films, the weights of the served model, and recommendations.

-- The films that a person saw, one row for a film of all sources; a film that is only wanted was not seen. The rating is the
-- average of those at Letterboxd, IMDb and MovieLens; that of a plain list is used only without one, as it may be another
-- person's.
create or replace view catalog.seen_films as
select h.person, h.title_id as tmdb_id,
    coalesce(avg(h.rating) filter (where h.source <> 'list'), avg(h.rating))::double precision as rating,
    max(h.seen_at) as seen_at
from catalog.watched_titles h
where not h.is_wanted and h.title_id < 1000000000
group by h.person, h.title_id;

-- The weights from each film to others, by the model that is served; no rows without a model.
create or replace view catalog.film_weights as
select w.title_id as tmdb_id, w.popularity, w.others, w.weights
from pipeline.title_weights w
where w.model_id = (select m.model_id from pipeline.recommendation_models m where m.is_served);

-- The popularity of each film, 0-1: that of the model that is served, or from TMDB's votes without a model.
create or replace view catalog.standings as
select w.title_id as tmdb_id, w.popularity::double precision as standing from catalog.film_weights w (title_id)
union all
select s.title_id, ln(1 + s.vote_count) / greatest(1, (
    select ln(1 + max(o.vote_count)) from catalog.title_stats o where o.title_id < 1000000000))
from catalog.title_stats s
where s.title_id < 1000000000 and not exists (select from catalog.film_weights);

-- Returns the sums of the weights from the named films to other films; `factors` has a factor for each named film.
create or replace function catalog.films_by_histories(named bigint[], factors double precision[])
returns table (tmdb_id bigint, weight double precision)
language sql stable
as $$
    select t.other, t.weight
    from (
        select w.other, sum(w.weight) as weight
        from (
            select unnest(f.others) as other, n.factor * unnest(f.weights) as weight
            from (
                select u.title_id, max(u.factor) as factor from unnest(named, factors) u (title_id, factor) group by 1
            ) n
            join catalog.film_weights f (title_id) on f.title_id = n.title_id
        ) w
        group by 1
    ) t
    where not exists (select from unnest(named) e (title_id) where e.title_id = t.other)
$$;

-- Returns one of the reasons for a recommended film: a film that supports it, how the person rated that (loved or liked), its
-- weight, and the features that both share. Films that are not in the catalogue have no title.
create or replace function catalog.reason_of(because bigint, title text, is_loved boolean, weight real, shared jsonb) returns jsonb
language sql immutable parallel safe
return jsonb_build_object(
    'tmdb_id', because, 'title', title, 'how', case when is_loved then 'loved' else 'liked' end,
    'weight', round(weight::numeric, 4), 'shared', shared);

-- Returns the reasons for a recommended film, one for each film that supports it: see catalog.reason_of.
create or replace function catalog.reasons_of(
    film bigint, because bigint[], weights real[], loved bigint[] default '{}'
)
returns jsonb
language sql stable
as $$
    select coalesce(jsonb_agg(
        catalog.reason_of(b.title_id, m.title, b.title_id = any (loved), b.weight, catalog.shared_features(b.title_id, film))
        order by b.place), '[]')
    from unnest(because, weights) with ordinality b (title_id, weight, place)
    left join catalog.titles m on m.title_id = b.title_id
$$;

-- Returns films for a person with a history, the best first: from the list that the pipeline made, or, if too few films of it
-- pass the filters, by catalog.recommend_movies from the history. Seen films are left out, wanted ones are not. `reasons`: see
-- catalog.reasons_of.
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
    filters := catalog.filters_of_movies(catalog.limited_filters(filters), 'search_titles');
    select coalesce(array_agg(s.title_id) filter (where s.rating >= 90), '{}'), coalesce(array_agg(s.title_id), '{}'),
        coalesce(array_agg(s.rating), '{}')
    into loved, seen, ratings
    from catalog.seen_films s (person, title_id) where s.person = who;
    execute format(
        'select count(*) from catalog.recommended_titles r join catalog.titles m using (title_id)
         where r.person = $1 and r.title_id <> all ($2) and %s', catalog.condition_of(filters))
    into passing using who, seen;
    if passing >= match_count then
        return query execute format(
            'select m.title_id, m.title, m.release_year, r.score::double precision, true,
                 catalog.reasons_of(m.title_id, r.because, r.because_weights, $4)
             from catalog.recommended_titles r join catalog.titles m using (title_id)
             where r.person = $1 and r.title_id <> all ($2) and %s
             order by r.place limit $3', catalog.condition_of(filters))
        using who, seen, match_count, loved;
    else
        return query
        select r.title_id, r.title, r.release_year, r.score, false, r.reasons
        from catalog.recommend_movies(
            filters => filters, match_count => match_count, rated => seen, ratings => ratings) r (title_id);
    end if;
end
$$;
