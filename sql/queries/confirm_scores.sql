-- Run by rating_aggregates last: what the scores name now, and that votes which came by a moment are covered.
update catalog.rating_methods set fingerprint = :fingerprint, computed_at = :computed_at
