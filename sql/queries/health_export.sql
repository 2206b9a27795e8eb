-- Run by health: the newest export, and where it came from.
select export_date, source, lines, loaded_at from pipeline.exports order by export_date desc limit 1
