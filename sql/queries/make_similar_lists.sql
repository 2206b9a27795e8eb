-- Run by similar_movies for some hundreds of films at a time.
select pipeline.make_similar_lists(:films, :echo) as made
