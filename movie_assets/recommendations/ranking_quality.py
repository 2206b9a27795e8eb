"""How well a model ranks what people saw next: recall, NDCG, coverage, diversity, with intervals over people.

Full ranking: every film that a person has not seen competes. Which entries are hidden is `recommendations.histories`.
"""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

from movie_assets.recommendations.item_models import Matrix, Model

Values = npt.NDArray[np.float64]
Lists = npt.NDArray[np.int64]  # people by places, films in order
NO_MOVIE = -1  # at the end of a list that is shorter than others
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
    """What a model ranked first for each evaluated person, and how good that was: a value a person."""

    lists: Lists
    recall: Values
    ndcg: Values


def rank(
    model: Model, given: sp.csr_matrix, seen: sp.csr_matrix, hidden: sp.csr_matrix,
    choose: Callable[[Matrix], Lists] | None = None,
) -> Ranking:  # fmt: skip
    """Rank all films for each person of whom something is hidden; `given` is what the model is told of each.

    `choose` makes lists of ten out of scores in another way than by taking the highest.

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
    """Places of the highest scores of each row, the highest first; of equal ones, the first."""
    many = min(count, scores.shape[1])
    best = np.argpartition(-scores, many - 1, axis=1)[:, :many]
    best.sort(axis=1)
    order = np.argsort(-np.take_along_axis(scores, best, axis=1), axis=1, kind="stable")
    return np.asarray(np.take_along_axis(best, order, axis=1), dtype=np.int64)


def _first_allowed(scores: Matrix) -> Lists:
    """The ten highest scores; -inf is no film to recommend."""
    best = first_of(scores, AT)
    return np.where(np.isfinite(np.take_along_axis(scores, best, axis=1)), best, NO_MOVIE)


def interval_of(values: Values) -> Interval:
    """The mean and its 95 % interval: percentiles of a bootstrap over people (Efron 1979), the seed fixed."""
    if not values.size:
        return Interval(0.0, 0.0, 0.0)
    chance = np.random.default_rng(5)
    means = [values[chance.integers(0, values.size, values.size)].mean() for _ in range(RESAMPLES)]
    low, high = np.quantile(means, [0.025, 0.975])
    return Interval(float(values.mean()), float(low), float(high))


def coverage_of(ranking: Ranking, films: int) -> float:
    """The share of all films that are in somebody's list."""
    return len(np.unique(ranking.lists[ranking.lists != NO_MOVIE])) / max(films, 1)


def diversity_of(ranking: Ranking, likes: sp.csr_matrix) -> Values:
    """For each person, 1 - the mean cosine of two films of the list, by who liked them.

    The intra-list similarity of Ziegler et al. 2005, turned round. A film that nobody liked is like no other.
    """
    columns = likes.tocsc().astype(np.float32)
    norms = np.sqrt(np.asarray(columns.multiply(columns).sum(axis=0)).ravel())
    unit = (columns @ sp.diags_array(1 / np.maximum(norms, 1e-9))).tocsc()
    found = np.ones(len(ranking.lists))
    for person, places in enumerate(ranking.lists):
        films = places[places != NO_MOVIE]
        if pairs := len(films) * (len(films) - 1):
            of_list = unit[:, films]
            cosines = (of_list.T @ of_list).toarray()
            found[person] = 1 - (cosines.sum() - np.trace(cosines)) / pairs
    return found
