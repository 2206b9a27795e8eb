-- Run by movie_vectors and the reports: the accepted films.
select count(*)::integer as films from catalog.movies
