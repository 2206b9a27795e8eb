"""TMDB's fixed lists: what is read of a page, and which readings are no whole list."""

from datetime import date
from typing import Any

import httpx
import pytest

from movie_assets.tmdb.client import TmdbClient
from movie_assets.tmdb.json_values import UnusableResponseError
from movie_assets.tmdb.list_pages import TitleList, read_list_page, whole_list
from movie_assets.tmdb.media import MOVIES, SERIES
from movie_assets.tmdb.responses import endpoint_of
from movie_assets.tmdb.title_lists import read_title_list
from movie_assets_tests.tmdb.tmdb_calls import made_up, shorten_waits

Json = dict[str, Any]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_waits(monkeypatch)


def entry(tmdb_id: object, **changes: Any) -> Json:
    return {"id": tmdb_id, "title": f"Film {tmdb_id}", "popularity": 1.0, "release_date": "2026-11-20", **changes}


def page(*entries: object, **changes: Any) -> Json:
    return {"page": 1, "results": list(entries), "total_pages": 1, "total_results": len(entries), **changes}


def read(pages: dict[int, Json | int], most: int = 3, *, may_be_empty: bool = False) -> tuple[TitleList, list[str]]:
    """Read a list of which each page is given as JSON or as an HTTP status; return it with the queries."""
    asked: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        asked.append(request.url.query.decode())
        given = pages[int(request.url.params["page"])]
        return httpx.Response(given, json={}) if isinstance(given, int) else httpx.Response(200, json=given)

    async def use(client: TmdbClient) -> TitleList:
        return await read_title_list(client, MOVIES, "/movie/popular", "DE", most, may_be_empty=may_be_empty)

    return made_up(respond, use), asked


def test_the_order_of_the_entries_is_the_order_of_the_list_and_a_repeated_title_has_its_best_place() -> None:
    first = page(entry(3, popularity=1.0), entry(1, popularity=9.0), total_pages=9, total_results=180)
    second = page(entry(1), entry(2), entry(3), total_pages=9, total_results=180)
    of, asked = read({1: first, 2: second}, most=2)
    assert [title.tmdb_id for title in of.titles] == [3, 1, 2]
    assert (of.repeated, of.pages, of.total) == (2, 2, 180)
    assert asked == ["page=1&region=DE", "page=2&region=DE"]


def test_reading_ends_with_the_last_page() -> None:
    of, asked = read({1: page(entry(1), total_pages=2, total_results=21), 2: page(entry(2), total_pages=2)}, most=5)
    assert ([title.tmdb_id for title in of.titles], len(asked)) == ([1, 2], 2)


def test_adult_titles_are_hidden_and_entries_without_an_id_or_of_people_are_counted() -> None:
    entries = [entry(n) for n in range(1, 31)]
    body = page(*entries, entry(40, adult=True), entry(41, softcore=True), entry("x"), entry(42, media_type="person"))
    of = whole_list([read_list_page(body, MOVIES)])
    assert [title.tmdb_id for title in of.titles] == list(range(1, 31))
    assert (of.hidden, of.unreadable) == (2, 2)


def test_a_list_of_which_more_than_a_tenth_cannot_be_read_is_refused() -> None:
    with pytest.raises(UnusableResponseError, match="2 of 10 entries"):
        whole_list([read_list_page(page(*map(entry, range(1, 9)), entry(0), entry(None)), MOVIES)])


def test_the_fields_of_an_entry_and_the_dates_of_the_list_are_read() -> None:
    body = page(
        {"id": 5, "name": "Nova", "original_name": "Нова", "original_language": "uk", "first_air_date": "",
         "vote_count": 3, "vote_average": 7.5, "poster_path": "/p.jpg", "backdrop_path": None, "overview": "",
         "media_type": "tv"},
        dates={"minimum": "2026-11-01", "maximum": "soon"},
    )  # fmt: skip
    of = whole_list([read_list_page(body, SERIES)])
    (title,) = of.titles
    assert (title.title, title.original_title, title.release_date, title.vote_count) == ("Nova", "Нова", None, 3)
    assert (title.poster_path, title.backdrop_path, title.overview) == ("/p.jpg", None, None)
    assert of.dates == (date(2026, 11, 1), None)


@pytest.mark.parametrize(
    ("pages", "reason"),
    [
        ({1: page(entry(1), total_pages=3, total_results=60), 2: 500}, "500"),
        ({1: page(entry(1), total_pages=3, total_results=60), 2: page(total_results=60)}, "page 2 of .* is empty"),
        ({1: page(total_results=20)}, "page 1 of .* is empty"),
        ({1: page()}, "the list /movie/popular is empty"),
        ({1: {"page": 1, "total_pages": 1}}, "no list of entries"),
    ],
)
def test_a_list_with_a_page_that_is_missing_is_no_list(pages: dict[int, Json | int], reason: str) -> None:
    with pytest.raises(UnusableResponseError, match=reason):
        read(pages)


def test_a_list_of_days_may_be_empty_if_tmdb_counts_nothing_in_it() -> None:
    of, _ = read({1: page()}, may_be_empty=True)
    assert of.titles == []
    with pytest.raises(UnusableResponseError, match="is empty"):
        read({1: {"results": []}}, may_be_empty=True)


@pytest.mark.parametrize(
    ("path", "endpoint"),
    [
        ("/movie/popular", "lists"), ("/tv/airing_today", "lists"), ("/trending/tv/week", "lists"),
        ("/movie/603", "movie"), ("/tv/1399/season/1", "season"), ("/tv/changes", "changes"),
        ("/discover/movie", "discover"), ("/find/tt1", "find"), ("/movie/603/images", "images"),
        ("/configuration", "configuration"),
    ],
)  # fmt: skip
def test_calls_of_lists_are_counted_by_themselves(path: str, endpoint: str) -> None:
    assert endpoint_of(path) == endpoint
