-- Run by movie_ids' check: how many ids passed the export's rules when the ids were last brought up to an export.
select e.export_date, e.kept, e.lines
from pipeline.ids_as_of a
join pipeline.exports e using (export_date)
where e.kept is not null
