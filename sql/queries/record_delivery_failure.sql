-- Run by the alerts' sensor after a message did not arrive: the next attempt comes after 1, 2, 4 … minutes, an hour at
-- most, or when the destination asks for more, after that.
update pipeline.alert_destinations
set failures = failures + 1, last_error = :error, failing_since = coalesce(failing_since, :moment),
    next_attempt_at = cast(:moment as timestamptz)
        + greatest(least(interval '1 minute' * 2 ^ least(failures, 6), interval '1 hour'),
            least(interval '1 second' * :retry_after, interval '1 hour'))
where destination = :destination
