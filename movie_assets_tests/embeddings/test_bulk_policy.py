"""MOVIE_ASSETS_BULK_ABOVE_TEXTS: many waiting texts go through the Batch API by themselves, few at once."""

from collections.abc import Callable

import openai as openai_library
import pytest

from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.conftest import failed_checks, figures
from movie_assets_tests.embeddings.bulk import (
    FILMS,
    at_service,
    batches_take,
    embed,
    embedded,
    in_bulk,
    nothing_is_left,
)
from movie_assets_tests.embeddings.test_movie_embeddings import CURRENT, message_of
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline

Make = Callable[..., SmallPipeline]
BUDGET = "the_run_is_within_its_budgets"


@pytest.fixture
def pipeline(small: Make, service: TmdbEmulator) -> SmallPipeline:
    made = at_service(small(), service)
    made.with_settings(bulk_above_texts=10)
    return made


@pytest.mark.parametrize(("above", "is_bulk"), [(FILMS - 1, True), (FILMS, False), (0, False)])
def test_more_texts_than_the_setting_go_in_bulk(
    pipeline: SmallPipeline, service: TmdbEmulator, above: int, is_bulk: bool
) -> None:
    pipeline.with_settings(bulk_above_texts=above)
    result = embed(pipeline)
    assert result.success
    assert ("batches" in service.requests, "embeddings" in service.requests) == (is_bulk, not is_bulk)
    assert figures(result, CURRENT)["sent_in_bulk"] == (FILMS if is_bulk else 0)
    assert (embedded(pipeline), embed(pipeline).success, embedded(pipeline)) == (0 if is_bulk else FILMS, True, FILMS)
    price = 0.01 if is_bulk else 0.02
    dollars, tokens = (
        float(pipeline.one(f"select sum({each}) from pipeline.embedding_costs")) for each in ("dollars", "tokens")
    )
    assert dollars == pytest.approx(tokens * price / 1e6, abs=6e-7)  # stored in millionths
    assert service.embedded_inputs == FILMS
    assert nothing_is_left(pipeline)
    assert not service.service.bulk.files


def test_the_texts_of_the_whole_set_count_and_not_those_of_a_run(
    pipeline: SmallPipeline, service: TmdbEmulator
) -> None:
    assert pipeline.run("embed_texts", batches=("batch_01", "batch_05")).success
    assert service.requests["batches"] == {200: 1}
    assert pipeline.one("select texts from pipeline.embedding_batches") == 5
    assert "embeddings" not in service.requests


def test_few_texts_go_at_once_while_a_batch_is_in_flight(pipeline: SmallPipeline, service: TmdbEmulator) -> None:
    batches_take(service, 99)
    result = embed(pipeline)
    assert failed_checks(result) == {CURRENT}
    (batch,) = figures(result, CURRENT)["batches"]
    assert (batch["state"], batch["texts"], batch["done"]) == ("in_progress", FILMS, 0)
    put_films(pipeline.database, 101, 103)
    result = embed(pipeline)
    assert result.success
    assert (embedded(pipeline), service.embedded_inputs) == (3, 3)
    batches_take(service, 0)
    assert failed_checks(embed(pipeline)) == set()
    assert (embedded(pipeline), service.embedded_inputs) == (FILMS + 3, FILMS + 3)
    assert service.requests["batches"] == {200: 1}


@pytest.mark.parametrize("fault", ["oa_batch_expired", "oa_batch_cancelled"])
def test_what_a_batch_leaves_goes_into_the_next_while_it_is_more_than_the_setting(
    pipeline: SmallPipeline, service: TmdbEmulator, fault: str, capfd: pytest.CaptureFixture[str]
) -> None:
    service.faults = {fault: 1.0}
    embed(pipeline)  # 40 are sent
    result = embed(pipeline)  # 20 came, 20 are sent again
    assert result.success
    assert (embedded(pipeline), figures(result, CURRENT)["left_by_bulk"]) == (20, 20)
    assert (figures(result, CURRENT)["sent_in_bulk"], "embeddings" in service.requests) == (20, False)
    capfd.readouterr()
    result = embed(pipeline)  # 10 came, and 10 are no more than the setting
    assert result.success
    assert (figures(result, CURRENT)["left_at_full_price"], embedded(pipeline)) == (10, FILMS)
    assert "10 texts that batches left are embedded at once, at the full price" in capfd.readouterr().err
    assert service.embedded_inputs == FILMS
    assert nothing_is_left(pipeline)
    assert not service.service.bulk.files


def test_a_batch_that_somebody_cancels_at_the_service_keeps_what_came(
    pipeline: SmallPipeline, service: TmdbEmulator
) -> None:
    batches_take(service, 99)
    embed(pipeline)
    with openai_library.OpenAI(base_url=service.openai_url, api_key="k", max_retries=0) as client:
        client.batches.cancel(pipeline.one("select service_id from pipeline.embedding_batches"))
    assert embed(pipeline).success
    assert embedded(pipeline) == FILMS // 2
    assert pipeline.column("select service_status from pipeline.embedding_batches order by 1") == [
        "cancelled", "in_progress",
    ]  # fmt: skip
    assert service.embedded_inputs == FILMS // 2


def test_batches_that_fail_twice_are_not_sent_for_ever(pipeline: SmallPipeline, service: TmdbEmulator) -> None:
    service.faults = {"oa_batch_failed": 1.0}
    assert [embed(pipeline).success for _ in range(2)] == [True, True]
    result = embed(pipeline)
    assert "brought no vector (failed: The batch could not be begun; please try again.)" in message_of(result)
    assert "embed_in_bulk, or set MOVIE_ASSETS_BULK_ABOVE_TEXTS=0" in message_of(result)
    assert not embed(pipeline).success
    assert service.requests["batches"] == {200: 2}
    service.faults = {}
    pipeline.turn_day(2)
    assert embed(pipeline).success
    assert embed(pipeline).success
    assert (embedded(pipeline), service.embedded_inputs) == (FILMS, FILMS)
    assert nothing_is_left(pipeline)


def test_a_person_may_send_batches_that_the_setting_does_not(pipeline: SmallPipeline, service: TmdbEmulator) -> None:
    service.faults = {"oa_batch_failed": 1.0}
    for _ in range(3):
        embed(pipeline)
    service.faults = {}
    assert in_bulk(pipeline).success
    assert embedded(pipeline) == FILMS


def test_the_budget_counts_the_price_of_batches(pipeline: SmallPipeline, service: TmdbEmulator) -> None:
    bytes_of = pipeline.one("select sum(length(convert_to(embedding_text, 'UTF8'))) from catalog.movies")
    dollars = float(bytes_of) * 0.02 / 1e6 * 0.6  # six tenths of the most that the texts can cost at the full price
    pipeline.with_settings(bulk_above_texts=10, daily_dollars=dollars)
    result = embed(pipeline)
    assert result.success
    assert figures(result, BUDGET)["dollars"] == pytest.approx(float(bytes_of) / 4 * 0.01 / 1e6, rel=0.1)
    assert service.requests["batches"] == {200: 1}
    reserved = pipeline.one("select sum(dollars) from pipeline.embedding_reservations")
    assert float(reserved) == pytest.approx(float(bytes_of) * 0.01 / 1e6, abs=1e-6)
    assert embed(pipeline).success
    assert embedded(pipeline) == FILMS
    assert nothing_is_left(pipeline)


def test_what_the_budget_has_no_room_for_stays_due(pipeline: SmallPipeline, service: TmdbEmulator) -> None:
    bytes_of = pipeline.one("select sum(length(convert_to(embedding_text, 'UTF8'))) from catalog.movies")
    pipeline.with_settings(bulk_above_texts=5, daily_dollars=float(bytes_of) * 0.01 / 1e6 / 2)
    result = embed(pipeline)
    assert "MOVIE_ASSETS_DAILY_DOLLARS" in message_of(result)
    assert "embeddings" not in service.requests
    embed(pipeline)
    stored = embedded(pipeline)
    assert 10 < stored < FILMS
    pipeline.turn_day()
    pipeline.with_settings(bulk_above_texts=5)
    assert embed(pipeline).success
    embed(pipeline)
    assert (embedded(pipeline), service.embedded_inputs) == (FILMS, FILMS)


def test_a_service_without_a_batch_api_embeds_at_once(
    pipeline: SmallPipeline, service: TmdbEmulator, capfd: pytest.CaptureFixture[str]
) -> None:
    service.faults = {"oa_no_batches": 1.0}
    assert embed(pipeline).success
    assert "texts are embedded at once, at the full price" in capfd.readouterr().err
    assert embedded(pipeline) == FILMS
    assert nothing_is_left(pipeline)


def test_force_goes_in_bulk_too(pipeline: SmallPipeline, service: TmdbEmulator) -> None:
    pipeline.with_settings()
    embed(pipeline)
    pipeline.with_settings(bulk_above_texts=10)
    force = {"ops": {"movie_embeddings": {"config": {"force": True}}}}
    assert pipeline.run("embed_texts", config=force, batches=("batch_00", "batch_63")).success
    assert service.requests["batches"] == {200: 1}
    embed(pipeline)
    assert service.embedded_inputs == 2 * FILMS
    assert pipeline.one("select count(*) from pipeline.embeddings where is_replaced") == 0  # the vectors are the same


def test_a_file_that_cannot_be_deleted_is_a_note_and_deleted_later(
    pipeline: SmallPipeline, service: TmdbEmulator, capfd: pytest.CaptureFixture[str]
) -> None:
    service.faults = {"oa_files_stay": 1.0}
    embed(pipeline)
    assert embed(pipeline).success
    assert "stays at the service" in capfd.readouterr().err
    assert embedded(pipeline) == FILMS
    assert len(pipeline.one("select files from pipeline.embedding_batches")) == 2
    service.faults = {}
    assert embed(pipeline).success
    assert nothing_is_left(pipeline)
    assert not service.service.bulk.files
