"""How old each list is, and what differs between its newest two snapshots. Checks and health decide by it."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta
from typing import NamedTuple

from movie_assets.lists.list_kinds import MIN_TITLES, ListKind, ListOfRegion


class ListChange(NamedTuple):
    """The newest snapshot of a list, and what differs from the one of the day before it that was read, if there is one.

    `leavers` counts the titles of before that are not listed any more, `in_place` those that have the same rank.
    """

    media_type: str
    list: str
    region: str
    day: date
    read_at: datetime
    titles: int
    day_before: date | None
    titles_before: int | None
    leavers: int
    in_place: int


class ListAge(NamedTuple):
    """A list of a region with the time of its newest snapshot; `age` is None for one that was never read."""

    kind: ListKind
    region: str
    read_at: datetime | None
    age: timedelta | None

    @property
    def name(self) -> str:
        """The media type, the list and its region, for messages."""
        return f"{self.kind.media.name} {self.kind.name} {self.region}".strip()

    @property
    def is_late(self) -> bool:
        """Whether it is older than its kind may be, or was never read."""
        return self.age is None or self.age > timedelta(hours=self.kind.warn_hours)

    @property
    def is_very_late(self) -> bool:
        """Whether its age is an error."""
        return self.age is None or self.age > timedelta(hours=self.kind.fail_hours)


class Turnover(NamedTuple):
    """The share of a list's titles that left it between its newest two snapshots, and the share that may."""

    change: ListChange
    left: float
    allowed: float
    stands_still: bool

    @property
    def problem(self) -> str | None:
        """What is unusual; None if nothing is."""
        name = f"{self.change.media_type} {self.change.list} {self.change.region}".strip()
        if self.left > self.allowed:
            return f"{name} lost {self.left:.0%} of its titles, at most {self.allowed:.0%} are usual"
        return f"{name} is the same as on {self.change.day_before}" if self.stands_still else None


def ages_of(changes: Sequence[ListChange], wanted: Sequence[ListOfRegion], as_of: datetime) -> list[ListAge]:
    """Return the age of each list that the settings name."""
    read_at = {(each.media_type, each.list, each.region): each.read_at for each in changes}
    ages = []
    for kind, region in wanted:
        last = read_at.get((kind.media.name, kind.name, region))
        ages.append(ListAge(kind, region, last, None if last is None else as_of - last))
    return ages


def turnovers(changes: Sequence[ListChange], wanted: Sequence[ListOfRegion]) -> list[Turnover]:
    """Return how much of each list of enough titles left it; without lists that have one snapshot only."""
    kinds = {(kind.media.name, kind.name, region): kind for kind, region in wanted}
    compared = []
    for change in changes:
        kind = kinds.get((change.media_type, change.list, change.region))
        before = change.titles_before or 0
        if kind is None or change.day_before is None or min(change.titles, before) < MIN_TITLES:
            continue
        compared.append(
            Turnover(
                change,
                change.leavers / before,
                kind.allowed_leavers(change.day - change.day_before),
                kind.is_of_trends and change.in_place == change.titles == before,
            )
        )
    return compared
