-- Run after migrations: gives the role of applications its rights if it has none yet.
select pipeline.grant_reader()
