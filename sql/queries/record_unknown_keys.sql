-- Run by movie_details with a chunk: keys of answers that the parser does not know.
insert into pipeline.unknown_keys as k (key, first_seen, last_seen, answers)
select left(u.key, 200), :moment, :moment, sum(u.answers)
from unnest(cast(:keys as text[]), cast(:answers as bigint[])) as u (key, answers)
group by left(u.key, 200)
on conflict (key) do update set last_seen = excluded.last_seen, answers = k.answers + excluded.answers
