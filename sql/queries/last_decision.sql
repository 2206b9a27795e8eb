-- Run by health, where alerts have a destination: when a trigger last decided otherwise than before.
select max(decided_at) as decided_at from pipeline.triggers
