"""The checks of `movie_ids` and `series_ids`, which read the ids and the exports that were applied to them."""

from datetime import date
from typing import NamedTuple

import dagster as dg

from movie_assets.catalog.export_checks import Refusal
from movie_assets.catalog.media_assets import ALL, MediaAssets
from movie_assets.database.database import Database
from movie_assets.runs.batch_runs import amiss

SHARE = "share_kept_is_within_bounds"
MAX_MEDIAN_CHANGE = 2.0  # factor; TMDB cut its whole popularity scale about sevenfold in 2024-2025
NO_IDS = "there are no ids yet"


class NewestExport(NamedTuple):
    """The newest loaded export up to a day, and the export that was applied to the ids last; None without one."""

    loaded: date | None
    applied: date | None


class LastShare(NamedTuple):
    """The export that was applied to the ids last: its lines, and how many ids passed its rules."""

    export_date: date
    kept: int
    lines: int


class IdAgreement(NamedTuple):
    """Counts of export lines without an id, of ids without a line, and of ids that appear more than once."""

    lines_without_id: int
    ids_without_line: int
    duplicates: int


class PopularityMedian(NamedTuple):
    """The median popularity of a loaded export."""

    export_date: date
    median_popularity: float
    lines: int


class ExportLoss(NamedTuple):
    """The known ids that an export was the first to lack, compared with the usual loss.

    `usual_share` is the share of the known ids that is usually lost in a day, `days_since` the days since the load
    before, and `held` the number of missing ids that wait for a later export.
    """

    url: str
    is_accepted: bool
    unidentified_lines: int
    is_usual: bool
    ids_known: int
    ids_missing: int
    days_since: int
    usual_share: float
    held: int


def last_share(database: Database, of: MediaAssets) -> dg.AssetCheckResult:
    """Evaluate the last attempt to apply the export's rules. Fails if it was refused, until another one succeeds."""
    refusals = database.fetch(Refusal, "refusals", step=of.ids)
    share = database.fetch_optional(LastShare, "last_share", media=of.media.name)
    return dg.AssetCheckResult(
        passed=not refusals,
        check_name=SHARE,
        description=refusals[0].reason if refusals else None if share else NO_IDS,
        metadata={"ids_kept": share.kept, "share": share.kept / share.lines} if share else {},
    )


def _applied(database: Database, of: MediaAssets) -> date | None:
    return database.fetch_one(NewestExport, "newest_export", media=of.media.name, day=date.max).applied


def _agreement(database: Database, of: MediaAssets) -> dg.AssetCheckResult:
    day = _applied(database, of)
    counts = database.fetch_one(IdAgreement, "id_agreement", media=of.media.name, day=day)._asdict()
    return dg.AssetCheckResult(passed=not any(counts.values()), description=amiss(counts), metadata=counts)


def _drift(database: Database, of: MediaAssets) -> dg.AssetCheckResult:
    loads = database.fetch(PopularityMedian, "popularity_medians", media=of.media.name, day=_applied(database, of))
    medians = [load.median_popularity for load in loads]
    if not medians:
        return dg.AssetCheckResult(passed=True, severity=dg.AssetCheckSeverity.WARN, description=NO_IDS)
    today, *before = medians
    usual = sorted(before)[len(before) // 2] if before else today
    ratio = today / usual if usual else 1.0
    passed = 1 / MAX_MEDIAN_CHANGE <= ratio <= MAX_MEDIAN_CHANGE
    problem = (
        f"the median is {today:.2f}, {ratio:.2g} times the usual one; a factor of {MAX_MEDIAN_CHANGE:.0f} is allowed"
    )
    return dg.AssetCheckResult(
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if passed else problem,
        metadata={"median_popularity": today, "usual": usual, "ratio": ratio},
    )


def _loss(database: Database, of: MediaAssets) -> dg.AssetCheckResult:
    day = _applied(database, of)
    loss = database.fetch_optional(ExportLoss, "export_loss", media=of.media.name, day=day)
    if loss is None:
        return dg.AssetCheckResult(passed=True, severity=dg.AssetCheckSeverity.WARN, description=NO_IDS)
    share = loss.ids_missing / loss.ids_known if loss.ids_known else 0.0
    reasons = []
    if not loss.is_usual:
        lost = f"{loss.url} (the export of {day}) lost {loss.ids_missing:,} of {loss.ids_known:,} known ids"
        reasons.append(f"{lost}: {share:.2%} where {loss.usual_share * loss.days_since:.2%} is usual")
    if loss.unidentified_lines and not loss.is_accepted:
        reasons.append(f"{loss.unidentified_lines:,} lines of {loss.url} do not show their id")
    kept = f"{loss.held:,} missing ids are held and none of them was deleted; an export of a later day decides"
    passed = not (reasons and loss.held)
    return dg.AssetCheckResult(
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if passed else f"{' and '.join(reasons)}; {kept}",
        metadata={"missing": loss.ids_missing, "held": loss.held, "share": share, "usual_share": loss.usual_share},
    )


def checks_of(of: MediaAssets) -> list[dg.AssetChecksDefinition]:
    """Return the checks of the ids of a media type."""

    @dg.asset_check(
        asset=of.ids,
        description="Each line of the export has exactly one id, and no id is alive that the export does not list, "
        "except ids that wait for a later export and ids whose line cannot be read (pipeline.ids_without_line).",
    )
    def every_export_line_has_one_id(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
        """Compare the ids with the lines of the export that was applied to them last."""
        return _agreement(database, of)

    @dg.asset_check(
        name=SHARE,
        asset=of.ids,
        blocking=True,
        description="The share of ids that pass the export's rules is within a factor of 3 of the last 14 loads.",
    )
    def share_kept_is_within_bounds(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
        """Evaluate the last attempt to apply the export's rules, as the asset does."""
        return last_share(database, of)

    @dg.asset_check(
        asset=of.ids,
        description="The export's median popularity is within a factor of 2 of the loads before; "
        "when TMDB changes its scale, the profiles' least popularity has to be adapted.",
    )
    def popularity_has_not_drifted(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
        """Compare the median popularity of the export that was applied last with those before it."""
        return _drift(database, of)

    @dg.asset_check(
        asset=of.ids,
        description="The export lacks about as many of the known ids as the last loads did, and each of its lines "
        "shows its id. Otherwise no id is deleted that this export is the first to lack: it is held "
        "(pipeline.ids_without_line) until the export of a later day lacks it too. accept_unlike in the config of "
        f"{of.export} deletes at once.",
    )
    def no_unusual_loss_of_ids(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
        """Compare the number of ids that the applied export was the first to lack with the usual number."""
        return _loss(database, of)

    return [
        every_export_line_has_one_id, share_kept_is_within_bounds, popularity_has_not_drifted, no_unusual_loss_of_ids,
    ]  # fmt: skip


CHECKS = [check for of in ALL for check in checks_of(of)]
