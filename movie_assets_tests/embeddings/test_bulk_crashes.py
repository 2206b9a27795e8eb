"""A run in bulk that dies at any step: nothing is paid twice, no result is lost, no file stays at the service."""

import itertools
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from movie_assets.embeddings import bulk_embedding, bulk_jobs, bulk_results, openai_bulk
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.embeddings.bulk import (
    FILMS,
    at_service,
    batches_take,
    embed,
    embedded,
    in_bulk,
    nothing_is_left,
)
from movie_assets_tests.support.small_pipelines import SmallPipeline

Make = Callable[..., SmallPipeline]


@pytest.fixture
def pipeline(small: Make, service: TmdbEmulator) -> SmallPipeline:
    return at_service(small(), service)


def test_a_batch_that_was_made_without_our_hearing_of_it_is_found(
    pipeline: SmallPipeline, service: TmdbEmulator
) -> None:
    service.faults = {"oa_batch_unheard": 1.0}
    assert in_bulk(pipeline).success
    assert (embedded(pipeline), service.embedded_inputs) == (FILMS, FILMS)
    assert service.requests["batches"] == {500: 1}


class KilledError(BaseException):
    """The end of a process, for one that a test cannot kill."""


@pytest.mark.parametrize(
    ("where", "name", "when", "batches"),
    [
        (openai_bulk.BulkApi, "upload", "before", 1),
        (openai_bulk.BulkApi, "upload", "after", 1),
        (openai_bulk.BulkApi, "create", "before", 1),
        (openai_bulk.BulkApi, "create", "after", 1),
        (openai_bulk.BulkApi, "state", "after", 1),
        (bulk_results.ResultWriter, "store", "before", 1),
        (bulk_results.ResultWriter, "store", "after", 1),
        (bulk_jobs.BulkJobs, "end", "before", 1),
        (bulk_jobs.BulkJobs, "end", "after", 1),
        (bulk_jobs.BulkJobs, "plan", "after", 1),
        (openai_bulk.BulkApi, "delete", "before", 1),
        (openai_bulk.BulkApi, "delete", "after", 1),
    ],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_a_run_that_dies_at_any_step_pays_once_and_loses_nothing(
    pipeline: SmallPipeline, service: TmdbEmulator, monkeypatch: pytest.MonkeyPatch, where: Any, name: str, when: str,
    batches: int,
) -> None:  # fmt: skip
    whole = getattr(where, name)
    monkeypatch.setattr(bulk_embedding, "CHUNK", 16)

    def deadly(*arguments: Any) -> Any:
        if when == "after":
            whole(*arguments)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(where, name, deadly)
        assert not in_bulk(pipeline).success
    assert in_bulk(pipeline).success
    assert (embedded(pipeline), service.embedded_inputs) == (FILMS, FILMS)
    assert service.requests["batches"] == {200: batches}
    assert pipeline.one("select sum(texts) from pipeline.embedding_costs") == FILMS
    assert nothing_is_left(pipeline)
    assert not service.service.bulk.files


def test_a_run_that_dies_within_a_download_pays_once_and_loses_nothing(
    pipeline: SmallPipeline, service: TmdbEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = openai_bulk.BulkApi.results
    monkeypatch.setattr(bulk_embedding, "CHUNK", 16)

    def deadly(*arguments: Any) -> Iterator[openai_bulk.TextResult]:
        yield from itertools.islice(whole(*arguments), 20)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(openai_bulk.BulkApi, "results", deadly)
        assert not in_bulk(pipeline).success
    assert embedded(pipeline) == 16
    assert in_bulk(pipeline).success
    assert (embedded(pipeline), service.embedded_inputs) == (FILMS, FILMS)
    assert pipeline.one("select sum(texts) from pipeline.embedding_costs") == FILMS
    assert nothing_is_left(pipeline)
    assert not service.service.bulk.files


@pytest.mark.parametrize(("name", "when"), [("upload", "before"), ("upload", "after"), ("create", "before")])
def test_a_job_that_was_not_created_is_dropped_by_a_run_that_sends_none(
    pipeline: SmallPipeline, service: TmdbEmulator, monkeypatch: pytest.MonkeyPatch, name: str, when: str
) -> None:
    whole = getattr(openai_bulk.BulkApi, name)

    def deadly(*arguments: Any) -> Any:
        if when == "after":
            whole(*arguments)
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(openai_bulk.BulkApi, name, deadly)
        assert not in_bulk(pipeline).success
    assert embed(pipeline).success
    assert (embedded(pipeline), service.embedded_inputs) == (FILMS, FILMS)
    assert "batches" not in service.requests
    assert nothing_is_left(pipeline)
    assert not service.service.bulk.files


def test_texts_that_moved_since_a_job_was_recorded_are_not_sent(
    pipeline: SmallPipeline, service: TmdbEmulator, monkeypatch: pytest.MonkeyPatch
) -> None:
    def deadly(*_: Any) -> str:
        raise KilledError

    with monkeypatch.context() as patch:
        patch.setattr(openai_bulk.BulkApi, "upload", deadly)
        assert not in_bulk(pipeline).success
    pipeline.do("delete from catalog.movies where tmdb_id > 10")
    assert in_bulk(pipeline).success
    assert (embedded(pipeline), service.embedded_inputs) == (10, 10)
    assert pipeline.one("select texts from pipeline.embedding_batches") == 10
    assert nothing_is_left(pipeline)


def test_a_batch_that_the_service_does_not_know_is_given_up_after_a_day(
    pipeline: SmallPipeline, service: TmdbEmulator, capfd: pytest.CaptureFixture[str]
) -> None:
    batches_take(service, 9)
    in_bulk(pipeline, wait_minutes=0)
    service.service.bulk.batches.clear()  # as for a key of another project
    assert embed(pipeline).success
    assert "was the key changed?" in capfd.readouterr().err
    assert embedded(pipeline) == 0
    pipeline.turn_day(2)
    assert embed(pipeline).success
    assert embedded(pipeline) == FILMS
    assert nothing_is_left(pipeline)
