"""The assets and checks of embeddings."""

from movie_assets.embeddings import set_checks
from movie_assets.embeddings.movie_embeddings import movie_embeddings

ASSETS = (movie_embeddings,)  # the texts as vectors, in 64 batches
CHECKS = tuple(set_checks.CHECKS)
