"""What tests of the details share: runs that fail half way, what Dagster shows of them, what is due."""

from datetime import UTC, datetime, time, timedelta
from typing import Any

import dagster as dg

from movie_assets_tests.support.small_pipelines import SmallPipeline

DETAILS = dg.AssetKey("movie_details")
NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)


def message_of(result: Any) -> str:
    """Why the step failed."""
    (event,) = [e for e in result.all_events if e.event_type_value == "STEP_FAILURE"]
    return str(event.step_failure_data.user_failure_data.description)


def green(pipeline: SmallPipeline) -> set[str]:
    """The batches that Dagster shows as materialized."""
    return set(pipeline.instance.get_materialized_partitions(DETAILS))


def goes_down_after(pipeline: SmallPipeline, responses: int) -> None:
    """Let the emulator answer some details, then nothing but 503."""

    def count() -> None:
        if pipeline.world.asked.total() >= responses:
            pipeline.serving.faults = {"503": 1.0}

    pipeline.world.before_answer = count


def due_at(pipeline: SmallPipeline, as_of: datetime) -> dict[int, str]:
    """Ids that are due at a moment, with the reason."""
    with pipeline.database.transaction() as connection:
        found = connection.exec_driver_sql("select tmdb_id, reason from pipeline.due_at(%(as_of)s)", {"as_of": as_of})
        return {row[0]: row[1] for row in found}


def due(pipeline: SmallPipeline, *, days: float = 0) -> dict[int, str]:
    """Ids that are due some days after the pipeline's day, with the reason."""
    as_of = datetime.combine(pipeline.day, time(12), UTC) + timedelta(days=days)
    with pipeline.database.transaction() as connection:
        found = connection.exec_driver_sql("select tmdb_id, reason from pipeline.due_at(%(m)s)", {"m": as_of})
        return {row.tmdb_id: row.reason for row in found}
