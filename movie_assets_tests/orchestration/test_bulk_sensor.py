"""The sensor of texts beside bulk jobs: it claims nothing twice, asks for jobs, and sends one run in bulk."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from pydantic import SecretStr

from movie_assets.database.database import Database
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets.embeddings.sets import embedding_set
from movie_assets.orchestration.sensors import MIN_WORK_OF_A_RUN
from movie_assets_tests.orchestration.ticks import LOCAL, memory_of, run_sql, tick
from movie_assets_tests.support.rows import put_films

SENSOR = "texts_are_not_embedded"
OPENAI = OpenAiEmbedder("text-embedding-3-small", 64, SecretStr("a-key"), "http://127.0.0.1:9/v1")


def claim(database: Database, minutes: float, seen: float | None = None) -> None:
    """Put all texts into a bulk job that was sent, and last seen, so many minutes ago."""
    set_id, now = embedding_set(database, OPENAI), datetime.now(UTC)
    sent_at = (now - timedelta(minutes=minutes)).isoformat()
    seen_at = "null" if seen is None else f"'{(now - timedelta(minutes=seen)).isoformat()}'"
    run_sql(database, "delete from pipeline.embedding_batches")
    run_sql(
        database,
        "with made as (insert into pipeline.embedding_batches "
        "(token, set_id, run_id, texts, moment, service_id, seen_at) "
        f"select 'token', {set_id}, 'run', count(*), '{sent_at}', 'batch', {seen_at} from catalog.movies "
        "returning bulk_id)"
        " insert into pipeline.embedding_batch_texts select bulk_id, text_hash from made, catalog.movies",
    )


@pytest.mark.parametrize(
    ("minutes", "seen", "is_due"),
    [(1, None, False), (3, None, True), (12, 5, False), (12, 8, True), (600, 29, False), (600, 31, True)],
)
def test_a_batch_is_asked_for_ever_more_seldom(
    database: Database, instance: dg.DagsterInstance, minutes: float, seen: float | None, is_due: bool
) -> None:
    put_films(database, 1, 5)
    claim(database, minutes, seen)
    assert bool(tick(SENSOR, database, instance, embedder=OPENAI).run_requests) == is_due


def test_a_batch_of_another_service_is_nothing_to_do(database: Database, instance: dg.DagsterInstance) -> None:
    claim(database, 600)
    assert not tick(SENSOR, database, instance, embedder=LOCAL).run_requests


def test_texts_in_a_batch_are_not_work_and_new_ones_are(database: Database, instance: dg.DagsterInstance) -> None:
    put_films(database, 1, 5)
    claim(database, 1)
    put_films(database, 6, 7)
    assert memory_of(tick(SENSOR, database, instance, embedder=OPENAI, bulk_above_texts=3)).work == 2


def test_texts_that_go_in_bulk_wait_for_the_last_of_them_and_are_one_run(
    database: Database, instance: dg.DagsterInstance
) -> None:
    put_films(database, 1, 2 * MIN_WORK_OF_A_RUN)
    changes = {"embedder": OPENAI, "parallel_runs": 2}
    assert len(tick(SENSOR, database, instance, **changes).run_requests or []) == 2  # type: ignore[arg-type]
    in_bulk = changes | {"bulk_above_texts": MIN_WORK_OF_A_RUN}
    assert len(tick(SENSOR, database, instance, **in_bulk).run_requests or []) == 1  # type: ignore[arg-type]
    instance.add_run(dg.DagsterRun(job_name="fetch_details", status=dg.DagsterRunStatus.STARTED))
    assert tick(SENSOR, database, instance, **changes).run_requests  # type: ignore[arg-type]
    assert not tick(SENSOR, database, instance, **in_bulk).run_requests  # type: ignore[arg-type]


def test_a_publication_does_not_wait_for_texts_in_a_batch(database: Database, instance: dg.DagsterInstance) -> None:
    put_films(database, 1, 5)
    run_sql(database, "update catalog.movies set changed_at = now()")
    name = "the_catalogue_is_not_published"
    assert not tick(name, database, instance, embedder=OPENAI).run_requests
    claim(database, 1)
    assert tick(name, database, instance, embedder=OPENAI).run_requests
