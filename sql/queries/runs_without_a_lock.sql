-- Run by the reaper: which of these runs no process holds the lock of.
select given.run_id from unnest(cast(:run_ids as text[])) given (run_id) where not pipeline.run_lives(given.run_id)
