-- Run before heartbeats: whether sensors write any.
select to_regclass('pipeline.heartbeats') is not null as has_heartbeats
