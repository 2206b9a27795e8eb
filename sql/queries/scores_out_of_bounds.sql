-- Run by scores_are_within_bounds.
select count(*)::integer as scores
from catalog.rating_aggregates
where not (score_low between 0 and score and score_high between score and 100)
