-- Applied after the migrations whenever it changes: the ratings of all sources, and the scores of the current method.

-- One row is the rating of a film by a source that has votes for it. TMDB's are those of its details and lists.
create or replace view catalog.rating_sources as
select s.title_id as tmdb_id, 'tmdb' as source, 0::double precision as scale_min, 10::double precision as scale_max,
    s.vote_average as raw_value, 10 * s.vote_average as value, s.vote_count::bigint as votes, s.seen_at
from catalog.title_stats s
where s.vote_count > 0 and s.vote_average between 0 and 10 and s.title_id < 1000000000
union all
select e.title_id, e.source, e.scale_min, e.scale_max, e.raw_value, e.value, e.votes, e.seen_at
from catalog.title_ratings e
where e.title_id < 1000000000;

-- To rank films, order by score_low: films with many votes then come before films with a few high ones.
create or replace view catalog.film_scores as
select a.key::bigint as tmdb_id, a.votes, a.score, a.score_low, a.score_high, a.source_scores, a.method_version,
    a.computed_at
from catalog.rating_aggregates a
join catalog.rating_methods m on m.method_version = a.method_version and m.is_current
where a.scope = 'film';

create or replace view catalog.group_scores as
select a.scope, a.key, coalesce(c.name, p.name, a.key) as label, a.films, a.votes, a.score, a.score_low, a.score_high,
    a.source_scores, a.method_version, a.computed_at
from catalog.rating_aggregates a
join catalog.rating_methods m on m.method_version = a.method_version and m.is_current
left join catalog.collections c on c.collection_id = case when a.scope = 'collection' then a.key::bigint end
left join catalog.people p on p.person_id = case when a.scope = 'person' then a.key::bigint end
where a.scope <> 'film';
