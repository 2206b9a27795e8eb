"""What the clock launches: a schedule after TMDB has published, and one for the ratings of others."""

import dagster as dg

from movie_assets.automation.console import CONSOLE
from movie_assets.automation.jobs import read_ratings, read_the_day
from movie_assets.settings import Settings


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


def ratings_schedule(status: dg.DefaultScheduleStatus) -> dg.ScheduleDefinition:
    """Read the files of ratings that settings name at 10:30 UTC, when the day's new films are mostly there."""

    @dg.schedule(
        name="read_ratings_at_1030",
        job=read_ratings,
        cron_schedule="30 10 * * *",
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
