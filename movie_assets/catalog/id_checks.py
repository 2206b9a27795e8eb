"""The checks of `movie_ids`: they read the ids, and the exports that the ids were brought up to."""

from datetime import date

import dagster as dg

from movie_assets.database.database import Database, as_dict
from movie_assets.runs.batch_runs import amiss

SHARE = "share_kept_is_within_bounds"
MEDIAN_MAY_MOVE_BY = 2.0  # factor; TMDB cut its whole popularity scale about sevenfold in 2024-2025
NO_IDS = "there are no ids yet"


def last_share(database: Database) -> dg.AssetCheckResult:
    """Evaluate the last attempt to apply the export's rules: it fails while the attempt's refusal stands."""
    refused, kept = database.rows("refusals", step="movie_ids"), database.rows("last_share")
    return dg.AssetCheckResult(
        passed=not refused,
        check_name=SHARE,
        description=refused[0].reason if refused else None if kept else NO_IDS,
        metadata={"ids_kept": kept[0].kept, "share": kept[0].kept / kept[0].lines} if kept else {},
    )


def _applied(database: Database) -> date | None:
    day: date | None = database.row("newest_export", day=date.max).applied
    return day


@dg.asset_check(
    asset="movie_ids",
    description="Each line of the export has exactly one id, and no id is alive that the export does not list, except "
    "ids that wait for a later export and ids whose line cannot be read (pipeline.ids_without_line).",
)
def every_export_line_has_one_id(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Compare the ids with the lines of the export that they were brought up to."""
    day = _applied(database)
    counts = as_dict(database.row("id_agreement", day=day))
    return dg.AssetCheckResult(passed=not any(counts.values()), description=amiss(counts), metadata=counts)


@dg.asset_check(
    name=SHARE,
    asset="movie_ids",
    blocking=True,
    description="The share of ids that pass the export's rules is within a factor of 3 of the last 14 loads.",
)
def share_kept_is_within_bounds(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Evaluate the last attempt to apply the export's rules."""
    return last_share(database)


@dg.asset_check(
    asset="movie_ids",
    description="The export's median popularity is within a factor of 2 of the loads before; "
    "when TMDB changes its scale, the popularity threshold has to follow.",
)
def popularity_has_not_drifted(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Compare the median popularity of the export that the ids were brought up to with those before it."""
    medians = database.frame("popularity_medians", day=_applied(database))["median_popularity"].tolist()
    if not medians:
        return dg.AssetCheckResult(passed=True, severity=dg.AssetCheckSeverity.WARN, description=NO_IDS)
    today, *before = medians
    usual = sorted(before)[len(before) // 2] if before else today
    ratio = today / usual if usual else 1.0
    passed = 1 / MEDIAN_MAY_MOVE_BY <= ratio <= MEDIAN_MAY_MOVE_BY
    told = f"the median is {today:.2f}, {ratio:.2g} times the usual one; a factor of {MEDIAN_MAY_MOVE_BY:.0f} is borne"
    return dg.AssetCheckResult(
        passed=passed,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if passed else told,
        metadata={"median_popularity": today, "usual": usual, "ratio": ratio},
    )


@dg.asset_check(
    asset="movie_ids",
    description="The export lacks about as many of the known ids as the last loads did, and each of its lines shows "
    "its id. Otherwise no id is deleted that this export is the first to lack: it is held (pipeline.ids_without_line) "
    "until the export of a later day lacks it too. accept_unlike in tmdb_export's config deletes at once.",
)
def no_unusual_loss_of_ids(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Compare how many ids the export in use was the first to lack with what is usual."""
    day = _applied(database)
    found = database.rows("export_loss", day=day)
    if not found:
        return dg.AssetCheckResult(passed=True, severity=dg.AssetCheckSeverity.WARN, description=NO_IDS)
    (loss,) = found
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


CHECKS = [every_export_line_has_one_id, share_kept_is_within_bounds, popularity_has_not_drifted, no_unusual_loss_of_ids]
