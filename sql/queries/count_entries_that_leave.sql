-- Run before entries are stored: what the files before had, and how much of it these do not have.
select stored, leaving
from pipeline.entries_that_leave(cast(:source as text), cast(:person as text), cast(:parts as text[]), false)
