-- Run by tmdb_export: the newest loads up to a day, to compare a new one with.
select export_date, source, lines, median_popularity
from pipeline.exports
where export_date <= :day
order by export_date desc
