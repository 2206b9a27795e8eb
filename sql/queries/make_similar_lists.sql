-- Run by similar_movies for some hundreds of films at a time.
select made, moved from pipeline.make_similar_lists(:films, :echo)
