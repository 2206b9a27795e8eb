"""Stage 2: which ids exist, and which of them deserve a look at their details."""

import json
from collections.abc import Iterator, Sequence
from datetime import date
from typing import Any

import dagster as dg
import sqlalchemy as sa

from movie_assets.catalog.id_checks import last_share
from movie_assets.catalog.id_counts import FunnelStep, IdState
from movie_assets.config.filter_profiles import FilterProfiles
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, as_dict, execute, rows
from movie_assets.runs.evaluations import evaluation_of
from movie_assets.runs.metadata_tables import Cell, bar, shown_table
from movie_assets.runs.partitions import days
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of

SHARE_MAY_MOVE_BY = 3.0  # factor; a change of the popularity scale moves the share by more
MAX_ROWS_SHOWN = 20


class ShareOutOfBoundsError(Exception):
    """The export's rules keep a share of the ids that cannot be right; the states were left as they were."""


@dg.asset(
    group_name="source",
    kinds={"postgres"},
    partitions_def=days,
    deps=["tmdb_export"],
)
@logged(
    checked=("ids_candidate", "ids_accepted", "ids_rejected", "ids_failed"),
    changed=("new", "returned", "verdicts_changed"),
    gone=("gone", "purged"),
    skipped="held",
)
def movie_ids(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    settings: dg.ResourceParam[Settings],
) -> Iterator[dg.AssetCheckEvaluation | dg.MaterializeResult[None]]:
    """A TMDB id with its state (candidate, accepted, rejected, failed, gone), its reason and its batch.

    An id that left the export is gone: its film leaves the catalogue and its tombstone stays. When an export lacks
    unusually many ids, they are held until the export of a later day lacks them too. A day older than the one the
    ids stand on changes nothing.
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
            moved = _apply(database, newest.loaded, settings.thresholds)
        except ShareOutOfBoundsError as error:
            database.execute(
                "record_refusal", step="movie_ids", subject="", reason=str(error), run_id=context.run.run_id,
                as_of=run_time_of(context.run),
            )  # fmt: skip
            yield evaluation_of(context, last_share(database))
            raise dg.Failure(f"{error} The ids were left as they were.", allow_retries=False) from None
    purged = database.row("purge_expired", as_of=run_time_of(context.run)).films
    applied = database.row("newest_export", day=day).applied
    states = database.fetch(IdState, "id_states")
    yield dg.MaterializeResult(
        metadata={
            "export_date": applied.isoformat(),
            "dagster/row_count": sum(row.ids for row in states),
            **moved,
            **{
                f"ids_{state}": _ids(states, state) for state in ("candidate", "accepted", "rejected", "failed", "gone")
            },
            "purged": purged,
            **_held_table(database),
            "funnel": _funnel(database.fetch(FunnelStep, "funnel")),
        },
    )


def _apply(database: Database, day: date, thresholds: FilterProfiles) -> dict[str, Any]:
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
        execute(connection, "clear_refusals", step="movie_ids", still=[])
        return as_dict(moved)

    return database.once(work)


def _ids(states: list[IdState], state: str) -> int:
    return sum(row.ids for row in states if row.state == state)


def _funnel(steps: list[FunnelStep]) -> dg.TableMetadataValue:
    """What each rule dropped and left; where the profiles aim at a number of films, a last row with it."""
    most = max([1, *(step.kept for step in steps)])
    lines: list[Sequence[Cell]] = [(step.says, step.dropped, step.kept, bar(step.kept / most)) for step in steps]
    if target := steps[-1].target:
        lines.append(("films aimed at", None, target, bar(target / most)))
    return shown_table(("rule", "dropped", "left", "share left"), lines)


def _held_table(database: Database) -> dict[str, dg.TableMetadataValue]:
    held = database.rows("held_ids", most=MAX_ROWS_SHOWN)
    if not held:
        return {}
    cells = [(row.tmdb_id, row.original_title, row.reason) for row in held]
    return {"ids_without_line": shown_table(("tmdb_id", "title", "reason"), cells)}
