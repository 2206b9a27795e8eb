"""The dates on which titles come out, through the same SQL functions that applications call."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import NamedTuple

from movie_assets.database.database import Database

KINDS = ("premiere", "limited", "theatrical", "digital", "physical", "tv")  # in the order of TMDB's numbers from 1


class CalendarEntry(NamedTuple):
    """A date of catalog.calendar: the release of a movie, or an episode of a series.

    The names of the columns and what they hold are those of the function.
    """

    day: date
    media_type: str
    title_id: int
    tmdb_id: int
    title: str
    release_type: int | None
    kind: str
    note: str | None
    language: str | None
    certification: str | None
    season_number: int | None
    episode_number: int | None
    episode_name: str | None
    uid: str
    sequence: int


@dataclass(frozen=True)
class Period:
    """What a calendar is asked for: a region, kinds of releases (none for all), days, media types."""

    region: str
    kinds: Sequence[str]
    from_day: date
    to_day: date
    media_types: Sequence[str]

    def parameters(self) -> dict[str, object]:
        """Return the parameters of the queries."""
        kinds = [KINDS.index(kind) + 1 for kind in self.kinds] or None
        return {**vars(self), "kinds": kinds, "media_types": list(self.media_types)}


def calendar(database: Database, period: Period) -> list[CalendarEntry]:
    """Return what comes out in a period, in the order of the days."""
    return database.fetch(CalendarEntry, "calendar", **period.parameters())


def calendar_as_text(database: Database, period: Period) -> str:
    """Return the calendar of a period as the text of an iCalendar file (RFC 5545)."""
    return database.fetch_value(str, "calendar_ics", **period.parameters())
