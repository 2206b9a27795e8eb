import gzip
import json
from collections.abc import Iterator
from datetime import date
from pathlib import Path

import httpx
import pytest

from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.recorded_world import RecordedWorld
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.emulator.shapes import EMPTY_PARTS
from movie_assets_tests.emulator.conftest import NO_TLS, TODAY, get

FIRST = (
    '{"id": 7, "title": "Zwölf", "original_title": "Zw\\u00f6lf", "adult": false, "video": true,'
    ' "popularity": 3.25, "vote_count": 12, "vote_average": 6.5, "release_date": "2001-02-03",'
    ' "runtime": 93.0, "original_language": "de", "imdb_id": "tt0000007",'
    ' "genres": [{"id": 18, "name": "Drama"}],'
    ' "keywords": {"keywords": [{"id": 1, "name": "clock"}]}, "mood":   "blue"}'
)
ODD = '{"id":3,"title":"Half \\ud83d","softcore":true,"popularity":"high","genres":null,"release_date":"0000-00-00"}'
LINES = f'{FIRST}\n\n{ODD}\nno json\n[1, 2]\n{{"title": "no id"}}\n{FIRST.replace("Zw", "Second ")}\n'


@pytest.fixture(params=["films.jsonl", "films.jsonl.gz"])
def path(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    file = tmp_path / str(request.param)
    content = LINES.encode()
    file.write_bytes(gzip.compress(content) if file.suffix == ".gz" else content)
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


def test_a_recorded_body_is_served_to_the_byte(client: httpx.Client) -> None:
    assert client.get("/movie/7").content == FIRST.encode()
    assert client.get("/movie/7?append_to_response=keywords").content == FIRST.encode()
    assert client.get("/movie/3").content == ODD.encode()


def test_recorded_bodies_are_the_same_on_another_day(client: httpx.Client, recorded: TmdbEmulator) -> None:
    recorded.today = date(2027, 6, 1)
    assert client.get("/movie/7").content == FIRST.encode()


def test_parts_that_were_not_recorded_are_empty_in_tmdbs_shape(client: httpx.Client) -> None:
    parts = ",".join(EMPTY_PARTS)
    body = client.get("/movie/7", params={"append_to_response": parts}).json()
    recorded = json.loads(FIRST)
    assert body == {**EMPTY_PARTS, **recorded}


def test_lines_without_a_film_are_counted_and_told(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert RecordedWorld(path).skipped == 3
    assert "3 lines without a film skipped" in capsys.readouterr().err


def test_the_export_is_derived_from_the_records(recorded: TmdbEmulator) -> None:
    response = get(f"{recorded.export_url}/movie_ids_11_20_2026.json.gz")
    assert gzip.decompress(response.content).decode().splitlines() == [
        '{"adult":false,"id":3,"original_title":"Half ?","popularity":0.0,"video":false,"softcore":true}',
        '{"adult":false,"id":7,"original_title":"Zwölf","popularity":3.25,"video":true}',
    ]


def test_lists_are_derived_from_the_records(client: httpx.Client) -> None:
    results = client.get("/discover/movie", params={"vote_count.gte": "10", "with_genres": "18"}).json()
    assert [item["id"] for item in results["results"]] == [7]
    results = client.get("/movie/popular").json()
    assert sorted(item["id"] for item in results["results"]) == [3, 7]
    results = client.get("/find/tt0000007", params={"external_source": "imdb_id"}).json()
    assert [item["id"] for item in results["movie_results"]] == [7]
    results = client.get("/search/movie", params={"query": "zwölf"}).json()
    assert [item["id"] for item in results["results"]] == [7]


def test_nothing_ever_changes(client: httpx.Client) -> None:
    assert client.get("/movie/changes").json() == {
        "page": 1,
        "results": [],
        "total_pages": 1,
        "total_results": 0,
    }


def test_an_id_without_a_record_answers_404(client: httpx.Client) -> None:
    assert client.get("/movie/8").status_code == 404
