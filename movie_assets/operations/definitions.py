"""The assets and checks of operations, and when they are launched."""

from movie_assets.operations.health import checks
from movie_assets.operations.health.asset import health
from movie_assets.operations.reconciliation import everything_agrees, reconciliation
from movie_assets.operations.retention import retention
from movie_assets.runs.upkeep import Upkeep, monthly, weekly

ASSETS = (
    reconciliation,  # compares tables that must agree
    retention,  # deletes what was kept long enough
    health,  # what is broken now
)
CHECKS = (everything_agrees, *checks.CHECKS)
UPKEEP = (
    Upkeep(
        job="reconcile",
        assets=[reconciliation],
        description="Compares tables that must agree, row by row, and repairs what differs or makes it due again.",
        schedule="reconcile_on_sundays",
        cron="0 4 * * *",
        since=weekly,
        schedule_description="Launches reconcile on Sundays at 04:00 UTC. It ticks each day, to repeat one that failed "
        "or was missed.",
    ),
    Upkeep(
        job="clean_up",
        assets=[retention],
        description="Deletes old records of the pipeline and of Dagster that have been kept long enough.",
        schedule="clean_up_on_the_first",
        cron="0 3 * * *",
        since=monthly,
        schedule_description="Launches clean_up on the first of a month at 03:00 UTC. It ticks each day, to repeat one "
        "that failed.",
    ),
)
