-- Run by health: when each sensor last gave a sign of life.
select name, beat_at from pipeline.heartbeats order by beat_at
