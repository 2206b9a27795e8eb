-- name: aggregate_totals
-- Run by totals_reconcile: the totals of the stored scores of a media type, and the totals over films and sources that they have
-- to equal.
with current as materialized (
    select a.* from catalog.rating_aggregates a join catalog.rating_methods m using (method_version)
    where m.is_current and m.media_type = :media
), rated as materialized (
    select r.* from catalog.title_rating_sources r
    where r.title_id between catalog.title_id(cast(:media as text), 0) and catalog.title_id(cast(:media as text), 999999999)
      and r.votes is not null and exists (select from catalog.titles m where m.title_id = r.title_id)
), scored as materialized (
    select m.* from catalog.titles m where exists (select from rated r where r.title_id = m.title_id)
), credited as materialized (
    select title_id, person_id from catalog.title_crew where job = 'Director'
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
-- Run by rating_aggregates in the transaction that writes the new ones: deletes the scores of a media type, and those without a
-- method.
with methods as (delete from catalog.rating_methods where media_type = :media)
delete from catalog.rating_aggregates
where method_version not in (select m.method_version from catalog.rating_methods m where m.media_type <> :media)


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
update catalog.rating_methods set fingerprint = :fingerprint, computed_at = :computed_at where media_type = :media


-- name: count_omdb_title
-- Run by omdb_ratings for each title: counts it and its values in their day.
update pipeline.omdb_days set
    titles_rated = titles_rated + (:outcome = 'rated')::integer,
    titles_without = titles_without + (:outcome in ('unrated', 'not_found'))::integer,
    titles_failed = titles_failed + (:outcome = 'failed')::integer,
    values_read = values_read + cast(:values as integer), values_rejected = values_rejected + cast(:rejected as integer)
where day = :day


-- name: delete_omdb_ratings
-- Run by omdb_ratings and rating_aggregates when OMDb is switched off: deletes its ratings, and which titles were asked for.
with asked as (delete from pipeline.omdb_titles)
delete from catalog.omdb_ratings


-- name: due_omdb_titles
-- Run by omdb_ratings: the titles of some media types to ask OMDb about, the most voted first. Those without votes are asked for last.
select t.title_id, t.imdb_id, (count(*) over ())::integer as titles_due
from catalog.titles t
left join catalog.title_stats s using (title_id)
left join pipeline.omdb_titles o using (title_id)
where t.imdb_id ~ '^tt[0-9]{7,10}$' and catalog.media_type(t.title_id) = any (cast(:media as text[]))
  and (o.imdb_id is distinct from t.imdb_id or o.asked_at <= cast(:as_of as timestamptz) - case
        when o.outcome = 'failed' then interval '20 hours'
        when o.outcome = 'not_found' then interval '30 days'
        when t.release_date > cast(:as_of as timestamptz)::date - 90 then interval '14 days'
        else interval '90 days' end)
order by s.vote_count desc nulls last, t.title_id
limit :most


-- name: duplicate_ratings
-- Run by the assets that read files of ratings once incoming_ratings is filled: the first films that several lines rate
-- for one source, with the numbers of these lines; the line that store_ratings stores comes first.
select title_id, source, array_agg(line order by seen_at desc, line desc) as lines
from incoming_ratings group by title_id, source having count(*) > 1
order by title_id, source limit 20


-- name: imdb_ids
-- Run by the assets that read files of ratings: the IMDb ids of the films of some media types, including former ones.
select m.title_id, m.imdb_id from catalog.titles m
where m.imdb_id is not null and catalog.media_type(m.title_id) = any (cast(:media as text[]))
union
select e.title_id, e.value from catalog.title_external_ids e
where e.source = 'imdb' and catalog.media_type(e.title_id) = any (cast(:media as text[]))
order by title_id, imdb_id


-- name: last_rating_load
-- Run by the assets that read files of ratings: the newest load of a loader.
select address, version, film_ids, lines, stored, loaded_at
from pipeline.rating_loads where loader = :loader order by load_id desc limit 1


-- name: omdb_days
-- Run by the checks of omdb_ratings: the last seven days with calls.
select day, calls, titles_rated, titles_without, titles_failed, values_read, values_rejected, used_up_at
from pipeline.omdb_days
where day <= cast(:as_of as timestamptz)::date and day > cast(:as_of as timestamptz)::date - 7
order by day desc


-- name: people_of_films
-- Run by rating_aggregates: the directors and the leading cast (the first roles by billing) of each film.
select title_id, person_id from catalog.title_crew
where job = 'Director' and title_id between catalog.title_id(cast(:media as text), 0) and catalog.title_id(cast(:media as text), 999999999)
union
select title_id, person_id from (
    select title_id, person_id, row_number() over (partition by title_id order by billing, person_id) as place
    from catalog.title_cast
) c
where place <= :leads and title_id between catalog.title_id(cast(:media as text), 0) and catalog.title_id(cast(:media as text), 999999999)
order by title_id, person_id


-- name: rated_films
-- Run by rating_aggregates: TMDB's votes of each film and the groups to which it belongs.
select m.title_id, m.genres, m.release_year, m.original_language, m.countries, m.collection_id, s.vote_average, s.vote_count
from catalog.titles m join catalog.title_stats s using (title_id)
where m.title_id between catalog.title_id(cast(:media as text), 0) and catalog.title_id(cast(:media as text), 999999999)
order by m.title_id


-- name: rating_inputs
-- Run by rating_aggregates before it reads them: a fingerprint of the inputs of the scores of a media
-- type, from the hashes of their rows.
select concat_ws(
    '-', cast(:methods as text),
    (select sum(hash_record_extended(m, 0)::numeric) from (
        select title_id, genres, release_year, original_language, countries, collection_id from catalog.titles
        where title_id between first_id and last_id) m),
    (select sum(hash_record_extended(s, 0)::numeric) from (
        select title_id, vote_average, vote_count from catalog.title_stats
        where title_id between first_id and last_id) s),
    (select sum(hash_record_extended(r, 0)::numeric) from (
        select title_id, source, value, votes from catalog.title_ratings
        where title_id between first_id and last_id) r),
    (select sum(hash_record_extended(o, 0)::numeric) from (
        select title_id, source, value, votes from catalog.omdb_ratings
        where votes is not null and title_id between first_id and last_id) o),
    (select sum(hash_record_extended(c, 0)::numeric) from (
        select title_id, person_id, billing from catalog.title_cast
        where title_id between first_id and last_id) c),
    (select sum(hash_record_extended(d, 0)::numeric) from (
        select title_id, person_id from catalog.title_crew
        where job = 'Director' and title_id between first_id and last_id) d)
) as name
from (
    select catalog.title_id(cast(:media as text), 0) as first_id, catalog.title_id(cast(:media as text), 999999999) as last_id
) ids


-- name: record_method
-- Run by rating_aggregates: stores the method that the scores were computed by.
insert into catalog.rating_methods (media_type, method_version, is_current, says, parameters, computed_at)
values (:media, :method_version, :is_current, :says, cast(:parameters as jsonb), :computed_at)


-- name: record_omdb_quota
-- Run by omdb_ratings when OMDb refuses a call for its quota: no further call is made on that day.
update pipeline.omdb_days set used_up_at = :as_of where day = :day


-- name: record_omdb_title
-- Run by omdb_ratings for each title: what came of asking for it.
insert into pipeline.omdb_titles as o (title_id, imdb_id, outcome, asked_at)
select t.title_id, :imdb_id, :outcome, :as_of from catalog.titles t where t.title_id = :title_id for key share
on conflict (title_id) do update
set imdb_id = excluded.imdb_id, outcome = excluded.outcome, asked_at = excluded.asked_at


-- name: record_rating_load
-- Run by the assets that read files of ratings in the transaction that stored them.
insert into pipeline.rating_loads (
    loader, address, version, film_ids, lines, rejected, unmatched, stored, changed, loaded_at, run_id
)
values (
    :loader, :address, :version, :film_ids, :lines, :rejected, :unmatched, :stored, :changed, :loaded_at, :run_id
)


-- name: reserve_omdb_call
-- Run by omdb_ratings before each call: counts it in its day, and returns no row when no further call may be made.
insert into pipeline.omdb_days as d (day, calls) values (:day, 1)
on conflict (day) do update set calls = d.calls + 1 where d.calls < :most and d.used_up_at is null
returning calls


-- name: scores_content
-- Run by rating_aggregates: a hash of the stored scores and methods of a media type, the number of scores, and the fingerprint
-- that was stored with them.
select
    concat_ws('-', sum(hash_record_extended(a, 0)::numeric), (
        select sum(hash_record_extended(m, 0)::numeric) from (
            select method_version, is_current, says, parameters from catalog.rating_methods where media_type = :media) m)) as name,
    count(*)::integer as scores,
    (select min(m.fingerprint) from catalog.rating_methods m where m.media_type = :media) as fingerprint
from (
    select method_version, scope, key, films, votes, score, score_low, score_high, source_scores
    from catalog.rating_aggregates
    where method_version not in (select m.method_version from catalog.rating_methods m where m.media_type <> :media)
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


-- name: store_omdb_ratings
-- Run by omdb_ratings for each title: replaces its ratings. A source whose new value was rejected keeps its old one.
with title as materialized (
    select t.title_id from catalog.titles t where t.title_id = :title_id for key share
), incoming as materialized (
    select t.title_id, r.*
    from jsonb_to_recordset(cast(:ratings as jsonb)) as r (
        source text, scale_min double precision, scale_max double precision, raw_value double precision, votes bigint
    ) cross join title t
), changed as materialized (
    select from incoming i left join catalog.omdb_ratings e using (title_id, source)
    where (i.raw_value, i.votes) is distinct from (e.raw_value, e.votes)
), deleted as (
    delete from catalog.omdb_ratings e
    where e.title_id = :title_id and e.source <> all (cast(:rejected as text[]))
      and e.source not in (select i.source from incoming i)
    returning e.source
), stored as (
    insert into catalog.omdb_ratings as e (title_id, source, scale_min, scale_max, raw_value, votes, seen_at)
    select title_id, source, scale_min, scale_max, raw_value, votes, :as_of from incoming
    on conflict (title_id, source) do update set
        raw_value = excluded.raw_value, votes = excluded.votes, seen_at = excluded.seen_at
)
select (select count(*) from changed)::integer as changed, (select count(*) from deleted)::integer as deleted


-- name: store_ratings
-- Run by the assets that read files of ratings once incoming_ratings is filled: replaces the stored ratings of their
-- sources, of films of some media types, without touching equal rows. Of several lines about a film and a source the newest by seen_at is stored, then
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
    where catalog.media_type(e.title_id) = any (cast(:media as text[]))
      and case when :loader = 'csv' then e.source not in ('imdb', 'movielens') else e.source = :loader end
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
-- Run by rating_aggregates: the ratings of the films of a media type in the catalogue from all sources that tell their votes.
select r.title_id, r.source, r.value, r.votes
from catalog.title_rating_sources r
where r.title_id between catalog.title_id(cast(:media as text), 0) and catalog.title_id(cast(:media as text), 999999999)
  and r.votes is not null and exists (select from catalog.titles m where m.title_id = r.title_id)
order by r.title_id, r.source
