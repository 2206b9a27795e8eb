"""TMDB's list of all films: every page of a range is read, or it is an error."""

import asyncio
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import Any

import httpx
import pytest

from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.tmdb import lists as tmdb_lists
from movie_assets.tmdb.responses import ListedMovie, TmdbUnavailableError
from movie_assets_tests.conftest import DAY, settings_for
from movie_assets_tests.tmdb.tmdb_calls import client_of, made_up, shorten_waits


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_waits(monkeypatch)


class Listing:
    """TMDB's /discover over films of which only the day and the votes are known, with TMDB's limits."""

    def __init__(self, *films: tuple[int, date, int]) -> None:
        self.films = films
        self.queries: list[dict[str, str]] = []
        self.unshown = 0
        self.moved: Callable[[int, list[int]], list[int]] = lambda _, ids: ids

    def __call__(self, request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        self.queries.append(query)
        first, last = (date.fromisoformat(query[f"primary_release_date.{end}"]) for end in ("gte", "lte"))
        matching = [
            (released, tmdb_id, votes)
            for tmdb_id, released, votes in self.films
            if first <= released <= last and votes >= int(query["vote_count.gte"])
        ]
        page = int(query["page"])
        if page > 500:
            return httpx.Response(400, json={"status_code": 22, "status_message": "Invalid page"})
        shown = sorted(matching)[20 * (page - 1) : 20 * page]
        results: list[dict[str, Any]] = [
            {
                "id": tmdb_id,
                "vote_count": votes,
                "vote_average": 7.5,
                "release_date": str(day),
                "original_language": "fr",
            }
            for day, tmdb_id, votes in shown
        ]
        kept = self.moved(page, [entry["id"] for entry in results])
        results = [entry for entry in results if entry["id"] in kept]
        pages = -(-len(matching) // 20)
        return httpx.Response(200, json={"results": results, "total_pages": pages, "total_results": len(matching)})

    def discovered(self, first: date, last: date, min_votes: int = 10) -> Sequence[ListedMovie]:
        films, self.unshown = made_up(self, lambda c: tmdb_lists.discover(c, first, last, min_votes))
        found: Sequence[ListedMovie] = films
        return found


FIRST, LAST = date(2020, 1, 1), date(2020, 12, 31)


def spread(count: int, votes: int = 50) -> list[tuple[int, date, int]]:
    return [(n + 1, FIRST + timedelta(days=n % 366), votes) for n in range(count)]


def test_every_film_of_a_range_is_discovered_with_its_votes() -> None:
    found = Listing(*spread(45), (900, FIRST, 9)).discovered(FIRST, LAST)
    assert sorted(film.tmdb_id for film in found) == list(range(1, 46))
    assert found[0] == ListedMovie(1, 50, 7.5, FIRST, "fr")


def test_discovery_asks_in_the_order_of_release_without_adult_titles_and_videos() -> None:
    listing = Listing(*spread(5))
    listing.discovered(FIRST, LAST)
    (query,) = listing.queries
    assert query["sort_by"] == "primary_release_date.asc"
    assert (query["include_adult"], query["include_video"]) == ("false", "false")


def test_a_range_of_more_than_100_pages_is_cut_in_halves() -> None:
    listing = Listing(*spread(3_000))
    assert len(listing.discovered(FIRST, LAST)) == 3_000
    assert max(int(query["page"]) for query in listing.queries) <= 100
    assert len(listing.queries) <= 3_000 / 20 + 10


def test_a_single_day_is_walked_however_many_pages_it_has() -> None:
    listing = Listing(*((n + 1, FIRST, 50) for n in range(2_500)))
    assert len(listing.discovered(FIRST, LAST)) == 2_500


def test_of_a_day_with_more_films_than_tmdb_shows_all_are_taken_that_it_shows() -> None:
    listing = Listing(*((n + 1, FIRST, 50) for n in range(10_400)))
    assert len(listing.discovered(FIRST, FIRST)) == 10_000


def test_films_that_moved_between_pages_are_asked_for_once_more() -> None:
    listing = Listing(*spread(200))
    listing.moved = lambda page, ids: [] if page == 3 and len(listing.queries) <= 10 else ids
    assert len(listing.discovered(FIRST, LAST)) == 200


def test_pages_that_do_not_add_up_twice_are_an_error() -> None:
    listing = Listing(*spread(200))
    listing.moved = lambda page, ids: [] if page == 3 else ids
    with pytest.raises(TmdbUnavailableError, match="has 200 and its pages hold 180"):
        listing.discovered(FIRST, LAST)


def test_a_film_on_two_pages_is_discovered_once() -> None:
    entry = {"id": 7, "vote_count": 50, "vote_average": 7, "release_date": "", "original_language": None}

    def respond(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, json={"results": [entry], "total_pages": 2, "total_results": 1})

    discovered = made_up(respond, lambda c: tmdb_lists.discover(c, FIRST, LAST, 10))
    assert discovered == ([ListedMovie(7, 50, 7.0, None, None)], 0)


ENTRY: dict[str, Any] = {
    "id": 7, "vote_count": 50, "vote_average": 7.5, "release_date": "2020-05-05", "original_language": "fr",
}  # fmt: skip


def discovered_of(*results: Any, total: Any) -> Sequence[ListedMovie]:
    """What a list of one page comes to."""
    body = {"results": results, "total_pages": 1, "total_results": total}
    found: Sequence[ListedMovie] = made_up(
        lambda _: httpx.Response(200, json=body), lambda c: tmdb_lists.discover(c, FIRST, LAST, 10)
    )[0]
    return found


@pytest.mark.parametrize(
    "odd",
    [None, [], "film", {}, {"id": True}, {"id": 0}, {"id": 2**70}, {"vote_count": 2**40}, {"vote_count": "50"}],
    ids=str,
)
def test_an_entry_without_an_id_or_votes_that_can_be_is_passed_over(odd: Any) -> None:
    entry = ENTRY | odd if isinstance(odd, dict) and odd else odd
    assert discovered_of(ENTRY | {"id": 8}, entry, total=1) == [ListedMovie(8, 50, 7.5, date(2020, 5, 5), "fr")]


def test_other_odd_fields_of_an_entry_are_unknown() -> None:
    odd = {"vote_average": 11, "release_date": "9999-12-31", "original_language": 5}
    assert discovered_of(ENTRY | odd, total=1) == [ListedMovie(7, 50, None, None, None)]


@pytest.mark.parametrize("total", ["many", -1, None])
def test_a_list_that_does_not_say_how_many_it_has_is_an_error_of_tmdbs(total: Any) -> None:
    with pytest.raises(TmdbUnavailableError, match="has 0 and its pages hold 3"):
        discovered_of(*(ENTRY | {"id": n} for n in range(1, 4)), total=total)


def test_a_page_that_fails_is_an_error_of_tmdbs() -> None:
    listing = Listing(*spread(200))

    def respond(request: httpx.Request) -> httpx.Response:
        return httpx.Response(503) if request.url.params["page"] == "4" else listing(request)

    with pytest.raises(TmdbUnavailableError, match="503"):
        made_up(respond, lambda c: tmdb_lists.discover(c, FIRST, LAST, 10))


def test_the_stand_in_discovers_what_its_details_say() -> None:
    with TmdbEmulator(EmulatorOptions(movies=3_000, today=DAY, rate_limit=0)) as tmdb_emulator:

        async def run() -> Sequence[ListedMovie]:
            async with client_of(settings_for(tmdb_emulator)) as client:
                return (await tmdb_lists.discover(client, date(1900, 1, 1), DAY, 100))[0]

        found = asyncio.run(run())
        columns = tmdb_emulator.world.columns(DAY)
    released = (columns.release > 0) & (columns.release <= DAY.toordinal())
    expected = columns.tmdb_id[(columns.vote_count >= 100) & released & ~columns.adult]
    assert sorted(film.tmdb_id for film in found) == sorted(expected.tolist())
