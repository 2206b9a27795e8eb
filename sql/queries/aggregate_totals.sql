-- Run by totals_reconcile: what the stored scores add up to, beside what films and sources do.
with current as materialized (
    select a.* from catalog.rating_aggregates a join catalog.rating_methods m using (method_version) where m.is_current
), from_tmdb as materialized (
    select * from catalog.rating_aggregates where method_version = 'shrunk-mean-v1' and scope = 'film'
), rated as materialized (
    select r.* from catalog.rating_sources r where exists (select from catalog.movies m where m.tmdb_id = r.tmdb_id)
), scored as materialized (
    select m.* from catalog.movies m where exists (select from rated r where r.tmdb_id = m.tmdb_id)
), credited as materialized (
    select tmdb_id, person_id from catalog.movie_crew where job = 'Director'
    union
    select c.tmdb_id, c.person_id
    from (select c.*, row_number() over (partition by tmdb_id order by billing, person_id) as place from catalog.movie_cast c) c
    where c.place <= 3
), well_known as materialized (
    select count(*) as films from credited c join scored s using (tmdb_id) group by c.person_id having count(*) >= 3
), by_source as materialized (
    select s.source, (s.said ->> 'votes')::bigint as votes
    from current a cross join lateral jsonb_each(a.source_scores) as s (source, said)
    where a.scope = 'film'
)
select 'films' as what,
    (select count(*) from current where scope = 'film')::bigint as found, (select count(*) from scored)::bigint as wanted
union all
select 'votes',
    (select coalesce(sum(votes), 0) from current where scope = 'film')::bigint,
    (select coalesce(sum(votes), 0) from rated)::bigint
union all
select 'votes by ' || coalesce(b.source, r.source), coalesce(b.votes, 0)::bigint, coalesce(r.votes, 0)::bigint
from (select source, sum(votes) as votes from by_source group by source) b
full join (select source, sum(votes) as votes from rated group by source) r using (source)
union all
select 'films by ' || g.scope,
    (select coalesce(sum(films), 0) from current c where c.scope = g.scope)::bigint, g.wanted::bigint
from (
    select 'language' as scope, count(original_language) as wanted from scored
    union all select 'year', count(release_year) from scored
    union all select 'decade', count(release_year) from scored
    union all select 'collection', count(collection_id) from scored
    union all select 'genre', count(*) from (select distinct tmdb_id, unnest(genres) from scored) g
    union all select 'country', count(*) from (select distinct tmdb_id, unnest(countries) from scored) c
    union all select 'person', coalesce(sum(films), 0) from well_known
) g
union all
select 'films by TMDB alone', (select count(*) from from_tmdb)::bigint,
    (select count(*) from catalog.movie_stats where vote_count > 0)::bigint
union all
select 'votes by TMDB alone', (select coalesce(sum(votes), 0) from from_tmdb)::bigint,
    (select coalesce(sum(vote_count), 0) from catalog.movie_stats)::bigint
