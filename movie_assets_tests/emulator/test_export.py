import gzip
import json
import re
from datetime import date, timedelta

import httpx
import pytest

from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.emulator.conftest import TODAY, get

LINE = re.compile(
    r'\{"adult":(true|false),"id":\d+,"original_title":".*","popularity":[0-9.]+,"video":(true|false)'
    r',"softcore":(true|false)\}'
)


def export(tmdb_emulator: TmdbEmulator, day: date) -> httpx.Response:
    return get(f"{tmdb_emulator.export_url}/movie_ids_{day:%m_%d_%Y}.json.gz")


def lines_of(response: httpx.Response) -> list[bytes]:
    return gzip.decompress(response.content).splitlines()


def test_the_export_is_gzipped_json_lines_in_tmdbs_form_ascending_by_id(tmdb_emulator: TmdbEmulator) -> None:
    response = export(tmdb_emulator, TODAY)
    assert response.status_code == 200
    assert response.headers["Content-Type"] == "application/gzip"
    lines = lines_of(response)
    assert len(lines) == 600
    assert all(LINE.fullmatch(line.decode()) for line in lines)
    ids = [json.loads(line)["id"] for line in lines]
    assert ids == sorted(set(ids))


def test_the_export_of_a_day_is_the_same_to_the_byte_every_time(tmdb_emulator: TmdbEmulator) -> None:
    assert export(tmdb_emulator, TODAY).content == export(tmdb_emulator, TODAY).content


@pytest.mark.parametrize("day", [TODAY + timedelta(days=1), TODAY - timedelta(days=93)])
def test_a_day_to_come_or_long_past_is_denied(tmdb_emulator: TmdbEmulator, day: date) -> None:
    response = export(tmdb_emulator, day)
    assert response.status_code == 403
    assert b"<Code>AccessDenied</Code>" in response.content


def test_another_file_name_is_denied(tmdb_emulator: TmdbEmulator) -> None:
    assert get(f"{tmdb_emulator.export_url}/person_ids_11_20_2026.json.gz").status_code == 403


def test_yesterdays_export_differs_by_the_films_that_came_and_went(tmdb_emulator: TmdbEmulator) -> None:
    today = {json.loads(line)["id"] for line in lines_of(export(tmdb_emulator, TODAY))}
    yesterday = {json.loads(line)["id"] for line in lines_of(export(tmdb_emulator, TODAY - timedelta(days=1)))}
    feed = tmdb_emulator.world.changes(TODAY)
    assert yesterday - today == {change.tmdb_id for change in feed if change.adult is None}
    assert today - yesterday <= {change.tmdb_id for change in feed if change.adult is not None}


def test_the_export_says_of_a_film_what_its_details_say(tmdb_emulator: TmdbEmulator) -> None:
    for line in lines_of(export(tmdb_emulator, TODAY)):
        row = json.loads(line)
        detail = tmdb_emulator.world.detail(row["id"], TODAY)
        assert detail is not None
        assert row == {key: detail[key] for key in row}


def test_a_missing_export_answers_403(tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"export_missing": 1.0}
    assert export(tmdb_emulator, TODAY).status_code == 403


def test_half_an_export_is_whole_gzip_of_half_the_lines(tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"export_half": 1.0}
    assert len(lines_of(export(tmdb_emulator, TODAY))) == 300


def test_a_truncated_export_ends_before_gzip_does(tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"export_truncated": 1.0}
    with pytest.raises(EOFError):
        gzip.decompress(export(tmdb_emulator, TODAY).content)


def test_corrupt_lines_are_one_in_two_hundred(tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"export_corrupt_lines": 1.0}
    broken = 0
    for line in lines_of(export(tmdb_emulator, TODAY)):
        try:
            json.loads(line)
        except ValueError:
            broken += 1
    assert broken == 3


def test_a_captive_portal_gives_html_for_the_export(tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"export_html": 1.0}
    response = export(tmdb_emulator, TODAY)
    assert response.status_code == 200
    assert response.content.startswith(b"<!DOCTYPE html>")
