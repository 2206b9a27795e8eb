-- Run by reconciliation before it reads the stored responses again, and after it.
delete from pipeline.shared_claims
