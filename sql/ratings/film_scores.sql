-- Applied after the migrations whenever it changes: the ratings of all sources, and the scores of the current methods.

-- One row is the rating of a title by a source. TMDB's are those of its details and lists, where it has votes. OMDb's are those of
-- sources that title_ratings lacks; the critics among them have no number of votes.
create or replace view catalog.title_rating_sources as
select s.title_id, 'tmdb' as source, 0::double precision as scale_min, 10::double precision as scale_max,
    s.vote_average as raw_value, 10 * s.vote_average as value, s.vote_count::bigint as votes, s.seen_at
from catalog.title_stats s
where s.vote_count > 0 and s.vote_average between 0 and 10
union all
select e.title_id, e.source, e.scale_min, e.scale_max, e.raw_value, e.value, e.votes, e.seen_at
from catalog.title_ratings e
union all
select o.title_id, o.source, o.scale_min, o.scale_max, o.raw_value, o.value, o.votes, o.seen_at
from catalog.omdb_ratings o
where not exists (select from catalog.title_ratings e where (e.title_id, e.source) = (o.title_id, o.source));

-- As catalog.title_rating_sources, of movies.
create or replace view catalog.rating_sources as
select r.title_id as tmdb_id, r.source, r.scale_min, r.scale_max, r.raw_value, r.value, r.votes, r.seen_at
from catalog.title_rating_sources r
where r.title_id < 1000000000;

-- The score of each title by the current method of its media type. To rank titles, order by score_low: those with many votes then
-- come before those with a few high ones.
create or replace view catalog.title_scores as
select a.key::bigint as title_id, m.media_type, catalog.tmdb_id(a.key::bigint) as tmdb_id, a.votes, a.score, a.score_low,
    a.score_high, a.source_scores, a.method_version, a.computed_at
from catalog.rating_aggregates a
join catalog.rating_methods m on m.method_version = a.method_version and m.is_current
where a.scope = 'film';

-- As catalog.title_scores, of movies.
create or replace view catalog.film_scores as
select s.title_id as tmdb_id, s.votes, s.score, s.score_low, s.score_high, s.source_scores, s.method_version, s.computed_at
from catalog.title_scores s
where s.media_type = 'movie';

create or replace view catalog.title_group_scores as
select m.media_type, a.scope, a.key, coalesce(c.name, p.name, a.key) as label, a.films, a.votes, a.score, a.score_low, a.score_high,
    a.source_scores, a.method_version, a.computed_at
from catalog.rating_aggregates a
join catalog.rating_methods m on m.method_version = a.method_version and m.is_current
left join catalog.collections c on c.collection_id = case when a.scope = 'collection' then a.key::bigint end
left join catalog.people p on p.person_id = case when a.scope = 'person' then a.key::bigint end
where a.scope <> 'film';

-- As catalog.title_group_scores, of movies.
create or replace view catalog.group_scores as
select g.scope, g.key, g.label, g.films, g.votes, g.score, g.score_low, g.score_high, g.source_scores, g.method_version, g.computed_at
from catalog.title_group_scores g
where g.media_type = 'movie';
