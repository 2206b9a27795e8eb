"""The model that is served: its kind, its parameters, and its weights from film to film in a form that can be stored.

It is a hybrid: EASE with content rows, with higher weights for recent likes, negative weights for dislikes, and the
popularity added to its scores. If there are too many films and people for EASE, the weights are those of ALS.
Parameters are chosen on entries that are used neither for fitting nor for evaluation.
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
    Ids,
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
HIDDEN = 0.2  # share of each history, the latest, for evaluation; the same share of the rest for parameters
TUNING_PEOPLE = 2_000  # by whom parameters are chosen

Kind = Literal["ease", "als"]


@dataclass(frozen=True)
class Parameters:
    """The parameters of the hybrid."""

    penalty: float = 100.0
    content: float = 1.0  # weight of the content rows
    half_life: float = 0.0  # share of a person's likes after which a like counts half; 0: all count the same
    dislike: float = 0.1  # the negative weight of a disliked film
    prior: float = 0.0  # weight of the popularity

    def as_json(self) -> dict[str, float]:
        """Return the parameters by name, as they are stored."""
        return asdict(self)


@dataclass(frozen=True)
class Fitted:
    """A fitted model in the form in which it is stored."""

    kind: Kind
    weights: Sparse
    popularity: Popularity
    directions: Matrix  # films by dimensions, for diversifying lists
    likes: int


GRID: tuple[tuple[str, tuple[float, ...]], ...] = (
    ("penalty", (30.0, 300.0, 1000.0)),
    ("half_life", (1.0, 0.5, 0.25)),
    ("content", (0.5, 2.0)),  # never 0: films that nobody saw have content only
    ("dislike", (0.0, 0.3)),
    ("prior", (0.03, 0.1)),
)


def method_version(*, learn_from_content: bool) -> str:
    """Return the name of the method; a model by another method is replaced when the model is next due."""
    return METHOD_VERSION if learn_from_content else WITHOUT_CONTENT


def kind_for(films: int, rows: int) -> Kind:
    """Return the kind of model: EASE if films, or people and content rows, are few enough to be inverted."""
    return "ease" if min(films, rows) <= EASE_LIMIT else "als"


def input_weights(histories: Histories, parameters: Parameters) -> sp.csr_matrix:
    """Return the input of a model, persons by films: positive weights of likes, negative ones of dislikes."""
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
    """Fit a model of the served kind, with the weights between all films."""
    rows = likes.shape[0] + (0 if content is None else content.shape[0])
    if kind_for(likes.shape[1], rows) == "als":
        return Als.fit(likes)
    weighted = content * np.float32(parameters.content) if content is not None and parameters.content else None
    return Ease.fit(likes, parameters.penalty, weighted)


def fit(histories: Histories, content: sp.csr_matrix | None, parameters: Parameters) -> Fitted:
    """Fit the model that is served to all likes."""
    likes = histories.matrix(histories.is_liked)
    return stored(fit_items(likes, content, parameters), likes, content)


def stored(
    items: ItemModel, likes: sp.csr_matrix, content: sp.csr_matrix | None, given: Ids | None = None
) -> Fitted:  # fmt: skip
    """Return a fitted model in the form in which it is stored; with `given`, as `strongest` does."""
    return Fitted(
        "ease" if isinstance(items, Ease) else "als",
        strongest(items, likes.shape[1], KEPT, given), Popularity.fit(likes),
        directions_of(likes if content is None else sp.vstack([likes, content], format="csr")), int(likes.nnz),
    )  # fmt: skip


def served(fitted: Fitted, parameters: Parameters) -> WithPrior:
    """Return a fitted model in the form in which it scores films."""
    return WithPrior(fitted.weights, fitted.popularity, parameters.prior)


def tune(
    histories: Histories, content: sp.csr_matrix | None, log: Callable[[str], None] = lambda _: None
) -> Parameters:
    """Choose the parameters one after the other: for each, the value with the best NDCG@10 given those before it.

    The latest fifth of each history is left out, as it is used by `recommendations.quality`. The values are compared on
    the latest fifth of the rest. `log` gets a line for each parameter.
    """
    known = only(histories, ~latest(histories, HIDDEN))
    later = latest(known, HIDDEN)
    given, hidden = only(known, ~later), of_some(known.matrix(later & known.is_liked), TUNING_PEOPLE)
    best, items = Parameters(), None
    likes, seen = given.matrix(given.is_liked), given.matrix(np.ones(len(given.person), dtype=np.bool_))
    if not hidden.nnz:
        return best
    popularity = Popularity.fit(likes)

    def quality(tried: Parameters, model: ItemModel) -> float:
        scored = WithPrior(model, popularity, tried.prior)
        return float(rank(scored, input_weights(given, tried), seen, hidden).ndcg.mean())

    items = fit_items(likes, content, best)
    best_ndcg = quality(best, items)
    for name, values in GRID:
        refits = name in ("penalty", "content")
        if refits and (isinstance(items, Als) or (name == "content" and content is None)):
            continue
        for value in values:
            tried = replace(best, **{name: value})
            model = fit_items(likes, content, tried) if refits else items
            ndcg = quality(tried, model)
            if ndcg > best_ndcg:
                best, items, best_ndcg = tried, model, ndcg
        log(f"{name} {getattr(best, name):g}: NDCG@10 {best_ndcg:.4f}")
    return best


def weights_of(fitted: Fitted) -> Iterator[tuple[int, float, Places, Matrix, Matrix]]:
    """Yield place and popularity of each film with weights, the other films' places, the weights, its direction."""
    whole = fitted.weights.weights
    for place in np.flatnonzero(np.diff(whole.indptr)).tolist():
        part = slice(whole.indptr[place], whole.indptr[place + 1])
        prior = float(fitted.popularity.prior[place])
        yield place, prior, whole.indices[part], whole.data[part], fitted.directions[place]
