"""The checks of `tmdb_export` and `series_export`, which read the record of the last attempt to load an export."""

from datetime import date, datetime
from typing import NamedTuple

import dagster as dg

from movie_assets.catalog.media_assets import ALL, MediaAssets
from movie_assets.database.database import Database

BELIEVED = "export_can_be_believed"
NOTHING_LOADED = "no export was loaded yet"


class Refusal(NamedTuple):
    """An input that a step refused at its last attempt."""

    subject: str
    reason: str
    run_id: str
    refused_at: datetime


class LastLoad(NamedTuple):
    """The export that was loaded last, and the day for which it was loaded.

    `newer_is_unusable` is the reason why the export of a newer day was not used, None without one.
    """

    export_date: date
    asked_for: date
    lines: int
    rejected_lines: int
    newer_is_unusable: str | None


def last_attempt(database: Database, of: MediaAssets) -> dg.AssetCheckResult:
    """Evaluate the last attempt to load an export. Fails if the export was refused, until another one is loaded."""
    refusals = database.fetch(Refusal, "refusals", step=of.export)
    loaded = database.fetch_optional(LastLoad, "last_load", media=of.media.name)
    return dg.AssetCheckResult(
        passed=not refusals,
        check_name=BELIEVED,
        description=refusals[0].reason if refusals else None if loaded else NOTHING_LOADED,
        metadata={"lines": loaded.lines, "export_date": loaded.export_date.isoformat()} if loaded else {},
    )


def checks_of(of: MediaAssets) -> list[dg.AssetChecksDefinition]:
    """Return the checks of a media type's export."""
    flags = " the flags adult and video," if of.media.export_flags else ""

    @dg.asset_check(
        name=BELIEVED,
        asset=of.export,
        blocking=True,
        description="The last export was accepted: it has about as many lines as the load before, at least nine "
        f"tenths of its ids, popularity on the same scale,{flags} and nearly all lines can be read.",
    )
    def export_can_be_believed(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
        """Evaluate the last attempt to load an export, as the asset does."""
        return last_attempt(database, of)

    @dg.asset_check(
        asset=of.export,
        description="TMDB had the export of the day that was asked for last; the export of an earlier day was not "
        "used.",
    )
    def the_export_is_of_the_day(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
        """Compare the day of the export that was loaded last with the day that was asked for."""
        loaded = database.fetch_optional(LastLoad, "last_load", media=of.media.name)
        if loaded is None:
            return dg.AssetCheckResult(passed=True, severity=dg.AssetCheckSeverity.WARN, description=NOTHING_LOADED)
        asked, used = loaded.asked_for, loaded.export_date
        problem = f"{loaded.newer_is_unusable or f'TMDB has no export of {asked}'}; the export of {used} was used"
        return dg.AssetCheckResult(
            passed=used == asked,
            severity=dg.AssetCheckSeverity.WARN,
            description=None if used == asked else problem,
            metadata={"days_old": (asked - used).days},
        )

    return [export_can_be_believed, the_export_is_of_the_day]


CHECKS = [check for of in ALL for check in checks_of(of)]
