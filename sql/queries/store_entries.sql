-- Run after a file's entries were copied in: stores what is new or other than before.
select pipeline.store_entries(cast(:source as text)) as written
