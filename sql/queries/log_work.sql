-- Run with each chunk of a step, in the chunk's transaction: what it came to, on top of what the step did before.
update pipeline.run_log set
    worked_at = clock_timestamp(), status = 'running', ended_at = null, reason = null, -- it lives, whatever was thought
    checked = checked + :checked, skipped = skipped + :skipped, fetched = fetched + :fetched,
    changed = changed + :changed, failed = failed + :failed, gone = gone + :gone,
    embedded = embedded + :embedded, tokens = tokens + :tokens, dollars = dollars + cast(:dollars as numeric)
where run_id = :run_id and step = :step
