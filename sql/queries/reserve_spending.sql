-- Run before a request is sent: reserves what it may cost at most, unless the run's or the day's budget is too small.
insert into pipeline.embedding_reservations (set_id, run_id, tokens, dollars, reserved_at)
select :set_id, :run_id, :tokens, :dollars, :moment
from pipeline.embedding_dollars(:moment, :run_id) d
where (:run_dollars = 0 or d.spent_by_run + d.reserved_by_run + cast(:dollars as numeric) <= :run_dollars)
  and (:daily_dollars = 0 or d.spent_today + d.reserved_today + cast(:dollars as numeric) <= :daily_dollars)
returning reservation_id
