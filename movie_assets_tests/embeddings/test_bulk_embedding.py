"""Batches at half the price: sent once, collected once, whatever becomes of them, of the run or of the films."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from movie_assets.embeddings import bulk_embedding
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
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
    with_options,
)
from movie_assets_tests.embeddings.test_movie_embeddings import CURRENT, EMBEDDINGS, message_of, rewrite
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline

Make = Callable[..., SmallPipeline]


@pytest.fixture
def pipeline(small: Make, service: TmdbEmulator) -> SmallPipeline:
    return at_service(small(), service)


def test_a_bulk_run_embeds_at_half_the_price(pipeline: SmallPipeline, service: TmdbEmulator) -> None:
    result = in_bulk(pipeline)
    assert result.success
    assert failed_checks(result) == set()
    assert (embedded(pipeline), service.embedded_inputs) == (FILMS, FILMS)
    told = figures(result, CURRENT)
    assert told["texts_embedded"] == FILMS
    assert told["dollars"] == pytest.approx(told["tokens"] * 0.01 / 1e6)
    assert "embeddings" not in service.requests
    assert nothing_is_left(pipeline)


def test_vectors_are_those_of_the_other_way(pipeline: SmallPipeline) -> None:
    vectors = "select tmdb_id, text_hash, embedding::text from pipeline.embeddings order by 1"
    in_bulk(pipeline)
    with pipeline.database.transaction() as connection:
        of_bulk = connection.exec_driver_sql(vectors).all()
        connection.exec_driver_sql("delete from pipeline.embeddings")
    embed(pipeline)
    with pipeline.database.transaction() as connection:
        assert connection.exec_driver_sql(vectors).all() == of_bulk


def test_equal_texts_are_one_line(pipeline: SmallPipeline, service: TmdbEmulator) -> None:
    rewrite(pipeline, 1, "the same story")
    rewrite(pipeline, 2, "the same story")
    in_bulk(pipeline)
    assert (embedded(pipeline), service.embedded_inputs) == (FILMS, FILMS - 1)


def test_large_backfills_go_in_several_batches(
    pipeline: SmallPipeline, service: TmdbEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_embedding, "TEXTS_PER_JOB", 15)
    assert in_bulk(pipeline).success
    assert service.requests["batches"] == {200: 3}


def test_a_second_bulk_run_sends_nothing(pipeline: SmallPipeline, service: TmdbEmulator) -> None:
    in_bulk(pipeline)
    assert in_bulk(pipeline).success
    assert service.requests["batches"] == {200: 1}


@pytest.mark.parametrize("later", [embed, in_bulk])
def test_a_later_run_of_any_kind_collects_what_is_in_flight(
    pipeline: SmallPipeline, service: TmdbEmulator, later: Callable[[SmallPipeline], Any]
) -> None:
    batches_take(service, 9)
    first = in_bulk(pipeline, wait_minutes=0)
    assert first.success
    assert failed_checks(first) == {CURRENT}
    assert figures(first, CURRENT) | {"in_flight": FILMS, "films": 0} == figures(first, CURRENT)
    assert embed(pipeline).success  # too early: it waits for nothing, pays for nothing and finishes no batch
    assert (embedded(pipeline), "embeddings" in service.requests) == (0, False)
    assert "batch_01" not in pipeline.instance.get_materialized_partitions(EMBEDDINGS)
    batches_take(service, 0)
    assert later(pipeline).success
    assert (embedded(pipeline), service.embedded_inputs) == (FILMS, FILMS)
    assert service.requests["batches"] == {200: 1}
    assert "batch_01" in pipeline.instance.get_materialized_partitions(EMBEDDINGS)
    assert nothing_is_left(pipeline)


def test_films_that_come_while_a_batch_is_in_flight_do_not_wait_for_it(
    pipeline: SmallPipeline, service: TmdbEmulator
) -> None:
    batches_take(service, 9)
    in_bulk(pipeline, wait_minutes=0)
    put_films(pipeline.database, 101, 103)
    assert embed(pipeline).success
    assert (embedded(pipeline), service.embedded_inputs) == (3, 3)


def test_a_batch_of_another_set_is_collected_too(pipeline: SmallPipeline, service: TmdbEmulator) -> None:
    batches_take(service, 9)
    in_bulk(pipeline, wait_minutes=0)
    batches_take(service, 0)
    pipeline.embedder = OpenAiEmbedder("text-embedding-3-small", 32, SecretStr("a-key"), service.openai_url)
    result = embed(pipeline)
    widths = "select count(*) from pipeline.embeddings group by vector_dims(embedding)"
    assert pipeline.column(widths) == [FILMS, FILMS]
    assert figures(result, CURRENT)["texts_embedded"] == FILMS
    assert nothing_is_left(pipeline)


@pytest.mark.parametrize("fault", ["oa_batch_expired", "oa_batch_cancelled"])
def test_a_batch_that_ends_half_done_keeps_what_came(
    pipeline: SmallPipeline, service: TmdbEmulator, fault: str
) -> None:
    service.faults = {fault: 1.0}
    result = in_bulk(pipeline)
    assert "without all of its texts; run again" in message_of(result)
    assert embedded(pipeline) == FILMS // 2
    service.faults = {}
    assert in_bulk(pipeline).success
    assert (embedded(pipeline), service.embedded_inputs) == (FILMS, FILMS)
    assert nothing_is_left(pipeline)


def test_a_batch_that_fails_leaves_all_texts_due(pipeline: SmallPipeline, service: TmdbEmulator) -> None:
    service.faults = {"oa_batch_failed": 1.0}
    assert not in_bulk(pipeline).success
    assert (embedded(pipeline), service.embedded_inputs) == (0, 0)
    assert pipeline.one("select sum(dollars) from pipeline.embedding_costs") is None
    assert nothing_is_left(pipeline)
    assert embed(pipeline).success


def test_lines_that_fail_are_due_again_and_the_others_stored(pipeline: SmallPipeline, service: TmdbEmulator) -> None:
    service.faults = {"oa_batch_line": 0.3}
    assert not in_bulk(pipeline).success
    stored = embedded(pipeline)
    assert 10 < stored < FILMS
    service.faults = {}
    assert embed(pipeline).success
    assert service.embedded_inputs == FILMS


def test_lines_without_usage_are_booked_by_what_tokens_were_so_far(
    pipeline: SmallPipeline, service: TmdbEmulator
) -> None:
    service.faults = {"oa_batch_no_usage": 1.0}
    in_bulk(pipeline)
    bytes_of = "select sum(length(convert_to(embedding_text, 'UTF8'))) from catalog.movies"
    tokens = pipeline.one("select sum(tokens) from pipeline.embedding_costs")
    assert float(tokens) == pytest.approx(float(pipeline.one(bytes_of)) / 4, abs=FILMS)
    assert pipeline.one("select sum(text_bytes) from pipeline.embedding_costs") == 0


@pytest.mark.parametrize(
    ("fault", "reason"), [("oa_cursed_nan", "vector_not_finite"), ("oa_cursed_zero", "vector_is_zero"),
                          ("oa_cursed_400", "too_long"), ("oa_cursed_short", "no_vector")],
)  # fmt: skip
def test_a_text_without_a_usable_vector_is_rejected(
    pipeline: SmallPipeline, service: TmdbEmulator, fault: str, reason: str
) -> None:
    rewrite(pipeline, 7, "an unembeddable film")
    service.faults = {fault: 1.0}
    assert in_bulk(pipeline).success
    assert embedded(pipeline) == FILMS - 1
    assert pipeline.column("select reason from pipeline.rejects where tmdb_id = 7") == [reason]
    assert nothing_is_left(pipeline)


def test_vectors_that_cannot_be_right_store_nothing(pipeline: SmallPipeline, service: TmdbEmulator) -> None:
    service.faults = {"oa_wrong_width": 1.0}
    assert "EMBEDDING_DIMENSIONS" in message_of(in_bulk(pipeline))
    assert embedded(pipeline) == 0
    assert nothing_is_left(pipeline)


def test_a_server_of_another_make_is_learned_before_anything_is_sent(
    pipeline: SmallPipeline, service: TmdbEmulator
) -> None:
    with_options(service, embeddings_like="vllm")
    pipeline.embedder = OpenAiEmbedder("bge-m3", 1024, SecretStr("a-key"), service.openai_url)
    result = in_bulk(pipeline)
    assert result.success
    assert embedded(pipeline) == FILMS
    assert figures(result, CURRENT)["answered_by"] == "/models/bge-m3"


def test_a_film_whose_text_moved_meanwhile_is_not_stored_under_the_new_one(
    pipeline: SmallPipeline, service: TmdbEmulator
) -> None:
    batches_take(service, 9)
    in_bulk(pipeline, wait_minutes=0)
    rewrite(pipeline, 7, "quite another story")
    pipeline.do("delete from catalog.movies where tmdb_id = 8")
    batches_take(service, 0)
    result = embed(pipeline)
    assert result.success
    assert embedded(pipeline) == FILMS - 1
    assert service.embedded_inputs == FILMS + 1
    assert service.requests["embeddings"] == {200: 1}
    assert failed_checks(result) == set()
    assert nothing_is_left(pipeline)


def test_a_batch_is_charged_to_the_day_and_the_run_that_sent_it(pipeline: SmallPipeline, service: TmdbEmulator) -> None:
    batches_take(service, 9)
    first = in_bulk(pipeline, wait_minutes=0)
    sent_on = pipeline.day
    pipeline.turn_day()
    batches_take(service, 0)
    embed(pipeline)
    with pipeline.database.transaction() as connection:
        (row,) = connection.exec_driver_sql("select * from pipeline.embedding_costs").all()
    assert (row.spent_at.date(), row.run_id, row.is_bulk) == (sent_on, first.run_id, True)


def test_a_batch_is_no_larger_than_the_budget(pipeline: SmallPipeline, service: TmdbEmulator) -> None:
    pipeline.with_settings(run_dollars=10e-6)  # 1,000 tokens at most, of about 1,080
    result = in_bulk(pipeline)
    assert "MOVIE_ASSETS_RUN_DOLLARS=1e-05 is used up" in message_of(result)
    assert 20 <= embedded(pipeline) < FILMS
    assert nothing_is_left(pipeline)
    assert service.embedded_inputs == embedded(pipeline)


def test_another_run_that_is_busy_with_batches_is_left_alone(pipeline: SmallPipeline, service: TmdbEmulator) -> None:
    with pipeline.database.batch_locks([0], "embedding_batches"):
        assert "another run is busy with batches" in message_of(in_bulk(pipeline))
        assert embed(pipeline).success
    assert "batches" not in service.requests


def test_the_local_embedder_has_no_bulk_and_needs_none(small: Make) -> None:
    pipeline = small()
    put_films(pipeline.database, 1, 5)
    assert in_bulk(pipeline).success
    assert embedded(pipeline) == 5


def test_a_service_without_a_batch_api_says_so(pipeline: SmallPipeline) -> None:
    pipeline.embedder = OpenAiEmbedder("text-embedding-3-small", 64, SecretStr("k"), f"{pipeline.serving.url}/nowhere")
    assert "batches cannot be used: " in message_of(in_bulk(pipeline))
