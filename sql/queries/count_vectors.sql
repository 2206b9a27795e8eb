-- Run by the reports: the vectors that searches see.
select count(*)::integer as vectors from catalog.movie_vectors
