import json
import os
import re
import signal
import uuid
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest
from click.testing import Result

from movie_assets.emulator.faults import FAULTS, Fault
from movie_assets.emulator.openai_errors import NO_QUOTA
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.cli.commands import Environment, clean_environment, expected_error, invoke
from movie_assets_tests.conftest import DAY, address_of

OPENAI = "openai:text-embedding-3-small=64"
STATE = """
    select (select count(*) from pipeline.embedding_sets), (select count(*) from pipeline.embeddings),
        (select count(*) from pipeline.embedding_costs where set_id is null),
        (select coalesce(sum(dollars), 0) from pipeline.embedding_costs where set_id is null),
        (select count(*) from pipeline.embedding_reservations)
"""


@pytest.fixture(scope="module")
def services() -> Iterator[TmdbEmulator]:
    with TmdbEmulator(EmulatorOptions(movies=120, today=DAY, rate_limit=0)) as running:
        yield running


@pytest.fixture(scope="module")
def catalogue(server: str, services: TmdbEmulator, tmp_path_factory: pytest.TempPathFactory) -> Environment:
    """Variables of a catalogue of the emulator's films, embedded locally."""
    environment = clean_environment(
        MOVIE_ASSETS_DATABASE_URL=address_of(server, f"compare_{uuid.uuid4().hex[:8]}"),
        MOVIE_ASSETS_HOME=str(tmp_path_factory.mktemp("compare")), MOVIE_ASSETS_TMDB_RATE="0",
        MOVIE_ASSETS_EMBEDDING_DIMENSIONS="64", TMDB_API_URL=services.tmdb_url, TMDB_EXPORT_URL=services.export_url,
        TMDB_API_TOKEN="a-token",
    )  # fmt: skip
    refreshed = invoke(environment, "refresh", "--date", DAY.isoformat())
    assert refreshed.exit_code == 0, refreshed.output
    return environment


@pytest.fixture
def compare(catalogue: Environment, services: TmdbEmulator) -> Any:
    """Call the command with a key for the emulator, unless other variables are given."""

    def run(*arguments: str, **variables: str | None) -> Result:
        key: Environment = {"OPENAI_API_KEY": "a-key", "OPENAI_BASE_URL": services.openai_url}
        return invoke({**catalogue, **key, **variables}, "compare-models", *arguments)

    return run


def state_of(catalogue: Environment) -> Any:
    with psycopg.connect(str(catalogue["MOVIE_ASSETS_DATABASE_URL"])) as connection:
        return connection.execute(STATE).fetchone()


def test_models_are_measured_and_no_vector_is_kept(compare: Any, catalogue: Environment) -> None:
    before = state_of(catalogue)
    result = compare(OPENAI, "local=256", "--yes", "--json")
    assert result.exit_code == 0, result.output
    paid, local = json.loads(result.stdout)
    assert local["model"] == "local:hashing-v2=256"
    for row in (paid, local):
        assert row["problem"] is None
        assert 0 < row["plot_mrr"] <= 1
        assert 0 < row["franchise_ndcg_at_10"] <= 1
        assert row["index_recall_at_10"] > 0.9
        assert row["tokens"] > 0
        assert row["catalogue_minutes"] > 0
    assert local["dollars"] == local["catalogue_dollars"] == 0
    assert paid["dollars"] == pytest.approx(paid["tokens"] * 0.02 / 1e6)
    assert paid["catalogue_dollars"] > 0
    sets, vectors, costs, dollars, reservations = state_of(catalogue)
    assert (sets, vectors, reservations) == (before[0], before[1], before[4])
    assert costs > before[2]
    assert float(dollars - before[3]) == pytest.approx(paid["dollars"], abs=1e-5)


def test_it_says_what_it_costs_and_asks_before_anything_is_sent(compare: Any, services: TmdbEmulator) -> None:
    sent = services.embedded_inputs
    result = compare(OPENAI)
    assert result.exit_code == 1
    assert f"{OPENAI}: about " in result.stderr
    assert "Go on?" in result.stderr
    assert services.embedded_inputs == sent


def test_nobody_is_asked_when_nothing_is_paid(compare: Any) -> None:
    result = compare("local", "local=32", "--films", "40", "--questions", "5")
    assert result.exit_code == 0, result.output
    assert "Go on?" not in result.stderr
    assert "40 of the catalogue's " in result.stderr
    assert "hashing-v2=32" in result.stdout
    assert "movie-assets sets" in result.stdout


def test_a_model_without_a_key_is_reported_and_the_others_are_measured(compare: Any) -> None:
    result = compare(OPENAI, "local=64", "--json", OPENAI_API_KEY=None, OPENAI_BASE_URL=None)
    assert result.exit_code == 0, result.output
    without_key, local = json.loads(result.stdout)
    assert "OPENAI_API_KEY is not set" in without_key["problem"]
    assert local["plot_mrr"] > 0


def test_a_comparison_of_models_that_all_fail_fails(compare: Any) -> None:
    result = compare(OPENAI, OPENAI_API_KEY=None, OPENAI_BASE_URL=None)
    assert result.exit_code == 1
    assert "OPENAI_API_KEY is not set" in result.stdout


def test_a_budget_that_is_too_small_is_said_before_anything_is_sent(compare: Any, services: TmdbEmulator) -> None:
    sent = services.embedded_inputs
    result = compare(OPENAI, "--yes", MOVIE_ASSETS_RUN_DOLLARS="0.00001")
    assert "MOVIE_ASSETS_RUN_DOLLARS has $0.0000 left" in expected_error(result)
    assert services.embedded_inputs == sent


def test_a_budget_is_never_exceeded(compare: Any, catalogue: Environment) -> None:
    before = state_of(catalogue)
    price = {"MOVIE_ASSETS_DOLLARS_PER_MILLION_TOKENS": "20"}
    asked = compare("openai:own=64", **price).stderr
    tokens = int(asked.split("openai:own=64: about ")[1].split(" tokens")[0].replace(",", ""))
    budget = 1.0001 * tokens * 20 / 1e6  # what is expected, which is a little less than what the emulator charges
    result = compare("openai:own=64", "--yes", "--json", MOVIE_ASSETS_RUN_DOLLARS=f"{budget:.6f}", **price)
    (row,) = json.loads(result.stdout)
    assert row["problem"].startswith("MOVIE_ASSETS_RUN_DOLLARS=")
    assert "is used up" in row["problem"]
    assert "kept" not in row["problem"]
    assert 0 < float(state_of(catalogue)[3] - before[3]) <= budget
    assert state_of(catalogue)[4] == before[4]


def test_a_price_in_the_settings_is_not_that_of_another_model_with_a_published_one(compare: Any) -> None:
    result = compare(
        OPENAI, "openai:own=64", "--yes", "--json", "--films", "20", MOVIE_ASSETS_DOLLARS_PER_MILLION_TOKENS="5",
        MOVIE_ASSETS_EMBEDDING_MODEL="own",
    )  # fmt: skip
    published, own = json.loads(result.stdout)
    assert published["dollars"] == pytest.approx(published["tokens"] * 0.02 / 1e6)
    assert own["dollars"] == pytest.approx(own["tokens"] * 5 / 1e6)


def test_a_provider_that_does_not_exist_is_a_usage_error(compare: Any) -> None:
    for name, sentence in (
        ("nobody:model", "there is no provider nobody; known are "),
        (":x", "names no model"),
    ):
        result = compare(name)
        assert result.exit_code == 2
        assert sentence in result.stderr


def test_an_empty_catalogue_has_nothing_to_compare_on(compare: Any, server: str) -> None:
    address = address_of(server, f"compare_{uuid.uuid4().hex[:8]}")
    assert "the catalogue is empty" in expected_error(compare("local", MOVIE_ASSETS_DATABASE_URL=address))


def test_a_model_that_fails_in_the_middle_is_reported_with_its_cost_and_the_next_one_is_measured(
    compare: Any, catalogue: Environment, services: TmdbEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The account's quota ends after two requests."""
    before, sent = state_of(catalogue), []

    def used_up(value: Any, _: Any) -> Any:
        sent.append(value)
        return NO_QUOTA if len(sent) > 2 else value

    monkeypatch.setitem(FAULTS, "quota_ends", Fault("embeddings", used_up, "the quota ends"))
    monkeypatch.setattr(services.service, "faults", {"quota_ends": 1.0})
    result = compare(OPENAI, "local=64", "--yes", "--json", MOVIE_ASSETS_EMBEDDING_TEXTS_PER_REQUEST="20")
    assert result.exit_code == 0, result.output
    failed, local = json.loads(result.stdout)
    assert "the account's quota is used up" in failed["problem"]
    assert "You exceeded your current quota" in failed["problem"]
    # Requests in flight are answered in any order, so the refusal may be read before the second good answer.
    assert re.search(r"\(after [24]0 of ", failed["problem"]), failed["problem"]
    assert failed["dollars"] == pytest.approx(float(state_of(catalogue)[3] - before[3]), abs=1e-5)
    assert failed["dollars"] > 0
    assert local["plot_mrr"] > 0
    assert state_of(catalogue)[4] == before[4]


def test_a_wrong_key_is_said_in_the_service_s_own_sentence(compare: Any, services: TmdbEmulator) -> None:
    services.faults = {"oa_401": 1.0}
    try:
        result = compare(OPENAI, "--yes")
    finally:
        services.faults = {}
    assert result.exit_code == 1
    words = " ".join(result.stdout.split())
    assert "refused the key" in words
    assert "Incorrect API key provided" in words
    assert "OPENAI_API_KEY" in words
    assert "The comparison cost" not in words


def test_a_sample_that_is_larger_than_the_catalogue_is_the_catalogue(compare: Any) -> None:
    result = compare("local=64", "--films", "20000", "--questions", "2000")
    assert result.exit_code == 0, result.output
    films, all_films = re.findall(r"(\d+) of the catalogue's (\d+) films", result.stderr)[0]
    assert films == all_films


# A request is in flight when the command ends; its socket is the process's, which Ctrl-C ends outside of tests.
@pytest.mark.filterwarnings("ignore:.*socket.socket:pytest.PytestUnraisableExceptionWarning")
def test_ctrl_c_prints_what_was_measured(
    compare: Any, catalogue: Environment, services: TmdbEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, sent = state_of(catalogue), []

    def interrupted(value: Any, _: Any) -> Any:
        sent.append(value)
        if len(sent) == 2:
            os.kill(os.getpid(), signal.SIGINT)
        return value

    monkeypatch.setitem(FAULTS, "ctrl_c", Fault("embeddings", interrupted, "somebody presses Ctrl-C"))
    monkeypatch.setattr(services.service, "faults", {"ctrl_c": 1.0})
    result = compare("local=64", OPENAI, "--yes", "--json", MOVIE_ASSETS_EMBEDDING_TEXTS_PER_REQUEST="20")
    assert result.exit_code == 130
    local, paid = json.loads(result.stdout)
    assert local["plot_mrr"] > 0
    assert paid["problem"].startswith("interrupted (after ")
    assert 0 < paid["dollars"] == pytest.approx(float(state_of(catalogue)[3] - before[3]), abs=1e-5)
