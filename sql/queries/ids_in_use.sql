-- Run by tmdb_export when it fails: the export that the ids stand on, and how many of them are alive.
select a.export_date, (select count(*)::integer from pipeline.movie_ids i where i.gone_since is null) as living
from pipeline.ids_as_of a
