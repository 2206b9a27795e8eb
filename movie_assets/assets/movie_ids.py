"""Stage 2: which ids exist, and which of them deserve a look at their details."""

import json
from collections.abc import Iterator
from datetime import date
from typing import Any

import dagster as dg
import sqlalchemy as sa

from movie_assets.assets.batches import amiss
from movie_assets.assets.run_log import logged
from movie_assets.core.filters import Thresholds
from movie_assets.core.pictures import funnel_picture
from movie_assets.moment import moment_of
from movie_assets.partitions import days
from movie_assets.resources.postgres import Database, rows

SHARE_MAY_MOVE_BY = 3.0  # factor; a change of the popularity scale moves the share by more
MEDIAN_MAY_MOVE_BY = 2.0  # factor; TMDB cut its whole popularity scale about sevenfold in 2024-2025

AGREEMENT = dg.AssetCheckSpec(
    "every_export_line_has_one_id",
    asset="movie_ids",
    description="Each line of the export has exactly one id, and no id is alive that the export does not list.",
)
SHARE = dg.AssetCheckSpec(
    "share_kept_is_within_bounds",
    asset="movie_ids",
    blocking=True,
    description="The share of ids that pass the export's rules is within a factor of 3 of the last 14 loads.",
)
DRIFT = dg.AssetCheckSpec(
    "popularity_has_not_drifted",
    asset="movie_ids",
    description="The export's median popularity is within a factor of 2 of the loads before; "
    "when TMDB changes its scale, the popularity threshold has to follow.",
)


class ShareOutOfBoundsError(Exception):
    """The export's rules keep a share of the ids that cannot be right; the states were left as they were."""


@dg.asset(
    group_name="source",
    kinds={"postgres"},
    partitions_def=days,
    deps=["tmdb_export"],
    check_specs=[AGREEMENT, SHARE, DRIFT],
)
@logged(
    checked="ids_candidate ids_accepted ids_rejected ids_failed",
    changed="new returned verdicts_changed",
    gone="gone purged",
)
def movie_ids(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    thresholds: dg.ResourceParam[Thresholds],
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """A TMDB id with its state (candidate, accepted, rejected, failed, gone), its reason and its batch.

    An id that left the export is gone: its film leaves the catalogue and its tombstone stays. A day older
    than the one the ids stand on changes nothing.
    """
    day = date.fromisoformat(context.partition_key)
    newest = database.row("newest_export", day=day)
    if newest.loaded is None:
        raise dg.Failure(f"No export was loaded up to {day}; materialize tmdb_export first.", allow_retries=False)
    if newest.applied is not None and newest.applied > newest.loaded:
        context.log.info(f"nothing to do: the ids stand on the newer export of {newest.applied}")
        moved: dict[str, Any] = {}
    else:
        try:
            moved = _apply(database, newest.loaded, thresholds)
        except ShareOutOfBoundsError as error:
            yield dg.AssetCheckResult(passed=False, check_name=SHARE.name, description=str(error))
            raise dg.Failure(f"{error} The ids were left as they were.", allow_retries=False) from None
    purged = database.row("purge_expired", moment=moment_of(context.run)).films
    applied = database.row("newest_export", day=day).applied
    states = database.rows("id_states")
    yield dg.MaterializeResult(
        metadata={
            "export_date": applied.isoformat(),
            **moved,
            **{
                f"ids_{state}": _ids(states, state) for state in ("candidate", "accepted", "rejected", "failed", "gone")
            },
            "purged": purged,
            "funnel": dg.MetadataValue.md(_funnel(database.rows("funnel"))),
        },
        check_results=[
            _agreement(database, applied),
            dg.AssetCheckResult(passed=True, check_name=SHARE.name),
            _drift(database, applied),
        ],
    )


def _apply(database: Database, day: date, thresholds: Thresholds) -> dict[str, Any]:
    def work(connection: sa.Connection) -> dict[str, Any]:
        (moved,) = rows(
            connection,
            "apply_export",
            day=day,
            min_popularities=[profile.min_popularity for profile in thresholds.profiles],
            ranks=[profile.popularity_rank for profile in thresholds.profiles],
            rules=json.dumps([{"rule": rule, "says": says} for rule, says in thresholds.describe().items()]),
            target=thresholds.target,
        )
        (share,) = rows(
            connection, "keep_share", day=day, min_popularity=moved.min_popularity, kept_by=thresholds.export_rules
        )
        kept = share.kept / share.lines
        usual = share.usual_share
        if share.kept == 0 or (usual and not 1 / SHARE_MAY_MOVE_BY <= kept / usual <= SHARE_MAY_MOVE_BY):
            raise ShareOutOfBoundsError(
                f"{share.kept:,} of {share.lines:,} ids ({kept:.1%}) pass the export's rules, "
                f"usual are {usual or 0:.1%}: if TMDB's popularity scale moved, change the profiles in use "
                "(MOVIE_ASSETS_PROFILES)."
            )
        return dict(moved._mapping)  # noqa: SLF001  # SQLAlchemy's documented way to a row's dictionary

    return database.once(work)


def _ids(states: list[sa.Row[Any]], state: str) -> int:
    return sum(row.ids for row in states if row.state == state)


def _funnel(steps: list[sa.Row[Any]]) -> str:
    lines = [f"| {step.says} | {step.dropped:,} | {step.kept:,} |" for step in steps]
    target = steps[-1].target
    reached = f"\n\n{steps[-1].kept:,} of the {target:,} films aimed at" if target else ""
    picture = funnel_picture([(step.says, step.dropped, step.kept) for step in steps])
    return "\n".join([picture, "", "| rule | dropped | left |", "|---|--:|--:|", *lines]) + reached


def _agreement(database: Database, day: date) -> dg.AssetCheckResult:
    counts = dict(database.row("id_agreement", day=day)._mapping)  # noqa: SLF001  # SQLAlchemy's documented way
    return dg.AssetCheckResult(
        passed=not any(counts.values()),
        check_name=AGREEMENT.name,
        description=amiss(counts),
        metadata=counts,
    )


def _drift(database: Database, day: date) -> dg.AssetCheckResult:
    today, *before = database.frame("popularity_medians", day=day)["median_popularity"].tolist()
    usual = sorted(before)[len(before) // 2] if before else today
    ratio = today / usual if usual else 1.0
    passed = 1 / MEDIAN_MAY_MOVE_BY <= ratio <= MEDIAN_MAY_MOVE_BY
    told = f"the median is {today:.2f}, {ratio:.2g} times the usual one; a factor of {MEDIAN_MAY_MOVE_BY:.0f} is borne"
    return dg.AssetCheckResult(
        passed=passed,
        check_name=DRIFT.name,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if passed else told,
        metadata={"median_popularity": today, "usual": usual, "ratio": ratio},
    )
