-- Run by reconciliation when films are not found by their words.
select pipeline.forget_lost_documents() as repaired
