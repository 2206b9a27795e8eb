"""Counts of TMDB ids by state and by filter rule, for `movie_ids` and for `movie-assets status`.

This module does not import Dagster, so that commands start fast.
"""

from typing import NamedTuple


class IdState(NamedTuple):
    """The number of ids that are in a state for one reason; the reason is None if the state has none."""

    state: str
    reason: str | None
    ids: int


class FunnelStep(NamedTuple):
    """A filter rule with the number of ids that it dropped, and of those that are kept after it.

    Step 0 is the whole export and step 1000 the end. Only the end has a `target`: the number of films that the
    profiles aim at, if they do.
    """

    step: int
    rule: str | None
    says: str
    dropped: int
    kept: int
    target: int | None
