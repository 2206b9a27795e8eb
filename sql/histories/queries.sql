-- name: count_entries_that_leave
-- Run before entries are stored: the entries of earlier files, how many the new files lack, and how many no file has.
select stored, leaving, lost
from pipeline.entries_that_leave(
    cast(:source as text), cast(:person as text), cast(:parts as text[]), cast(:staged_parts as text[]))


-- name: count_histories
-- Run by watch_histories: the stored histories, and the names that wait for a decision or for a film.
select (select count(*) from catalog.watched_titles) as histories,
    (select count(distinct person) from catalog.watched_titles) as people,
    (select count(*) from pipeline.match_reviews r where r.status = 'open') as reviews_open,
    (select count(*) from pipeline.named_films n where n.film_id is null and n.matched_by is null) as names_waiting


-- name: derive_histories
-- Run after entries or their films have changed: updates catalog.watched_titles.
select added, updated, removed, unchanged
from pipeline.derive_histories(cast(:source as text), cast(:person as text), cast(:films as bigint[]))


-- name: derive_series
-- Run after the rows on series or the catalogue have changed: updates what people have seen of series (null: everybody, from
-- all sources), and returns the number of rows that a series of the catalogue matches.
select written, removed, matched from pipeline.derive_series_histories(cast(:person as text), cast(:source as text))


-- name: imported_before
-- Run by watch_histories: whether a file with this content was imported before, for this person or for those in it.
select exists (
    select from pipeline.imports i where i.digest = :digest and (i.person is null or i.person = :person)
) as is_known


-- name: lock_imports
-- Run before an import or the asset watch_histories: takes the lock of imports to the end of the transaction.
select pg_try_advisory_xact_lock(1836022640) as is_ours


-- name: match_staged_names
-- Run after a file's names were stored: matches them with films; returns the films whose histories change.
select pipeline.match_named_films(array(
    select n.name_id from pipeline.named_films n where n.name in (select s.name from staged_names s)
)) as title_ids


-- name: match_waiting_names
-- Run by watch_histories: matches the names that wait with films; returns the films whose histories change.
select pipeline.match_named_films(null) as title_ids


-- name: named_in_import
-- Run after an import: the names in it, with the films that were matched.
select distinct n.name_id, n.name, n.film_id as title_id, n.matched_by, n.confidence, r.status as review,
    n.film_id is not null and m.title_id is not null as is_in_catalogue
from staged_names s
join pipeline.named_films n using (name)
left join catalog.titles m on m.title_id = n.film_id
left join pipeline.match_reviews r on r.review_id = n.name_id
order by n.name


-- name: others_wait_for_films
-- Run after an import: whether entries of other people or sources name films that it matched.
select exists (
    select from pipeline.watch_entries e
    join pipeline.named_films n using (name_id)
    where n.film_id = any(:films)
        and (e.source <> :source or cast(:person as text) is not null and e.person <> :person)
) as others_wait


-- name: record_import
-- Run after an import: records its report.
insert into pipeline.imports (imported_at, person, source, files, digest, counts, rejects)
values (:as_of, :person, :source, :files, :digest, cast(:counts as jsonb), cast(:rejects as jsonb))


-- name: remove_entries
-- Run after files that could be read as a whole were stored: deletes the entries of earlier files that they lack.
select removed from pipeline.remove_entries(cast(:source as text), cast(:person as text), cast(:parts as text[]))


-- name: request_named_films
-- Run by movie-assets import --request: requests the films of an import that the catalogue does not have. Earlier requests
-- are not repeated.
insert into pipeline.requested_titles (title_id, requested_by)
select distinct n.film_id, 'movie-assets import'
from staged_names s
join pipeline.named_films n using (name)
where n.film_id is not null and not exists (select from catalog.titles m where m.title_id = n.film_id)
order by n.film_id
on conflict (title_id) do nothing


-- name: requested_in_import
-- Run after request_named_films: the outcomes of the requests for an import's films, such as films that TMDB does not have.
select case when q.served_at is null then 'waiting' else q.outcome end as outcome, count(*) as films
from pipeline.requested_titles q
where q.title_id in (
    select n.film_id from staged_names s join pipeline.named_films n using (name)
    where not exists (select from catalog.titles m where m.title_id = n.film_id)
)
group by 1 order by 2 desc, 1


-- name: stage_entries
-- Run before a file's entries are copied in; no is the number of the name in staged_names.
create temp table staged_entries (
    person text, part text, no integer, line integer, is_wanted boolean, rating real, seen_at timestamptz
) on commit drop


-- name: stage_names
-- Run before the films that a file names are copied in.
create temp table staged_names (
    no integer, name text, title text, year smallint, imdb_id text, tmdb_id bigint, rivals smallint
) on commit drop


-- name: stage_series
-- Run before the rows on series of a person's files are copied in.
create temp table staged_series (
    person text, part text, key text, kind text, title text, year smallint, imdb_id text, tmdb_id bigint, tvdb_id bigint,
    season integer, episode integer, is_wanted boolean, rating real, seen_at timestamptz, tmdb_episode_id bigint, line integer
) on commit drop


-- name: store_entries
-- Run after a file's entries were copied in: stores the new and changed ones.
select pipeline.store_entries(cast(:source as text)) as written


-- name: store_names
-- Run after a file's names were copied in: stores the new ones.
insert into pipeline.named_films as n (name, title, year, imdb_id, tmdb_id, rivals)
select distinct on (s.name) s.name, s.title, s.year, s.imdb_id, s.tmdb_id, s.rivals
from staged_names s
order by s.name, s.no
on conflict (name) do update set
    imdb_id = coalesce(n.imdb_id, excluded.imdb_id), rivals = greatest(n.rivals, excluded.rivals)
where n.imdb_id is null and excluded.imdb_id is not null or n.rivals < excluded.rivals


-- name: store_series
-- Run after the rows on series were copied in: stores them, and with remove deletes the rows that the files lack.
select stored
from pipeline.store_series(
    cast(:person as text), cast(:source as text), cast(:parts as text[]), cast(:remove as boolean))
