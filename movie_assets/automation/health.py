"""What looks at the catalogue's health: a job for people, and the same each hour."""

import dagster as dg

from movie_assets.assets.health import health
from movie_assets.automation.console import CONSOLE

look_at_health = dg.define_asset_job(
    "look_at_health", selection=[health], description="What is broken right now, and what to do about it."
)


def health_schedule(status: dg.DefaultScheduleStatus) -> dg.ScheduleDefinition:
    """Look each hour, at 17 past, when nothing else begins."""
    return dg.ScheduleDefinition(
        name="look_at_health_hourly",
        job=look_at_health,
        cron_schedule="17 * * * *",
        execution_timezone="UTC",
        run_config=CONSOLE,
        default_status=status,
        description="Looks each hour at everything that can be broken; the check nothing_is_broken tells what is.",
    )
