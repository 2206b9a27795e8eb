"""Series as the emulator serves them, over HTTP."""

import gzip
import json
from collections.abc import Iterator
from datetime import timedelta
from itertools import pairwise
from typing import Any

import httpx
import pytest

from movie_assets.emulator.made_up_series import episode_ids
from movie_assets.emulator.moving_series import MovingSeries
from movie_assets.emulator.moving_world import MovingWorld
from movie_assets.emulator.oddities import NAMES, oddity_of
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.series import Episode, Series
from movie_assets.emulator.series_shapes import EMPTY_SERIES_PARTS, SERIES_ITEM_KEYS, STATUS_CODES, TV_GENRES
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.emulator.conftest import NO_TLS, TODAY, get

Json = dict[str, Any]
SERIES = 260  # so many that the changes of 14 days are more than a page
DETAIL_KEYS = {
    *("adult", "backdrop_path", "created_by", "episode_run_time", "first_air_date", "genres", "homepage", "id"),
    *("in_production", "languages", "last_air_date", "last_episode_to_air", "name", "next_episode_to_air", "networks"),
    *("number_of_episodes", "number_of_seasons", "origin_country", "original_language", "original_name", "overview"),
    *("popularity", "poster_path", "production_companies", "production_countries", "seasons", "softcore"),
    *("spoken_languages", "status", "tagline", "type", "vote_average", "vote_count"),
}
SEASON_KEYS = {"air_date", "episode_count", "id", "name", "overview", "poster_path", "season_number", "vote_average"}
EPISODE_KEYS = {
    *("air_date", "episode_number", "episode_type", "id", "name", "overview", "production_code", "runtime"),
    *("season_number", "show_id", "still_path", "vote_average", "vote_count"),
}


@pytest.fixture(scope="module")
def world() -> MovingSeries:
    return MovingSeries(SERIES, 1)


@pytest.fixture(scope="module")
def truth(world: MovingSeries) -> list[Series]:
    return list(world.all_series(TODAY))


@pytest.fixture(scope="module")
def running() -> Iterator[TmdbEmulator]:
    options = EmulatorOptions(movies=600, series=SERIES, rate_limit=0, today=TODAY, stall_seconds=5.0)
    with TmdbEmulator(options) as tmdb_emulator:
        yield tmdb_emulator


def all_pages(api: httpx.Client, path: str, **parameters: str) -> list[Json]:
    first = api.get(path, params=parameters).json()
    items = list(first["results"])
    for page in range(2, first["total_pages"] + 1):
        items += api.get(path, params={**parameters, "page": str(page)}).json()["results"]
    assert len(items) == first["total_results"]
    return items


def written(episode: Episode) -> tuple[object, ...]:
    day = episode.air_date.isoformat() if episode.air_date else None
    return (episode.episode_id, episode.season_number, episode.number, episode.name, episode.overview, day)


def read(episode: Json) -> tuple[object, ...]:
    keys = ("id", "season_number", "episode_number", "name", "overview", "air_date")
    return tuple(episode[key] for key in keys)


def test_details_have_every_key_of_tmdb(api: httpx.Client, truth: list[Series]) -> None:
    for series in truth[:40]:
        body = api.get(f"/tv/{series.tmdb_id}").json()
        assert set(body) == DETAIL_KEYS
        assert all(set(season) == SEASON_KEYS for season in body["seasons"])
        for key in ("last_episode_to_air", "next_episode_to_air"):
            assert body[key] is None or set(body[key]) == EPISODE_KEYS


def test_details_are_those_of_the_truth(api: httpx.Client, truth: list[Series]) -> None:
    for series in truth[::7]:
        body = api.get(f"/tv/{series.tmdb_id}").json()
        assert body["name"] == series.name
        assert body["status"] == series.status
        assert body["type"] == series.type
        assert body["number_of_episodes"] == sum(len(one.episodes) for one in series.seasons if one.number > 0)
        assert body["number_of_seasons"] == sum(1 for one in series.seasons if one.number > 0)
        assert [one["id"] for one in body["seasons"]] == [one.season_id for one in series.seasons]


def test_every_season_is_the_same_appended_alone_and_in_the_truth(api: httpx.Client, truth: list[Series]) -> None:
    for series in truth[::9]:
        for chunk in (series.seasons[start : start + 20] for start in range(0, len(series.seasons), 20)):
            names = [f"season/{season.number}" for season in chunk]
            body = api.get(f"/tv/{series.tmdb_id}", params={"append_to_response": ",".join(names)}).json()
            for season, name in zip(chunk, names, strict=True):
                assert body[name] == api.get(f"/tv/{series.tmdb_id}/{name}").json()
                assert [read(episode) for episode in body[name]["episodes"]] == [*map(written, season.episodes)]


def test_an_unknown_season_is_left_out_when_appended_and_404_alone(api: httpx.Client, truth: list[Series]) -> None:
    path = f"/tv/{truth[0].tmdb_id}"
    assert set(api.get(path, params={"append_to_response": "season/99,horoscope"}).json()) == DETAIL_KEYS
    assert api.get(f"{path}/season/99").status_code == 404


def test_twenty_entries_may_be_appended_and_twenty_one_may_not(api: httpx.Client, truth: list[Series]) -> None:
    path, names = f"/tv/{truth[0].tmdb_id}", [f"season/{number}" for number in range(19)] + ["credits", "keywords"]
    assert api.get(path, params={"append_to_response": ",".join(names[:20])}).status_code == 200
    response = api.get(path, params={"append_to_response": ",".join(names)})
    assert (response.status_code, response.json()["status_code"]) == (400, 27)


@pytest.mark.parametrize("part", sorted(EMPTY_SERIES_PARTS))
def test_each_part_can_be_appended_and_asked_for_alone(api: httpx.Client, truth: list[Series], part: str) -> None:
    path = f"/tv/{truth[3].tmdb_id}"
    appended = api.get(path, params={"append_to_response": part}).json()[part]
    assert set(appended) == set(EMPTY_SERIES_PARTS[part])
    assert api.get(f"{path}/{part}").json() == {"id": truth[3].tmdb_id, **appended}


def test_aggregate_credits_count_the_episodes_of_roles_and_credits_are_flat(
    api: httpx.Client, truth: list[Series]
) -> None:
    series = max(truth, key=lambda one: one.episode_count)
    both = {"append_to_response": "credits,aggregate_credits"}
    body = api.get(f"/tv/{series.tmdb_id}", params=both).json()
    everybody = body["aggregate_credits"]["cast"]
    for member in everybody:
        assert member["total_episode_count"] == sum(role["episode_count"] for role in member["roles"])
        assert 0 < member["total_episode_count"] <= series.episode_count
    assert [member["order"] for member in everybody] == list(range(len(everybody)))
    flat = {member["id"] for member in body["credits"]["cast"]}
    assert all(member["character"] for member in body["credits"]["cast"])
    assert flat < {member["id"] for member in everybody}
    assert all(job["episode_count"] for member in body["aggregate_credits"]["crew"] for job in member["jobs"])


def test_one_series_has_more_seasons_than_slots_and_another_thousands_of_episodes(truth: list[Series]) -> None:
    assert max(len(series.seasons) for series in truth) > 20
    talk_shows = [series for series in truth if series.type == "Talk Show"]
    assert max(series.episode_count for series in talk_shows) > 4000


def test_made_up_series_have_the_gaps_that_real_data_has(truth: list[Series]) -> None:
    assert {series.status for series in truth} == set(STATUS_CODES) - {"Pilot"}
    assert {series.type for series in truth} == {
        "Scripted", "Miniseries", "Reality", "Documentary", "Talk Show", "News",
    }  # fmt: skip
    assert 0.25 < sum(1 for series in truth if series.seasons and series.seasons[0].number == 0) / len(truth) < 0.62
    seasons = [season for series in truth for season in series.seasons]
    episodes = [episode for season in seasons for episode in season.episodes]
    shares = {
        "overview": (sum(not episode.overview for episode in episodes), 0.35, 0.55),
        "name": (sum(episode.name == f"Episode {episode.number}" for episode in episodes), 0.3, 0.48),
        "runtime": (sum(episode.runtime is None for episode in episodes), 0.15, 0.27),
        "date": (sum(episode.air_date is None for episode in episodes), 0.005, 0.06),
    }
    assert {name: low < count / len(episodes) < high for name, (count, low, high) in shares.items()} == dict.fromkeys(
        shares, True
    )
    numbers = [[episode.number for episode in season.episodes] for season in seasons]
    assert any(given != list(range(1, len(given) + 1)) for given in numbers)
    assert all(first < second for given in numbers for first, second in pairwise(given))
    assert any(season.air_date is None for season in seasons)
    assert any(series.first_air_date is None for series in truth)
    assert any(not series.networks for series in truth)
    assert any(len(series.networks) > 1 for series in truth)


def test_ids_are_those_of_films_too(api: httpx.Client, running: TmdbEmulator, truth: list[Series]) -> None:
    films = set(running.world.columns(TODAY).tmdb_id.tolist())
    shared = [series.tmdb_id for series in truth if series.tmdb_id in films]
    assert len(shared) > len(truth) / 2
    assert api.get(f"/movie/{shared[0]}").json()["title"] != api.get(f"/tv/{shared[0]}").json()["name"]


@pytest.mark.parametrize("unknown", ["999999999", "game-of-thrones", "-5", "5000000/season/x", "latest/nothing"])
def test_an_unknown_path_answers_404_code_34(api: httpx.Client, unknown: str) -> None:
    response = api.get(f"/tv/{unknown}")
    assert (response.status_code, response.json()["status_code"]) == (404, 34)


def test_discovery_lists_every_series_that_has_a_date_once(api: httpx.Client, truth: list[Series]) -> None:
    items = all_pages(api, "/discover/tv", include_adult="true")
    assert [item["id"] for item in items] == [
        series.tmdb_id
        for series in sorted(truth, key=lambda one: (-one.popularity, one.tmdb_id))
        if series.first_air_date
    ]
    assert set(items[0]) == {*SERIES_ITEM_KEYS, "genre_ids"}
    undated = all_pages(api, "/discover/tv", include_adult="true", include_null_first_air_dates="true")
    assert {item["id"] for item in undated} == {series.tmdb_id for series in truth}
    assert {item["first_air_date"] for item in undated} >= {""}


def test_discovery_filters_agree_with_the_truth(api: httpx.Client, truth: list[Series]) -> None:
    network = next(series.networks[0].network_id for series in truth if len(series.networks) > 1)
    cases: list[tuple[dict[str, str], set[int]]] = [
        (
            {"vote_count.gte": "20", "vote_average.gte": "6", "first_air_date.gte": "2015-01-01"},
            {
                series.tmdb_id
                for series in truth
                if series.vote_count >= 20
                and series.vote_average >= 6
                and series.first_air_date
                and series.first_air_date.year >= 2015
            },
        ),
        ({"with_status": "0|4"}, {one.tmdb_id for one in truth if one.status in {"Returning Series", "Canceled"}}),
        ({"with_type": "2|5"}, {one.tmdb_id for one in truth if one.type in {"Miniseries", "Talk Show"}}),
        ({"with_networks": str(network)}, {s.tmdb_id for s in truth if network in [n.network_id for n in s.networks]}),
        ({"with_original_language": "es|fr"}, {one.tmdb_id for one in truth if one.language in {"es", "fr"}}),
        ({"with_genres": "18"}, {one.tmdb_id for one in truth if "Drama" in one.genres}),
    ]
    dated = {one.tmdb_id for one in truth if one.first_air_date}
    for parameters, wanted in cases:
        listed = {item["id"] for item in all_pages(api, "/discover/tv", include_adult="true", **parameters)}
        assert listed == wanted & dated, parameters
        assert listed, parameters


def test_what_airs_is_listed_by_the_dates_of_episodes(api: httpx.Client, truth: list[Series]) -> None:
    def airing(days: int) -> set[int]:
        span = [TODAY + timedelta(days=offset) for offset in range(days)]
        return {
            series.tmdb_id
            for series in truth
            if not series.adult and any(one.air_date in span for season in series.seasons for one in season.episodes)
        }

    assert {item["id"] for item in all_pages(api, "/tv/airing_today")} == airing(1)
    assert {item["id"] for item in all_pages(api, "/tv/on_the_air")} == airing(7)
    window = {"air_date.gte": TODAY.isoformat(), "air_date.lte": (TODAY + timedelta(days=6)).isoformat()}
    assert {item["id"] for item in all_pages(api, "/discover/tv", **window)} == airing(7)
    assert airing(1)


@pytest.mark.parametrize("chart", ["popular", "top_rated", "airing_today", "on_the_air"])
def test_charts_of_series_have_no_dates(api: httpx.Client, chart: str) -> None:
    body = api.get(f"/tv/{chart}").json()
    assert set(body) == {"page", "results", "total_pages", "total_results"}
    assert body["results"]


@pytest.mark.parametrize("path", ["/discover/tv", "/tv/popular", "/tv/changes", "/trending/tv/day", "/search/tv"])
def test_page_501_is_refused_with_code_22(api: httpx.Client, path: str) -> None:
    response = api.get(path, params={"page": "501", "query": "a"})
    assert (response.status_code, response.json()["status_code"]) == (400, 22)


@pytest.mark.parametrize("parameter", ["sort_by", "air_date.gte", "with_networks"])
def test_a_parameter_that_cannot_be_read_is_refused(api: httpx.Client, parameter: str) -> None:
    assert api.get("/discover/tv", params={parameter: "soon"}).status_code == 422


@pytest.mark.parametrize("span", ["day", "week"])
def test_trending_items_say_that_they_are_series(api: httpx.Client, span: str) -> None:
    assert {item["media_type"] for item in api.get(f"/trending/tv/{span}").json()["results"]} == {"tv"}


def test_search_finds_a_series_by_a_part_of_its_name(api: httpx.Client, truth: list[Series]) -> None:
    series = truth[5]
    results = all_pages(api, "/search/tv", query=series.name[2:].upper())
    assert series.tmdb_id in {item["id"] for item in results}
    missing = api.get("/search/tv")
    assert (missing.status_code, missing.json()) == (422, {"errors": ["query must be provided"]})


def test_the_genre_list_is_that_of_series(api: httpx.Client) -> None:
    listed = {genre["name"]: genre["id"] for genre in api.get("/genre/tv/list").json()["genres"]}
    assert listed == TV_GENRES


def test_the_changes_are_listed_a_hundred_a_page(api: httpx.Client, world: MovingSeries) -> None:
    first = TODAY - timedelta(days=14)
    window = {"start_date": first.isoformat(), "end_date": TODAY.isoformat()}
    body = api.get("/tv/changes", params=window).json()
    assert len(body["results"]) == 100 < body["total_results"]
    items = all_pages(api, "/tv/changes", **window)
    latest = {
        change.tmdb_id: change.adult for offset in range(15) for change in world.changes(first + timedelta(days=offset))
    }
    assert {item["id"]: item["adult"] for item in items} == latest
    assert None in latest.values()
    wider = api.get("/tv/changes", params={**window, "start_date": "2026-11-05"})
    assert (wider.status_code, wider.json()["status_code"]) == (422, 20)


def test_a_deleted_series_answers_404(api: httpx.Client, world: MovingSeries) -> None:
    deleted = [change.tmdb_id for change in world.changes(TODAY) if change.adult is None]
    assert deleted
    assert all(api.get(f"/tv/{tmdb_id}").status_code == 404 for tmdb_id in deleted)


def test_edits_lead_from_a_series_to_its_seasons_and_episodes(api: httpx.Client, world: MovingSeries) -> None:
    day = TODAY.isoformat()
    window = {"start_date": day, "end_date": day}
    seen = 0
    for change in world.changes(TODAY):
        if change.adult is None:
            continue
        edits = {edit["key"]: edit["items"] for edit in get_edits(api, f"/tv/{change.tmdb_id}/changes", window)}
        for season in edits.get("season", []):
            path = f"/tv/season/{season['value']['season_id']}/changes"
            for edit in get_edits(api, path, window):
                for item in edit["items"] if edit["key"] == "episode" else ():
                    if item["action"] != "deleted":
                        seen += bool(get_edits(api, f"/tv/episode/{item['value']['episode_id']}/changes", window))
    assert seen


def get_edits(api: httpx.Client, path: str, window: dict[str, str]) -> list[Json]:
    response = api.get(path, params=window)
    assert response.status_code == 200
    changes: list[Json] = response.json()["changes"]
    return changes


def test_series_seasons_and_episodes_are_found_by_their_ids_elsewhere(api: httpx.Client, truth: list[Series]) -> None:
    series = next(one for one in truth if one.imdb_id and one.tvdb_id and one.last_episode)
    for source, external_id in (("imdb_id", series.imdb_id), ("tvdb_id", series.tvdb_id)):
        results = api.get(f"/find/{external_id}", params={"external_source": source}).json()
        assert [(item["id"], item["media_type"]) for item in results["tv_results"]] == [(series.tmdb_id, "tv")]
    season = next(one for one in series.seasons if one.number and one.episodes)
    path = f"/tv/{series.tmdb_id}/season/{season.number}"
    tvdb_id = api.get(path, params={"append_to_response": "external_ids"}).json()["external_ids"]["tvdb_id"]
    results = api.get(f"/find/{tvdb_id}", params={"external_source": "tvdb_id"}).json()
    assert season.season_id in {item["id"] for item in results["tv_season_results"]}
    episode = season.episodes[0]
    assert read(api.get(f"{path}/episode/{episode.number}").json()) == written(episode)
    for source, elsewhere in zip(("imdb_id", "tvdb_id"), episode_ids(episode.episode_id), strict=True):
        results = api.get(f"/find/{elsewhere}", params={"external_source": source}).json()
        assert (episode.episode_id, series.tmdb_id) in {
            (item["id"], item["show_id"]) for item in results["tv_episode_results"]
        }
    assert api.get("/find/tt0137523", params={"external_source": "imdb_id"}).json()["tv_results"] == []


def test_exports_have_the_lines_of_series_and_those_for_adults_apart(
    running: TmdbEmulator, truth: list[Series]
) -> None:
    for name, adult in (("tv_series_ids", False), ("adult_tv_series_ids", True)):
        response = get(f"{running.export_url}/{name}_{TODAY:%m_%d_%Y}.json.gz")
        rows = [json.loads(line) for line in gzip.decompress(response.content).splitlines()]
        assert rows == [
            {"id": series.tmdb_id, "original_name": series.original_name, "popularity": series.popularity}
            for series in truth
            if series.adult == adult
        ]
        assert rows
    assert get(f"{running.export_url}/tv_series_ids_01_01_2020.json.gz").status_code == 403


@pytest.mark.parametrize(
    ("fault", "status"), [("429s", 429), ("500", 500), ("503", 503), ("404", 404), ("502html", 502)]
)
def test_faults_strike_the_paths_of_series(
    api: httpx.Client, tmdb_emulator: TmdbEmulator, truth: list[Series], fault: str, status: int
) -> None:
    tmdb_emulator.faults = {fault: 1.0}
    for path in (f"/tv/{truth[0].tmdb_id}", f"/tv/{truth[0].tmdb_id}/season/1", "/tv/changes", "/discover/tv"):
        assert api.get(path).status_code == status


def test_broken_bodies_and_exports_of_series(
    api: httpx.Client, tmdb_emulator: TmdbEmulator, truth: list[Series]
) -> None:
    path = f"/tv/{truth[0].tmdb_id}"
    tmdb_emulator.faults = {"json_cut": 1.0}
    with pytest.raises(ValueError, match=r"Unterminated|Expecting"):
        api.get(path).json()
    tmdb_emulator.faults = {"fin_body": 1.0}
    with pytest.raises(httpx.RemoteProtocolError):
        api.get(path)
    tmdb_emulator.faults = {"timeout_body": 1.0}
    with pytest.raises(httpx.ReadTimeout):
        api.get(path, timeout=0.2)
    tmdb_emulator.faults = {"wrong_id": 1.0}
    assert api.get(path).json()["id"] == truth[0].tmdb_id + 1
    tmdb_emulator.faults = {"export_half": 1.0}
    export = get(f"{tmdb_emulator.export_url}/tv_series_ids_{TODAY:%m_%d_%Y}.json.gz")
    listed = sum(not series.adult for series in truth)
    assert abs(2 * len(gzip.decompress(export.content).splitlines()) - listed) <= 1


def test_each_oddity_strikes_series_under_their_own_keys(
    api: httpx.Client, tmdb_emulator: TmdbEmulator, truth: list[Series]
) -> None:
    tmdb_emulator.faults = {"odd": 1.0}
    bodies = {
        oddity_of(one.tmdb_id): api.get(f"/tv/{one.tmdb_id}?append_to_response=credits,keywords").json()
        for one in truth
    }
    assert set(bodies) == set(NAMES)
    assert all("title" not in body and "name" in body for body in bodies.values())
    assert "\0" in bodies["nul_in_title"]["name"]
    assert bodies["release_date_impossible"]["first_air_date"] == "2023-02-30"
    assert "keywords" in bodies["keywords_under_results"]["keywords"]
    assert bodies["runtime_negative"]["episode_run_time"] == -5


def test_a_world_without_series_refuses_their_paths_as_before() -> None:
    world = MovingWorld(5, 1)
    with TmdbEmulator(EmulatorOptions(rate_limit=0, today=TODAY), world=world) as films:
        headers = {"Authorization": "Bearer canary"}
        with httpx.Client(verify=NO_TLS, base_url=films.tmdb_url, headers=headers) as client:
            for path in ("/tv/1", "/tv/changes", "/discover/tv", "/tv/popular", "/search/tv", "/genre/tv/list"):
                assert (client.get(path).status_code, client.get(path).json()["status_code"]) == (404, 34)
        assert get(f"{films.export_url}/tv_series_ids_{TODAY:%m_%d_%Y}.json.gz").status_code == 403


def test_films_are_the_same_with_and_without_series() -> None:
    alone, beside = MovingWorld(600, 1), MovingWorld(600, 1, series=200)
    for tmdb_id in alone.columns(TODAY).tmdb_id.tolist()[::23]:
        assert alone.body(tmdb_id, TODAY, ("credits", "keywords")) == beside.body(
            tmdb_id, TODAY, ("credits", "keywords")
        )
    assert alone.changes(TODAY) == beside.changes(TODAY)
