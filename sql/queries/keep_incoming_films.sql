-- Run by reconciliation before it writes rows again: only the films that differ.
delete from incoming_films where tmdb_id <> all (cast(:tmdb_ids as bigint[]))
