-- Run by movie_embeddings and reports: what the moment's day and a run have spent on embeddings, and reserved.
select
    spent_today::double precision as spent_today, reserved_today::double precision as reserved_today,
    spent_by_run::double precision as spent_by_run, reserved_by_run::double precision as reserved_by_run
from pipeline.embedding_dollars(:moment, :run_id)
