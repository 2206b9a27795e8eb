-- Run before reserve_spending, in its transaction: one reservation at a time, so that two never share what is left.
select pg_advisory_xact_lock(1836016244)
