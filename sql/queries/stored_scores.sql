-- Run by reconciliation: the scores as they are stored, to compare with scores computed again.
select method_version, scope, key, films, votes, score, score_low, score_high, source_scores
from catalog.rating_aggregates
