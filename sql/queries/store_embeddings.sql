-- Run by movie_embeddings after a chunk was copied in: a film whose text moved meanwhile waits for its next turn. The
-- films are looked up one by one (limit 1): the planner, who knows nothing of the staging table, would read them all.
insert into pipeline.embeddings as e (set_id, tmdb_id, text_hash, embedding, embedded_at, is_cut)
select :set_id, i.tmdb_id, i.text_hash, i.embedding, :moment, coalesce(i.is_cut, false)
from incoming_embeddings i
join lateral (select m.text_hash from catalog.movies m where m.tmdb_id = i.tmdb_id limit 1) m
    on m.text_hash = i.text_hash
order by i.tmdb_id
on conflict (set_id, tmdb_id) do update set
    text_hash = excluded.text_hash, embedding = excluded.embedding, embedded_at = excluded.embedded_at,
    is_cut = excluded.is_cut,
    is_replaced = e.is_replaced or (e.text_hash = excluded.text_hash and e.embedding <> excluded.embedding)
