from collections.abc import Callable, Iterable
from datetime import date, timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest

from movie_assets.emulator.server import TmdbEmulator
from movie_assets.emulator.shapes import GENRES, ITEM_KEYS
from movie_assets_tests.emulator.conftest import TODAY

Json = dict[str, Any]


def all_details(tmdb_emulator: TmdbEmulator) -> list[Json]:
    ids = tmdb_emulator.world.columns(TODAY).tmdb_id.tolist()
    return [detail for tmdb_id in ids if (detail := tmdb_emulator.world.detail(tmdb_id, TODAY))]


def all_pages(api: httpx.Client, path: str, **parameters: str) -> list[Json]:
    first = api.get(path, params=parameters).json()
    items = list(first["results"])
    for page in range(2, first["total_pages"] + 1):
        items += api.get(path, params={**parameters, "page": str(page)}).json()["results"]
    assert len(items) == first["total_results"]
    return items


def test_discovery_pages_hold_twenty_and_together_every_film_once(
    api: httpx.Client, tmdb_emulator: TmdbEmulator
) -> None:
    items = all_pages(api, "/discover/movie")
    assert len({item["id"] for item in items}) == len(items)
    assert {item["id"] for item in items} == {film["id"] for film in all_details(tmdb_emulator) if not film["adult"]}
    assert set(items[0]) == {*ITEM_KEYS, "genre_ids"}
    assert len(api.get("/discover/movie").json()["results"]) == 20


def test_discovery_filters_agree_with_the_details(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    results = all_pages(
        api,
        "/discover/movie",
        **{
            "vote_count.gte": "100",
            "vote_average.gte": "6",
            "with_runtime.gte": "80",
            "with_runtime.lte": "150",
            "primary_release_date.gte": "1990-01-01",
            "with_original_language": "en|fr",
            "include_adult": "true",
        },
    )
    wanted = {
        film["id"]
        for film in all_details(tmdb_emulator)
        if film["vote_count"] >= 100
        and film["vote_average"] >= 6
        and 80 <= film["runtime"] <= 150
        and film["release_date"] >= "1990-01-01"
        and film["original_language"] in {"en", "fr"}
    }
    assert {item["id"] for item in results} == wanted
    assert wanted


@pytest.mark.parametrize(("given", "together"), [("18,53", all), ("18|53", any)])
def test_genres_can_be_asked_for_together_or_as_alternatives(
    api: httpx.Client, tmdb_emulator: TmdbEmulator, given: str, together: Callable[[Iterable[bool]], bool]
) -> None:
    results = all_pages(api, "/discover/movie", with_genres=given, include_adult="true")
    wanted = {
        film["id"]
        for film in all_details(tmdb_emulator)
        if together(number in {genre["id"] for genre in film["genres"]} for number in (18, 53))
    }
    assert {item["id"] for item in results} == wanted


def test_a_year_names_the_films_released_in_it(api: httpx.Client) -> None:
    results = all_pages(api, "/discover/movie", primary_release_year="1999")
    assert results
    assert all(item["release_date"].startswith("1999-") for item in results)


@pytest.mark.parametrize("key", ["popularity", "vote_count", "vote_average"])
def test_discovery_sorts_both_ways(api: httpx.Client, key: str) -> None:
    down = [item[key] for item in all_pages(api, "/discover/movie", sort_by=f"{key}.desc")]
    up = [item[key] for item in all_pages(api, "/discover/movie", sort_by=f"{key}.asc")]
    assert down == sorted(down, reverse=True)
    assert up == sorted(up)


@pytest.mark.parametrize("page", ["0", "501", "one", "-1"])
def test_a_page_outside_1_to_500_is_refused_with_code_22(api: httpx.Client, page: str) -> None:
    response = api.get("/discover/movie", params={"page": page})
    assert (response.status_code, response.json()["status_code"]) == (400, 22)


def test_a_page_beyond_the_last_is_empty(api: httpx.Client) -> None:
    assert api.get("/movie/popular", params={"page": "400"}).json()["results"] == []


def test_a_parameter_that_cannot_be_read_is_refused(api: httpx.Client) -> None:
    response = api.get("/discover/movie", params={"primary_release_date.gte": "soon"})
    assert (response.status_code, response.json()["status_code"]) == (422, 5)


@pytest.mark.parametrize("chart", ["popular", "top_rated", "now_playing", "upcoming"])
def test_each_chart_has_tmdbs_frame(api: httpx.Client, chart: str) -> None:
    body = api.get(f"/movie/{chart}").json()
    assert {"page", "results", "total_pages", "total_results"} <= set(body)
    assert ("dates" in body) == (chart in {"now_playing", "upcoming"})


def test_upcoming_films_of_a_country_are_mostly_not_out_yet_and_those_of_the_world_mostly_are(
    api: httpx.Client,
) -> None:
    shares = {}
    for region in ("US", ""):
        dates = [item["release_date"] for item in every_title(api, "/movie/upcoming", region=region)]
        shares[region] = sum(released > TODAY.isoformat() for released in dates) / len(dates)
    assert shares["US"] > 0.5
    assert 0 < shares[""] < 0.1


def every_title(api: httpx.Client, path: str, **parameters: str) -> list[Json]:
    """Each title of a list once, in its order."""
    return list({item["id"]: item for item in all_pages(api, path, **parameters)}.values())


@pytest.mark.parametrize(
    ("path", "least", "most"),
    [("/trending/movie/day", 0.15, 0.45), ("/trending/movie/week", 0.1, 0.4), ("/movie/popular", 0.02, 0.25)],
)
def test_a_share_of_a_list_leaves_it_each_day_as_at_tmdb(
    api: httpx.Client, tmdb_emulator: TmdbEmulator, path: str, least: float, most: float
) -> None:
    days = []
    for offset in range(4):
        tmdb_emulator.today = TODAY + timedelta(days=offset)
        items = [item for page in "123" for item in api.get(path, params={"page": page}).json()["results"]]
        days.append({item["id"] for item in items})
        assert [item["popularity"] for item in items] != sorted((item["popularity"] for item in items), reverse=True)
    leavers = [len(before - after) / len(before) for before, after in pairwise(days)]
    assert least < sum(leavers) / len(leavers) < most


def test_pages_repeat_titles_and_miss_none(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    items = all_pages(api, "/movie/popular", region="gb")
    ids = tmdb_emulator.service.lists.chart("popular", TODAY, "GB").tolist()
    assert list(dict.fromkeys(item["id"] for item in items)) == ids
    assert len(items) > len(ids)
    assert ids != tmdb_emulator.service.lists.chart("popular", TODAY, "US").tolist()


@pytest.mark.parametrize("span", ["day", "week"])
def test_trending_items_say_that_they_are_movies(api: httpx.Client, span: str) -> None:
    items = api.get(f"/trending/movie/{span}").json()["results"]
    assert {item["media_type"] for item in items} == {"movie"}


def test_the_genre_list_is_tmdbs(api: httpx.Client) -> None:
    listed = {genre["name"]: genre["id"] for genre in api.get("/genre/movie/list").json()["genres"]}
    assert listed == GENRES


def test_search_finds_a_film_by_a_part_of_its_title(api: httpx.Client) -> None:
    results = api.get("/search/movie", params={"query": "fight CLUB"}).json()["results"]
    assert 550 in {item["id"] for item in results}


def test_the_changes_of_a_day_are_listed_a_hundred_a_page(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    window = {"start_date": "2026-11-07", "end_date": TODAY.isoformat()}
    first = api.get("/movie/changes", params=window).json()
    assert first["total_results"] > 100
    assert len(first["results"]) == 100
    items = all_pages(api, "/movie/changes", **window)
    days = [date(2026, 11, 7) + timedelta(days=offset) for offset in range(14)]
    expected = {change.tmdb_id for day in days for change in tmdb_emulator.world.changes(day)}
    assert {item["id"] for item in items} == expected
    assert all(set(item) == {"id", "adult"} for item in items)


def test_by_default_the_changes_are_those_of_the_last_24_hours(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    items = all_pages(api, "/movie/changes")
    days = (TODAY - timedelta(days=1), TODAY)
    assert {item["id"] for item in items} == {c.tmdb_id for day in days for c in tmdb_emulator.world.changes(day)}


def test_a_gone_id_has_adult_null_among_the_changes(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    day = TODAY.isoformat()
    items = all_pages(api, "/movie/changes", start_date=day, end_date=day)
    deleted = {change.tmdb_id for change in tmdb_emulator.world.changes(TODAY) if change.adult is None}
    assert {item["id"] for item in items if item["adult"] is None} == deleted


def test_a_window_of_more_than_14_days_is_refused_with_code_20(api: httpx.Client) -> None:
    response = api.get("/movie/changes", params={"start_date": "2026-11-01", "end_date": "2026-11-16"})
    assert (response.status_code, response.json()["status_code"]) == (422, 20)
