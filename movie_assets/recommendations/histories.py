"""Watch histories as matrices, and their division by time.

`recommendations.store` reads them; `recommendations.item_models` learns from them.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp

Ids = npt.NDArray[np.int64]
Places = npt.NDArray[np.int32]
Values = npt.NDArray[np.float64]
Mask = npt.NDArray[np.bool_]

LIKED_FROM = 80.0  # of 100: 4 of 5 stars
LOVED_FROM = 90.0
DISLIKED_BELOW = 50.0
MIN_TO_CUT = 5  # films with a date in a history that is divided by time


@dataclass(frozen=True)
class Histories:
    """The films that people saw, one entry each, ordered by person and then by time, undated ones first.

    `person` and `film` are the entries' places in `persons` and `films`. `rating` is 0-100, NaN without a rating.
    """

    persons: tuple[str, ...]
    films: Ids  # ascending
    person: Places
    film: Places
    rating: Values
    is_dated: Mask

    @property
    def is_liked(self) -> Mask:
        """Return the mask of the entries that are rated 80 or more, or have no rating."""
        return ~(self.rating < LIKED_FROM)

    def matrix(self, mask: Mask) -> sp.csr_matrix:
        """Return a matrix of persons by films, 1 at the entries of a mask."""
        return self._with(np.ones(int(mask.sum()), dtype=np.float32), mask)

    def weighted(self, weights: Values) -> sp.csr_matrix:
        """Return a matrix of persons by films with the weight of each entry."""
        mask = weights != 0
        return self._with(weights[mask].astype(np.float32), mask)

    def _with(self, values: npt.NDArray[np.float32], mask: Mask) -> sp.csr_matrix:
        shape = (len(self.persons), len(self.films))
        return sp.csr_matrix((values, (self.person[mask], self.film[mask])), shape=shape, dtype=np.float32)


def histories_of(
    persons: Sequence[str], films: Sequence[Ids], ratings: Sequence[Values], dated: Sequence[Mask]
) -> Histories:
    """Return histories from the films, ratings and masks of dated entries of each person, by time."""
    lengths = [len(of_person) for of_person in films]
    seen = np.concatenate([*films, np.zeros(0, dtype=np.int64)])
    unique = np.unique(seen)
    return Histories(
        tuple(persons),
        unique,
        np.repeat(np.arange(len(persons), dtype=np.int32), lengths),
        np.searchsorted(unique, seen).astype(np.int32),
        np.concatenate([*ratings, np.zeros(0)]),
        np.concatenate([*dated, np.zeros(0, dtype=np.bool_)]),
    )


def latest(histories: Histories, share: float) -> Mask:
    """Return the mask of the latest entries of each person: a share of the dated ones, at least one; exactly one for 0.

    Histories with fewer than MIN_TO_CUT dated entries have none.
    """
    people = len(histories.persons)
    dated = np.bincount(histories.person[histories.is_dated], minlength=people)
    total = np.bincount(histories.person, minlength=people)
    wanted = np.where(dated >= MIN_TO_CUT, np.maximum(np.ceil(share * dated - 1e-9), 1), 0)
    starts = np.concatenate([[0], np.cumsum(total)[:-1]])
    place = np.arange(len(histories.person)) - starts[histories.person]
    return np.asarray(place >= (total - wanted)[histories.person], dtype=np.bool_)


def only(histories: Histories, mask: Mask) -> Histories:
    """Return the histories with the entries of a mask, and the same people and films."""
    return Histories(
        histories.persons, histories.films, histories.person[mask], histories.film[mask], histories.rating[mask],
        histories.is_dated[mask],
    )  # fmt: skip


def within(histories: Histories, films: Ids) -> Histories:
    """Return the histories with the entries of `films` only, which are ascending and become the histories' films."""
    mask = np.isin(histories.films, films)[histories.film]
    places = np.searchsorted(films, histories.films[histories.film[mask]]).astype(np.int32)
    return Histories(
        histories.persons, films, histories.person[mask], places, histories.rating[mask], histories.is_dated[mask]
    )


def among(histories: Histories, films: Ids) -> Histories:
    """Return the histories with `films` added to their films."""
    return within(histories, np.union1d(histories.films, films))


def of_some(hidden: sp.csr_matrix, most: int) -> sp.csr_matrix:
    """Return the rows of at most `most` people, drawn at random with a fixed seed; the rows of others are empty."""
    people = np.flatnonzero(np.diff(hidden.indptr))
    if len(people) <= most:
        return hidden
    is_drawn = np.zeros(hidden.shape[0], dtype=np.float32)
    is_drawn[np.random.default_rng(11).choice(people, most, replace=False)] = 1
    some = (sp.diags_array(is_drawn) @ hidden).tocsr()
    some.eliminate_zeros()
    return some
