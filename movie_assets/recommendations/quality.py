"""Compares recommenders on histories that are divided by time: each ranks the films that were watched afterwards.

`recommendations.ranking_quality` measures a ranking. Models are fitted on the entries that are not hidden, with the
parameters that `recommendations.model` chose without the latest fifth of any history.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
import scipy.sparse as sp

from movie_assets.recommendations.histories import (
    DISLIKED_BELOW,
    LIKED_FROM,
    LOVED_FROM,
    Histories,
    Values,
    latest,
    of_some,
    only,
)
from movie_assets.recommendations.item_models import (
    Als,
    Ease,
    ItemModel,
    Matrix,
    Model,
    Popularity,
    VectorProfile,
    WithPrior,
    item_knn,
)
from movie_assets.recommendations.lists import diversified_lists
from movie_assets.recommendations.model import HIDDEN, Parameters, fit_items, input_weights, kind_for, served, stored
from movie_assets.recommendations.ranking_quality import (
    AT,
    Interval,
    Lists,
    coverage_of,
    diversity_of,
    interval_of,
    rank,
)

PROTOCOLS = (("last 20 %", HIDDEN), ("last one", 0.0))  # the share of each history that is hidden; 0: its last film
EVALUATED_PEOPLE = 5_000  # at most, the same ones each time
POPULARITY = "popularity"
SERVED = "served"
LIVE = "live"
PROFILE_PRIOR = 1.0  # of the popularity, beside a cosine; chosen on MovieLens without its latest fifth
USUAL, USUAL_COUNT = 70.0, 10  # ratings that are added to every person's, so that few or equal ones have weights, too
UNRATED = 10.0  # points above the mean
LIVE_POOL = 50  # films that catalog.recommend_movies diversifies for a list of ten


@dataclass(frozen=True)
class Measured:
    """The figures of a model by one protocol."""

    protocol: str
    model: str
    persons: int
    recall: Interval
    ndcg: Interval
    over_popularity: Interval  # of the difference in NDCG for the same people
    coverage: float
    diversity: Interval
    seconds: float


@dataclass(frozen=True)
class Contestant:
    """A model, its input for each person, and the function that makes lists from scores (None: the highest scores)."""

    model: Model
    given: sp.csr_matrix
    choose: Callable[[Matrix], Lists] | None = None


def compare(
    histories: Histories, content: sp.csr_matrix | None, vectors: Matrix | None, parameters: Parameters,
    clock: Callable[[], float],
) -> Iterator[Measured]:  # fmt: skip
    """Yield the figures of each model by each protocol, popularity first; none if nothing is hidden by a protocol.

    `content` are the content rows (features by films), `vectors` the films' unit vectors (films by dimensions). `clock`
    returns seconds.
    """
    for protocol, share in PROTOCOLS:
        later = latest(histories, share)
        known = only(histories, ~later)
        hidden = of_some(histories.matrix(later & histories.is_liked), EVALUATED_PEOPLE)
        likes, seen = known.matrix(known.is_liked), known.matrix(np.ones(len(known.person), dtype=np.bool_))
        if not hidden.nnz:
            continue
        baseline: Values | None = None
        for name, make in contestants(known, likes, content, vectors, parameters):
            started = clock()
            entry = make()
            ranking = rank(entry.model, entry.given, seen, hidden, entry.choose)
            baseline = ranking.ndcg if baseline is None else baseline
            yield Measured(
                protocol, name, len(ranking.ndcg), interval_of(ranking.recall), interval_of(ranking.ndcg),
                interval_of(ranking.ndcg - baseline), coverage_of(ranking, likes.shape[1]),
                interval_of(diversity_of(ranking, likes)), clock() - started,
            )  # fmt: skip


def contestants(
    known: Histories, likes: sp.csr_matrix, content: sp.csr_matrix | None, vectors: Matrix | None,
    parameters: Parameters,
) -> Iterator[tuple[str, Callable[[], Contestant]]]:  # fmt: skip
    """Yield the names of the models with functions that fit them, so that one is in memory at a time.

    The hybrid is fitted once, for itself and as it is served. Profiles need vectors, EASE few films or people; without,
    they are left out.
    """
    popularity = Popularity.fit(likes)
    given = input_weights(known, parameters)
    yield POPULARITY, lambda: Contestant(popularity, likes)
    if vectors is not None:
        yield (
            "naive profile",
            lambda: Contestant(VectorProfile(vectors, popularity, 0.0), known.weighted(naive_weights(known))),
        )
        yield (
            "centred profile",
            lambda: Contestant(
                VectorProfile(vectors, popularity, PROFILE_PRIOR), known.weighted(centred_weights(known))
            ),
        )
        yield LIVE, lambda: live(known, vectors, popularity)
    yield "item-kNN", lambda: Contestant(item_knn(likes), likes)
    yield "ALS", lambda: Contestant(Als.fit(likes), likes)
    if kind_for(*likes.shape[::-1]) == "ease":
        yield "EASE", lambda: Contestant(Ease.fit(likes, parameters.penalty), likes)
    items = cache(lambda: fit_items(likes, content, parameters))
    yield "hybrid", lambda: Contestant(WithPrior(items(), popularity, parameters.prior), given)
    yield SERVED, lambda: _served(items(), likes, content, parameters, given)


def naive_weights(known: Histories) -> Values:
    """Return 1 for a loved film, 0.6 for a liked one, -0.8 for a disliked one, 0 for others."""
    weights = np.where(known.rating >= LOVED_FROM, 1.0, np.where(known.rating < LIKED_FROM, 0.0, 0.6))
    return np.asarray(np.where(known.rating < DISLIKED_BELOW, -0.8, weights), dtype=np.float64)


def centred_weights(known: Histories) -> Values:
    """Return ratings minus the person's mean, which includes ten ratings of 70; 10 for an entry without a rating.

    catalog.centred_weights computes the same in SQL.
    """
    rated = ~np.isnan(known.rating)
    people = len(known.persons)
    counts = np.bincount(known.person[rated], minlength=people)
    sums = np.bincount(known.person[rated], weights=known.rating[rated], minlength=people)
    means = (sums + USUAL_COUNT * USUAL) / (counts + USUAL_COUNT)
    return np.where(rated, known.rating - means[known.person], UNRATED)


def live(known: Histories, vectors: Matrix, popularity: Popularity) -> Contestant:
    """Return what catalog.recommend_movies computes without a model: the centred profile and diversified lists."""
    return Contestant(
        VectorProfile(vectors, popularity, PROFILE_PRIOR), known.weighted(centred_weights(known)),
        lambda scores: diversified_lists(scores, vectors, AT, LIVE_POOL, 1.0),
    )  # fmt: skip


def _served(
    items: ItemModel, likes: sp.csr_matrix, content: sp.csr_matrix | None, parameters: Parameters, given: sp.csr_matrix
) -> Contestant:
    """Return the hybrid as it is served: with the stored weights only, and diversified lists."""
    fitted = stored(items, likes, content, np.unique(given.indices))
    return Contestant(
        served(fitted, parameters), given, lambda scores: diversified_lists(scores, fitted.directions, AT)
    )  # fmt: skip
