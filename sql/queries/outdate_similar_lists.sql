-- Run by similar_movies: makes lists due again, those whose turn it is or all of them.
update pipeline.similar_lists set is_outdated = true where tmdb_id % :turns = :turn and not is_outdated
