-- Migration: a change that was fetched is forgotten, so that one that waits need not be told from it by the clock.

update pipeline.movie_ids set changed_at = null where changed_at <= fetched_at;
