-- Run by rating_aggregates for each method that scores were computed by.
insert into catalog.rating_methods (method_version, is_current, says, parameters, computed_at)
values (:method_version, :is_current, :says, cast(:parameters as jsonb), :computed_at)
