-- Run by recommendation_quality for each protocol and model: how well it ranks.
insert into pipeline.recommendation_quality (
    model_id, protocol, model, measured_at, persons, recall_at_10, recall_low, recall_high, ndcg_at_10, ndcg_low, ndcg_high,
    over_popularity, over_popularity_low, over_popularity_high, coverage, diversity, diversity_low, diversity_high, seconds)
values (
    :model_id, :protocol, :model, :measured_at, :persons, :recall_at_10, :recall_low, :recall_high, :ndcg_at_10, :ndcg_low,
    :ndcg_high, :over_popularity, :over_popularity_low, :over_popularity_high, :coverage, :diversity, :diversity_low,
    :diversity_high, :seconds)
