-- Run by movie_vectors before a set takes over, and by its check: films that belong together, and how near they are.
select title, other_title, within, place from pipeline.golden_ranks(:set_id)
