-- Run before an import or the asset watch_histories: one of them at a time, to the end of the transaction.
select pg_try_advisory_xact_lock(1836022640) as is_ours
