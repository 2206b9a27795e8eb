-- Run by reconciliation: the answers behind a batch's films, with what was made of them by the parser in use.
select i.tmdb_id, r.body, m.text_hash, m.facts_hash
from pipeline.movie_ids i
join pipeline.raw_details r using (tmdb_id)
join catalog.movies m using (tmdb_id)
where i.batch = :batch and i.gone_since is null and i.export_reason is null and i.judged_by = :judge
