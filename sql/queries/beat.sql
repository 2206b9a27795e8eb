-- Run by the alerts' sensor at the end of each tick: it is alive.
insert into pipeline.heartbeats (name, beat_at) values (:name, :moment)
on conflict (name) do update set beat_at = excluded.beat_at
