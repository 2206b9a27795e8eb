"""How old the stored details are, for the checks of `movie_details` and for `movie-assets health`.

This module does not import Dagster, so that commands start fast.
"""

from datetime import datetime
from typing import NamedTuple


class ExpiredResponses(NamedTuple):
    """The number of stored responses older than 180 and 170 days, and when the oldest one was fetched.

    `oldest` is None while no response is stored.
    """

    expired: int
    soon: int
    oldest: datetime | None


class AgeTier(NamedTuple):
    """The accepted films whose details may reach the same age.

    `within` counts those whose details are younger, `overdue` those that have been due for a day. `oldest` is when the
    oldest details were fetched, and `median_hours` the median age. `examples` has the ids of up to five overdue films,
    None without any.
    """

    allowed_hours: int
    films: int
    within: int
    overdue: int
    oldest: datetime
    median_hours: float
    examples: list[int] | None
