"""Days of reading TMDB's lists in slices: who joins and leaves is noticed on the day, votes have a bounded age."""

import math
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from random import Random
from typing import Any

import httpx
import pytest

from movie_assets.tmdb import list_slices
from movie_assets.tmdb.client import TmdbClient
from movie_assets.tmdb.discovery import Reading, Wanted, read_lists
from movie_assets.tmdb.list_slices import KnownMovie, Slice
from movie_assets.tmdb.responses import TmdbUnavailableError
from movie_assets_tests.tmdb.tmdb_calls import made_up, shorten_waits

FIRST, TODAY = date(1950, 1, 1), date(2026, 10, 1)
LAST = TODAY + timedelta(days=1000)


@pytest.fixture(autouse=True)
def in_small_slices(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_waits(monkeypatch)
    monkeypatch.setattr(list_slices, "FILMS_OF_A_SLICE", 40)
    monkeypatch.setattr(list_slices, "POPULAR_PAGES", 2)


@dataclass
class Film:
    """What /discover knows of a film."""

    released: date
    votes: int
    popularity: float
    is_hidden: bool = False  # counted in totals and on no page


class Catalogue:
    """TMDB's /discover over films that the test moves."""

    def __init__(self, count: int, seed: int, *, votes_from: int = 40) -> None:
        self.dice = Random(seed)  # noqa: S311  # a world, not a secret
        self.calls = 0
        self.spoil: Callable[[dict[str, str], list[int]], list[int] | None] = lambda _query, ids: ids
        self.total_is_off: Callable[[dict[str, str]], int] = lambda _: 0
        self.films = {n + 1: self.new_film(votes_from) for n in range(count)}

    def new_film(self, votes_from: int) -> Film:
        """A film of any year, most of them with few votes."""
        released = date.fromordinal(self.dice.randint(date(1960, 1, 1).toordinal(), TODAY.toordinal() + 300))
        votes = round(votes_from * math.exp(self.dice.expovariate(1.0)))
        return Film(released, votes, self.dice.expovariate(1.0))

    def listed(self, votes: int) -> set[int]:
        """The ids that TMDB lists with so many votes."""
        return {n for n, film in self.films.items() if film.votes >= votes and FIRST <= film.released <= LAST}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        self.calls += 1
        query, page = dict(request.url.params), int(request.url.params["page"])
        first, last = (date.fromisoformat(query[f"primary_release_date.{end}"]) for end in ("gte", "lte"))
        least = int(query["vote_count.gte"])
        matching = [(n, film) for n, film in self.films.items() if first <= film.released <= last]
        matching = [(n, film) for n, film in matching if film.votes >= least]
        key: Callable[[tuple[int, Film]], Any] = {
            "primary_release_date.asc": lambda each: (each[1].released, each[0]),
            "vote_count.asc": lambda each: (each[1].votes, each[0]),
            "popularity.desc": lambda each: (-each[1].popularity, each[0]),
        }[query["sort_by"]]
        ids = [n for n, film in sorted(matching, key=key) if not film.is_hidden]
        shown = self.spoil(query, ids[20 * (page - 1) : 20 * page])
        if shown is None:
            return httpx.Response(503)
        results = [
            {
                "id": n, "vote_count": self.films[n].votes, "vote_average": 7,
                "release_date": str(self.films[n].released), "original_language": "en",
            }
            for n in shown
        ]  # fmt: skip
        total = len(matching) + self.total_is_off(query)
        body = {"results": results, "total_results": total, "total_pages": -(-total // 20)}
        return httpx.Response(200, json=body)


@dataclass
class Reader:
    """What is stored from day to day, as sql/catalog/discoveries.sql does."""

    catalogue: Catalogue
    client: TmdbClient
    votes: Sequence[int] = (50,)
    max_age_days: int = 7
    day: date = TODAY
    slices: list[Slice] = field(default_factory=list)
    known: dict[int, KnownMovie] = field(default_factory=dict)
    read_on: dict[int, date] = field(default_factory=dict)
    calls: int = 0

    async def read(self) -> Reading:
        """Read the day's lists and store them."""
        before = self.catalogue.calls
        wanted = Wanted(FIRST, LAST, self.votes, self.max_age_days)
        as_of = datetime(self.day.year, self.day.month, self.day.day, 9, tzinfo=UTC)
        reading = await read_lists(self.client, wanted, self.slices, list(self.known.values()), as_of)
        self.calls = self.catalogue.calls - before
        self.slices = reading.slices
        stay = {n: film for n, film in self.known.items() if n in reading.movies or film.slice in reading.kept}
        self.known = stay | {n: KnownMovie(n, m.vote_count, reading.homes[n]) for n, m in reading.movies.items()}
        self.read_on = {n: self.day if n in reading.movies else self.read_on[n] for n in self.known}
        return reading

    def stored(self, votes: int) -> set[int]:
        """The ids that are stored with so many votes."""
        return {n for n, film in self.known.items() if film.vote_count >= votes}

    def assert_is_right(self) -> None:
        """Films are on the right side of each number of votes, and the votes of none are older than allowed."""
        for votes in self.votes:
            assert self.stored(votes) == self.catalogue.listed(votes), f"{votes} votes on {self.day}"
        assert max((self.day - day).days for day in self.read_on.values()) < self.max_age_days
        assert self.slices[0].since == FIRST
        assert self.slices[-1].until == LAST


def days_of(catalogue: Catalogue, days: Callable[[Reader], Awaitable[None]], **options: Any) -> None:
    made_up(catalogue, lambda client: days(Reader(catalogue, client, **options)))


@pytest.mark.parametrize("seed", range(12))
def test_each_day_knows_who_crossed_and_no_votes_are_too_old(seed: int) -> None:
    """Random worlds: votes rise by little and by much and fall a little; films come, go and change their dates."""
    dice = Random(seed)  # noqa: S311
    catalogue = Catalogue(dice.randint(900, 1600), seed)
    votes = dice.choice([(50,), (50, 120), (45, 60, 300)])
    age = dice.choice([2, 4, 7])

    async def days(reader: Reader) -> None:
        whole = 0
        for number in range(20):
            reading = await reader.read()
            whole += not reading.kept
            reader.assert_is_right()
            reader.day += timedelta(days=dice.choice([1, 1, 1, 1, 2, 3]) if number % 5 == 4 else 1)
            move(catalogue, dice)
        assert whole < 10

    days_of(catalogue, days, votes=votes, max_age_days=age)


def move(catalogue: Catalogue, dice: Random) -> None:
    """A day passes: in some slices something happens, in each at most one thing that its total would hide."""
    for film in catalogue.films.values():
        film.popularity *= math.exp(dice.gauss(0, 0.1))
        if dice.random() < 0.02:
            film.votes += dice.choice([1, 1, 1, 2, 3, 500])
    for film in dice.sample(list(catalogue.films.values()), 3):
        film.votes = max(0, film.votes - 2)
    for _ in range(dice.randint(0, 3)):
        number = len(catalogue.films) + 1_000
        catalogue.films[number + dice.randint(0, 10**6)] = catalogue.new_film(40)
    moved = dice.choice(list(catalogue.films.values()))
    moved.released += timedelta(days=dice.randint(-700, 700))
    moved.released = min(max(moved.released, FIRST), LAST)
    if dice.random() < 0.3:
        del catalogue.films[dice.choice(list(catalogue.films))]


# Lists that are not as they should be


def some_days(catalogue: Catalogue, *changes: Callable[[], object]) -> list[tuple[int, Reading]]:
    """Read a first day and one after each change; return the calls and the reading of each."""
    seen: list[tuple[int, Reading]] = []

    async def days(reader: Reader) -> None:
        for change in (lambda: None, *changes):
            change()
            reading = await reader.read()
            seen.append((reader.calls, reading))
            reader.day += timedelta(days=1)

    days_of(catalogue, days)
    return seen


def nothing() -> None:
    pass


def test_films_that_totals_count_and_no_page_shows_cost_no_calls_once_they_are_known() -> None:
    catalogue = Catalogue(1_500, 1)
    for n in sorted(catalogue.listed(50))[::150]:
        catalogue.films[n].is_hidden = True
    seen = some_days(catalogue, *[nothing] * 3)
    assert [reading.unexplained > 0 for _, reading in seen] == [False, True, False, False]
    assert seen[2][0] < seen[0][0]


def test_a_total_that_lags_costs_calls_and_loses_no_film() -> None:
    catalogue = Catalogue(1_500, 2)

    def cross() -> None:
        catalogue.films[9_999] = Film(date(1990, 5, 5), 51, 0.1)
        catalogue.total_is_off = lambda query: -1 if query["primary_release_date.gte"] <= "1990-05-05" else 0

    def catch_up() -> None:
        catalogue.total_is_off = lambda _: 0

    _, *days = some_days(catalogue, cross, catch_up, nothing)
    assert all(9_999 in reading.homes for _, reading in days)
    assert days[-1][1].unexplained == 0


def test_pages_that_repeat_films_and_leave_out_others_are_read_again() -> None:
    catalogue = Catalogue(1_500, 3)
    skipped = set[str]()

    def shift(query: dict[str, str], ids: list[int]) -> list[int]:
        place = query["primary_release_date.gte"] + query["page"]
        if query["page"] == "2" and place not in skipped and query["sort_by"] == "primary_release_date.asc":
            skipped.add(place)
            return [ids[0], *ids[:-1]]
        return ids

    def begin() -> None:
        catalogue.spoil = shift

    (_, first), (_, second), _ = some_days(catalogue, begin, nothing)
    assert skipped
    assert second.homes.keys() >= catalogue.listed(50)
    assert first.homes.keys() == second.homes.keys()


def test_a_slice_whose_page_stays_away_is_an_error() -> None:
    catalogue = Catalogue(1_500, 4)

    def lose() -> None:
        catalogue.spoil = lambda query, ids: (
            [] if query["page"] == "2" and query["sort_by"].startswith("primary") else ids
        )

    with pytest.raises(TmdbUnavailableError, match="its pages hold"):
        some_days(catalogue, lose)


def test_a_page_that_fails_is_an_error() -> None:
    catalogue = Catalogue(1_500, 5)

    def fail() -> None:
        catalogue.spoil = lambda query, ids: None if query["sort_by"] == "vote_count.asc" else ids

    with pytest.raises(TmdbUnavailableError, match="503"):
        some_days(catalogue, fail)


def test_a_film_that_hides_behind_one_that_left_is_noticed_by_the_few_votes_of_the_latter() -> None:
    catalogue = Catalogue(1_500, 6)
    seen: list[int] = []

    def swap() -> None:
        leaver = min((n for n in catalogue.listed(50)), key=lambda n: catalogue.films[n].votes)
        released = catalogue.films[leaver].released
        catalogue.films[leaver].votes = 49
        catalogue.films[9_999] = Film(released, 100_000, 0.0)
        seen.append(leaver)

    _, (_, reading) = some_days(catalogue, swap)
    assert 9_999 in reading.movies
    assert reading.homes[seen[0]] is None
