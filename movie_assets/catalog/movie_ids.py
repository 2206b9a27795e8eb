"""Stage 2: the state of each id of a media type, and the ids whose details are wanted."""

import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import NamedTuple

import dagster as dg
import sqlalchemy as sa

from movie_assets.catalog.id_checks import NewestExport, last_share
from movie_assets.catalog.id_counts import FunnelStep, IdState
from movie_assets.catalog.media_assets import MediaAssets
from movie_assets.config.filter_profiles import FilterProfiles
from movie_assets.config.setting_values import PROFILES
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, execute, fetch_one
from movie_assets.runs.evaluations import evaluation_of
from movie_assets.runs.metadata_tables import Cell, bar, shown_table
from movie_assets.runs.partitions import day_of_run, days
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of

MAX_SHARE_CHANGE = 3.0  # factor; a change of the popularity scale changes the share by more
MAX_ROWS_SHOWN = 20
STATES = ("candidate", "accepted", "rejected", "failed", "gone")


class AppliedExport(NamedTuple):
    """The number of ids that an applied export changed, and the popularity that an id needs.

    `gone` counts the ids that left the export, `held` those that wait for a later export, `returned` those that came
    back, and `verdicts_changed` those whose result by the export's rules or whose title changed. `min_popularity` is
    the lowest of all profiles.
    """

    new: int
    gone: int
    held: int
    returned: int
    verdicts_changed: int
    min_popularity: float


class KeptShare(NamedTuple):
    """The number of ids that pass the export's rules, and the usual share of the ids under the same rules.

    `usual_share` is the median of the last 14 exports; None without one.
    """

    kept: int
    lines: int
    usual_share: float | None


class PurgedFilms(NamedTuple):
    """The number of films that were deleted because TMDB's terms do not allow to keep them longer."""

    films: int


class HeldId(NamedTuple):
    """A living id that the export does not list, and the reason why it was not deleted."""

    tmdb_id: int
    original_title: str
    state: str
    reason: str


class ShareOutOfBoundsError(Exception):
    """The share of the ids that pass the export's rules is not plausible; no state was changed."""


def ids_asset(of: MediaAssets) -> dg.AssetsDefinition:
    """Return the asset of the ids of a media type."""

    @dg.asset(
        name=of.ids,
        group_name="source",
        kinds={"postgres"},
        partitions_def=days,
        deps=[of.export],
    )
    @logged(
        checked=("ids_candidate", "ids_accepted", "ids_rejected", "ids_failed"),
        changed=("new", "returned", "verdicts_changed"),
        gone=("gone", "purged"),
        skipped="held",
    )
    def ids_of_day(
        context: dg.AssetExecutionContext,
        database: dg.ResourceParam[Database],
        settings: dg.ResourceParam[Settings],
    ) -> Iterator[dg.AssetCheckEvaluation | dg.MaterializeResult[None]]:
        """A TMDB id with its state (candidate, accepted, rejected, failed, gone), its reason and its batch.

        An id that left the export is gone: its title leaves the catalogue and its tombstone stays. When an export lacks
        unusually many ids, they are held until the export of a later day lacks them too. An export older than the one
        that was applied to the ids changes nothing.
        """
        day, as_of = day_of_run(context), run_time_of(context.run)
        newest = database.fetch_one(NewestExport, "newest_export", media=of.media.name, day=day)
        if newest.loaded is None:
            message = f"No export was loaded up to {day}; materialize {of.export} first."
            raise dg.Failure(message, allow_retries=False)
        applied, changes = newest.loaded, dict[str, int | float]()
        if newest.applied is not None and newest.applied > newest.loaded:
            context.log.info(f"nothing to do: the newer export of {newest.applied} was applied to the ids")
            applied = newest.applied
        else:
            try:
                changes = _apply(database, of, newest.loaded, settings.profiles_for(of.media.name))
            except ShareOutOfBoundsError as error:
                database.execute(
                    "record_refusal", step=of.ids, subject="", reason=str(error), run_id=context.run.run_id, as_of=as_of
                )
                yield evaluation_of(context, last_share(database, of))
                raise dg.Failure(f"{error} The ids were left as they were.", allow_retries=False) from None
        (purged,) = database.execute_returning(PurgedFilms, "purge_expired", as_of=as_of)
        yield dg.MaterializeResult(metadata=_metadata(database, of, applied, changes, purged.films))

    return ids_of_day


def _apply(database: Database, of: MediaAssets, day: date, thresholds: FilterProfiles) -> dict[str, int | float]:
    """Apply the export of a day to the ids of its media type, and return the counts of `AppliedExport`.

    Raises ShareOutOfBoundsError and changes nothing when the share of ids that pass is not plausible.
    """

    def work(connection: sa.Connection) -> AppliedExport:
        applied = fetch_one(
            connection,
            AppliedExport,
            "apply_export",
            media=of.media.name,
            day=day,
            min_popularities=[profile.min_popularity for profile in thresholds.profiles],
            ranks=[profile.popularity_rank for profile in thresholds.profiles],
            rules=json.dumps([{"rule": rule, "says": text} for rule, text in thresholds.describe().items()]),
            target=thresholds.target,
        )
        share = fetch_one(
            connection, KeptShare, "keep_share", media=of.media.name, day=day, min_popularity=applied.min_popularity,
            kept_by=thresholds.export_rules,
        )  # fmt: skip
        _require_usual(share, of)
        execute(connection, "clear_refusals", step=of.ids, still=[])
        return applied

    return database.once(work)._asdict()


def _require_usual(share: KeptShare, of: MediaAssets) -> None:
    """Raise ShareOutOfBoundsError when no id passes the export's rules, or unusually few or many."""
    kept, usual = share.kept / share.lines, share.usual_share
    if share.kept == 0 or (usual and not 1 / MAX_SHARE_CHANGE <= kept / usual <= MAX_SHARE_CHANGE):
        raise ShareOutOfBoundsError(
            f"{share.kept:,} of {share.lines:,} ids ({kept:.1%}) pass the export's rules, "
            f"usual are {usual or 0:.1%}: if TMDB's popularity scale changed, change the profiles in use "
            f"({PROFILES[of.media.name]})."
        )


def _metadata(
    database: Database, of: MediaAssets, applied: date, changes: Mapping[str, int | float], purged: int
) -> dict[str, int | float | str | dg.TableMetadataValue]:
    states = database.fetch(IdState, "id_states", media=of.media.name)
    return {
        "export_date": applied.isoformat(),
        "dagster/row_count": sum(row.ids for row in states),
        **changes,
        **{f"ids_{state}": sum(row.ids for row in states if row.state == state) for state in STATES},
        "purged": purged,
        **_held_table(database, of),
        "funnel": _funnel(database.fetch(FunnelStep, "funnel", media=of.media.name)),
    }


def _funnel(steps: list[FunnelStep]) -> dg.TableMetadataValue:
    """Return a table of the ids that each rule dropped and left, and of the profiles' target if they have one."""
    most = max([1, *(step.kept for step in steps)])
    cells: list[Sequence[Cell]] = [(step.says, step.dropped, step.kept, bar(step.kept / most)) for step in steps]
    if target := steps[-1].target:
        cells.append(("films aimed at", None, target, bar(target / most)))
    return shown_table(("rule", "dropped", "left", "share left"), cells)


def _held_table(database: Database, of: MediaAssets) -> dict[str, dg.TableMetadataValue]:
    held = database.fetch(HeldId, "held_ids", media=of.media.name, most=MAX_ROWS_SHOWN)
    if not held:
        return {}
    cells = [(row.tmdb_id, row.original_title, row.reason) for row in held]
    return {"ids_without_line": shown_table(("tmdb_id", "title", "reason"), cells)}
