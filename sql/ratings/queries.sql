-- name: aggregate_totals
-- Run by totals_reconcile: the totals of the stored scores, and the totals over films and sources that they have to equal.
with current as materialized (
    select a.* from catalog.rating_aggregates a join catalog.rating_methods m using (method_version) where m.is_current
), rated as materialized (
    select r.* from catalog.rating_sources r (title_id) where exists (select from catalog.titles m where m.title_id = r.title_id)
), scored as materialized (
    select m.* from catalog.titles m where exists (select from rated r where r.title_id = m.title_id)
), credited as materialized (
    select title_id, person_id from catalog.title_crew where job = 'Director' and title_id < 1000000000
    union
    select c.title_id, c.person_id
    from (select c.*, row_number() over (partition by title_id order by billing, person_id) as place from catalog.title_cast c) c
    where c.place <= 3
), well_known as materialized (
    select count(*) as films from credited c join scored s using (title_id) group by c.person_id having count(*) >= 3
), by_source as materialized (
    select s.source, (s.rating ->> 'votes')::bigint as votes
    from current a cross join lateral jsonb_each(a.source_scores) as s (source, rating)
    where a.scope = 'film'
)
select 'films' as quantity,
    (select count(*) from current where scope = 'film')::bigint as stored, (select count(*) from scored)::bigint as expected
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
    (select coalesce(sum(films), 0) from current c where c.scope = g.scope)::bigint, g.expected::bigint
from (
    select 'language' as scope, count(original_language) as expected from scored
    union all select 'year', count(release_year) from scored
    union all select 'decade', count(release_year) from scored
    union all select 'collection', count(collection_id) from scored
    union all select 'genre', count(*) from (select distinct title_id, unnest(genres) from scored) g
    union all select 'country', count(*) from (select distinct title_id, unnest(countries) from scored) c
    union all select 'person', coalesce(sum(films), 0) from well_known
) g


-- name: clear_aggregates
-- Run by rating_aggregates in the transaction that writes the new ones.
with methods as (delete from catalog.rating_methods)
delete from catalog.rating_aggregates


-- name: compare_ratings
-- Run by the assets that read files of ratings once incoming_ratings is filled: for each source, how many films have
-- enough stored votes, and how many of them differ in value or votes by more than is usual between two loads.
select source, count(*)::integer as compared,
    (count(*) filter (
        where abs(100 * (i.raw_value - i.scale_min) / (i.scale_max - i.scale_min) - e.value) > :max_shift
    ))::integer as shifted,
    (count(*) filter (
        where i.votes < :min_vote_ratio * e.votes or i.votes > :max_vote_ratio * e.votes
    ))::integer as recounted
from (
    select distinct on (title_id, source) * from incoming_ratings order by title_id, source, seen_at desc, line desc
) i
join catalog.title_ratings e using (title_id, source)
where e.votes >= :min_votes
group by source order by source


-- name: confirm_scores
-- Run by rating_aggregates last: stores the fingerprint of the scores, and the time until which votes are covered.
update catalog.rating_methods set fingerprint = :fingerprint, computed_at = :computed_at


-- name: duplicate_ratings
-- Run by the assets that read files of ratings once incoming_ratings is filled: the first films that several lines rate
-- for one source, with the numbers of these lines; the line that store_ratings stores comes first.
select title_id, source, array_agg(line order by seen_at desc, line desc) as lines
from incoming_ratings group by title_id, source having count(*) > 1
order by title_id, source limit 20


-- name: imdb_ids
-- Run by the assets that read files of ratings: the IMDb ids of the films, including former ones.
select m.title_id, m.imdb_id from catalog.titles m where m.imdb_id is not null and m.title_id < 1000000000
union
select e.title_id, e.value from catalog.title_external_ids e where e.source = 'imdb' and e.title_id < 1000000000
order by title_id, imdb_id


-- name: last_rating_load
-- Run by the assets that read files of ratings: the newest load of a loader.
select address, version, film_ids, lines, stored, loaded_at
from pipeline.rating_loads where loader = :loader order by load_id desc limit 1


-- name: people_of_films
-- Run by rating_aggregates: the directors and the leading cast (the first roles by billing) of each film.
select title_id, person_id from catalog.title_crew where job = 'Director' and title_id < 1000000000
union
select title_id, person_id from (
    select title_id, person_id, row_number() over (partition by title_id order by billing, person_id) as place
    from catalog.title_cast
) c where place <= :leads and title_id < 1000000000
order by title_id, person_id


-- name: rated_films
-- Run by rating_aggregates: TMDB's votes of each film and the groups to which it belongs.
select m.title_id, m.genres, m.release_year, m.original_language, m.countries, m.collection_id, s.vote_average, s.vote_count
from catalog.titles m join catalog.title_stats s using (title_id)
where m.title_id < 1000000000
order by m.title_id


-- name: rating_inputs
-- Run by rating_aggregates before it reads them: a fingerprint of the inputs of the scores, from the hashes of their rows.
select concat_ws(
    '-', cast(:methods as text),
    (select sum(hash_record_extended(m, 0)::numeric) from (
        select title_id, genres, release_year, original_language, countries, collection_id from catalog.titles
        where title_id < 1000000000) m),
    (select sum(hash_record_extended(s, 0)::numeric) from (
        select title_id, vote_average, vote_count from catalog.title_stats where title_id < 1000000000) s),
    (select sum(hash_record_extended(r, 0)::numeric) from (
        select title_id, source, value, votes from catalog.title_ratings where title_id < 1000000000) r),
    (select sum(hash_record_extended(c, 0)::numeric) from (
        select title_id, person_id, billing from catalog.title_cast where title_id < 1000000000) c),
    (select sum(hash_record_extended(d, 0)::numeric) from (
        select title_id, person_id from catalog.title_crew where job = 'Director' and title_id < 1000000000) d)
) as name


-- name: record_method
-- Run by rating_aggregates: stores the method that the scores were computed by.
insert into catalog.rating_methods (method_version, is_current, says, parameters, computed_at)
values (:method_version, :is_current, :says, cast(:parameters as jsonb), :computed_at)


-- name: record_rating_load
-- Run by the assets that read files of ratings in the transaction that stored them.
insert into pipeline.rating_loads (
    loader, address, version, film_ids, lines, rejected, unmatched, stored, changed, loaded_at, run_id
)
values (
    :loader, :address, :version, :film_ids, :lines, :rejected, :unmatched, :stored, :changed, :loaded_at, :run_id
)


-- name: scores_content
-- Run by rating_aggregates: a hash of the stored scores and methods, the number of scores, and the fingerprint that was
-- stored with them.
select
    concat_ws('-', sum(hash_record_extended(a, 0)::numeric), (
        select sum(hash_record_extended(m, 0)::numeric) from (
            select method_version, is_current, says, parameters from catalog.rating_methods) m)) as name,
    count(*)::integer as scores,
    (select min(m.fingerprint) from catalog.rating_methods m) as fingerprint
from (
    select method_version, scope, key, films, votes, score, score_low, score_high, source_scores
    from catalog.rating_aggregates
) a


-- name: scores_out_of_bounds
-- Run by scores_are_within_bounds: the number of scores outside their interval or of intervals outside 0-100.
select count(*)::integer as scores
from catalog.rating_aggregates
where not (score_low between 0 and score and score_high between score and 100)


-- name: stage_ratings
-- Run by the assets that read files of ratings, before COPY fills it.
create temporary table incoming_ratings (
    line bigint not null,
    title_id bigint not null,
    source text not null,
    scale_min double precision not null,
    scale_max double precision not null,
    raw_value double precision not null,
    votes bigint not null,
    seen_at timestamptz not null
) on commit drop


-- name: store_ratings
-- Run by the assets that read files of ratings once incoming_ratings is filled: replaces the stored ratings of their
-- sources, without touching equal rows. Of several lines about a film and a source the newest by seen_at is stored, then
-- the last in the file; duplicate_ratings lists them by the same rule.
with incoming as materialized (
    select distinct on (title_id, source) * from incoming_ratings order by title_id, source, seen_at desc, line desc
), changed as materialized (
    select i.title_id
    from incoming i
    left join catalog.title_ratings e using (title_id, source)
    where (i.scale_min, i.scale_max, i.raw_value, i.votes)
        is distinct from (e.scale_min, e.scale_max, e.raw_value, e.votes)
), deleted as (
    delete from catalog.title_ratings e
    where case when :loader = 'csv' then e.source not in ('imdb', 'movielens') else e.source = :loader end
      and not exists (select from incoming i where i.title_id = e.title_id and i.source = e.source)
    returning e.title_id
), stored as (
    insert into catalog.title_ratings as e (title_id, source, scale_min, scale_max, raw_value, votes, seen_at)
    select title_id, source, scale_min, scale_max, raw_value, votes, seen_at from incoming
    on conflict (title_id, source) do update set
        scale_min = excluded.scale_min, scale_max = excluded.scale_max, raw_value = excluded.raw_value,
        votes = excluded.votes, seen_at = excluded.seen_at
    where (e.scale_min, e.scale_max, e.raw_value, e.votes, e.seen_at)
        is distinct from (excluded.scale_min, excluded.scale_max, excluded.raw_value, excluded.votes, excluded.seen_at)
    returning e.title_id
)
select
    (select count(*) from incoming)::integer as stored,
    ((select count(*) from incoming_ratings) - (select count(*) from incoming))::integer as duplicates,
    (select count(*) from changed)::integer as changed,
    (select count(*) from deleted)::integer as deleted,
    (select count(*) from stored)::integer as written


-- name: stored_ratings
-- Run by rating_aggregates: the ratings of the films in the catalogue from all sources.
select r.title_id, r.source, r.value, r.votes
from catalog.rating_sources r (title_id)
where exists (select from catalog.titles m where m.title_id = r.title_id)
order by r.title_id, r.source
