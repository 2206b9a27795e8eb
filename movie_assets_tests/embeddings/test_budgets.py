"""What a run may spend, told before its first request and kept to, also when runs die or share a day."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from movie_assets.config.prices import Budgets, Price
from movie_assets.embeddings.embedder import Embedder
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets.embeddings.sets import embedding_set
from movie_assets.embeddings.spending import DatabaseBudget
from movie_assets_tests.conftest import failed_checks, figures
from movie_assets_tests.embeddings.test_movie_embeddings import ALL_BATCHES, CURRENT, message_of
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline

Make = Callable[..., SmallPipeline]
BUDGET = "the_run_is_within_its_budgets"
DOLLARS_PER_TOKEN = 1.0  # so that figures are easy to read


def priced(pipeline: SmallPipeline, per_million: float | None = DOLLARS_PER_TOKEN * 1e6) -> Embedder:
    url = pipeline.serving.openai_url
    return OpenAiEmbedder("text-embedding-3-small", 64, SecretStr("a-key"), url, price=Price(per_million))


def with_films(make: Make, films: int = 100, **settings: Any) -> SmallPipeline:
    """A pipeline with films of about 7 tokens (at most 28) each, at a dollar a token."""
    pipeline = make()
    put_films(pipeline.database, 1, films)
    pipeline.embedder = priced(pipeline)
    pipeline.with_settings(**settings)
    return pipeline


def spent(pipeline: SmallPipeline) -> float:
    return float(pipeline.one("select coalesce(sum(dollars), 0) from pipeline.embedding_costs"))


def embed(pipeline: SmallPipeline) -> Any:
    return pipeline.run("embed_texts", batches=ALL_BATCHES)


def test_a_run_within_its_budgets_is_told_and_done(small: Make) -> None:
    pipeline = with_films(small, run_dollars=5000, daily_dollars=6000)
    result = embed(pipeline)
    assert result.success
    told = figures(result, BUDGET)
    assert (told["films"], told["texts"]) == (100, 100)
    assert told["dollars"] == pytest.approx(told["tokens"])
    assert told["tokens"] == pytest.approx(figures(result, CURRENT)["tokens"], rel=0.2)
    assert (told["MOVIE_ASSETS_RUN_DOLLARS_left"], told["MOVIE_ASSETS_DAILY_DOLLARS_left"]) == (5000, 6000)
    assert "text-embedding-3-large" in [row["model"] for row in told["by_model"]]
    assert pipeline.one("select count(*) from pipeline.embedding_reservations") == 0


def test_the_forecast_comes_before_the_first_request(small: Make) -> None:
    pipeline = with_films(small)
    events = [event.event_type_value for event in embed(pipeline).all_events]
    first = events.index("ASSET_CHECK_EVALUATION")
    assert first < events.index("ASSET_MATERIALIZATION")


@pytest.mark.parametrize(
    ("budget", "field"), [("MOVIE_ASSETS_RUN_DOLLARS", "run_dollars"), ("MOVIE_ASSETS_DAILY_DOLLARS", "daily_dollars")]
)
def test_a_run_spends_up_to_its_budget_and_keeps_what_it_has(small: Make, budget: str, field: str) -> None:
    pipeline = with_films(small, **{field: 300})
    result = embed(pipeline)
    assert not result.success
    assert f"{budget}=300 is used up" in message_of(result)
    assert "everything embedded so far is kept" in message_of(result)
    assert BUDGET in failed_checks(result)
    assert 300 - 30 < spent(pipeline) <= 300
    kept = pipeline.one("select count(*) from pipeline.embeddings")
    assert 20 < kept < 60
    assert len(pipeline.instance.get_materialized_partitions(result.get_asset_check_evaluations()[0].asset_key)) > 5


def test_the_next_run_goes_on_where_the_budget_ended_the_one_before(small: Make) -> None:
    pipeline = with_films(small, run_dollars=500)
    while not embed(pipeline).success:
        assert spent(pipeline) < 2000
    assert pipeline.serving.embedded_inputs == pipeline.one("select count(*) from pipeline.embeddings") == 100


def test_a_day_is_that_of_the_runs_moment(small: Make) -> None:
    pipeline = with_films(small, daily_dollars=300)
    embed(pipeline)
    before = spent(pipeline)
    assert "is used up" in message_of(embed(pipeline))
    assert spent(pipeline) == before
    pipeline.turn_day()
    embed(pipeline)
    assert before + 200 < spent(pipeline) <= 600


def test_a_budget_needs_a_price(small: Make) -> None:
    pipeline = with_films(small, run_dollars=1)
    pipeline.embedder = priced(pipeline, None)
    assert "set MOVIE_ASSETS_DOLLARS_PER_MILLION_TOKENS" in message_of(embed(pipeline))
    assert "embeddings" not in pipeline.serving.requests


def test_without_budgets_no_price_is_needed(small: Make) -> None:
    pipeline = with_films(small)
    pipeline.embedder = priced(pipeline, None)
    assert embed(pipeline).success


def test_what_a_killed_run_had_in_flight_counts_for_its_day_only(small: Make) -> None:
    pipeline = with_films(small, daily_dollars=5000)
    set_id = embedding_set(pipeline.database, pipeline.embedder)
    pipeline.do(
        "insert into pipeline.embedding_reservations (set_id, run_id, tokens, dollars, reserved_at) "
        f"values ({set_id}, 'killed', 1, 5000, '{pipeline.day} 01:00+00')"
    )
    assert "$5000.0000 in flight" in message_of(embed(pipeline))
    pipeline.turn_day()
    assert embed(pipeline).success


def test_two_runs_share_a_day(small: Make) -> None:
    pipeline = with_films(small)
    set_id = embedding_set(pipeline.database, pipeline.embedder)
    as_of, budgets = pipeline.one("select now()"), Budgets(run_dollars=8, daily_dollars=10)
    one, other = (DatabaseBudget(pipeline.database, set_id, run, as_of, budgets) for run in ("one", "other"))
    reservation = one.reserve(1, 6)
    assert reservation is not None
    assert other.reserve(1, 6) is None
    assert other.reserve(1, 4) is not None
    one.release(reservation)
    assert other.reserve(1, 5) is None  # 9 of its own 8
    assert one.reserve(1, 6) is not None


def test_spending_is_told_by_day_and_set(small: Make) -> None:
    pipeline = with_films(small)
    embed(pipeline)
    with pipeline.database.transaction() as connection:
        (row,) = connection.exec_driver_sql("select * from pipeline.embedding_spending").all()
    assert (row.day, row.model, row.texts, row.runs) == (pipeline.day, "text-embedding-3-small", 100, 1)
    assert float(row.dollars) == row.tokens == spent(pipeline)


def test_a_forecast_learns_from_what_was_charged(small: Make) -> None:
    pipeline = with_films(small)
    embed(pipeline)
    put_films(pipeline.database, 101, 140)
    result = embed(pipeline)
    assert "as the service charged for 100 texts" in figures(result, BUDGET)["tokens_counted_by"]
    assert figures(result, BUDGET)["tokens"] == pytest.approx(figures(result, CURRENT)["tokens"], rel=0.05)


def test_a_second_run_without_changes_costs_nothing(small: Make) -> None:
    pipeline = with_films(small)
    embed(pipeline)
    asked = dict(pipeline.serving.requests["embeddings"])
    result = embed(pipeline)
    assert (figures(result, CURRENT)["tokens"], figures(result, BUDGET)["tokens"]) == (0, 0)
    assert pipeline.serving.requests["embeddings"] == asked
