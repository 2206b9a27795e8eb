-- Run by movie_embeddings: films whose text is not the one that was embedded, without those whose text the service
-- refused a while ago (a run that a person launched asks for them too). Texts that are in a batch at the service
-- are only waited for. With force, every text, if it was last embedded before the run that a repeated run goes on with.
select
    m.tmdb_id, pipeline.batch_of(m.tmdb_id) as batch, m.text_hash, m.embedding_text,
    exists (
        select from pipeline.embedding_batch_texts t join pipeline.embedding_batches b using (bulk_id)
        where b.set_id = :set_id and t.text_hash = m.text_hash
    ) as is_in_flight,
    e.text_hash is not distinct from m.text_hash as is_forced
from catalog.movies m
left join pipeline.embeddings e on e.set_id = :set_id and e.tmdb_id = m.tmdb_id
left join pipeline.refused_texts r on r.set_id = :set_id and r.text_hash = m.text_hash
where pipeline.batch_of(m.tmdb_id) = any(:batches)
  and (e.text_hash is distinct from m.text_hash
       or (cast(:force as boolean) and e.embedded_at < coalesce(cast(:forced_since as timestamptz), 'infinity')))
  and (:by_hand or r.next_attempt_at is null or r.next_attempt_at <= :moment)
order by batch, m.tmdb_id
