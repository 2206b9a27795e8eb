"""A process killed with -9 while it embeds: what is paid for twice, what is lost, at once and in bulk."""

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import numpy as np
import pytest
from pydantic import SecretStr

from movie_assets.config.embedding_limits import IN_FLIGHT, TEXTS_PER_REQUEST
from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets.embeddings.preflight import SAMPLE
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.orchestration.jobs import IN_BULK
from movie_assets_tests.conftest import Pipeline
from movie_assets_tests.support.rows import put_films

FILMS = 3_000
WORKER = """
import sys
import dagster as dg
from pydantic import SecretStr
from movie_assets.orchestration import jobs
from movie_assets.config.settings import Settings
from movie_assets_tests.support.definitions import defs
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets.database.database import Database

address, url, job, above = sys.argv[1:]
with dg.DagsterInstance.ephemeral() as instance:
    defs.resolve_job_def(job).execute_in_process(
        instance=instance,
        run_config={"loggers": {"console": {}}, **(jobs.IN_BULK if job == "embed_in_bulk" else {})},
        tags={"dagster/asset_partition_range_start": "batch_00", "dagster/asset_partition_range_end": "batch_63"},
        resources={
            "database": Database(address),
            "embedder": OpenAiEmbedder("text-embedding-3-small", 64, SecretStr("a-key"), url),
            "settings": Settings.model_validate({"run_dollars": 1, "bulk_above_texts": int(above)}),
        },
    )
"""


@contextmanager
def serving(**options: float) -> Iterator[TmdbEmulator]:
    with TmdbEmulator(EmulatorOptions(movies=1, rate_limit=0, **options)) as running:  # type: ignore[arg-type]
        yield running


def kill_when(
    pipeline: Pipeline, service: TmdbEmulator, job: str, it_is_time: Callable[[], bool], above: int = 0
) -> None:
    """Run a job in a process of its own, kill it at a moment, and wait until Postgres has noticed."""
    address = pipeline.database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with subprocess.Popen(
        [sys.executable, "-c", WORKER, address, service.openai_url, job, str(above)], stderr=subprocess.PIPE, text=True
    ) as worker:
        deadline = time.monotonic() + 300
        while not it_is_time():
            assert worker.poll() is None, worker.communicate()[1]
            assert time.monotonic() < deadline
            time.sleep(0.01)
        worker.kill()
    locks = "select count(*) from pg_locks where locktype = 'advisory' and database = (select oid from pg_database "
    while pipeline.one(f"{locks} where datname = current_database())"):
        time.sleep(0.05)


def goes_on(pipeline: Pipeline, service: TmdbEmulator, job: str) -> None:
    """Run the job again and see that every film has the vector of its text."""
    pipeline.embedder = OpenAiEmbedder("text-embedding-3-small", 64, SecretStr("a-key"), service.openai_url)
    result = pipeline.run(job, config=IN_BULK if job == "embed_in_bulk" else None)
    assert result.success, [event.event_specific_data for event in result.all_events if event.is_failure]
    with pipeline.database.transaction() as connection:
        found = connection.exec_driver_sql(
            "select m.embedding_text, e.embedding from catalog.movies m join pipeline.embeddings e "
            "using (tmdb_id, text_hash)"
        ).all()
    wanted = hashed_vectors([row.embedding_text for row in found], 64).astype(np.float16)  # as they are stored
    assert np.array_equal(np.array([row.embedding.to_numpy() for row in found]), wanted)


def test_a_kill_costs_at_most_what_was_in_flight(pipeline: Pipeline) -> None:
    put_films(pipeline.database, 1, FILMS)
    with serving(embedding_seconds=0.4) as service:
        kill_when(pipeline, service, "embed_texts", lambda: service.embedded_inputs >= 3 * TEXTS_PER_REQUEST)
        time.sleep(0.8)  # what was in flight is answered, and nobody hears it
        stored = pipeline.one("select count(*) from pipeline.embeddings")
        paid = service.embedded_inputs
        assert 0 < stored < FILMS
        assert paid - stored <= SAMPLE + IN_FLIGHT * TEXTS_PER_REQUEST
        goes_on(pipeline, service, "embed_texts")
        assert service.embedded_inputs == paid + SAMPLE + FILMS - stored
    assert pipeline.one("select count(*) from pipeline.embeddings") == FILMS
    assert pipeline.one("select sum(texts) from pipeline.embedding_costs") == FILMS
    assert 0 < pipeline.one("select count(*) from pipeline.embedding_reservations") <= IN_FLIGHT


@pytest.mark.parametrize("as_of", ["batches", "file_content"])  # the others: test_bulk_embedding
def test_a_batch_is_paid_once_whenever_its_run_is_killed(pipeline: Pipeline, as_of: str) -> None:
    put_films(pipeline.database, 1, 1_500)
    with serving(batch_seconds=0.5) as service:
        kill_when(pipeline, service, "embed_in_bulk", lambda: as_of in service.requests)
        goes_on(pipeline, service, "embed_in_bulk")
        assert service.embedded_inputs == SAMPLE + 1_500  # the pre-flight of the first run
        assert service.requests["batches"] == {200: 1}
    assert pipeline.one("select count(*) from pipeline.embeddings") == 1_500
    assert pipeline.one("select sum(texts) from pipeline.embedding_costs") == 1_500


@pytest.mark.parametrize("moment", ["files", "batches"])
def test_a_batch_that_the_setting_sends_is_paid_once_whenever_its_run_is_killed(
    pipeline: Pipeline, moment: str
) -> None:
    put_films(pipeline.database, 1, 1_500)
    with serving(batch_seconds=0) as service:
        kill_when(pipeline, service, "embed_texts", lambda: moment in service.requests, above=1_000)
        pipeline.settings = pipeline.settings.model_copy(update={"bulk_above_texts": 1_000})
        pipeline.embedder = OpenAiEmbedder("text-embedding-3-small", 64, SecretStr("a-key"), service.openai_url)
        assert pipeline.run("embed_texts").success
        goes_on(pipeline, service, "embed_texts")
        assert service.embedded_inputs == SAMPLE + 1_500  # the pre-flight of the first run
        assert service.requests["batches"] == {200: 1}
        assert not service.service.bulk.files
    assert pipeline.one("select sum(texts) from pipeline.embedding_costs") == 1_500
