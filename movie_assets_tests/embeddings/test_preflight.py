"""The pre-flight of a paid run: what it tells, what it costs, and that a refused key ends the run with one sentence."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from click.testing import Result
from pydantic import SecretStr

from movie_assets.config.prices import Price
from movie_assets.embeddings import request_queue
from movie_assets.embeddings.budget_check import BUDGET
from movie_assets.embeddings.checks import CURRENT
from movie_assets.embeddings.cost_forecast import Amount, Forecast, History, forecast
from movie_assets.embeddings.embedder import ProbeResult
from movie_assets.embeddings.preflight import Preflight, is_worth_a_preflight
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets_tests.cli.commands import clean_environment, invoke
from movie_assets_tests.conftest import figures
from movie_assets_tests.embeddings.test_movie_embeddings import ALL_BATCHES, message_of, with_films
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline

Make = Callable[..., SmallPipeline]


def expected(texts: int, tokens: int, price: float | None = 0.02) -> Forecast:
    return forecast(Amount(texts, texts, 4 * tokens, tokens), "mine", Price(price), History(), "a counter", {})


def test_minutes_are_bounded_by_one_text_after_another_and_by_several_requests_at_once() -> None:
    shown = ProbeResult(texts=8, seconds=2.4)
    assert Preflight(expected(25_600, 3_000_000), shown).minutes == pytest.approx(
        (100 * 2.4 / 8 / 60, 25_600 * 0.3 / 60)
    )


def test_the_accounts_limits_bound_both() -> None:
    shown = ProbeResult(texts=8, seconds=0.1, tokens_per_minute=100_000, model="m")
    flight = Preflight(expected(2_000, 3_000_000), shown)
    assert flight.minutes == (29, 29)
    assert flight.message == (
        "pre-flight: 2,000 texts, about 3,000,000 tokens, $0.0600, about 29 min; "
        "the service answers as m, allows 100,000 tokens a minute"
    )


def test_what_is_not_known_is_not_told() -> None:
    flight = Preflight(expected(10, 100, None), busy="HTTP 503 overloaded")
    assert flight.minutes is None
    assert "an unknown price; the service makes no vectors now: HTTP 503 overloaded" in flight.message
    assert flight.metadata == {"busy": "HTTP 503 overloaded"}


def test_a_local_run_and_a_run_of_one_request_need_none() -> None:
    embedder = LocalEmbedder("hashing-v1", 64)
    assert not is_worth_a_preflight(embedder, 10_000)
    embedder.price = Price(0.02)
    assert not is_worth_a_preflight(embedder, 256)
    assert is_worth_a_preflight(embedder, 257)


def command(pipeline: SmallPipeline, *arguments: str, **environ: str) -> Result:
    values = {
        "MOVIE_ASSETS_DATABASE_URL": pipeline.database.url.render_as_string(hide_password=False),
        "OPENAI_API_KEY": "a-key", "OPENAI_BASE_URL": pipeline.serving.openai_url, **environ,
    }  # fmt: skip
    return invoke(clean_environment(**values), "embed", "--preflight", *arguments)


def told(result: Result) -> Any:
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_the_command_tells_what_a_run_will_cost_after_one_request(small: Make) -> None:
    pipeline = with_films(small, 64, 65, 66)
    shown = told(command(pipeline, "--json"))
    assert (shown["films"], shown["texts"], shown["answered_by"]) == (3, 3, "text-embedding-3-small")
    assert shown["models"][0]["dollars"] > 0
    assert 0 < shown["minutes_at_least"] <= shown["minutes_at_most"] < 1
    assert pipeline.serving.requests["embeddings"] == {200: 1}
    assert pipeline.one("select count(*) from pipeline.embeddings") == 0
    assert command(pipeline).stdout.startswith("pre-flight: 3 texts, about ")


def test_the_command_ends_with_the_services_sentence(small: Make) -> None:
    pipeline = with_films(small, 64)
    pipeline.serving.faults = {"oa_401": 1.0}
    refused = command(pipeline)
    assert (refused.exit_code, "Incorrect API key provided" in refused.stderr) == (1, True)
    assert pipeline.serving.requests["embeddings"] == {401: 1}


def test_it_takes_no_text(small: Make) -> None:
    assert "--preflight takes no text" in command(with_films(small, 64), "a", "text").stderr


# A run


def with_many(make: Make, films: int, price: float | None = 0.02, **settings: Any) -> SmallPipeline:
    pipeline = make()
    put_films(pipeline.database, 1, films)
    url = pipeline.serving.openai_url
    pipeline.embedder = OpenAiEmbedder("text-embedding-3-small", 64, SecretStr("a-key"), url, price=Price(price))
    pipeline.with_settings(**settings)
    return pipeline


def embed(pipeline: SmallPipeline) -> Any:
    return pipeline.run("embed_texts", batches=ALL_BATCHES)


def test_a_paid_run_tells_its_cost_after_one_request_that_is_charged(small: Make) -> None:
    pipeline = with_many(small, 300)
    result = embed(pipeline)
    assert result.success
    shown = figures(result, BUDGET)
    assert (shown["texts"], shown["answered_by"]) == (300, "text-embedding-3-small")
    assert 0 <= shown["minutes_at_least"] <= shown["minutes_at_most"] < 1
    assert pipeline.serving.embedded_inputs == 300 + 8
    assert pipeline.one("select sum(tokens) from pipeline.embedding_costs") == figures(result, CURRENT)["tokens"]
    assert pipeline.one("select count(*) from pipeline.embedding_reservations") == 0
    assert pipeline.one("select count(*) from pipeline.embeddings") == 300


@pytest.mark.parametrize(("films", "price"), [(300, 0.0), (256, 0.02)])
def test_a_free_run_and_one_of_a_single_request_have_none(small: Make, films: int, price: float) -> None:
    pipeline = with_many(small, films, price)
    assert "minutes_at_least" not in figures(embed(pipeline), BUDGET)
    assert pipeline.serving.embedded_inputs == films


def test_a_refused_key_ends_the_run_with_that_sentence_after_one_request(small: Make) -> None:
    pipeline = with_many(small, 300, run_dollars=5)
    pipeline.serving.faults = {"oa_401": 1.0}
    result = embed(pipeline)
    message = message_of(result)
    assert "Incorrect API key provided" in message
    assert "check OPENAI_API_KEY" in message
    assert pipeline.serving.requests["embeddings"] == {401: 1}
    assert pipeline.one("select count(*) from pipeline.embedding_reservations") == 0
    assert "Incorrect API key" in figures(result, BUDGET)["refusal"]


def test_a_service_that_is_busy_does_not_end_the_run(small: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_queue, "backoff", lambda *_: 0.01)
    pipeline = with_many(small, 300)
    pipeline.serving.faults = {"oa_500": 0.5}
    assert embed(pipeline).success
    assert pipeline.one("select count(*) from pipeline.embeddings") == 300


def test_a_budget_without_room_ends_the_run_with_its_own_sentence(small: Make) -> None:
    pipeline = with_many(small, 300, price=1e6, run_dollars=1)
    assert "MOVIE_ASSETS_RUN_DOLLARS=1 is used up" in message_of(embed(pipeline))
    assert pipeline.serving.embedded_inputs == 0
