"""`movie-assets health`, `status`, `cost` and `sets`."""

import json
import os
import re
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import pytest

from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.cli.commands import PASSWORD, Call, Environment, clean_environment, expected_error, invoke


def test_the_exit_code_of_health_is_for_a_monitor(call: Call, service: TmdbEmulator) -> None:
    result = call("health", "--json")
    report = json.loads(result.stdout)
    assert result.exit_code == report["exit_code"] == 1  # a film has no poster
    assert [each["name"] for each in report["findings"] if each["severity"] == "warn"] == ["missing posters"]
    service.faults = {"401": 1.0}
    try:
        result = call("health")
    finally:
        service.faults = {}
    assert result.exit_code == 2
    assert result.stdout.startswith("BROKEN  credential")
    assert "themoviedb.org" in result.stdout.splitlines()[1]


def test_health_reports_a_setting_that_cannot_be_read(environment: Environment) -> None:
    result = invoke({**environment, "MOVIE_ASSETS_TMDB_RATE": "fast"}, "health", "--json")
    assert result.exit_code == 2
    assert json.loads(result.stdout)["findings"][0]["name"] == "settings"


def test_health_starts_without_dagster() -> None:
    code = "import sys; import movie_assets.operations.health.report; sys.exit('dagster' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_status_as_json_has_the_keys_that_programs_use(call: Call) -> None:
    result = call("status", "--json")
    assert result.exit_code == 0
    status = json.loads(result.stdout)
    assert status["movies"] == status["vectors"] == 5
    assert (status["embedding_provider"], status["embedding_model"]) == ("local", "hashing-v2")
    assert status["dimensions"] == 64
    assert status["last_export_date"] == datetime.now(UTC).date().isoformat()
    assert status["source"].startswith("stand-in ")
    assert status["rejected"] == {"vote_count": 1, "popularity": 1}
    assert (status["due"], status["gone"], status["failed"], status["ids"]) == (0, 0, 0, 7)
    assert status["tokens_embedded"] > 0
    assert status["dollars"] == 0


def test_status_for_people_shows_the_funnel(call: Call) -> None:
    shown = call("status").stdout
    assert "votes ≥ 100" in shown
    assert re.search(r"source +TMDB emulator ", shown)
    assert "deleted at TMDB" in shown
    assert "gone" not in shown
    assert "database: postgresql+psycopg://" in shown


def test_status_says_which_steps_failed_until_they_succeed(call: Call, service: TmdbEmulator) -> None:
    """A refused token is in the table and among the JSON keys."""
    service.faults = {"401": 1.0}
    try:
        assert call("refresh").exit_code == 1
    finally:
        service.faults = {}
    (problem, *_) = json.loads(call("status", "--json").stdout)["problems"]
    assert "TMDB_API_TOKEN" in problem["reason"]
    shown = " ".join(call("status").stdout.split())
    assert f"failed the last run of {problem['step']} (" in shown
    assert "TMDB_API_TOKEN" in shown
    assert call("refresh").exit_code == 0
    assert json.loads(call("status", "--json").stdout)["problems"] == []


def test_status_never_shows_the_password(call: Call, environment: Environment) -> None:
    address = str(environment["MOVIE_ASSETS_DATABASE_URL"]).replace("postgres@", f"postgres:{PASSWORD}@")
    result = call("status", MOVIE_ASSETS_DATABASE_URL=address)
    assert result.exit_code == 0
    assert PASSWORD not in result.output


def test_a_fresh_home_has_an_empty_catalogue_and_its_server_is_stopped_again(tmp_path: Path) -> None:
    variables = {name: value for name, value in (os.environ | clean_environment()).items() if value is not None}
    done = subprocess.run(
        [sys.executable, "-c", "from movie_assets.cli.main import main; main()", "status", "--json"],
        env=variables | {"MOVIE_ASSETS_HOME": str(tmp_path)}, capture_output=True, text=True, check=True, timeout=300,
    )  # fmt: skip
    status = json.loads(done.stdout)
    assert (status["movies"], status["vectors"], status["last_export_date"]) == (0, 0, None)
    assert not (tmp_path / "postgres" / "postmaster.pid").exists()


def test_cost_is_estimated_for_due_texts_and_for_all(call: Call) -> None:
    due = json.loads(call("cost", "--json").stdout)
    assert (due["scope"], due["films"], due["tokens"]) == ("due", 0, 0)
    forecast = json.loads(call("cost", "--all", "--json").stdout)
    assert (forecast["scope"], forecast["films"], forecast["texts"]) == ("all", 5, 5)
    prices = {model["model"]: model["dollars"] for model in forecast["models"]}
    assert prices["hashing-v2"] == 0
    assert prices["text-embedding-3-large"] == pytest.approx(forecast["tokens"] * 0.13 / 1e6)
    assert "bytes a token" in forecast["tokens_counted_by"]


def test_cost_asks_for_another_models_price_and_sends_nothing(call: Call, service: TmdbEmulator) -> None:
    openai = {"MOVIE_ASSETS_EMBEDDER": "openai", "OPENAI_API_KEY": "k", "OPENAI_BASE_URL": service.openai_url}
    before = dict(service.requests)
    shown = call("cost", MOVIE_ASSETS_EMBEDDING_MODEL="my-own", **openai).stdout
    assert "texts that are due now: 5 films" in shown
    assert "set MOVIE_ASSETS_DOLLARS_PER_MILLION_TOKENS" in shown
    forecast = call("cost", "--json", MOVIE_ASSETS_DOLLARS_PER_MILLION_TOKENS="1000000", **openai).stdout
    assert json.loads(forecast)["models"][0]["dollars"] == json.loads(forecast)["tokens"] > 100
    assert service.requests == before


def test_the_sets_are_listed_with_their_state(call: Call) -> None:
    (row,) = json.loads(call("sets", "--json").stdout)
    assert (row["state"], row["dimensions"], row["films_embedded"]) == ("active", 64, row["films"])
    assert "hashing-v2" in call("sets").stdout


def test_another_set_can_be_used_and_released_again(call: Call) -> None:
    assert "Searches use set 1" in call("sets", "use", "1").stdout
    held = call("sets", "use", "1", MOVIE_ASSETS_EMBEDDING_DIMENSIONS="128")
    assert "It is held" in held.stdout
    assert "active, held" in call("sets", "--json").stdout
    assert "held" not in call("sets", "use", "1").stdout


def test_an_unknown_set_is_reported_in_one_sentence(call: Call) -> None:
    assert "there is no set 77 that can be searched" in expected_error(call("sets", "use", "77"))
