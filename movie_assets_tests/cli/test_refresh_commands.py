"""`movie-assets refresh`, `fetch` and `migrate`."""

import json
from datetime import UTC, date, datetime, timedelta

import psycopg
import pytest
from click.testing import Result

from movie_assets.emulator.moving_series import MovingSeries
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.emulator.world import HasSeries
from movie_assets.refresh import in_process
from movie_assets.refresh.refresh import REFRESH_LOCK
from movie_assets_tests.cli.commands import Call, Environment, expected_error

JOBS_WITHOUT_AN_EXPORT = ["read the day", "read the lists", "fetch details", "embed texts", "publish", "recommend"]


def test_a_refresh_as_json_has_its_outcome(refreshed: Result) -> None:
    assert refreshed.exit_code == 0
    outcome = json.loads(refreshed.stdout)
    assert outcome["date"] == datetime.now(UTC).date().isoformat()
    assert outcome["succeeded"] is True
    assert outcome["failed_jobs"] == outcome["problems"] == []
    assert outcome["failed_checks"] == ["metadata_is_complete"]  # one of five films has no poster
    assert outcome["seconds"] > 0
    assert outcome["figures"]["movie_vectors"]["vectors"] == 5
    assert outcome["figures"]["movie_ids"]["ids_candidate"] == 6


def test_a_refresh_reads_the_ratings_that_a_setting_names_and_no_others(call: Call, service: TmdbEmulator) -> None:
    result = call("refresh", "--json", MOVIE_ASSETS_IMDB_RATINGS=service.imdb_ratings_url)
    figures = json.loads(result.stdout)["figures"]
    assert figures["imdb_ratings"]["rows_out"] == 1
    assert "movielens_ratings" not in figures


def test_a_refresh_that_fails_in_part_ends_with_1_and_has_the_reason(call: Call, service: TmdbEmulator) -> None:
    service.faults = {"401": 1.0}
    try:
        result = call("refresh", "--json")
    finally:
        service.faults = {}
    assert result.exit_code == 1
    outcome = json.loads(result.stdout)
    assert outcome["succeeded"] is False
    assert outcome["failed_jobs"] == ["read_the_day"]
    assert "check TMDB_API_TOKEN" in outcome["problems"][0]


def test_a_refresh_for_people_names_what_failed(call: Call, service: TmdbEmulator) -> None:
    service.faults = {"401": 1.0}
    try:
        result = call("refresh")
    finally:
        service.faults = {}
    assert result.exit_code == 1
    assert "failed tmdb_changes: TMDB refused the credential" in result.stdout
    assert "6 of 6 checks passed" in result.stdout


def test_a_refresh_without_an_export_does_the_rest_of_the_day(call: Call) -> None:
    result = call("refresh", "--json", TMDB_EXPORT_URL="http://127.0.0.1:1/p/exports")
    assert result.exit_code == 1
    outcome = json.loads(result.stdout)
    assert outcome["failed_jobs"] == ["read_the_day"]
    assert "stay in use" in outcome["problems"][0]
    jobs = [line for line in result.stderr.splitlines() if line in JOBS_WITHOUT_AN_EXPORT]
    assert jobs == JOBS_WITHOUT_AN_EXPORT


def test_a_second_refresh_at_the_same_time_is_refused(call: Call, environment: Environment) -> None:
    with psycopg.connect(str(environment["MOVIE_ASSETS_DATABASE_URL"]), autocommit=True) as other:
        other.execute("select pg_advisory_lock(%s)", [REFRESH_LOCK])
        sentence = expected_error(call("refresh"))
    assert sentence == "Error: another refresh is working on this catalogue; wait for it or stop it"


@pytest.mark.parametrize("day", [date(2024, 12, 31), datetime.now(UTC).date() + timedelta(days=2)])
def test_a_day_outside_the_catalogue_is_refused(call: Call, day: date) -> None:
    assert f"{day} is no day of the catalogue" in expected_error(call("refresh", "--date", str(day)))


def test_a_date_in_another_form_is_a_usage_error(call: Call) -> None:
    assert call("refresh", "--date", "yesterday").exit_code == 2


def test_an_embedder_without_a_key_is_reported_in_one_sentence(call: Call) -> None:
    result = call("refresh", MOVIE_ASSETS_EMBEDDER="openai")
    assert result.exit_code == 1
    assert "OPENAI_API_KEY is not set" in " ".join(result.output.split())


def test_migrate_changes_nothing_in_a_current_schema(call: Call) -> None:
    result = call("migrate")
    assert result.exit_code == 0
    assert result.stderr == "The catalogue and Dagster's records have the schema of this version.\n"


def test_fetch_prints_the_outcome_of_each_id(call: Call) -> None:
    result = call("fetch", "1", "6", "999", "--json")
    assert result.exit_code == 0, result.output
    assert [(a["tmdb_id"], a["state"], a["reason"]) for a in json.loads(result.stdout)] == [
        (1, "accepted", None), (6, "rejected", "vote_count"), (999, "gone", "not_found"),
    ]  # fmt: skip


def test_a_series_is_fetched_by_its_id_where_the_catalogue_has_series(
    call: Call, service: TmdbEmulator, environment: Environment, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(in_process, "_definitions", in_process._definitions.__wrapped__)  # those of other settings
    assert isinstance(service.world, HasSeries)
    assert isinstance(service.world.series, MovingSeries)
    every = service.world.series.all_series(service.today)
    series = next(each for each in every if each.seasons and not (each.adult or each.softcore))
    arguments = ("fetch", "--media", "series", "--keep", str(series.tmdb_id), "999")
    assert "MOVIE_ASSETS_MEDIA" in call(*arguments).stderr
    assert "has read no day of series" in expected_error(call(*arguments, MOVIE_ASSETS_MEDIA="movies series"))
    with psycopg.connect(str(environment["MOVIE_ASSETS_DATABASE_URL"]), autocommit=True) as other:
        other.execute(
            "insert into pipeline.title_ids_as_of (media_type, export_date, min_popularity) "
            "values ('series', current_date, 1)"
        )
    result = call(*arguments, "--json", MOVIE_ASSETS_MEDIA="movies series")
    assert result.exit_code == 0, result.output
    outcomes = {each["tmdb_id"]: each for each in json.loads(result.stdout)}
    assert {i: (each["state"], each["title"], each["media_type"]) for i, each in outcomes.items()} == {
        series.tmdb_id: ("accepted", series.name, "series"), 999: ("gone", None, "series"),
    }  # fmt: skip


def test_a_film_can_be_kept_whatever_its_votes(call: Call) -> None:
    result = call("fetch", "6", "--keep")
    assert result.exit_code == 0, result.output
    assert "6  accepted  Film 6 (2020)" in result.stdout
    assert 6 in {found["tmdb_id"] for found in json.loads(call("similar", "1", "--json").stdout)}


@pytest.mark.parametrize("wrong", ["0", "-1", "tt0133093", str(2**60)])
def test_a_wrong_id_cannot_be_fetched(call: Call, wrong: str) -> None:
    assert call("fetch", "--", wrong).exit_code == 2
