-- Run before a batch is collected: its texts that were not collected yet, with the films that have them now.
select t.text_hash, m.tmdb_id, pipeline.batch_of(m.tmdb_id) as batch, m.embedding_text
from pipeline.embedding_batch_texts t left join catalog.movies m using (text_hash)
where t.bulk_id = :bulk_id
order by batch, m.tmdb_id
