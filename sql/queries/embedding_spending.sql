-- Run by movie-assets status: what embeddings cost on the moment's day, and texts in batches at the service.
select
    d.spent_today::double precision as dollars_today,
    (select count(*) from pipeline.embedding_batch_texts)::integer as texts_in_bulk
from pipeline.embedding_dollars(:moment, '') d
