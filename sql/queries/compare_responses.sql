-- Run by reconciliation for each chunk of responses that it read into incoming_films.
select tmdb_id, table_name, column_names, what from pipeline.compare_responses()
