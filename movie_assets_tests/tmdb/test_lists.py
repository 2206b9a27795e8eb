"""TMDB's lists: the change feed, /discover in slices, /find."""

import asyncio
from collections import Counter
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import httpx
import pytest

from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.emulator.world import Change
from movie_assets.tmdb import lists as tmdb_lists
from movie_assets.tmdb.responses import TmdbError, TmdbUnavailableError
from movie_assets_tests.conftest import DAY, settings_for
from movie_assets_tests.tmdb.list_pages import pages
from movie_assets_tests.tmdb.tmdb_calls import client_of, made_up, shorten_waits


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_waits(monkeypatch)


# The change feed


class Moving:
    """A world of which only the change feed is asked."""

    def __init__(self, *ids: int) -> None:
        self.ids = ids

    def changes(self, _day: object) -> list[Change]:
        return [Change(tmdb_id, adult=None if tmdb_id % 2 else False) for tmdb_id in self.ids]


def changed_ids(respond: Callable[[httpx.Request], httpx.Response]) -> list[int]:
    found: list[int] = made_up(respond, lambda client: tmdb_lists.changed_ids(client, DAY))
    return found


@pytest.mark.parametrize("count", [0, 1, 100, 101, 250])
def test_every_page_of_the_change_feed_is_read(count: int) -> None:
    world: Any = Moving(*range(1, count + 1))
    with TmdbEmulator(EmulatorOptions(today=DAY, rate_limit=0), world=world) as tmdb_emulator:

        async def run() -> list[int]:
            async with client_of(settings_for(tmdb_emulator)) as client:
                return await tmdb_lists.changed_ids(client, DAY - timedelta(days=1))

        assert asyncio.run(run()) == list(range(1, count + 1))
        assert tmdb_emulator.requests["changes"] == {200: max(1, -(-count // 100))}


def test_an_id_on_two_pages_is_named_once() -> None:
    assert changed_ids(pages([1, 2], [2, 3])) == [1, 2, 3]


@pytest.mark.parametrize("odd", [None, "5", {"a": 1}, True, 0, -3, 2**70, 1.5])
def test_an_id_of_the_change_feed_that_is_none_is_left_out(odd: Any) -> None:
    assert changed_ids(pages([1, odd, 2])) == [1, 2]


def test_the_feed_is_asked_for_one_day() -> None:
    seen: list[httpx.URL] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request.url)
        return httpx.Response(200, json={"results": [], "page": 1, "total_pages": 1})

    changed_ids(respond)
    assert [(url.params["start_date"], url.params["end_date"]) for url in seen] == [(DAY.isoformat(),) * 2]


@pytest.mark.parametrize(
    "respond",
    [
        lambda _: httpx.Response(503),
        lambda _: httpx.Response(404, json={"status_code": 34}),
        lambda _: httpx.Response(200, text="<html>"),
        lambda _: httpx.Response(200, json={"page": 1}),
        lambda _: httpx.Response(200, json={"results": None, "total_pages": 1}),
        lambda _: httpx.Response(200, json={"results": [], "total_pages": None}),
    ],
    ids=["503", "404", "html", "no results", "null results", "no pages"],
)
def test_a_change_feed_that_cannot_be_read_is_an_error_of_tmdbs(
    respond: Callable[[httpx.Request], httpx.Response],
) -> None:
    with pytest.raises(TmdbError):
        changed_ids(respond)


def test_entries_of_the_change_feed_that_name_no_id_are_passed_over() -> None:
    entries = [None, {"id": None}, {"id": 7, "adult": None}]
    assert changed_ids(lambda _: httpx.Response(200, json={"results": entries, "total_pages": 1})) == [7]


def test_a_change_feed_that_fails_now_and_then_is_read_whole() -> None:
    calls = 0
    page = pages([1], [2], [3])

    def respond(request: httpx.Request) -> httpx.Response:
        nonlocal calls
        calls += 1
        return httpx.Response(503) if calls % 2 else page(request)

    assert changed_ids(respond) == [1, 2, 3]


def test_no_page_beyond_the_last_that_tmdb_gives_is_asked_for() -> None:
    asked = Counter[int]()

    def respond(request: httpx.Request) -> httpx.Response:
        asked[int(request.url.params["page"])] += 1
        return httpx.Response(200, json={"results": [], "total_pages": 700})

    changed_ids(respond)
    assert max(asked) == 500


# /find


def found_at(body: Any) -> int | None:
    found: int | None = made_up(lambda _: httpx.Response(200, json=body), lambda c: tmdb_lists.find_imdb(c, "tt1"))
    return found


def test_an_imdb_id_leads_to_the_film() -> None:
    assert found_at({"movie_results": [{"id": 550}], "tv_results": []}) == 550


@pytest.mark.parametrize(
    "body",
    [
        {"movie_results": []},
        {"tv_results": [{"id": 1399}]},
        {"movie_results": None},
        {"movie_results": [None]},
        {"movie_results": [{"id": 2**70}]},
    ],
)
def test_an_imdb_id_that_no_film_has_leads_nowhere(body: Any) -> None:
    assert found_at(body) is None


def test_a_search_that_gets_no_answer_is_an_error_of_tmdbs() -> None:
    with pytest.raises(TmdbUnavailableError):
        made_up(lambda _: httpx.Response(503), lambda c: tmdb_lists.find_imdb(c, "tt1"))
