-- Run by movie_ids: some of the ids that the export does not list and that are not deleted, for the run's table.
select tmdb_id, original_title, state, reason from pipeline.ids_without_line order by missing_since, tmdb_id limit :most
