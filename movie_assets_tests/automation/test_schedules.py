"""What the clock launches."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from movie_assets.definitions import defs


def test_half_past_eight_gives_the_days_partition() -> None:
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 10, 5, 8, 30, tzinfo=UTC))
    request: Any = defs.resolve_schedule_def("read_the_day_at_0830")(context)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-10-05"
    assert request.run_key == "2026-10-05"


def test_the_clock_is_utc_and_strikes_once_a_day() -> None:
    schedule = defs.resolve_schedule_def("read_the_day_at_0830")
    assert schedule.cron_schedule == "30 8 * * *"
    assert schedule.execution_timezone == "UTC"
