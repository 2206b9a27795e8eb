"""The assets and checks of searches."""

from movie_assets.search import checks, movie_vectors, search_documents, similar_movies
from movie_assets.search.search_quality import search_quality

ASSETS = (
    movie_vectors.movie_vectors,  # the vectors that searches read
    search_quality,  # how good searches are
    similar_movies.similar_movies,  # lists of similar movies
    search_documents.search_documents,  # the words by which movies are found
)
CHECKS = (
    movie_vectors.the_wanted_set_is_searched,
    movie_vectors.vectors_agree_with_the_catalogue,
    movie_vectors.the_index_is_valid,
    *checks.CHECKS,
    similar_movies.lists_are_what_a_search_finds,
    search_documents.documents_agree_with_the_catalogue,
)
