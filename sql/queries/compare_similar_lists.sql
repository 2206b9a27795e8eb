-- Run by reconciliation: places in lists of similar films that are not what the vectors and the films say.
select tmdb_id, place, column_names from pipeline.compare_similar_lists()
