-- Run by reconciliation: how many places the lists of similar films have.
select count(*)::integer as places from catalog.similar_movies
