"""Stage 1: TMDB's daily ID export, streamed into Postgres. What the ids mean is decided in `movie_ids`."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import dagster as dg
import sqlalchemy as sa
from pydantic import Field

from movie_assets.catalog.export_checks import last_attempt
from movie_assets.database.database import Database, copy_rows, execute, rows
from movie_assets.database.interrupts import run_until_done
from movie_assets.runs.evaluations import evaluation_of
from movie_assets.runs.metadata_tables import calls_table
from movie_assets.runs.partitions import days
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of
from movie_assets.tmdb.client import Tmdb, TmdbClient
from movie_assets.tmdb.export_lines import ExportCounts, LoadBefore, read_lines, reasons_to_refuse
from movie_assets.tmdb.responses import CallCounts, Export, ExportDamagedError, ExportMissingError, TmdbError

DAYS_TO_FALL_BACK = 7
LINE_COLUMNS = {
    "line": "int8",
    "tmdb_id": "int8",
    "original_title": "text",
    "popularity": "float8",
    "adult": "bool",
    "video": "bool",
    "softcore": "bool",
}


class ExportConfig(dg.Config):
    """How to load an export."""

    accept_unlike: bool = Field(
        default=False,
        description="Load an export even if it is unlike the load before in its lines, ids or popularity; ids that it "
        "lacks are deleted today, however many they are.",
    )


class ExportRefusedError(Exception):
    """An export that cannot be right; nothing of it was kept."""


@dg.asset(
    group_name="source",
    kinds={"python", "postgres"},
    partitions_def=days,
    pool="tmdb",
)
@logged(checked="rows_in", skipped=("rows_rejected", "duplicates"), fetched="rows_out")
def tmdb_export(
    context: dg.AssetExecutionContext,
    config: ExportConfig,
    database: dg.ResourceParam[Database],
    tmdb: dg.ResourceParam[Tmdb],
) -> Iterator[dg.AssetCheckEvaluation | dg.MaterializeResult[None]]:
    """A line of TMDB's daily ID export: one id that exists, with its original title and popularity.

    A day that TMDB has not published falls back to the newest of the seven days before it.
    """
    asked = date.fromisoformat(context.partition_key)
    database.execute("begin_on_day", day=asked)
    counts = ExportCounts()
    try:
        loaded = run_until_done(_load(tmdb, database, asked, counts, context.run.run_id, config.accept_unlike))
    except ExportRefusedError as error:
        _keep_rejects(database, counts, context)
        database.execute(
            "record_refusal", step="tmdb_export", subject="", reason=str(error), run_id=context.run.run_id,
            as_of=run_time_of(context.run),
        )  # fmt: skip
        yield evaluation_of(context, last_attempt(database))
        told = f"The export was refused and nothing was changed: {error}. {_ids_in_use(database)}"
        raise dg.Failure(told, allow_retries=False) from None
    except TmdbError as error:
        raise dg.Failure(f"{error}. {_ids_in_use(database)}", allow_retries=False) from None
    used, stored = loaded.day, loaded.stored
    _keep_rejects(database, counts, context)
    metadata = {
        "asked_for": asked.isoformat(),
        "export_date": used.isoformat(),
        "dagster/partition_row_count": stored.lines,
        "rows_in": counts.lines + counts.rejected,
        "rows_out": stored.lines,
        "rows_rejected": counts.rejected,
        "rows_repaired": counts.repaired,
        "rows_without_id": counts.unidentified,
        "duplicates": stored.duplicate_lines,
        "median_popularity": stored.median_popularity,
        "calls": calls_table(loaded.calls),
    }
    yield dg.MaterializeResult(metadata=metadata)


def _ids_in_use(database: Database) -> str:
    """Say which ids stay in use when no export was loaded."""
    found = database.rows("ids_in_use")
    if not found:
        return "No export was loaded yet, so there are no ids."
    (ids,) = found
    return f"The {ids.living:,} ids of the export of {ids.export_date} stay in use."


@dataclass(frozen=True)
class Loaded:
    """An export that was stored: its day, its record, what the calls came to, and why newer ones could not be used."""

    day: date
    stored: sa.Row[Any]
    calls: CallCounts
    unusable: Sequence[str]


async def _load(
    tmdb: Tmdb, database: Database, asked: date, counts: ExportCounts, run_id: str, accept_unlike: bool
) -> Loaded:
    """Store the newest usable export up to a day."""
    async with tmdb.session(run_id) as client, _newest_export(client, asked) as (used, export, unusable):
        before = database.rows("export_before", day=used)
        same_source = not before or before[0].source == export.source
        if not same_source and "tmdb" in (before[0].source, export.source):
            raise ExportRefusedError(
                f"this catalogue was built from {before[0].source} and the export comes from {export.source}, "
                "whose ids mean other films; set MOVIE_ASSETS_HOME to a new folder, or MOVIE_ASSETS_DATABASE_URL "
                "to another database"
            )
        day_before = before[0].export_date if before else None

        def work(connection: sa.Connection) -> sa.Row[Any]:
            counts.start_again()
            execute(connection, "stage_lines")
            copy_rows(connection, "incoming_lines", LINE_COLUMNS, _staged(export, counts))
            (found,) = rows(connection, "compare_export", day_before=day_before)
            earlier = None
            if before and same_source and not accept_unlike:
                earlier = LoadBefore(before[0].lines, found.kept, before[0].median_popularity)
            if reasons := reasons_to_refuse(
                counts.lines, counts.rejected, found.median_popularity, earlier, without_flags=counts.without_flags
            ):
                raise ExportRefusedError(f"{export.url} (the export of {used}): {' and '.join(reasons)}")
            (stored,) = rows(
                connection, "record_export", day=used, asked=asked, source=export.source, url=export.url,
                lines=counts.lines, rejected=counts.rejected, run_id=run_id, unidentified=counts.unidentified,
                unreadable_ids=sorted(counts.unreadable_ids), is_accepted=accept_unlike or not same_source,
                newer_is_unusable=unusable[0] if unusable else None,
            )  # fmt: skip
            execute(connection, "clear_refusals", step="tmdb_export", still=[])
            if not same_source:  # from one made-up world to another: nothing that was fetched is true there
                execute(connection, "forget_films")
            return stored

        return Loaded(used, database.once(work), client.calls, unusable)


def _staged(export: Export, counts: ExportCounts) -> Iterator[tuple[Any, ...]]:
    for number, line in enumerate(read_lines(export.lines(), counts)):
        facts = (line.original_title, line.popularity, line.adult, line.video, line.softcore)
        yield (number, line.tmdb_id, *facts)


@asynccontextmanager
async def _newest_export(client: TmdbClient, asked: date) -> AsyncIterator[tuple[date, Export, Sequence[str]]]:
    """Download a day's export, or the newest whole one before it; yields also what was wrong with newer ones."""
    unusable: list[str] = []
    async with AsyncExitStack() as stack:
        for age in range(DAYS_TO_FALL_BACK + 1):
            day = asked - timedelta(days=age)
            try:
                export = await stack.enter_async_context(client.export(day))
            except (ExportMissingError, ExportDamagedError) as error:
                unusable.append(str(error))
                continue
            yield day, export, unusable
            return
    raise ExportMissingError(
        f"{unusable[0]}; none of the {DAYS_TO_FALL_BACK} days before could be used either: the last was {unusable[-1]}"
    )


def _keep_rejects(database: Database, counts: ExportCounts, context: dg.AssetExecutionContext) -> None:
    if counts.samples:
        reasons, samples = zip(*counts.samples, strict=True)
        database.execute(
            "record_rejects", stage="tmdb_export", reasons=list(reasons), samples=list(samples),
            run_id=context.run.run_id, as_of=run_time_of(context.run),
        )  # fmt: skip
