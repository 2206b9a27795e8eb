"""What people watched and rated as matrices, and how a history is cut in two by time.

Reading histories from somewhere is an asset's business; what is learnt from them is `recommendations.item_models`.
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
MIN_TO_CUT = 5  # films with a date, before a history can be cut in two


@dataclass(frozen=True)
class Histories:
    """One entry a film that a person saw, ordered by person and then by time, undated ones first.

    `person` and `film` are places in `persons` and `films`; `rating` is 0-100, NaN where there is none.
    """

    persons: tuple[str, ...]
    films: Ids  # ascending
    person: Places
    film: Places
    rating: Values
    is_dated: Mask

    @property
    def is_liked(self) -> Mask:
        """Rated 80 or more, or watched without a word against it."""
        return ~(self.rating < LIKED_FROM)

    def matrix(self, mask: Mask) -> sp.csr_matrix:
        """Persons by films, 1 at the entries of a mask."""
        return self._with(np.ones(int(mask.sum()), dtype=np.float32), mask)

    def weighted(self, weights: Values) -> sp.csr_matrix:
        """Persons by films with a weight for each entry."""
        mask = weights != 0
        return self._with(weights[mask].astype(np.float32), mask)

    def _with(self, values: npt.NDArray[np.float32], mask: Mask) -> sp.csr_matrix:
        shape = (len(self.persons), len(self.films))
        return sp.csr_matrix((values, (self.person[mask], self.film[mask])), shape=shape, dtype=np.float32)


def histories_of(
    persons: Sequence[str], films: Sequence[Ids], ratings: Sequence[Values], dated: Sequence[Mask]
) -> Histories:
    """Histories from what each person saw."""
    lengths = [len(of_person) for of_person in films]
    seen = np.concatenate([*films, np.zeros(0, dtype=np.int64)])
    every = np.unique(seen)
    return Histories(
        tuple(persons),
        every,
        np.repeat(np.arange(len(persons), dtype=np.int32), lengths),
        np.searchsorted(every, seen).astype(np.int32),
        np.concatenate([*ratings, np.zeros(0)]),
        np.concatenate([*dated, np.zeros(0, dtype=np.bool_)]),
    )


def latest(histories: Histories, share: float) -> Mask:
    """The latest entries of each person: a share of them, at least one; 0 is exactly one.

    Only of those whose history has five dated entries; entries without a date are never among the latest.
    """
    people = len(histories.persons)
    dated = np.bincount(histories.person[histories.is_dated], minlength=people)
    every = np.bincount(histories.person, minlength=people)
    wanted = np.where(dated >= MIN_TO_CUT, np.maximum(np.ceil(share * dated - 1e-9), 1), 0)
    starts = np.concatenate([[0], np.cumsum(every)[:-1]])
    place = np.arange(len(histories.person)) - starts[histories.person]
    return np.asarray(place >= (every - wanted)[histories.person], dtype=np.bool_)


def only(histories: Histories, mask: Mask) -> Histories:
    """The same people and films with the entries of a mask."""
    return Histories(
        histories.persons, histories.films, histories.person[mask], histories.film[mask], histories.rating[mask],
        histories.is_dated[mask],
    )  # fmt: skip


def within(histories: Histories, films: Ids) -> Histories:
    """What is about some films, with their places among these. `films` are ascending."""
    mask = np.isin(histories.films, films)[histories.film]
    places = np.searchsorted(films, histories.films[histories.film[mask]]).astype(np.int32)
    return Histories(
        histories.persons, films, histories.person[mask], places, histories.rating[mask], histories.is_dated[mask]
    )


def among(histories: Histories, films: Ids) -> Histories:
    """The same, with films around them that nobody saw."""
    return within(histories, np.union1d(histories.films, films))


def of_some(hidden: sp.csr_matrix, most: int) -> sp.csr_matrix:
    """Rows of at most so many people who have any, drawn at random, the same ones each time; the others' are empty."""
    people = np.flatnonzero(np.diff(hidden.indptr))
    if len(people) <= most:
        return hidden
    kept = np.zeros(hidden.shape[0], dtype=np.float32)
    kept[np.random.default_rng(11).choice(people, most, replace=False)] = 1
    some = (sp.diags_array(kept) @ hidden).tocsr()
    some.eliminate_zeros()
    return some
