"""Measures a ranking of the films that people saw next: recall, NDCG, coverage, diversity, with intervals over people.

All films that a person has not seen are ranked. `recommendations.histories` selects the hidden entries.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from movie_assets.recommendations.item_models import Matrix, Model

Values = npt.NDArray[np.float64]
Lists = npt.NDArray[np.int64]  # persons by places; the films in order
NO_MOVIE = -1  # fills a list that is shorter than others
AT = 10
RESAMPLES = 1000
PEOPLE = 256  # scored at a time


@dataclass(frozen=True)
class Interval:
    """A mean over people and its 95 % interval."""

    mean: float
    low: float
    high: float


@dataclass(frozen=True)
class Ranking:
    """The first films of a model's ranking for each evaluated person, with the person's recall and NDCG."""

    lists: Lists
    recall: Values
    ndcg: Values


def rank(
    model: Model, given: sp.csr_matrix, seen: sp.csr_matrix, hidden: sp.csr_matrix,
    choose: Callable[[Matrix], Lists] | None = None,
) -> Ranking:  # fmt: skip
    """Rank all films for each person with a hidden film. Matrices are persons by films; `given` is the model's input.

    `choose` makes lists of ten from scores; without it, they are the films with the highest scores.

    recall@10 is the share of min(10, hidden) films that are among the first ten (Liang et al. 2018); NDCG@10 has gain
    1 for a hidden film and the discount 1 / log2(1 + place) (Järvelin and Kekäläinen 2002).
    """
    people = np.flatnonzero(np.diff(hidden.indptr))
    discount = 1 / np.log2(np.arange(2, AT + 2))
    lists, recalls, ndcgs = [], [], []
    for start in range(0, len(people), PEOPLE):
        part = people[start : start + PEOPLE]
        scores = model.scores(given[part])
        scores[seen[part].nonzero()] = -np.inf
        best = choose(scores) if choose else _first_allowed(scores)
        hits = np.take_along_axis(hidden[part].toarray() > 0, np.maximum(best, 0), axis=1) & (best != NO_MOVIE)
        possible = np.minimum(AT, np.diff(hidden.indptr)[part])
        recalls.append(hits.sum(axis=1) / possible)
        ndcgs.append((hits * discount[: best.shape[1]]).sum(axis=1) / np.cumsum(discount)[possible - 1])
        lists.append(best)
    if not lists:
        return Ranking(np.zeros((0, AT), dtype=np.int64), np.zeros(0), np.zeros(0))
    return Ranking(np.concatenate(lists), np.concatenate(recalls), np.concatenate(ndcgs))


def first_of(scores: Matrix, count: int) -> Lists:
    """Return the places of the `count` highest scores of each row, the highest first; of equal ones, the first."""
    many = min(count, scores.shape[1])
    best = np.argpartition(-scores, many - 1, axis=1)[:, :many]
    best.sort(axis=1)
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(best, order, axis=1), dtype=np.int64)


def _first_allowed(scores: Matrix) -> Lists:
    """Return the places of the ten highest scores; NO_MOVIE for scores of -inf, which exclude a film."""
    best = first_of(scores, AT)
    return np.where(np.isfinite(np.take_along_axis(scores, best, axis=1)), best, NO_MOVIE)


def interval_of(values: Values) -> Interval:
    """Return the mean and its 95 % interval: percentiles of a bootstrap over people (Efron 1979), with a fixed seed."""
    if not values.size:
        return Interval(0.0, 0.0, 0.0)
    generator = np.random.default_rng(5)
    means = [values[generator.integers(0, values.size, values.size)].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high))


def coverage_of(ranking: Ranking, films: int) -> float:
    """Return the share of all films that are in any list."""
    return len(np.unique(ranking.lists[ranking.lists != NO_MOVIE])) / max(films, 1)


def diversity_of(ranking: Ranking, likes: sp.csr_matrix) -> Values:
    """Return, for each person, 1 - the mean cosine of two films of the list, by the people who liked them.

    This is 1 - the intra-list similarity of Ziegler et al. 2005. A film that nobody liked has cosines of 0.
    """
    columns = likes.tocsc().astype(np.float32)
    norms = np.sqrt(np.asarray(columns.multiply(columns).sum(axis=0)).ravel())
    unit = (columns @ sp.diags_array(1 / np.maximum(norms, 1e-9))).tocsc()
    diversity = np.ones(len(ranking.lists))
    for person, places in enumerate(ranking.lists):
        films = places[places != NO_MOVIE]
        if pairs := len(films) * (len(films) - 1):
            of_list = unit[:, films]
            cosines = (of_list.T @ of_list).toarray()
            diversity[person] = 1 - (cosines.sum() - np.trace(cosines)) / pairs
    return diversity
