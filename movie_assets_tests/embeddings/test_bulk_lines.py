"""What `movie-assets cost` and `movie-assets health` show of bulk jobs."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from io import StringIO

from rich.console import Console

from movie_assets.cli import cost
from movie_assets.embeddings.bulk_progress import BulkJobState
from movie_assets.embeddings.cost_forecast import Amount, Forecast, ModelCost
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.operations.health.vectors import bulk_jobs
from movie_assets_tests.embeddings.bulk import FILMS, at_service, batches_take, in_bulk
from movie_assets_tests.support.small_pipelines import SmallPipeline

Make = Callable[..., SmallPipeline]


def jobs_of(pipeline: SmallPipeline) -> list[BulkJobState]:
    return list(pipeline.database.fetch(BulkJobState, "bulk_jobs_at_service", as_of=datetime.now(UTC)))


def test_a_job_is_a_line_of_cost_and_a_finding_of_health(small: Make, service: TmdbEmulator) -> None:
    pipeline = at_service(small(), service)
    batches_take(service, 99)
    in_bulk(pipeline, wait_minutes=0)
    (job,) = jobs_of(pipeline)
    assert (job.texts, job.stored, job.ended_at) == (FILMS, 0, None)
    assert bulk_jobs([job], job.sent_at).severity == "ok"
    later = bulk_jobs([job], job.sent_at + timedelta(hours=27))
    assert later.severity == "warn"
    assert f"batch {job.bulk_id}" in later.message

    expected = Forecast(Amount(0, 0, 0, None), 0, "bytes", (ModelCost("any", 0.0, 0.0),))
    shown = StringIO()
    cost.show(Console(file=shown, width=200), expected, cost.Bulk(0, is_used=False, jobs=[job]), all_films=False)
    line = f"batch {job.bulk_id}: in_progress, 0 of {FILMS} texts done, sent {job.sent_at:%Y-%m-%d %H:%M} UTC"
    assert line in shown.getvalue()
