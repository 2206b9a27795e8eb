-- Comments: applied last, whenever this file or anything else of the schema changed. Events and webhooks.

comment on table catalog.events is
    'a change of the catalogue, written in the transaction of the change and kept for 90 days; popularity and votes make none. '
    'Read them with catalog.events_after(number)';
comment on column catalog.events.event_id is 'number by which events of one transaction are ordered';
comment on column catalog.events.sequence is
    'number of the event, from 1 on without holes: a change that commits later has a higher number, so that a reader who stores '
    'the highest number that it has seen misses none';
comment on column catalog.events.occurred_at is 'when the transaction of the change began';
comment on column catalog.events.title_id is
    'key of the title: that of a movie is its TMDB id, that of a series 1,000,000,000 plus its TMDB id';
comment on column catalog.events.media_type is 'movie or series';
comment on column catalog.events.kind is
    'what happened: added, changed, left (the catalogue), merged (into another title), new_episode, episode_left, date_moved, '
    'offer_came, offer_left; docs/applications.md says more';
comment on column catalog.events.fields is 'names of the fields that changed, for kind changed; null for others';
comment on column catalog.events.payload is
    'details: for added all fields of catalog.titles that are not null, for changed the new values of the fields that changed, '
    'for left the state and reason of the id, for merged the title_id that replaced it (into), for episodes their numbers and dates';

comment on table catalog.event_bounds is 'one row: the numbers of the newest event and of the last one that was deleted';
comment on column catalog.event_bounds.is_only is 'always true, so that there is one row';
comment on column catalog.event_bounds.last_sequence is
    'number of the newest event; an application that has read the catalogue afterwards goes on from here';
comment on column catalog.event_bounds.deleted_to is 'number of the last event that was deleted for its age; 0 if none was';
comment on column catalog.event_bounds.began_at is 'when the catalogue began to write events';

comment on table pipeline.event_writes is
    'a transaction with events that have no numbers yet; it deletes its row when it commits, so that the table looks empty';
comment on column pipeline.event_writes.transaction_id is 'id of the transaction';

comment on table pipeline.event_baseline is
    'a title as of the last event that was deleted, or of the first day of events: what events are replayed on';
comment on column pipeline.event_baseline.title_id is 'key of the title';
comment on column pipeline.event_baseline.fields is 'hash of the value of each field that was not null';

comment on table pipeline.webhooks is 'a subscription of MOVIE_ASSETS_WEBHOOKS, with what it has received';
comment on column pipeline.webhooks.name is 'name of the subscription in the setting';
comment on column pipeline.webhooks.delivered_to is 'number of the last event that it has received or did not ask for';
comment on column pipeline.webhooks.sending_to is
    'number of the last event of the request that was begun, and is sent again with the same events; null if none was';
comment on column pipeline.webhooks.delivered is 'number of events that it has received';
comment on column pipeline.webhooks.attempts is 'number of requests that failed since the last success';
comment on column pipeline.webhooks.next_attempt_at is 'when the next attempt is due after a failure; null after a success';
comment on column pipeline.webhooks.failing_since is 'when the first request after the last success failed; null if none has';
comment on column pipeline.webhooks.last_error is 'why the last request failed; null after a success';
comment on column pipeline.webhooks.lost_to is
    'number of the last event that was deleted before the subscription received it; null if none was. Set it to null to '
    'close the alert';
comment on column pipeline.webhooks.delivered_at is 'when it last received a request';
