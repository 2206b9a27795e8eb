"""The schedules: reading a day after TMDB has published it, health, and the upkeep that rooms declare."""

import asyncio
from collections.abc import Collection
from datetime import UTC, date, datetime

import dagster as dg

from movie_assets.catalog.media_assets import assets_for
from movie_assets.database.database import Database
from movie_assets.orchestration.console import CONSOLE
from movie_assets.orchestration.jobs import assets_of, look_at_health
from movie_assets.orchestration.launch_decisions import (
    Decision,
    Memory,
    decide_day,
    decide_once,
)
from movie_assets.orchestration.rooms import UPKEEP
from movie_assets.orchestration.run_records import READING, is_in_flight, runs_of_day, runs_since, unfinished
from movie_assets.orchestration.sensors import TRIGGERS, record
from movie_assets.runs.upkeep import Upkeep
from movie_assets.tmdb.client import Tmdb
from movie_assets.tmdb.media import MOVIES
from movie_assets.tmdb.responses import TmdbUnavailableError

# The first tick is at 08:30, as the export is complete by 08:00; then one every quarter of an hour, for a day whose
# export is late, whose run failed, or during which the machine was asleep.
TICKS = ["30,45 8 * * *", "*/15 9-23 * * *"]
DAILY = "read_the_day_at_0830"


RECORDING = (DAILY, *(upkeep.schedule for upkeep in UPKEEP), *(trigger.sensor for trigger in TRIGGERS))


def schedules(status: dg.DefaultScheduleStatus) -> list[dg.ScheduleDefinition]:
    """Return all schedules; `status` is their default."""
    return [_daily_schedule(status), _health_schedule(status), *(_upkeep_schedule(each, status) for each in UPKEEP)]


def _daily_schedule(status: dg.DefaultScheduleStatus) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=DAILY,
        job_name=READING,
        cron_schedule=TICKS,
        execution_timezone="UTC",
        default_status=status,
        description="Launches read_the_day at 08:30 UTC; sensors launch what follows from it. While TMDB's export is "
        "late it tries again every quarter of an hour; from 12:30 on it reads the newest older export.",
    )
    def from_half_past_eight(
        context: dg.ScheduleEvaluationContext, database: dg.ResourceParam[Database], tmdb: dg.ResourceParam[Tmdb]
    ) -> dg.RunRequest | dg.SkipReason:
        scheduled = context.scheduled_execution_time.astimezone(UTC)
        day, media = scheduled.date(), tmdb.settings.media_types
        if day != datetime.now(UTC).date():
            return dg.SkipReason(f"{day} is over; its export is no longer the newest")
        runs = runs_of_day(context.instance, day, assets_of(READING, media))
        decision = decide_day(
            scheduled,
            runs,
            is_loaded=database.fetch_value(bool, "export_of_day", day=day, media=list(media)),
            missing=lambda: _missing(tmdb, day, media),
        )
        # Otherwise health would report a renamed or removed trigger that had given up for ever.
        database.execute("forget_triggers", names=list(RECORDING))
        record(database, DAILY, READING, decision, scheduled)
        if not decision.launch:
            return dg.SkipReason(decision.reason)
        key = f"{day}-{decision.memory.tries}"
        return dg.RunRequest(run_key=key, partition_key=day.isoformat(), run_config=CONSOLE)

    return from_half_past_eight


def _health_schedule(status: dg.DefaultScheduleStatus) -> dg.ScheduleDefinition:
    @dg.schedule(
        name="look_at_health_hourly",
        job=look_at_health,
        cron_schedule="17 * * * *",
        execution_timezone="UTC",
        default_status=status,
        description="Launches look_at_health at 17 past each hour, unless the last run has not ended.",
    )
    def at_17_past(context: dg.ScheduleEvaluationContext) -> dg.RunRequest | dg.SkipReason:
        scheduled = context.scheduled_execution_time.astimezone(UTC)
        now = datetime.now(UTC)
        if (scheduled.date(), scheduled.hour) != (now.date(), now.hour):
            return dg.SkipReason(f"the hour of {scheduled:%H:%M} UTC is over; the next tick checks what is broken now")
        if is_in_flight(unfinished(context.instance), [look_at_health.name], *assets_of(look_at_health.name)):
            return dg.SkipReason("the last run has not ended")
        return dg.RunRequest(run_key=f"{scheduled:%Y-%m-%dT%H}", run_config=CONSOLE)

    return at_17_past


def _upkeep_schedule(upkeep: Upkeep, status: dg.DefaultScheduleStatus) -> dg.ScheduleDefinition:
    @dg.schedule(
        name=upkeep.schedule,
        job_name=upkeep.job,
        cron_schedule=upkeep.cron,
        execution_timezone="UTC",
        default_status=status,
        description=upkeep.schedule_description,
    )
    def once(
        context: dg.ScheduleEvaluationContext, database: dg.ResourceParam[Database]
    ) -> dg.RunRequest | dg.SkipReason:
        scheduled = context.scheduled_execution_time.astimezone(UTC)
        if scheduled.date() != datetime.now(UTC).date():
            return dg.SkipReason(f"{scheduled.date()} is over; the next tick checks what is due")
        assets = upkeep.asset_names()
        since = upkeep.since(scheduled)
        decision = (
            decide_once(scheduled, since, runs_since(context.instance, upkeep.job, assets, since))
            if assets
            else Decision(False, upkeep.switched_off, Memory())
        )
        record(database, upkeep.schedule, upkeep.job, decision, scheduled)
        if not decision.launch:
            return dg.SkipReason(decision.reason)
        day = scheduled.date().isoformat()
        hour = f"T{since:%H}" if upkeep.is_of_today else ""
        return dg.RunRequest(
            run_key=f"{since.date()}{hour}-{decision.memory.tries}",
            asset_selection=[dg.AssetKey(name) for name in assets],
            run_config=CONSOLE,
            partition_key=day if upkeep.is_of_today else None,
        )

    return once


def _missing(tmdb: Tmdb, day: date, media_types: Collection[str]) -> str | None:
    """Return why a day's export of one of the media types is not available now; None if all are."""
    for of in assets_for(media_types):
        try:
            is_published = asyncio.run(tmdb.publishes(day, of.media))
        except TmdbUnavailableError as error:
            return str(error)
        if not is_published:
            which = "the export" if of.media is MOVIES else f"the export of {of.media.name}"
            return f"TMDB has not published {which} of {day} yet"
    return None
