-- Run before entries are stored: what the files before had, how much of it these do not have, and how much is in no file.
select stored, leaving, lost
from pipeline.entries_that_leave(
    cast(:source as text), cast(:person as text), cast(:parts as text[]), cast(:staged_parts as text[]))
