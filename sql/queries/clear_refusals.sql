-- Run by a step that accepted its inputs: forget what it refused before, but for the subjects that are still refused.
delete from pipeline.refusals where step = :step and not subject = any (cast(:still as text[]))
