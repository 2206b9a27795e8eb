-- Run by tmdb_export and the assets that read files of ratings, for lines that cannot be used.
insert into pipeline.rejects (stage, reason, sample, run_id, rejected_at)
select :stage, f.reason, left(f.sample, 500), :run_id, :moment
from unnest(cast(:reasons as text[]), cast(:samples as text[])) as f (reason, sample)
