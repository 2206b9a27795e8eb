-- Run by recommendation_quality and its check: the figures of the newest model that was measured, the best first.
select q.* from pipeline.recommendation_quality q
where q.model_id = (select max(model_id) from pipeline.recommendation_quality)
order by q.protocol, q.ndcg_at_10 desc, q.model
