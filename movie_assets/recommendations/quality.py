"""The comparison of recommenders on histories that are cut in two by time, each asked for what came afterwards.

How a ranking is judged is `recommendations.ranking_quality`. Models are fitted on what was not hidden, with the
parameters that `recommendations.model` chose without the latest fifth of any history.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass

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
    FilterProfile,
    Matrix,
    Model,
    Popularity,
    WithPrior,
    item_knn,
)
from movie_assets.recommendations.lists import mixed_lists
from movie_assets.recommendations.model import HIDDEN, Parameters, fit, fit_items, given_by, kind_for, served
from movie_assets.recommendations.ranking_quality import (
    AT,
    Interval,
    Lists,
    coverage_of,
    diversity_of,
    interval_of,
    rank,
)

PROTOCOLS = (("last 20 %", HIDDEN), ("last one", 0.0))  # which share of each history is hidden; 0: its last film
JUDGES = 5_000  # people that models are judged by, the same ones each time
POPULARITY = "popularity"
SERVED = "served"
LIVE = "live"
PROFILE_PRIOR = 1.0  # of the popularity, beside a cosine; chosen on MovieLens without its latest fifth
USUAL, USUAL_COUNT = 70.0, 10  # ratings that every person's mean has in it, so that few or equal ones say something
UNRATED = 10.0  # points above the mean
LIVE_POOL = 50  # films that catalog.recommend_movies compares with each other for a list of ten


@dataclass(frozen=True)
class Measured:
    """A model's figures by one protocol."""

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
    """A model, what it is told of each person, and how it makes lists of scores (None: the highest)."""

    model: Model
    given: sp.csr_matrix
    choose: Callable[[Matrix], Lists] | None = None


def compare(
    histories: Histories, content: sp.csr_matrix | None, vectors: Matrix | None, parameters: Parameters,
    clock: Callable[[], float],
) -> Iterator[Measured]:  # fmt: skip
    """Figures of each model by each protocol; popularity first. None of a protocol by which nobody can be judged."""
    for protocol, share in PROTOCOLS:
        later = latest(histories, share)
        known = only(histories, ~later)
        hidden = of_some(histories.matrix(later & histories.is_liked), JUDGES)
        likes, seen = known.matrix(known.is_liked), known.matrix(np.ones(len(known.person), dtype=np.bool_))
        if not hidden.nnz:
            continue
        baseline: Values | None = None
        for name, make in contestants(known, likes, content, vectors, parameters):
            started = clock()
            entry = make()
            found = rank(entry.model, entry.given, seen, hidden, entry.choose)
            baseline = found.ndcg if baseline is None else baseline
            yield Measured(
                protocol, name, len(found.ndcg), interval_of(found.recall), interval_of(found.ndcg),
                interval_of(found.ndcg - baseline), coverage_of(found, likes.shape[1]),
                interval_of(diversity_of(found, likes)), clock() - started,
            )  # fmt: skip


def contestants(
    known: Histories, likes: sp.csr_matrix, content: sp.csr_matrix | None, vectors: Matrix | None,
    parameters: Parameters,
) -> Iterator[tuple[str, Callable[[], Contestant]]]:  # fmt: skip
    """Names and makers of the models, made one at a time; those that need vectors or few films only where these are."""
    popularity = Popularity.fit(likes)
    given = given_by(known, parameters)
    yield POPULARITY, lambda: Contestant(popularity, likes)
    if vectors is not None:
        yield (
            "naive profile",
            lambda: Contestant(FilterProfile(vectors, popularity, 0.0), known.weighted(naive_weights(known))),
        )
        yield (
            "centred profile",
            lambda: Contestant(
                FilterProfile(vectors, popularity, PROFILE_PRIOR), known.weighted(centred_weights(known))
            ),
        )
        yield LIVE, lambda: live(known, vectors, popularity)
    yield "item-kNN", lambda: Contestant(item_knn(likes), likes)
    yield "ALS", lambda: Contestant(Als.fit(likes), likes)
    if kind_for(*likes.shape[::-1]) == "ease":
        yield "EASE", lambda: Contestant(Ease.fit(likes, parameters.penalty), likes)
    yield (
        "hybrid",
        lambda: Contestant(WithPrior(fit_items(likes, content, parameters), popularity, parameters.prior), given),
    )
    yield SERVED, lambda: _served(known, content, parameters, given)


def naive_weights(known: Histories) -> Values:
    """1 for a loved film, 0.6 for a liked one, -0.8 for a disliked one: what first comes to mind."""
    weights = np.where(known.rating >= LOVED_FROM, 1.0, np.where(known.rating < LIKED_FROM, 0.0, 0.6))
    return np.asarray(np.where(known.rating < DISLIKED_BELOW, -0.8, weights), dtype=np.float64)


def centred_weights(known: Histories) -> Values:
    """Ratings minus the person's mean, which has ten ratings of 70 in it; one without a rating is 10 points above.

    As catalog.centred_weights in SQL.
    """
    rated = ~np.isnan(known.rating)
    people = len(known.persons)
    counts = np.bincount(known.person[rated], minlength=people)
    sums = np.bincount(known.person[rated], weights=known.rating[rated], minlength=people)
    means = (sums + USUAL_COUNT * USUAL) / (counts + USUAL_COUNT)
    return np.where(rated, known.rating - means[known.person], UNRATED)


def live(known: Histories, vectors: Matrix, popularity: Popularity) -> Contestant:
    """What catalog.recommend_movies answers for people without a model's list: the centred profile, lists mixed."""
    return Contestant(
        FilterProfile(vectors, popularity, PROFILE_PRIOR), known.weighted(centred_weights(known)),
        lambda scores: mixed_lists(scores, vectors, AT, LIVE_POOL, 1.0),
    )  # fmt: skip


def _served(
    known: Histories, content: sp.csr_matrix | None, parameters: Parameters, given: sp.csr_matrix
) -> Contestant:
    """The hybrid as people get it: the weights that are stored, lists mixed."""
    fitted = fit(known, content, parameters)
    return Contestant(served(fitted, parameters), given, lambda scores: mixed_lists(scores, fitted.directions, AT))
