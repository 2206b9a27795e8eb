-- Run by movie-assets review: a decision, null for none of the candidates, or that it is open again; the trigger applies it.
update pipeline.match_reviews r
set decision = cast(:film as bigint), status = :status
where r.review_id = :review_id
