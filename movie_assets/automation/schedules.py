"""What the clock launches: one schedule, after TMDB has published."""

import dagster as dg

from movie_assets.automation.console import CONSOLE
from movie_assets.automation.jobs import read_the_day


def daily_schedule(status: dg.DefaultScheduleStatus) -> dg.ScheduleDefinition:
    """Read the day at 08:30 UTC: TMDB's export is complete by 08:00."""

    @dg.schedule(
        name="read_the_day_at_0830",
        job=read_the_day,
        cron_schedule="30 8 * * *",
        execution_timezone="UTC",
        default_status=status,
        description="Reads TMDB's export and change feed of the day at 08:30 UTC; the sensors do the rest.",
    )
    def at_half_past_eight(context: dg.ScheduleEvaluationContext) -> dg.RunRequest:
        day = context.scheduled_execution_time.date().isoformat()
        return dg.RunRequest(run_key=day, partition_key=day, run_config=CONSOLE)

    return at_half_past_eight
