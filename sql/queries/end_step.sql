-- Run when a step has ended, however it did.
update pipeline.run_log
set status = :status, reason = left(cast(:reason as text), 500), ended_at = clock_timestamp()
where log_id = :log_id
returning
    checked::bigint, skipped::bigint, fetched::bigint, changed::bigint, failed::bigint, gone::bigint, embedded::bigint,
    tokens::bigint, dollars::double precision, duration
