-- Run by `movie-assets alert unmute`.
delete from pipeline.alert_mutes where name = :name
