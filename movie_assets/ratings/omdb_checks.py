"""The checks of `omdb_ratings`: responses of the last days could be read, and the quota is as the setting says."""

import dagster as dg

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.ratings.omdb_ratings import OFF, OmdbDay
from movie_assets.runs.metadata_tables import shown_table
from movie_assets.runs.run_time import run_time_of

MAX_BAD = 0.05  # of the values, and of the titles
MIN_TO_JUDGE = 20
COLUMNS = ("day", "calls", "rated", "without rating", "failed", "values", "rejected", "quota used up")


@dg.asset_check(
    asset="omdb_ratings",
    description="Of the values that OMDb sent in the last seven days at most 5 % were rejected, and at most 5 % of the "
    "titles got no usable response.",
)
def omdb_responses_can_be_read(
    context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database], settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Compare rejected values and failed titles with all of the last days."""
    if settings.omdb_api_key is None:
        return dg.AssetCheckResult(passed=True, description=OFF)
    days = database.fetch(OmdbDay, "omdb_days", as_of=run_time_of(context.run))
    rejected, failed = sum(day.values_rejected for day in days), sum(day.titles_failed for day in days)
    values = rejected + sum(day.values_read for day in days)
    titles = failed + sum(day.titles_rated + day.titles_without for day in days)
    problems = [
        f"{bad:,} of {count:,} {what}"
        for bad, count, what in ((rejected, values, "values were rejected"), (failed, titles, "titles got no response"))
        if count >= MIN_TO_JUDGE and bad > MAX_BAD * count
    ]
    return dg.AssetCheckResult(
        passed=not problems,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(problems) or None,
        metadata={
            "values": values,
            "values_rejected": rejected,
            "titles": titles,
            "titles_failed": failed,
            "days": shown_table(COLUMNS, [(str(day.day), *day[1:-1], str(day.used_up_at or "")) for day in days]),
        },
    )


@dg.asset_check(
    asset="omdb_ratings",
    description="OMDb did not refuse a call of the day for its quota before the calls of MOVIE_ASSETS_OMDB_CALLS were "
    "made. Otherwise another program uses the key, or its quota is smaller.",
)
def the_quota_of_omdb_lasts(
    context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database], settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Compare the calls of the day with the setting, and report whether OMDb refused one."""
    if settings.omdb_api_key is None:
        return dg.AssetCheckResult(passed=True, description=OFF)
    as_of = run_time_of(context.run)
    today = [day for day in database.fetch(OmdbDay, "omdb_days", as_of=as_of) if day.day == as_of.date()]
    calls, is_used_up = sum(day.calls for day in today), any(day.used_up_at for day in today)
    problem = f"OMDb's quota was used up after {calls:,} of {settings.omdb_calls:,} calls"
    return dg.AssetCheckResult(
        passed=not is_used_up,
        severity=dg.AssetCheckSeverity.WARN,
        description=problem if is_used_up else None,
        metadata={"calls": calls, "calls_allowed": settings.omdb_calls, "quota_used_up": is_used_up},
    )
