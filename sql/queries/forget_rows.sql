-- Run by reconciliation in the transaction that writes the rows of some films again.
select pipeline.forget_rows(cast(:tmdb_ids as bigint[])) as forgotten
