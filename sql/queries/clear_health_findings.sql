-- Run by health before it stores its findings.
delete from pipeline.health_findings
