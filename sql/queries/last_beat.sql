-- Run by `movie-assets alert list`: when something last said that it is alive.
select max(beat_at) as beat_at from pipeline.heartbeats where name = :name
