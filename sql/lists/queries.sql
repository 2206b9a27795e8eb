-- name: delete_list_snapshot
-- Run by tmdb_lists before a day's list is stored: deletes the snapshot of that day, unless a later reading made it.
delete from catalog.list_days
where media_type = :media and list = :name and region = :region and day = :day and read_at <= :as_of


-- name: store_list_snapshot
-- Run by tmdb_lists when a list was read as a whole. Stores nothing where the day has a snapshot.
with stored as (
    insert into catalog.list_days (
        media_type, list, region, day, read_at, region_position, first_release, last_release, titles, total, pages, repeated,
        unreadable
    )
    values (
        :media, :name, :region, :day, :as_of, :region_position, cast(:first_release as date), cast(:last_release as date),
        :count, cast(:total as integer), :pages, :repeated, :unreadable
    )
    on conflict do nothing
    returning media_type, list, region, day
)
insert into catalog.list_snapshots (
    media_type, list, region, day, rank, title_id, title, original_title, original_language, overview, release_date, poster_path,
    backdrop_path, popularity, vote_average, vote_count
)
select s.media_type, s.list, s.region, s.day, t.rank, t.title_id, t.title, t.original_title, t.original_language, t.overview,
    t.release_date, t.poster_path, t.backdrop_path, t.popularity, t.vote_average, t.vote_count
from stored s
cross join jsonb_to_recordset(cast(:titles as jsonb)) as t (
    rank smallint, title_id bigint, title text, original_title text, original_language text, overview text, release_date date,
    poster_path text, backdrop_path text, popularity double precision, vote_average double precision, vote_count integer
)


-- name: request_listed_titles
-- Run by tmdb_lists: requests titles of the newest snapshots that the catalogue lacks, the best placed first, so many within 24
-- hours at most. A title is requested again after 30 days. Returns their keys.
with listed as (
    select s.title_id, min(s.rank) as rank
    from catalog.list_snapshots s
    join (
        select distinct on (media_type, list, region) media_type, list, region, day from catalog.list_days
        where read_at > cast(:as_of as timestamptz) - interval '8 days' and media_type = any(cast(:media as text[]))
        order by media_type, list, region, day desc
    ) d using (media_type, list, region, day)
    group by s.title_id
), lacking as (
    select l.title_id from listed l
    where not exists (select from catalog.titles t where t.title_id = l.title_id)
        and not exists (
            select from pipeline.requested_titles q
            where q.title_id = l.title_id
                and (q.served_at is null or q.requested_at > cast(:as_of as timestamptz) - interval '30 days'))
        and exists (select from pipeline.title_ids_as_of a where a.media_type = catalog.media_type(l.title_id))
    order by l.rank, l.title_id
    limit greatest(0, :most - (
        select count(*) from pipeline.requested_titles q
        where q.requested_by = 'tmdb_lists' and q.requested_at > cast(:as_of as timestamptz) - interval '24 hours'))
)
insert into pipeline.requested_titles as q (title_id, keep, requested_by, requested_at)
select l.title_id, false, 'tmdb_lists', :as_of from lacking l
on conflict (title_id) do update set requested_by = excluded.requested_by, requested_at = excluded.requested_at
returning q.title_id


-- name: list_changes
-- Run by tmdb_lists, its checks and health: the newest snapshot of each list, and what differs from that of the day before it that was read.
with numbered as (
    select d.*, row_number() over (partition by d.media_type, d.list, d.region order by d.day desc) as number
    from catalog.list_days d
    where d.day > cast(cast(:as_of as timestamptz) as date) - 60
)
select
    n.media_type, n.list, n.region, n.day, n.read_at, n.titles, b.day as day_before, b.titles as titles_before,
    (
        select count(*)::integer from catalog.list_snapshots s
        where (s.media_type, s.list, s.region, s.day) = (b.media_type, b.list, b.region, b.day) and not exists (
            select from catalog.list_snapshots t
            where t.title_id = s.title_id and t.list = n.list and t.region = n.region and t.day = n.day)
    ) as leavers,
    (
        select count(*)::integer from catalog.list_snapshots s
        join catalog.list_snapshots t
            on (t.media_type, t.list, t.region, t.day, t.rank) = (n.media_type, n.list, n.region, n.day, s.rank)
            and t.title_id = s.title_id
        where (s.media_type, s.list, s.region, s.day) = (b.media_type, b.list, b.region, b.day)
    ) as in_place
from numbered n
left join numbered b
    on b.number = 2 and (b.media_type, b.list, b.region) = (n.media_type, n.list, n.region)
where n.number = 1
order by n.media_type, n.list, n.region
