-- Migration: the history of an id written row by row, and what makes "what is due" cheap to ask at 1.3 million ids.

-- A trigger on statements kept the plan that it made for its first, often empty, update; with that plan (a nested
-- loop over all rows before and all rows after) moving 42,000 ids took two minutes.
drop trigger note_id_changes on pipeline.movie_ids;
drop function pipeline.note_id_changes();
create function pipeline.note_id_change() returns trigger
language plpgsql
as $$
begin
    insert into pipeline.id_history (tmdb_id, state_before, reason_before, state, reason)
    values (new.tmdb_id, old.state, old.reason, new.state, new.reason);
    return null;
end
$$;
create trigger note_id_change after update on pipeline.movie_ids
for each row when ((new.state, new.reason) is distinct from (old.state, old.reason))
execute function pipeline.note_id_change();

-- The sensors ask every half minute. What they read of the ids that are not put aside (35,000 rows, on three quarters
-- of the table's pages) is in the index; vacuum has to come by more often than after a fifth of all ids for that.
drop index pipeline.movie_ids_batch_idx;
create index movie_ids_looked_at on pipeline.movie_ids (batch) include (
    tmdb_id, state, attempts, next_attempt_at, fetched_at, changed_at, answer_version, release_date, detail_reason,
    kept_on_request, judged_by
) where gone_since is null and export_reason is null;
alter table pipeline.movie_ids set (autovacuum_vacuum_scale_factor = 0.01, autovacuum_analyze_scale_factor = 0.01);
create index requested_ids_open on pipeline.requested_ids (tmdb_id) where served_at is null;
create index raw_details_fetched on pipeline.raw_details (fetched_at);

-- A film whose popularity is too low for a day leaves and comes back: the history of its numbers stays meanwhile. Two
-- years of it went with each film that left, which was most of the time that a day's export took.
alter table catalog.movie_stats_history drop constraint movie_stats_history_tmdb_id_fkey;
comment on table catalog.movie_stats_history is
    'popularity and votes on each day on which they moved, for two years; of films that left the catalogue, too';
