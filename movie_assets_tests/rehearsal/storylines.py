"""What happens to single movies during the rehearsal, beside the daily moves of the emulator's world.

A storyline changes the facts of one movie from given days on, and says on which days TMDB lacks it. Days are numbers,
0 being the first day of the rehearsal. The comments say what the pipeline has to do about each kind.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

LOSS_DAY = 12  # TMDB's export lacks 9 % of its ids on this day, and has them again on the next
SHARE_LOST = 11  # one id in so many
FROM_THE_START = -1000
AFTER_THE_END = 1000

Points = tuple[tuple[int, float], ...]


@dataclass(frozen=True)
class Storyline:
    """The script of one movie.

    `facts` gives values of fields from a day on; `votes` and `average` are points between which the value moves
    evenly. TMDB answers 404 from `deleted` on until the day before `restored`. The export lacks the id on the days of
    `unlisted` as well, and lists a deleted id on those of `still_listed`.
    """

    kind: str
    facts: tuple[tuple[int, Mapping[str, Any]], ...] = ()
    votes: Points = ((0, 900.0),)
    average: Points = ((0, 7.0),)
    popularity: Points = ((0, 8.0),)
    deleted: int = AFTER_THE_END
    restored: int = AFTER_THE_END
    unlisted: frozenset[int] = field(default_factory=frozenset)
    still_listed: frozenset[int] = field(default_factory=frozenset)
    merged_into_next: bool = False  # the next movie of its kind takes over its IMDb id when it is deleted

    def exists(self, number: int) -> bool:
        """Whether TMDB has details of the movie on a day."""
        return not self.deleted <= number < self.restored

    def is_listed(self, number: int) -> bool:
        """Whether the export has the id on a day."""
        return number in self.still_listed or (self.exists(number) and number not in self.unlisted)

    def values(self, number: int) -> dict[str, Any]:
        """The fields that the storyline decides, on a day."""
        found: dict[str, Any] = {}
        for since, facts in self.facts:
            if since <= number:
                found |= facts
        return found | {
            "vote_count": round(_between(self.votes, number)),
            "vote_average": round(_between(self.average, number), 3),
            "popularity": round(_between(self.popularity, number), 4),
        }


def _between(points: Points, number: int) -> float:
    """The value on a day: that of the first or last point outside of them."""
    before, after = points[0], points[-1]
    for point in points:
        if point[0] <= number:
            before = point
    for point in reversed(points):
        if point[0] >= number:
            after = point
    if number <= before[0] or after[0] <= before[0]:
        return before[1]
    return before[1] + (after[1] - before[1]) * (number - before[0]) / (after[0] - before[0])


OLD: dict[str, Any] = {"release_date": "2010-05-14", "language": "en", "runtime": 101}


def _facts(*changes: tuple[int, dict[str, Any]], **values: Any) -> tuple[tuple[int, Mapping[str, Any]], ...]:
    return ((FROM_THE_START, OLD | values), *changes)


def storylines(first: date) -> Iterator[Storyline]:
    """All storylines of a rehearsal that begins on a day."""
    yield from _of_votes(first)
    yield from _of_release_dates(first)
    yield from _of_edits()
    yield from _of_comings_and_goings()
    yield from _of_requests(first)


def _released(first: date, days: int) -> str:
    return (first + timedelta(days=days)).isoformat()


def _of_votes(first: date) -> Iterator[Storyline]:
    """Votes and averages, which no change feed names, cross what a profile asks for."""
    recent = {"release_date": _released(first, -120), "language": "hi"}
    for start in (1, 3, 6):
        up, down = ((start, 60.0), (start + 18, 150.0)), ((start, 150.0), (start + 18, 60.0))
        yield Storyline("votes rise to quality", _facts(), votes=up)
        yield Storyline("votes fall below quality", _facts(), votes=down)
        yield Storyline("votes fall, a new release", _facts(release_date=_released(first, -60)), votes=down)
        yield Storyline("votes rise to a new release", _facts(**recent), votes=((start, 4.0), (start + 12, 30.0)))
        yield Storyline("votes fall off the lists", _facts(**recent), votes=((start, 30.0), (start + 12, 4.0)))
        yield Storyline("average rises", _facts(), average=((start, 4.6), (start + 16, 5.4)))
        yield Storyline("average falls", _facts(), average=((start, 5.4), (start + 16, 4.6)))
        yield Storyline("votes fall and rise", _facts(), votes=((start, 140.0), (start + 9, 70.0), (start + 20, 160.0)))
    yield Storyline("popularity dips", _facts(), popularity=((7, 1.4), (10, 0.5), (14, 0.5), (18, 1.6)))
    yield Storyline(
        "popularity dips, edited meanwhile", _facts((12, {"overview": "Another plot. It was edited in the dip."})),
        popularity=((7, 1.4), (10, 0.5), (14, 0.5), (18, 1.6)),
    )  # fmt: skip


def _of_release_dates(first: date) -> Iterator[Storyline]:
    """The days go by: movies are released after their details were fetched, and become too old for a profile."""
    for days in (0, 1, 2, 4, 7, 11, 16, 22, 28, 45):
        soon = {"release_date": _released(first, days), "language": "hi"}
        yield Storyline("released during the rehearsal", _facts(**soon), votes=((0, 40.0),))
        yield Storyline("becomes a year old", _facts(**soon | {"release_date": _released(first, days - 365)}),
                        votes=((0, 40.0),))  # fmt: skip
    yield Storyline("released soon, for quality", _facts(release_date=_released(first, 9)))
    yield Storyline(
        "postponed", _facts((5, {"release_date": _released(first, 20)}), release_date=_released(first, 8)),
        votes=((0, 40.0),),
    )  # fmt: skip
    yield Storyline("no release date", _facts(release_date=""))
    yield Storyline("no release date, then one", _facts((9, {"release_date": "2004-03-02"}), release_date=""))
    yield Storyline("before quality's time", _facts(release_date="1989-12-31"))


def _of_edits() -> Iterator[Storyline]:
    """Edits, which the change feed names: texts, and facts that decide."""
    edits: tuple[dict[str, Any], ...] = (
        {"title": "Another Title"}, {"original_title": "Ein anderer Titel"}, {"overview": "A plot that was rewritten."},
        {"overview": ""}, {"tagline": "Never before told."}, {"keywords": ("one keyword", "a second one")},
        {"genres": ("Western", "War")}, {"countries": ("DE", "FR")}, {"certification": "NC-17"}, {"collection": None},
        {"cast": ()}, {"crew": ()}, {"budget": 2_923_706_026}, {"imdb_id": None}, {"companies": ("A New Company",)},
    )  # fmt: skip
    for number, edit in enumerate(edits):
        yield Storyline(f"edited: {', '.join(edit)}", _facts((2 + number * 3 % 26, edit)))
    yield Storyline("edited twice", _facts((6, {"title": "First"}), (7, {"title": "Second"})))
    yield Storyline(
        "edited while rejected", _facts((8, {"title": "In between"})), votes=((5, 110.0), (15, 90.0), (25, 110.0))
    )
    yield Storyline("becomes long enough", _facts((6, {"runtime": 90}), runtime=55))
    yield Storyline("becomes too short", _facts((9, {"runtime": 55})))
    yield Storyline("its runtime becomes known", _facts((11, {"runtime": 90}), runtime=0))
    yield Storyline("its language changes", _facts((7, {"language": "hi"}), (21, {"language": "fr"})))
    for flag in ("adult", "video", "softcore"):
        yield Storyline(f"{flag} for a while", _facts((5, {flag: True}), (17, {flag: False})))
        yield Storyline(f"{flag} at first", _facts((8, {flag: False}), **{flag: True}))


def _of_comings_and_goings() -> Iterator[Storyline]:
    """Merges, deletions and ids that return."""
    for day in (4, 15):
        yield Storyline("merged", _facts(), deleted=day, merged_into_next=True)
        yield Storyline("merged", _facts())
    for day in (3, 7, LOSS_DAY, 19):
        yield Storyline("deleted", _facts(), deleted=day)
    yield Storyline("deleted, still listed", _facts(), deleted=6, still_listed=frozenset({6, 7, 8}))
    yield Storyline("returns", _facts(), deleted=5, restored=10)
    yield Storyline(
        "returns edited", _facts((8, {"overview": "It came back with another plot."})), deleted=5, restored=10
    )
    yield Storyline("not in the export for a while", _facts(), unlisted=frozenset({14, 15, 16}))


def _of_requests(first: date) -> Iterator[Storyline]:
    """Movies that applications ask for: see `REQUESTS`."""
    few = ((0, 3.0), (25, 7.0))
    yield Storyline("request: too few votes", _facts(), votes=few)
    yield Storyline("request: too few votes, not kept", _facts(), votes=few)
    yield Storyline("request: too short", _facts(runtime=30))
    yield Storyline("request: adult", _facts(adult=True))
    yield Storyline("request: not popular", _facts(), popularity=((0, 0.3),))
    yield Storyline("request: accepted", _facts())
    yield Storyline("request: deleted", _facts(), deleted=3)
    yield Storyline("request: not yet listed", _facts(), unlisted=frozenset(range(8)))
    yield Storyline("request: never listed", _facts(), unlisted=frozenset(range(AFTER_THE_END)))
    later = {"release_date": _released(first, 12), "language": "hi"}
    yield Storyline("request: released after its fetch, not kept", _facts(**later), votes=((0, 40.0),))
    yield Storyline(
        "request: to come", _facts(release_date=_released(first, 300)), votes=((0, 0.0),), average=((0, 0.0),)
    )


@dataclass(frozen=True)
class Request:
    """An application asks for the movie of a storyline, or for an id that TMDB does not have, on a day."""

    day: int
    kind: str | None  # of a storyline
    tmdb_id: int = 0
    keep: bool = True


REQUESTS = (
    Request(2, None, 990_000_001),
    Request(LOSS_DAY, None, 990_000_002, keep=False),
    Request(2, "request: released after its fetch, not kept", keep=False),
    Request(3, "request: too few votes"),
    Request(3, "request: too few votes, not kept", keep=False),
    Request(4, "request: too short"),
    Request(4, "request: adult"),
    Request(5, "request: not popular"),
    Request(5, "request: accepted"),
    Request(6, "request: deleted"),
    Request(5, "request: not yet listed"),
    Request(13, "request: never listed"),
    Request(14, "request: to come"),
)
