"""Measures of an embedding model on the vectors of some films and questions, which are compared exactly.

Vectors are (n, dimensions), of length 1. A row of zeros belongs to a text that got no vector: it is never found, and
finds nothing.
"""

from collections.abc import Mapping, Sequence

import numpy as np

from movie_assets.embeddings.vectors import Matrix
from movie_assets.search.relevance import ndcg

NEAREST = 10


def plot_ranks(films: Matrix, questions: Matrix, places: Sequence[int]) -> list[int | None]:
    """Return for each question the rank of the film at its place among all films; None without one of the vectors."""
    has_vector = np.asarray(films.any(axis=1))
    ranks: list[int | None] = []
    for question, place in zip(questions, places, strict=True):
        if not (has_vector[place] and question.any()):
            ranks.append(None)
            continue
        similarities = films @ question
        ranks.append(1 + int((similarities[has_vector] > similarities[place]).sum()))
    return ranks


def franchise_gains(films: Matrix, franchises: Mapping[int, frozenset[int]]) -> list[float]:
    """Return NDCG@10 of the nearest films of each film in a collection; the others of the collection are right."""
    without_vector = ~np.asarray(films.any(axis=1))
    gains = []
    for place, others in franchises.items():
        similarities = films @ films[place]
        similarities[without_vector] = similarities[place] = -np.inf
        nearest = [film for film in np.argsort(-similarities, kind="stable")[:NEAREST] if not without_vector[film]]
        gains.append(0.0 if without_vector[place] else ndcg(nearest, others, NEAREST))
    return gains
