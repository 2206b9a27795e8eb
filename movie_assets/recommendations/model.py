"""The model that is served: which kind, with which parameters, as weights from film to film that can be stored.

The hybrid: EASE with content rows, recent likes weighing more, dislikes subtracted, the popularity on top. Where
neither films nor people are few enough for it, the weights are ALS's. Parameters are chosen on entries that are
neither trained on nor evaluated with.
"""

from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, replace
from typing import Literal

import numpy as np
import scipy.sparse as sp

from movie_assets.recommendations.histories import DISLIKED_BELOW, Histories, Places, latest, of_some, only
from movie_assets.recommendations.item_models import (
    Als,
    Ease,
    ItemModel,
    Matrix,
    Popularity,
    Sparse,
    WithPrior,
    strongest,
)
from movie_assets.recommendations.lists import directions_of
from movie_assets.recommendations.ranking_quality import rank

METHOD_VERSION = "hybrid-v1"
WITHOUT_CONTENT = f"{METHOD_VERSION}-without-content"
MIN_PEOPLE = 20  # with fewer, what people like together is chance
EASE_LIMIT = 12_000  # films or rows, whichever are fewer: 580 MB to invert
KEPT = 200  # weights from each film that are stored
HIDDEN = 0.2  # of each history, the latest, for evaluation; of what is left, again as much for parameters
JUDGES = 2_000  # people that parameters are chosen by

Kind = Literal["ease", "als"]


@dataclass(frozen=True)
class Parameters:
    """What the hybrid is made with."""

    penalty: float = 100.0
    content: float = 1.0  # weight of the content rows
    half_life: float = 0.0  # share of a person's likes after which a like counts half; 0: all count the same
    dislike: float = 0.1  # what a disliked film counts, below 0
    prior: float = 0.0  # weight of the popularity

    def as_json(self) -> dict[str, float]:
        """By name."""
        return asdict(self)


@dataclass(frozen=True)
class Fitted:
    """A model as it is stored."""

    kind: Kind
    weights: Sparse
    popularity: Popularity
    directions: Matrix  # of each film, for mixing lists
    likes: int


GRID: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("penalty", (30.0, 300.0, 1000.0)),
    ("half_life", (1.0, 0.5, 0.25)),
    ("content", (0.5, 2.0)),  # never 0: films that nobody saw have nothing else
    ("dislike", (0.0, 0.3)),
    ("prior", (0.03, 0.1)),
)


def method_version(*, learn_from_content: bool) -> str:
    """Return the name of the method; a model by another method is replaced when the model is next due."""
    return METHOD_VERSION if learn_from_content else WITHOUT_CONTENT


def kind_for(films: int, rows: int) -> Kind:
    """EASE as long as it can be inverted: by films, or by people and content rows."""
    return "ease" if min(films, rows) <= EASE_LIMIT else "als"


def given_by(histories: Histories, parameters: Parameters) -> sp.csr_matrix:
    """What a model is told of each person: likes, the recent ones more, and dislikes."""
    weights = np.zeros(len(histories.person))
    liked = np.flatnonzero(histories.is_liked)
    of = histories.person[liked]
    counts = np.bincount(of, minlength=len(histories.persons))
    starts = np.concatenate([[0], np.cumsum(counts)[:-1]])
    later = counts[of] - 1 - (np.arange(len(liked)) - starts[of])
    span = parameters.half_life * counts[of]
    weights[liked] = 0.5 ** (later / span) if parameters.half_life else 1.0
    weights[histories.rating < DISLIKED_BELOW] = -parameters.dislike
    return histories.weighted(weights)


def fit_items(likes: sp.csr_matrix, content: sp.csr_matrix | None, parameters: Parameters) -> ItemModel:
    """The weights of the served kind, all of them."""
    rows = likes.shape[0] + (0 if content is None else content.shape[0])
    if kind_for(likes.shape[1], rows) == "als":
        return Als.fit(likes)
    weighted = content * np.float32(parameters.content) if content is not None and parameters.content else None
    return Ease.fit(likes, parameters.penalty, weighted)


def fit(histories: Histories, content: sp.csr_matrix | None, parameters: Parameters) -> Fitted:
    """The model to be served, from all likes."""
    likes = histories.matrix(histories.is_liked)
    items = fit_items(likes, content, parameters)
    return Fitted(
        "ease" if isinstance(items, Ease) else "als",
        strongest(items, likes.shape[1], KEPT), Popularity.fit(likes),
        directions_of(likes if content is None else sp.vstack([likes, content], format="csr")), int(likes.nnz),
    )  # fmt: skip


def served(fitted: Fitted, parameters: Parameters) -> WithPrior:
    """The stored model as one that scores."""
    return WithPrior(fitted.weights, fitted.popularity, parameters.prior)


def tune(
    histories: Histories, content: sp.csr_matrix | None, say: Callable[[str], None] = lambda _: None
) -> Parameters:
    """One parameter after the other, each the best of its values by NDCG@10 with those before it.

    Judged by the latest fifth of what is left when the latest fifth of each history is taken away: that one is for
    `recommendations.quality` alone.
    """
    known = only(histories, ~latest(histories, HIDDEN))
    later = latest(known, HIDDEN)
    given, hidden = only(known, ~later), of_some(known.matrix(later & known.is_liked), JUDGES)
    best, items = Parameters(), None
    likes, seen = given.matrix(given.is_liked), given.matrix(np.ones(len(given.person), dtype=np.bool_))
    if not hidden.nnz:
        return best
    popularity = Popularity.fit(likes)

    def quality(tried: Parameters, model: ItemModel) -> float:
        scored = WithPrior(model, popularity, tried.prior)
        return float(rank(scored, given_by(given, tried), seen, hidden).ndcg.mean())

    items = fit_items(likes, content, best)
    reached = quality(best, items)
    for name, values in GRID:
        refits = name in ("penalty", "content")
        if refits and (isinstance(items, Als) or (name == "content" and content is None)):
            continue
        for value in values:
            tried = replace(best, **{name: value})
            model = fit_items(likes, content, tried) if refits else items
            found = quality(tried, model)
            if found > reached:
                best, items, reached = tried, model, found
        say(f"{name} {getattr(best, name):g}: NDCG@10 {reached:.4f}")
    return best


def films_of(fitted: Fitted) -> Iterator[tuple[int, float, Places, Matrix, Matrix]]:
    """For each film that something follows from: its place and popularity, places of others, weights, direction."""
    whole = fitted.weights.weights
    for place in np.flatnonzero(np.diff(whole.indptr)).tolist():
        part = slice(whole.indptr[place], whole.indptr[place + 1])
        prior = float(fitted.popularity.prior[place])
        yield place, prior, whole.indices[part], whole.data[part], fitted.directions[place]
