"""What the clock launches: a day after TMDB has published, the ratings of others, looks, recounts and clean-ups."""

import asyncio
from datetime import UTC, date, datetime

import dagster as dg

from movie_assets.automation.console import CONSOLE
from movie_assets.automation.decisions import decide_day
from movie_assets.automation.jobs import clean_up, look_at_health, read_ratings, read_the_day, reconcile
from movie_assets.automation.records import runs_of_day
from movie_assets.automation.sensors import record
from movie_assets.resources.postgres import Database
from movie_assets.resources.tmdb import Tmdb
from movie_assets.resources.tmdb_answers import TmdbUnavailableError
from movie_assets.settings import Settings

# The first look at 08:30, as the export is complete by 08:00; then every quarter of an hour, for a day whose export is
# late, whose run failed, or that the machine slept through.
LOOKS = ["30,45 8 * * *", "*/15 9-23 * * *"]


def schedules(status: dg.DefaultScheduleStatus) -> list[dg.ScheduleDefinition]:
    """All of them."""
    return [
        _daily_schedule(status),
        _ratings_schedule(status),
        dg.ScheduleDefinition(
            name="look_at_health_hourly", job=look_at_health, cron_schedule="17 * * * *", execution_timezone="UTC",
            default_status=status, run_config=CONSOLE,
            description="Looks each hour at everything that can be broken; the check nothing_is_broken tells what is.",
        ),
        dg.ScheduleDefinition(
            name="reconcile_on_sundays", job=reconcile, cron_schedule="0 4 * * 0", execution_timezone="UTC",
            default_status=status, run_config=CONSOLE,
            description="Recounts on Sundays at 04:00 UTC what runs keep up step by step.",
        ),
        dg.ScheduleDefinition(
            name="clean_up_on_the_first", job=clean_up, cron_schedule="0 3 1 * *", execution_timezone="UTC",
            default_status=status, run_config=CONSOLE,
            description="Deletes on the first of a month at 03:00 UTC what has been kept long enough.",
        ),
    ]  # fmt: skip


def _daily_schedule(status: dg.DefaultScheduleStatus) -> dg.ScheduleDefinition:
    @dg.schedule(
        name="read_the_day_at_0830",
        job=read_the_day,
        cron_schedule=LOOKS,
        execution_timezone="UTC",
        default_status=status,
        description="Reads TMDB's export, change feed and lists of the day at 08:30 UTC; the sensors do the rest. "
        "While the export is late it looks again every quarter of an hour; from 12:30 on an older one will do.",
    )
    def from_half_past_eight(
        context: dg.ScheduleEvaluationContext, database: dg.ResourceParam[Database], tmdb: dg.ResourceParam[Tmdb]
    ) -> dg.RunRequest | dg.SkipReason:
        look = context.scheduled_execution_time.astimezone(UTC)
        day = look.date()
        if day != datetime.now(UTC).date():
            return dg.SkipReason(f"{day} is over; its export is no news any more")
        runs = runs_of_day(context.instance, day)
        decision = decide_day(
            look, runs, is_loaded=database.row("export_of_day", day=day).is_loaded, missing=lambda: _missing(tmdb, day)
        )
        record(database, "read_the_day_at_0830", "read_the_day", decision, look)
        if not decision.launch:
            return dg.SkipReason(decision.reason)
        key = f"{day}-{decision.memory.tries}"
        return dg.RunRequest(run_key=key, partition_key=day.isoformat(), run_config=CONSOLE)

    return from_half_past_eight


def _ratings_schedule(status: dg.DefaultScheduleStatus) -> dg.ScheduleDefinition:
    @dg.schedule(
        name="read_ratings_at_1030",
        job=read_ratings,
        cron_schedule="30 10 * * *",  # when the day's new films are mostly there
        execution_timezone="UTC",
        default_status=status,
        description="Reads ratings of other sources at 10:30 UTC, if a setting names one; the scores follow them.",
    )
    def at_half_past_ten(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        wanted = Settings.from_env().rating_files.assets
        if not wanted:
            return dg.SkipReason("no other source than TMDB is on: set MOVIE_ASSETS_IMDB_RATINGS or another one")
        day = context.scheduled_execution_time.date().isoformat()
        return dg.RunRequest(run_key=day, asset_selection=[dg.AssetKey(name) for name in wanted], run_config=CONSOLE)

    return at_half_past_ten


def _missing(tmdb: Tmdb, day: date) -> str | None:
    """Why a day's export cannot be had at this moment; None when it is there."""
    try:
        is_there = asyncio.run(tmdb.publishes(day))
    except TmdbUnavailableError as error:
        return str(error)
    return None if is_there else f"TMDB has not published the export of {day} yet"
