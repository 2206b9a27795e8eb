-- Run by search_quality and its checks: the newest measurements of the active set, newest first.
select q.* from pipeline.search_quality q
join pipeline.embedding_sets s on s.set_id = q.set_id and s.is_active
order by q.measurement_id desc
limit :measurements
