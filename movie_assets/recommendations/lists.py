"""Makes a person's list from scores: the films are diversified, and each has the films that are the reasons for it.

`recommendations.item_models` computes the scores. The caller excludes films by a score of -inf.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from movie_assets.recommendations.item_models import Matrix, Sparse
from movie_assets.recommendations.ranking_quality import NO_MOVIE, Lists, first_of

POOL = 100  # films that compete for a place in a list
DIMENSIONS = 64  # of the films' directions
DIVERSITY = 0.2  # weight of the redundancy, as a share of the spread of a pool's scores
MAX_REASONS = 3


@dataclass(frozen=True)
class Recommended:
    """A film of a list: its place among the films, its score, and the places and weights of its reasons."""

    movie: int
    score: float
    because: tuple[int, ...]
    weights: tuple[float, ...]


def directions_of(rows: sp.csr_matrix) -> Matrix:
    """Return unit vectors, films by dimensions, from likes and content rows: singular vectors scaled by their values.

    A film without likes and content has zeros.
    """
    dimensions = min(DIMENSIONS, min(rows.shape) - 1)
    if dimensions < 1 or not rows.nnz:
        return np.zeros((rows.shape[1], 1), dtype=np.float32)
    start = np.ones(min(rows.shape), dtype=np.float32)
    _, values, right = sp.linalg.svds(rows.astype(np.float32), k=dimensions, v0=start)
    vectors = right.T * values
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def diversify(
    scores: Matrix, directions: Matrix, count: int, diversity: float = DIVERSITY, unit: float | None = None
) -> list[int]:
    """Return the places of up to `count` films of a pool, in order, by maximal marginal relevance.

    (Carbonell and Goldstein 1998.) Scores are divided by `unit`, or scaled to 0-1 without it, as only their order has a
    meaning. Films with a score of -inf are excluded. `directions` are those of the pool, films by dimensions.
    """
    allowed = np.isfinite(scores)
    if not allowed.any():
        return []
    lowest = scores[allowed].min()
    scaled = (scores - lowest) / (unit or float(scores[allowed].max() - lowest) or 1.0)
    pairwise_similarity = directions @ directions.T
    redundancy = np.zeros(len(scores), dtype=np.float32)
    chosen: list[int] = []
    for _ in range(min(count, int(allowed.sum()))):
        value = scaled - diversity * redundancy
        value[chosen] = -np.inf
        best = int(np.argmax(value))
        chosen.append(best)
        np.maximum(redundancy, pairwise_similarity[best], out=redundancy)
    return chosen


def diversified_lists(
    scores: Matrix, directions: Matrix, count: int, among: int = POOL, unit: float | None = None
) -> Lists:
    """Return the lists of several people, persons by places; NO_MOVIE ends shorter ones.

    `among` is the size of the pool. Usable as `choose` of `recommendations.ranking_quality.rank`.
    """
    pools = first_of(scores, among)
    lists = np.full((len(scores), min(count, pools.shape[1])), NO_MOVIE, dtype=np.int64)
    with threadpool_limits(1, "blas"):  # products of small matrices: threads would mostly wait for each other
        for person, pool in enumerate(pools):
            chosen = pool[diversify(scores[person, pool], directions[pool], count, unit=unit)]
            lists[person, : len(chosen)] = chosen
    return lists


def recommend(
    given: sp.csr_matrix, scores: Matrix, weights: Sparse, directions: Matrix, count: int
) -> list[list[Recommended]]:
    """Return a list for each row of `given`, the persons' input weights. Films with a score of -inf are excluded."""
    with threadpool_limits(1, "blas"):  # as in diversified_lists
        return [
            _list_of(given[person], scores[person], pool, weights, directions, count)
            for person, pool in enumerate(first_of(scores, POOL))
        ]


def _list_of(
    row: sp.csr_matrix, scores: Matrix, pool: Lists, weights: Sparse, directions: Matrix, count: int
) -> list[Recommended]:
    allowed = pool[np.isfinite(scores[pool])]
    if not len(allowed):
        return []
    movies = allowed[diversify(scores[allowed], directions[allowed], count)]
    support = weights.weights[row.indices][:, movies].multiply(row.data[:, None]).toarray() if row.nnz else None
    return [_with_reasons(movie, float(scores[movie]), row, support, n) for n, movie in enumerate(movies.tolist())]


def _with_reasons(movie: int, score: float, row: sp.csr_matrix, support: Matrix | None, column: int) -> Recommended:
    """Return a film of a list with its reasons. `support` has weights, the person's films by the list's films."""
    if support is None:
        return Recommended(movie, score, (), ())
    of_movie = np.where(row.data > 0, support[:, column], 0)  # a disliked film is never a reason
    best = [n for n in np.argsort(-of_movie, kind="stable")[:MAX_REASONS].tolist() if of_movie[n] > 0]
    return Recommended(
        movie, score, tuple(int(row.indices[n]) for n in best), tuple(float(of_movie[n]) for n in best)
    )  # fmt: skip
