"""Fetching series: the calls for a series with few, many and huge seasons, and what comes of 404, 400 and outages."""

import re
from collections.abc import Callable, Iterable
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from movie_assets.tmdb import call as tmdb_call
from movie_assets.tmdb.client import TmdbClient
from movie_assets.tmdb.media import MOVIES, SERIES
from movie_assets.tmdb.responses import (
    CallCounts,
    Failed,
    Fetched,
    NotFound,
    RequestRefusedError,
    TmdbResponse,
    TmdbUnavailableError,
)
from movie_assets.tmdb.season_plan import (
    MAX_SEASON_AGE,
    NOTHING_KNOWN,
    KnownCatalogue,
    known_series,
)
from movie_assets.tmdb.series import Series, read_series
from movie_assets_tests.tmdb.series_bodies import SERIES_ID, episode, listed_season, season, series_details
from movie_assets_tests.tmdb.tmdb_calls import made_up, shorten_waits

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
NOT_FOUND = {"success": False, "status_code": 34, "status_message": "The resource could not be found."}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_waits(monkeypatch)


class OneSeries:
    """TMDB with one series, as it appends parts to a response and answers for a season."""

    def __init__(self, seasons: Iterable[int], episodes: int = 3) -> None:
        self.seasons = {
            number: season(
                number, [episode(number, n % 28 + 1, id=number * 10_000 + n) for n in range(1, episodes + 1)]
            )
            for number in seasons
        }
        self.calls: list[str] = []  # the path and the appended seasons of each
        self.spoil: Callable[[str], httpx.Response | None] = lambda _: None
        self.changes: dict[str, Any] = {"last_episode_to_air": episode(1, 1, air_date="2020-01-01")}

    def __call__(self, request: httpx.Request) -> httpx.Response:
        path = request.url.path.removeprefix("/3")
        parts = [part for part in request.url.params.get("append_to_response", "").split(",") if part]
        appended = [part.removeprefix("season/") for part in parts if part.startswith("season/")]
        self.calls.append(" ".join([path, *appended]))
        if (spoilt := self.spoil(self.calls[-1])) is not None:
            return spoilt
        if len(parts) > 20:
            return httpx.Response(400, json={"success": False, "status_code": 27, "status_message": "Too many"})
        if match := re.fullmatch(rf"/tv/{SERIES_ID}/season/(\d+)", path):
            whole = self.seasons.get(int(match[1]))
            return httpx.Response(200, json=whole) if whole else httpx.Response(404, json=NOT_FOUND)
        if path != f"/tv/{SERIES_ID}":
            return httpx.Response(404, json=NOT_FOUND)
        listed = [listed_season(number, len(each["episodes"])) for number, each in self.seasons.items()]
        whole = series_details(seasons=listed, next_episode_to_air=None, **self.changes)
        body = {key: value for key, value in whole.items() if key in parts or key not in SERIES.appended}
        body |= {f"season/{n}": self.seasons[int(n)] for n in appended if int(n) in self.seasons}
        return httpx.Response(200, json=body)

    def fetch(self, known: KnownCatalogue = NOTHING_KNOWN, ids: Iterable[int] = (SERIES_ID,)) -> list[TmdbResponse]:
        """Responses for ids, as a run would get them."""
        self.calls = []
        self.counts = CallCounts()

        async def use(client: TmdbClient) -> list[TmdbResponse]:
            self.counts = client.calls
            return [outcome async for outcome in client.details(list(ids), SERIES, known)]

        outcomes: list[TmdbResponse] = made_up(self, use)
        return outcomes

    def read(self, known: KnownCatalogue = NOTHING_KNOWN) -> Series:
        """The series that its response is read as."""
        (response,) = self.fetch(known)
        assert isinstance(response, Fetched), response
        return read_series(response.body, SERIES_ID)


def fetched_numbers(read: Series) -> list[int]:
    return [each.season.season_number for each in read.fetched]


def known_since(read: Series, age: timedelta = timedelta(days=7)) -> KnownCatalogue:
    """What a run knows that fetched the whole series some time ago."""
    times = dict.fromkeys(fetched_numbers(read), NOW - age)
    return KnownCatalogue({SERIES_ID: known_series(read, times)}, NOW)


# Calls


def test_a_series_of_nine_seasons_comes_whole_by_one_call() -> None:
    tmdb = OneSeries(range(9))
    read = tmdb.read()
    assert tmdb.calls == [f"/tv/{SERIES_ID} 0 1 2 3 4 5 6 7 8 9 10 11"]
    assert fetched_numbers(read) == list(range(9))
    assert [len(each.episodes) for each in read.fetched] == [3] * 9
    assert (read.leading_cast, read.certification, read.imdb_id) == (("Ann Vale", "Bea Marsh"), "TV-14", "tt7654321")
    assert read.rejects == ()


def test_a_thirteenth_season_is_a_call_of_its_own() -> None:
    tmdb = OneSeries(range(13))
    assert fetched_numbers(tmdb.read()) == list(range(13))
    assert tmdb.calls[1:] == [f"/tv/{SERIES_ID}/season/12"]
    assert {kind: len(calls.seconds) for kind, calls in tmdb.counts.kinds.items()} == {
        ("tv", "200"): 1, ("season", "200"): 1,
    }  # fmt: skip


def test_a_hundred_seasons_come_by_six_calls() -> None:
    tmdb = OneSeries(range(100))
    assert fetched_numbers(tmdb.read()) == list(range(100))
    assert len(tmdb.calls) == 6


def test_a_series_that_did_not_change_takes_one_call_and_no_season() -> None:
    tmdb = OneSeries(range(30))
    read = tmdb.read(known_since(tmdb.read()))
    assert tmdb.calls == [f"/tv/{SERIES_ID} 30"]
    assert (fetched_numbers(read), len(read.seasons)) == ([], 30)


def test_only_what_changed_is_fetched_again() -> None:
    tmdb = OneSeries(range(30))
    known = known_since(tmdb.read())
    tmdb.seasons[4]["episodes"].append(episode(4, 4))
    tmdb.seasons |= {30: season(30), 31: season(31)}
    assert fetched_numbers(tmdb.read(known)) == [4, 30, 31]
    assert tmdb.calls == [f"/tv/{SERIES_ID} 30", f"/tv/{SERIES_ID} 31 4"]


def test_seasons_that_are_too_old_are_fetched_again() -> None:
    tmdb = OneSeries(range(3))
    assert fetched_numbers(tmdb.read(known_since(tmdb.read(), MAX_SEASON_AGE))) == [0, 1, 2]
    assert len(tmdb.calls) == 1


def test_thousands_of_episodes_come_in_bounded_calls_without_their_guests() -> None:
    tmdb = OneSeries(range(25), episodes=160)
    (response,) = tmdb.fetch()
    assert isinstance(response, Fetched)
    read = read_series(response.body, SERIES_ID)
    assert sum(len(each.episodes) for each in read.fetched) == 25 * 160
    assert len(tmdb.calls) == 1 + 5
    assert "guest_stars" in str(tmdb.seasons[24])
    assert "guest_stars" not in str([response.body[f"season/{number}"] for number in tmdb.seasons])


# Responses that are too large


def too_large_beyond(seasons: int) -> Callable[[str], httpx.Response | None]:
    """Spoil each call that asks for more seasons than so many, as their bodies would exceed the limit."""

    def spoil(called: str) -> httpx.Response | None:
        asked = called.count(" ") + called.count("/season/")
        return httpx.Response(200, content=b" " * 200_000) if asked > seasons else None

    return spoil


def test_seasons_that_are_too_large_together_are_fetched_in_smaller_parts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tmdb_call, "MAX_BODY_BYTES", 100_000)
    tmdb = OneSeries(range(9))
    tmdb.spoil = too_large_beyond(3)
    assert fetched_numbers(tmdb.read()) == list(range(9))
    assert f"/tv/{SERIES_ID}" in tmdb.calls


def test_a_season_that_is_too_large_alone_is_left_out_and_costs_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tmdb_call, "MAX_BODY_BYTES", 100_000)
    tmdb = OneSeries(range(3))
    tmdb.spoil = lambda called: (
        httpx.Response(200, content=b" " * 200_000) if re.search(r" 1\b|season/1$", called) else None
    )
    read = tmdb.read()
    assert fetched_numbers(read) == [0, 2]
    assert [each.season_number for each in read.seasons] == [0, 1, 2]


# Errors


def test_an_unknown_series_is_not_found_by_one_call() -> None:
    tmdb = OneSeries([1])
    assert tmdb.fetch(ids=[404]) == [NotFound(404)]
    assert len(tmdb.calls) == 1


def test_a_season_that_is_listed_and_not_there_is_no_row() -> None:
    tmdb = OneSeries(range(13))
    tmdb.spoil = lambda called: httpx.Response(404, json=NOT_FOUND) if called.endswith("season/12") else None
    read = tmdb.read()
    assert (fetched_numbers(read), len(read.seasons), read.rejects) == (list(range(12)), 13, ())


def test_an_outage_while_seasons_are_fetched_fails_the_series() -> None:
    tmdb = OneSeries(range(13))
    tmdb.spoil = lambda called: httpx.Response(503) if called.endswith("season/12") else None
    (response,) = tmdb.fetch()
    assert isinstance(response, Failed)
    assert (response.tmdb_id, response.reason) == (SERIES_ID, "http_503")


def test_a_call_that_fails_once_is_made_again() -> None:
    tmdb = OneSeries(range(13))
    failures = [httpx.Response(503), httpx.Response(429, headers={"Retry-After": "0"})]
    tmdb.spoil = lambda called: failures.pop() if failures and called.endswith("season/12") else None
    assert fetched_numbers(tmdb.read()) == list(range(13))
    assert len(tmdb.calls) == 4


@pytest.mark.parametrize(
    "body",
    [{"id": SERIES_ID + 1, "name": "x"}, {"id": SERIES_ID}, {"page": 1}, {"id": SERIES_ID, "name": "x", "seasons": {}}],
)
def test_a_response_that_is_no_series_fails_the_id(body: Any) -> None:
    tmdb = OneSeries([1])
    tmdb.spoil = lambda _: httpx.Response(200, json=body)
    (response,) = tmdb.fetch()
    assert isinstance(response, Failed)
    assert response.reason in ("other_id", "no_name", "not_a_series", "bad_seasons")


def test_a_request_that_tmdb_calls_wrong_ends_the_run() -> None:
    tmdb = OneSeries([1])
    tmdb.spoil = lambda _: httpx.Response(400, json={"status_code": 22, "status_message": "Invalid page"})
    with pytest.raises(RequestRefusedError, match="Invalid page"):
        tmdb.fetch()
    assert len(tmdb.calls) == 1


def test_an_outage_ends_the_run() -> None:
    tmdb = OneSeries([1])
    tmdb.spoil = lambda _: httpx.Response(503)
    with pytest.raises(TmdbUnavailableError):
        tmdb.fetch(ids=range(100))


def test_movies_and_series_of_one_id_are_fetched_by_different_paths() -> None:
    seen: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return httpx.Response(200, json={"id": 550, "title": "Movie", "name": "Series", "seasons": []})

    async def use(client: TmdbClient) -> list[TmdbResponse]:
        return [outcome for media in (MOVIES, SERIES) async for outcome in client.details([550], media)]

    movie, series = made_up(respond, use)
    assert seen == ["/3/movie/550", "/3/tv/550"]
    assert (MOVIES.read(movie.body, 550).title, SERIES.read(series.body, 550).title) == ("Movie", "Series")
