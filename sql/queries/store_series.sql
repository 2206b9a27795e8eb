-- Run after the rows on series were copied in: stores them, and (remove) takes out those that the files no longer have.
select stored
from pipeline.store_series(
    cast(:person as text), cast(:source as text), cast(:parts as text[]), cast(:remove as boolean))
