"""Runs in bulk at an emulator, and what they leave in the database and at the service."""

from dataclasses import replace
from typing import Any

from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.embeddings.test_movie_embeddings import ALL_BATCHES, openai
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline

FILMS = 40


def at_service(pipeline: SmallPipeline, service: TmdbEmulator, films: int = FILMS) -> SmallPipeline:
    """Give a pipeline films without vectors, and the service as its embedder."""
    put_films(pipeline.database, 1, films)
    pipeline.embedder = openai(service.openai_url)
    return pipeline


def with_options(service: TmdbEmulator, **changes: Any) -> None:
    service.service.options = replace(service.service.options, **changes)


def batches_take(service: TmdbEmulator, seconds: float) -> None:
    with_options(service, batch_seconds=seconds)


def in_bulk(pipeline: SmallPipeline, wait_minutes: float = 1.0, job: str = "embed_in_bulk") -> Any:
    config = {"bulk": True, "wait_minutes": wait_minutes}
    return pipeline.run(job, config={"ops": {"movie_embeddings": {"config": config}}}, batches=ALL_BATCHES)


def embed(pipeline: SmallPipeline) -> Any:
    return pipeline.run("embed_texts", batches=ALL_BATCHES)


def embedded(pipeline: SmallPipeline) -> int:
    return int(pipeline.one("select count(*) from pipeline.embeddings"))


def nothing_is_left(pipeline: SmallPipeline) -> bool:
    left = [pipeline.one(f"select count(*) from pipeline.{each}") for each in (
        "embedding_batch_texts", "embedding_reservations", "embedding_batches where ended_at is null",
        "embedding_batches where files <> '{}'",
    )]  # fmt: skip
    return left == [0, 0, 0, 0]
