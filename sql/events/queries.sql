-- name: add_webhooks
-- Run by the sensor of webhooks: a new subscription begins with the events from now on.
insert into pipeline.webhooks (name, delivered_to)
select n.name, b.last_sequence from unnest(cast(:names as text[])) as n (name) cross join catalog.event_bounds b
on conflict (name) do nothing


-- name: begin_webhook_request
-- Run by the sensor of webhooks: stores which events the next request has, and returns the number of the last one. A request
-- whose outcome is not known is begun again with the same events. Returns no row when there is nothing to send, or not yet;
-- events that a subscription did not ask for are then passed over.
with bounds as materialized (
    select last_sequence, deleted_to from catalog.event_bounds
), webhook as materialized (
    select w.name, w.sending_to, greatest(w.delivered_to, b.deleted_to) as delivered_to,
        case when w.delivered_to < b.deleted_to then b.deleted_to else w.lost_to end as lost_to
    from pipeline.webhooks w cross join bounds b
    where w.name = :name and (w.next_attempt_at is null or w.next_attempt_at <= :as_of)
), due as (
    select max(e.sequence) as sequence
    from (
        select e.sequence from catalog.events e, webhook w
        where e.sequence > w.delivered_to
          and (cast(:kinds as text[]) is null or e.kind = any (cast(:kinds as text[])))
          and (cast(:media as text[]) is null or e.media_type = any (cast(:media as text[])))
        order by e.sequence limit :most
    ) e
), begun as (
    update pipeline.webhooks s
    set sending_to = case when w.sending_to > w.delivered_to then w.sending_to else d.sequence end,
        delivered_to = case
            when w.sending_to > w.delivered_to or d.sequence is not null then w.delivered_to else b.last_sequence
        end,
        lost_to = w.lost_to
    from webhook w, due d, bounds b
    where s.name = w.name
    returning s.sending_to
)
select sending_to from begun where sending_to is not null


-- name: compare_events
-- Run by the check events_replay: compares the catalogue with what its events say.
select titles, differing, examples from pipeline.compare_events()


-- name: count_events
-- Run by the asset events: the number of stored events by kind, and of those since a time.
select kind, count(*) as events, count(*) filter (where occurred_at >= :since) as of_last_day
from catalog.events group by kind order by kind


-- name: events_of_webhook_request
-- Run by the sensor of webhooks: the events of the request that was begun.
select e.sequence, e.occurred_at, e.title_id, catalog.stable_key(e.title_id) as key, e.media_type, e.kind, e.fields, e.payload
from pipeline.webhooks w
join catalog.events e on e.sequence > w.delivered_to and e.sequence <= w.sending_to
where w.name = :name
  and (cast(:kinds as text[]) is null or e.kind = any (cast(:kinds as text[])))
  and (cast(:media as text[]) is null or e.media_type = any (cast(:media as text[])))
order by e.sequence


-- name: record_webhook_failure
-- Run by the sensor of webhooks after a request failed. The next attempt is due after 1, 2, 4 … minutes, an hour at most, or
-- after the time that the receiver asks for if that is longer.
update pipeline.webhooks
set attempts = attempts + 1, last_error = :error, failing_since = coalesce(failing_since, :as_of),
    next_attempt_at = cast(:as_of as timestamptz)
        + greatest(least(interval '1 minute' * 2 ^ least(attempts, 6), interval '1 hour'),
            least(interval '1 second' * :retry_after, interval '1 hour'))
where name = :name


-- name: record_webhook_success
-- Run by the sensor of webhooks after a request succeeded: its events are not sent again.
update pipeline.webhooks
set delivered_to = :sent_to, sending_to = null, delivered = delivered + :events, delivered_at = :as_of, attempts = 0,
    next_attempt_at = null, failing_since = null, last_error = null
where name = :name


-- name: webhook_state
-- Run by the check webhooks_keep_up: how long the oldest event waits that a subscription asked for and has not received.
select coalesce(extract(epoch from cast(:as_of as timestamptz) - (
        select min(e.occurred_at) from catalog.events e
        where e.sequence > w.delivered_to
          and (cast(:kinds as text[]) is null or e.kind = any (cast(:kinds as text[])))
          and (cast(:media as text[]) is null or e.media_type = any (cast(:media as text[])))
    )), 0)::double precision as waiting_seconds,
    w.last_error, w.lost_to
from pipeline.webhooks w
where w.name = :name
