-- Applied after the migrations whenever it changes: seen titles, the weights of the served models, and recommendations.

-- The titles that a person saw, one row for a title of all sources; a title that is only wanted was not seen. The rating is the
-- average of those at Letterboxd, IMDb and MovieLens; that of a plain list is used only without one, as it may be another
-- person's. A series without a rating has the average of those of its episodes.
create or replace view catalog.seen_titles as
select h.person, h.title_id,
    coalesce(
        avg(h.rating) filter (where h.source <> 'list'), avg(h.rating),
        case when h.title_id >= 1000000000 then (
            select avg(w.rating) from catalog.watched_episodes w where w.person = h.person and w.title_id = h.title_id) end
    )::double precision as rating,
    max(h.seen_at) as seen_at
from catalog.watched_titles h
where not h.is_wanted
group by h.person, h.title_id;

-- As catalog.seen_titles, of movies.
create or replace view catalog.seen_films as
select s.person, s.title_id as tmdb_id, s.rating, s.seen_at from catalog.seen_titles s where s.title_id < 1000000000;

-- The weights from each movie to others, by the model that is served; no rows without a model.
create or replace view catalog.film_weights as
select w.title_id as tmdb_id, w.popularity, w.others, w.weights
from pipeline.title_weights w
where w.title_id < 1000000000
  and w.model_id = (select m.model_id from pipeline.recommendation_models m where m.is_served and m.media_type = 'movie');

-- As catalog.film_weights, of series.
create or replace view catalog.series_weights as
select w.title_id, w.popularity, w.others, w.weights
from pipeline.title_weights w
where w.title_id >= 1000000000
  and w.model_id = (select m.model_id from pipeline.recommendation_models m where m.is_served and m.media_type = 'series');

-- The weights from each title to others of its media type.
create or replace view catalog.title_weights as
select w.title_id, w.popularity, w.others, w.weights from catalog.film_weights w (title_id)
union all
select w.title_id, w.popularity, w.others, w.weights from catalog.series_weights w;

-- The popularity of each movie, 0-1: that of the model that is served, or from TMDB's votes without a model.
create or replace view catalog.standings as
select w.title_id as tmdb_id, w.popularity::double precision as standing from catalog.film_weights w (title_id)
union all
select s.title_id, ln(1 + s.vote_count) / greatest(1, (
    select ln(1 + max(o.vote_count)) from catalog.title_stats o where o.title_id < 1000000000))
from catalog.title_stats s
where s.title_id < 1000000000 and not exists (select from catalog.film_weights);

-- The popularity of each title among those of its media type: see catalog.standings.
create or replace view catalog.title_standings as
select s.title_id, s.standing from catalog.standings s (title_id)
union all
select w.title_id, w.popularity::double precision from catalog.series_weights w
union all
select s.title_id, ln(1 + s.vote_count) / greatest(1, (
    select ln(1 + max(o.vote_count)) from catalog.title_stats o where o.title_id >= 1000000000))
from catalog.title_stats s
where s.title_id >= 1000000000 and not exists (select from catalog.series_weights);

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
            join catalog.title_weights f on f.title_id = n.title_id
            where f.title_id = any (named)  -- says the same again: the view is then read by its index, not whole
        ) w
        group by 1
    ) t
    where not exists (select from unnest(named) e (title_id) where e.title_id = t.other)
$$;

-- Returns one of the reasons for a recommended title: a title that supports it, how the person rated that (loved or liked), its
-- weight, and the features that both share. Titles that are not in the catalogue have no name.
create or replace function catalog.reason_of(because bigint, title text, is_loved boolean, weight real, shared jsonb) returns jsonb
language sql immutable parallel safe
return jsonb_build_object(
    'title_id', because, 'media_type', catalog.media_type(because), 'tmdb_id', catalog.tmdb_id(because), 'title', title,
    'how', case when is_loved then 'loved' else 'liked' end, 'weight', round(weight::numeric, 4), 'shared', shared);

-- Returns reasons as functions of movies have them: without title_id and media_type.
create or replace function catalog.reasons_without_media(reasons jsonb) returns jsonb
language sql immutable parallel safe
as $$
    select coalesce(jsonb_agg(r.reason - '{title_id,media_type}'::text[] order by r.place), '[]')
    from jsonb_array_elements(reasons) with ordinality r (reason, place)
$$;

-- Returns the reasons for a recommended title, one for each title that supports it: see catalog.reason_of.
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

-- Returns what a person has seen of some media types, or, if that is nothing, of all: the titles with their ratings beside them
-- (null without one), and those of them that were rated 90 or more.
create or replace function catalog.history_of(
    who text, media text[], out seen bigint[], out ratings double precision[], out loved bigint[]
)
language sql stable
as $$
    with history as materialized (
        select s.title_id, s.rating, catalog.media_type(s.title_id) = any (media) as is_meant
        from catalog.seen_titles s where s.person = who
    )
    select coalesce(array_agg(h.title_id order by h.title_id), '{}'), coalesce(array_agg(h.rating order by h.title_id), '{}'),
        coalesce(array_agg(h.title_id order by h.title_id) filter (where h.rating >= 90), '{}')
    from history h where h.is_meant or not exists (select from history o where o.is_meant)
$$;

-- Returns titles for a person with a history, the best first, of the media types that the filters name: from the lists that the
-- pipeline made, or, if too few titles of one of them pass the filters, by catalog.recommend_titles from the history
-- (catalog.history_of). The lists of several media types are read in turn, as scores of different models are not comparable. Seen
-- titles are left out, wanted ones are not. `reasons`: see catalog.reasons_of.
create or replace function catalog.recommended_titles_for(
    who text, filters jsonb default '{}', match_count integer default 10
)
returns table (
    title_id bigint, media_type text, tmdb_id bigint, title text, release_year smallint, score double precision,
    is_precomputed boolean, reasons jsonb
)
language plpgsql stable rows 10
as $$
#variable_conflict use_column
declare
    history record;
    media text[];
    passing bigint;  -- titles of the shortest list
begin
    match_count := catalog.limited_count(match_count);
    filters := catalog.limited_filters(filters);
    media := catalog.media_of(filters);
    select h.* into history from catalog.history_of(who, media) h;
    execute format(
        'select min((
             select count(*) from catalog.recommended_titles r join catalog.titles m using (title_id)
             where r.person = $1 and r.title_id <> all ($2) and catalog.media_type(r.title_id) = t.media and %s))
         from unnest($3) t (media)', catalog.condition_of(filters))
    into passing using who, history.seen, media;
    if passing >= match_count then
        return query execute format(
            'select m.title_id, catalog.media_type(m.title_id), catalog.tmdb_id(m.title_id), m.title, m.release_year,
                 r.score::double precision, true, catalog.reasons_of(m.title_id, r.because, r.because_weights, $4)
             from catalog.recommended_titles r join catalog.titles m using (title_id)
             where r.person = $1 and r.title_id <> all ($2) and %s
             order by r.place, r.title_id limit $3', catalog.condition_of(filters))
        using who, history.seen, match_count, history.loved;
    else
        return query
        select r.title_id, r.media_type, r.tmdb_id, r.title, r.release_year, r.score, false, r.reasons
        from catalog.recommend_titles(
            filters => filters, match_count => match_count, rated => history.seen, ratings => history.ratings) r;
    end if;
end
$$;

-- As catalog.recommended_titles_for, for movies.
create or replace function catalog.recommendations_for(
    who text, filters jsonb default '{}', match_count integer default 10
)
returns table (
    tmdb_id bigint, title text, release_year smallint, score double precision, is_precomputed boolean, reasons jsonb
)
language sql stable rows 10
as $$
    select t.tmdb_id, t.title, t.release_year, t.score, t.is_precomputed, catalog.reasons_without_media(t.reasons)
    from catalog.recommended_titles_for(who, catalog.filters_of_movies(filters, 'recommended_titles_for'), match_count) t
$$;
