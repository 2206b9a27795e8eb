"""Bulk jobs wait for room in the account's queue of tokens, and their texts are claimed meanwhile."""

from collections.abc import Callable

import pytest

from movie_assets.embeddings import bulk_embedding
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.embeddings.bulk import (
    FILMS,
    at_service,
    batches_take,
    embed,
    embedded,
    nothing_is_left,
    with_options,
)
from movie_assets_tests.support.small_pipelines import SmallPipeline

Make = Callable[..., SmallPipeline]
STATES = "select service_status from pipeline.embedding_batches order by bulk_id"


@pytest.fixture
def pipeline(small: Make, service: TmdbEmulator) -> SmallPipeline:
    made = at_service(small(), service)
    made.with_settings(bulk_above_texts=10)
    return made


def test_jobs_wait_for_room_and_none_is_paid_twice(
    pipeline: SmallPipeline, service: TmdbEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_embedding, "TEXTS_PER_JOB", 10)
    with_options(service, openai_enqueued_tokens=200, batch_seconds=99)  # of 311
    embed(pipeline)
    assert embed(pipeline).success
    states = pipeline.column(STATES)
    assert set(states) == {"in_progress", "waiting"}
    assert pipeline.one("select count(*) from pipeline.embedding_batch_texts") == FILMS
    sent = service.requests["batches"][200]
    embed(pipeline)
    assert service.requests["batches"][200] == sent  # no job is sent while the queue has no room
    batches_take(service, 0)
    for _ in range(2):
        assert embed(pipeline).success
    assert (embedded(pipeline), service.embedded_inputs) == (FILMS, FILMS)
    assert "embeddings" not in service.requests
    assert nothing_is_left(pipeline)
    assert not service.service.bulk.files


def test_a_job_that_is_larger_than_the_queue_is_split(pipeline: SmallPipeline, service: TmdbEmulator) -> None:
    with_options(service, openai_enqueued_tokens=200)
    for _ in range(4):
        assert embed(pipeline).success
    assert (embedded(pipeline), service.embedded_inputs) == (FILMS, FILMS)
    assert pipeline.column("select distinct queue_limit from pipeline.embedding_batches where queue_limit > 0") == [200]
    assert nothing_is_left(pipeline)
