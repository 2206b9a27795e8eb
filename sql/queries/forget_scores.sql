-- Run by reconciliation: the next publication computes and writes all scores again.
update catalog.rating_methods set fingerprint = null
