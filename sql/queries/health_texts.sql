-- Run by health: films whose text has had no vector in the active set for six hours, and those that the service refused.
select
    count(*)::integer as movies,
    count(*) filter (where s.set_id is null)::integer as without_set,
    count(*) filter (where w.is_stale and r.text_hash is null)::integer as stale,
    count(*) filter (where w.is_stale and r.text_hash is not null)::integer as refused,
    (array_agg(m.tmdb_id order by m.changed_at, m.tmdb_id) filter (where w.is_stale))[1:5] as examples
from catalog.movies m
left join pipeline.embedding_sets s on s.is_active
left join pipeline.embeddings e on e.set_id = s.set_id and e.tmdb_id = m.tmdb_id
left join pipeline.refused_texts r on r.set_id = s.set_id and r.text_hash = m.text_hash
cross join lateral (
    select e.text_hash is distinct from m.text_hash and m.changed_at < cast(:moment as timestamptz) - interval '6 hours'
) w (is_stale)
