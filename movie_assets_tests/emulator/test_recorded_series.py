"""Recorded series, served beside recorded films."""

import gzip
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.recorded_world import RecordedWorld
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.emulator.conftest import NO_TLS, TODAY, get

Json = dict[str, Any]
EPISODE = {"id": 91, "name": "Eins", "air_date": "2026-11-20", "episode_number": 1, "season_number": 1, "show_id": 7}
SEASON = {"_id": "5f", "id": 70, "name": "Staffel\u20281", "season_number": 1, "episodes": [EPISODE]}
SERIES: Json = {
    "id": 7, "name": "Uhrwerk", "original_name": "Uhrwerk", "first_air_date": "2026-11-20", "popularity": 2.5,
    "vote_count": 4, "vote_average": 6.0, "status": "Returning Series", "type": "Scripted", "original_language": "de",
    "genres": [{"id": 18, "name": "Drama"}], "networks": [{"id": 5, "name": "Sender"}], "seasons": [], "mood": "blue",
}  # fmt: skip
FILM = {"id": 7, "title": "Uhr", "original_title": "Uhr", "release_date": "2001-02-03"}


def exchange(path: str, body: object, status: int = 200) -> Json:
    return {"source": "a/b", "method": "GET", "path": path, "params": {}, "status": status, "body": body, "kind": "x"}


LINES = [
    FILM,
    exchange("/3/tv/7", SERIES),
    exchange("/3/tv/7", {**SERIES, "name": "Later"}),
    exchange("/3/tv/7/season/1", SEASON),
    exchange("/3/tv/7/external_ids", {"id": 7, "imdb_id": "tt0000007", "tvdb_id": 77}),
    {"id": 9, "name": "Alone", "number_of_seasons": 1, "adult": True},
    exchange("/3/tv/999", {"status_code": 34}, 404),
    exchange("/3/tv/popular", {"results": []}),
    "no object",
]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    file = tmp_path / "recorded.jsonl.gz"
    file.write_bytes(gzip.compress("\n".join(json.dumps(line, ensure_ascii=False) for line in LINES).encode()))
    return file


@pytest.fixture
def recorded(path: Path) -> Iterator[TmdbEmulator]:
    with TmdbEmulator(EmulatorOptions(details=path, today=TODAY)) as tmdb_emulator:
        yield tmdb_emulator


@pytest.fixture
def client(recorded: TmdbEmulator) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer canary"}
    with httpx.Client(verify=NO_TLS, base_url=recorded.tmdb_url, headers=headers) as client:
        yield client


def test_a_recorded_series_is_served_as_recorded_beside_the_film_of_its_id(client: httpx.Client) -> None:
    assert client.get("/tv/7").json() == SERIES
    assert client.get("/movie/7").json() == FILM
    assert client.get("/tv/9").json() == LINES[5]
    assert client.get("/tv/999").status_code == 404


def test_sub_objects_and_seasons_of_other_records_are_appended(client: httpx.Client) -> None:
    parts = "season/1,season/2,external_ids,keywords"
    assert client.get("/tv/7", params={"append_to_response": parts}).json() == {
        **SERIES,
        "season/1": SEASON,
        "external_ids": {"imdb_id": "tt0000007", "tvdb_id": 77},
        "keywords": {"results": []},
    }
    assert client.get("/tv/7/season/1").json() == SEASON
    assert client.get("/tv/7/season/2").status_code == 404
    assert client.get("/tv/7/season/1/episode/1").json() == EPISODE


def test_lists_exports_and_ids_are_derived_from_the_records(client: httpx.Client, recorded: TmdbEmulator) -> None:
    assert [item["id"] for item in client.get("/discover/tv", params={"with_networks": "5"}).json()["results"]] == [7]
    assert [item["id"] for item in client.get("/tv/airing_today").json()["results"]] == [7]
    assert [item["id"] for item in client.get("/search/tv", params={"query": "uhrw"}).json()["results"]] == [7]
    found = client.get("/find/77", params={"external_source": "tvdb_id"}).json()
    assert [item["id"] for item in found["tv_results"]] == [7]
    assert client.get("/tv/changes").json()["results"] == []
    assert client.get("/tv/7/changes").json() == {"changes": []}
    export = get(f"{recorded.export_url}/tv_series_ids_{TODAY:%m_%d_%Y}.json.gz")
    assert gzip.decompress(export.content) == b'{"id":7,"original_name":"Uhrwerk","popularity":2.5}\n'


def test_lines_of_neither_a_film_nor_a_series_are_counted(path: Path) -> None:
    assert RecordedWorld(path).skipped == 3


def test_a_file_of_films_alone_has_no_series(tmp_path: Path) -> None:
    file = tmp_path / "films.jsonl"
    file.write_text(json.dumps(FILM), encoding="utf-8")
    assert RecordedWorld(file).series is None
