-- Run by `movie-assets alert mute`.
insert into pipeline.alert_mutes (name, muted_at, until) values (:name, :moment, :until)
on conflict (name) do update set muted_at = excluded.muted_at, until = excluded.until
