"""A list for a person out of scores: films mixed so that they are not all alike, each with those that speak for it.

What the scores are is `recommendations.item_models`; which films may be recommended is the asset's business.
"""

from dataclasses import dataclass

import numpy as np
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

from movie_assets.recommendations.item_models import Matrix, Sparse
from movie_assets.recommendations.ranking_quality import NO_MOVIE, Lists, first_of

POOL = 100  # films that compete for a place in a list
SIDES = 64  # directions in which films differ
DIVERSITY = 0.2  # of the spread of a pool's scores, against being like what is above
SPEAKERS = 3


@dataclass(frozen=True)
class Recommended:
    """A film of a list: its place among the films, its score, and the films (places, weights) that say most for it."""

    film: int
    score: float
    because: tuple[int, ...]
    weights: tuple[float, ...]


def directions_of(rows: sp.csr_matrix) -> Matrix:
    """A unit vector for each film by who liked it and what it has: truncated singular vectors, scaled by their values.

    Zeros for a film that has neither.
    """
    sides = min(SIDES, min(rows.shape) - 1)
    if sides < 1 or not rows.nnz:
        return np.zeros((rows.shape[1], 1), dtype=np.float32)
    start = np.ones(min(rows.shape), dtype=np.float32)
    _, values, right = sp.linalg.svds(rows.astype(np.float32), k=sides, v0=start)
    vectors = right.T * values
    return np.asarray(vectors / np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9), dtype=np.float32)


def mixed(
    scores: Matrix, directions: Matrix, count: int, diversity: float = DIVERSITY, unit: float | None = None
) -> list[int]:
    """Places of the chosen of a pool, in order: maximal marginal relevance (Carbonell and Goldstein 1998).

    Scores are brought to 0-1 first, as they mean nothing but an order, unless `unit` says what 1 is; what has -inf is
    never chosen, so there may be fewer than `count`. `directions` are those of the pool.
    """
    allowed = np.isfinite(scores)
    if not allowed.any():
        return []
    least = scores[allowed].min()
    worth = (scores - least) / (unit or float(scores[allowed].max() - least) or 1.0)
    alike = directions @ directions.T
    redundancy = np.zeros(len(scores), dtype=np.float32)
    chosen: list[int] = []
    for _ in range(min(count, int(allowed.sum()))):
        value = worth - diversity * redundancy
        value[chosen] = -np.inf
        best = int(np.argmax(value))
        chosen.append(best)
        np.maximum(redundancy, alike[best], out=redundancy)
    return chosen


def mixed_lists(scores: Matrix, directions: Matrix, count: int, among: int = POOL, unit: float | None = None) -> Lists:
    """The lists of several people: `choose` of `recommendations.ranking_quality.rank`. NO_MOVIE ends shorter ones."""
    pools = first_of(scores, among)
    lists = np.full((len(scores), min(count, pools.shape[1])), NO_MOVIE, dtype=np.int64)
    with threadpool_limits(1, "blas"):  # products of small matrices: threads would mostly wait for each other
        for person, pool in enumerate(pools):
            chosen = pool[mixed(scores[person, pool], directions[pool], count, unit=unit)]
            lists[person, : len(chosen)] = chosen
    return lists


def recommend(
    given: sp.csr_matrix, scores: Matrix, weights: Sparse, directions: Matrix, count: int
) -> list[list[Recommended]]:
    """A list for each row of `given`; scores are -inf for what must not be in it, and are not kept."""
    with threadpool_limits(1, "blas"):  # as in mixed_lists
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
    films = allowed[mixed(scores[allowed], directions[allowed], count)]
    said = weights.weights[row.indices][:, films].multiply(row.data[:, None]).toarray() if row.nnz else None
    return [_with_reasons(film, float(scores[film]), row, said, n) for n, film in enumerate(films.tolist())]


def _with_reasons(film: int, score: float, row: sp.csr_matrix, said: Matrix | None, column: int) -> Recommended:
    if said is None:
        return Recommended(film, score, (), ())
    of_film = np.where(row.data > 0, said[:, column], 0)  # that a disliked film is unlike it is no reason to tell
    best = [n for n in np.argsort(-of_film, kind="stable")[:SPEAKERS].tolist() if of_film[n] > 0]
    return Recommended(
        film, score, tuple(int(row.indices[n]) for n in best), tuple(float(of_film[n]) for n in best)
    )  # fmt: skip
