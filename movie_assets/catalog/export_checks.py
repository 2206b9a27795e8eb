"""The checks of `tmdb_export`: they read what the last attempt to load an export left in the database."""

import dagster as dg

from movie_assets.database.database import Database

BELIEVED = "export_can_be_believed"
NOTHING_LOADED = "no export was loaded yet"


def last_attempt(database: Database) -> dg.AssetCheckResult:
    """Evaluate the last attempt to load an export: it fails while the attempt's refusal stands."""
    refused, loaded = database.rows("refusals", step="tmdb_export"), database.rows("last_load")
    return dg.AssetCheckResult(
        passed=not refused,
        check_name=BELIEVED,
        description=refused[0].reason if refused else None if loaded else NOTHING_LOADED,
        metadata={"lines": loaded[0].lines, "export_date": loaded[0].export_date.isoformat()} if loaded else {},
    )


@dg.asset_check(
    name=BELIEVED,
    asset="tmdb_export",
    blocking=True,
    description="The last export was accepted: it has about as many lines as the load before, at least nine "
    "tenths of its ids, popularity on the same scale, the flags adult and video, and nearly all lines can be read.",
)
def export_can_be_believed(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Evaluate the last attempt to load an export."""
    return last_attempt(database)


@dg.asset_check(
    asset="tmdb_export",
    description="TMDB had the export of the day that was asked for last; the export of an earlier day was not used.",
)
def the_export_is_of_the_day(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Compare the day of the export that was loaded last with the day that was asked for."""
    loaded = database.rows("last_load")
    asked, used = (loaded[0].asked_for, loaded[0].export_date) if loaded else (None, None)
    why = loaded[0].newer_is_unusable if loaded else None
    told = f"{why or f'TMDB has no export of {asked}'}; the export of {used} was used"
    return dg.AssetCheckResult(
        passed=used == asked,
        severity=dg.AssetCheckSeverity.WARN,
        description=NOTHING_LOADED if not loaded else None if used == asked else told,
        metadata={"days_old": (asked - used).days} if asked and used else {},
    )


CHECKS = [export_can_be_believed, the_export_is_of_the_day]
