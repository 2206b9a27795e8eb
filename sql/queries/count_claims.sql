-- Run by reconciliation: how many people, genres and the like the responses name.
select count(*)::integer as claims from pipeline.shared_claims
