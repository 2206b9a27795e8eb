"""Media types: titles have one number among all types; lists, the feed and the export are read for each type."""

import gzip
import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import httpx
import pytest

from movie_assets.tmdb import list_slices, lists
from movie_assets.tmdb.client import TmdbClient
from movie_assets.tmdb.discovery import Reading, Wanted, read_lists
from movie_assets.tmdb.export_lines import ExportCounts, ExportLine, read_lines
from movie_assets.tmdb.list_slices import KnownMovie, Slice
from movie_assets.tmdb.media import ALL, MOVIES, SERIES, MediaType
from movie_assets.tmdb.responses import ListedMovie, RequestRefusedError
from movie_assets.tmdb.titles import IDS_OF_A_TYPE
from movie_assets_tests.conftest import DAY
from movie_assets_tests.tmdb.series_bodies import series_details
from movie_assets_tests.tmdb.tmdb_calls import Bytes, made_up, shorten_waits


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    shorten_waits(monkeypatch)


# Numbers


@pytest.mark.parametrize("media", ALL, ids=[media.name for media in ALL])
@pytest.mark.parametrize("tmdb_id", [1, 550, 1399, IDS_OF_A_TYPE - 1])
def test_a_title_id_leads_back_to_its_type_and_tmdb_id(media: MediaType, tmdb_id: int) -> None:
    title_id = media.title_id(tmdb_id)
    assert media.tmdb_id(title_id) == tmdb_id
    assert title_id % 64 == tmdb_id % 64
    for other in ALL:
        if other is not media:
            assert other.title_id(tmdb_id) != title_id
            with pytest.raises(ValueError, match=f"is not a {other.name}"):
                other.tmdb_id(title_id)


def test_the_number_of_a_movie_is_its_tmdb_id() -> None:
    assert (MOVIES.title_id(550), SERIES.title_id(550)) == (550, 1_000_000_550)


@pytest.mark.parametrize("tmdb_id", [0, -1, IDS_OF_A_TYPE, 2**53])
def test_an_id_beyond_those_of_a_type_has_no_number(tmdb_id: int) -> None:
    with pytest.raises(ValueError, match="a TMDB id is between 1 and 999,999,999"):
        SERIES.title_id(tmdb_id)


def test_only_keys_that_are_new_at_tmdb_are_unknown() -> None:
    body = series_details(**{"season/0": {}, "season/12": {}, "season/x": {}, "mood": "blue"})
    assert SERIES.unknown_keys(body) == {"season/x", "mood"}
    assert {"seasons", "season/0", "name"} <= MOVIES.unknown_keys(body)


# The export


def export_line(**changes: Any) -> bytes:
    return json.dumps({"id": 1, "original_name": "Balchder", "popularity": 3.8242} | changes).encode()


def test_a_line_of_the_series_export_has_a_name_and_no_flags() -> None:
    counts = ExportCounts()
    (line,) = read_lines([export_line()], counts, SERIES)
    assert line == ExportLine(1, "Balchder", 3.8242, adult=False, video=False, softcore=False)
    assert counts.rejected == 0


def test_a_flag_that_a_line_of_the_series_export_has_counts() -> None:
    (line,) = read_lines([export_line(adult=True)], ExportCounts(), SERIES)
    assert line.adult
    counts = ExportCounts()
    assert list(read_lines([export_line(adult="maybe")], counts, SERIES)) == []
    assert counts.samples[0][0] == "bad_flag"


def test_a_movie_needs_its_flags_still() -> None:
    counts = ExportCounts()
    assert list(read_lines([export_line()], counts)) == []
    assert counts.samples[0][0] == "no_flag"


def test_the_export_of_series_is_another_file() -> None:
    seen: list[str] = []

    def respond(request: httpx.Request) -> httpx.Response:
        seen.append(request.url.path)
        return httpx.Response(200, stream=Bytes(gzip.compress(export_line() + b"\n")))

    async def use(client: TmdbClient) -> list[bytes]:
        async with client.export(date(2026, 8, 5), SERIES) as export:
            return list(export.lines())

    assert made_up(respond, use) == [export_line() + b"\n"]
    assert seen == ["/p/exports/tv_series_ids_08_05_2026.json.gz"]


# Lists


class Pages:
    """TMDB with a list of titles, 20 a page, that refuses pages beyond the 500th."""

    def __init__(self, entries: list[Any], size: int = 20, total_pages: int | None = None) -> None:
        self.entries = entries
        self.size = size
        self.total_pages = -(-len(entries) // size) if total_pages is None else total_pages
        self.queries: list[tuple[str, dict[str, str]]] = []

    def __call__(self, request: httpx.Request) -> httpx.Response:
        query = dict(request.url.params)
        self.queries.append((request.url.path, query))
        page = int(query["page"])
        if page > 500:
            return httpx.Response(400, json={"success": False, "status_code": 22, "status_message": "Invalid page"})
        shown = self.entries[self.size * (page - 1) : self.size * page]
        body = {"page": page, "results": shown, "total_pages": self.total_pages, "total_results": len(self.entries)}
        return httpx.Response(200, json=body)


def listed(tmdb_id: int, **changes: Any) -> dict[str, Any]:
    """A series as /discover/tv lists it."""
    return {
        "adult": False, "first_air_date": "2020-03-01", "genre_ids": [18], "id": tmdb_id, "name": f"Series {tmdb_id}",
        "origin_country": ["GB"], "original_language": "cy", "popularity": 3.2, "vote_average": 7.5, "vote_count": 120,
    } | changes  # fmt: skip


def test_the_feed_of_series_is_read_whatever_its_adult_flags_are() -> None:
    tmdb = Pages([{"id": n, "adult": [False, True, None][n % 3]} for n in range(1, 251)], size=100)
    assert made_up(tmdb, lambda client: lists.changed_ids(client, DAY, SERIES)) == list(range(1, 251))
    assert [path for path, _ in tmdb.queries] == ["/3/tv/changes"] * 3
    assert {(query["start_date"], query["end_date"]) for _, query in tmdb.queries} == {(DAY.isoformat(),) * 2}


def test_series_are_listed_by_the_date_that_they_were_first_aired() -> None:
    tmdb = Pages([listed(n) for n in range(1, 46)])
    found, unshown = made_up(tmdb, lambda c: lists.discover(c, date(2019, 1, 1), date(2021, 1, 1), 100, SERIES))
    assert (len(found), unshown) == (45, 0)
    assert found[0] == ListedMovie(1, 120, 7.5, date(2020, 3, 1), "cy")
    assert {path for path, _ in tmdb.queries} == {"/3/discover/tv"}
    query = {key: value for key, value in tmdb.queries[0][1].items() if key != "page"}
    assert query == {
        "first_air_date.gte": "2019-01-01", "first_air_date.lte": "2021-01-01", "vote_count.gte": "100",
        "include_adult": "false", "sort_by": "first_air_date.asc",
    }  # fmt: skip


@pytest.mark.parametrize("aired", ["", None, "soon"])
def test_a_listed_series_may_have_no_date(aired: str | None) -> None:
    tmdb = Pages([listed(1, first_air_date=aired)])
    found, _ = made_up(tmdb, lambda c: lists.discover(c, date(2019, 1, 1), date(2021, 1, 1), 100, SERIES))
    assert found == [ListedMovie(1, 120, 7.5, None, "cy")]


def test_no_page_beyond_the_last_that_tmdb_gives_is_asked_for_whatever_the_total_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert lists.MAX_PAGES == 500
    monkeypatch.setattr(lists, "MAX_PAGES", 30)
    tmdb = Pages([listed(n) for n in range(1, 1001)])
    found, _ = made_up(tmdb, lambda c: lists.discover(c, DAY, DAY, 100, SERIES))
    assert len(found) == 600
    assert max(int(query["page"]) for _, query in tmdb.queries) == 30


def test_a_page_that_tmdb_refuses_is_no_empty_page() -> None:
    async def use(client: TmdbClient) -> Any:
        return await client.json("/discover/tv", {"page": 501})

    with pytest.raises(RequestRefusedError, match="HTTP 400: Invalid page"):
        made_up(Pages([]), use)


def test_a_days_reading_of_the_list_of_series() -> None:
    tmdb = Pages([listed(n, vote_count=100 + n) for n in range(1, 61)])
    wanted = Wanted(date(2000, 1, 1), date(2030, 1, 1), [100], 1, SERIES)
    reading: Reading = made_up(
        tmdb, lambda client: read_lists(client, wanted, [], [], datetime(2026, 11, 20, 4, tzinfo=UTC))
    )
    assert reading.votes == {n: 100 + n for n in range(1, 61)}
    assert {path for path, _ in tmdb.queries} == {"/3/discover/tv"}


def test_a_later_day_reads_slices_popular_ones_and_first_pages_of_series(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(list_slices, "FILMS_OF_A_SLICE", 40)
    monkeypatch.setattr(list_slices, "POPULAR_PAGES", 2)
    as_of = datetime(2026, 11, 20, 4, tzinfo=UTC)
    tmdb = Pages([listed(n, first_air_date=f"{1980 + (n - 1) // 20}-03-01") for n in range(1, 801)])
    slices = [Slice(date(n, 1, 1), date(n + 4, 12, 31), 0, as_of) for n in range(1980, 2020, 5)]
    known = [KnownMovie(n, 120, date(1980 + (n - 1) // 100 * 5, 1, 1)) for n in range(1, 801)]
    wanted = Wanted(date(1980, 1, 1), date(2019, 12, 31), [100], 14, SERIES)
    made_up(tmdb, lambda client: read_lists(client, wanted, slices, known, as_of + timedelta(days=1)))
    assert {path for path, _ in tmdb.queries} == {"/3/discover/tv"}
    sorts = {"first_air_date.asc", "popularity.desc", "vote_count.asc"}
    assert {query["sort_by"] for _, query in tmdb.queries} == sorts


def test_popular_series_and_those_with_few_votes_are_of_their_type() -> None:
    tmdb = Pages([listed(n) for n in range(1, 61)])
    since = DAY - timedelta(days=9)
    popular = made_up(tmdb, lambda client: lists.most_popular(client, since, DAY, 100, 2, SERIES))
    few, total = made_up(tmdb, lambda client: lists.first_by_votes(client, since, DAY, 100, SERIES))
    assert (len(popular), len(few), total) == (40, 20, 60)
    assert {(path, query["sort_by"]) for path, query in tmdb.queries} == {
        ("/3/discover/tv", "popularity.desc"), ("/3/discover/tv", "vote_count.asc"),
    }  # fmt: skip


def test_an_imdb_id_leads_to_the_series() -> None:
    body = {"movie_results": [{"id": 550}], "tv_results": [{"id": 1399}], "tv_episode_results": [{"id": 63}]}

    async def use(client: TmdbClient) -> tuple[int | None, int | None]:
        return await lists.find_imdb(client, "tt1"), await lists.find_imdb(client, "tt1", SERIES)

    assert made_up(lambda _: httpx.Response(200, json=body), use) == (550, 1399)
