"""Stage 1: TMDB's daily ID export of a media type, streamed into Postgres. `movie_ids` applies it to the ids."""

from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from datetime import date, timedelta
from typing import NamedTuple

import dagster as dg
import sqlalchemy as sa
from pydantic import Field

from movie_assets.catalog.export_checks import last_attempt
from movie_assets.catalog.media_assets import MediaAssets
from movie_assets.database.database import Database, copy_rows, execute, fetch_one
from movie_assets.database.interrupts import run_until_done
from movie_assets.runs.evaluations import evaluation_of
from movie_assets.runs.metadata_tables import calls_table
from movie_assets.runs.partitions import day_of_run, days
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of
from movie_assets.tmdb.client import Tmdb, TmdbClient
from movie_assets.tmdb.export_lines import ExportCounts, LoadBefore, read_lines, reasons_to_refuse
from movie_assets.tmdb.media import MediaType
from movie_assets.tmdb.responses import CallCounts, Export, ExportDamagedError, ExportMissingError, TmdbError

DAYS_TO_FALL_BACK = 7
LINE_COLUMNS = {
    "line": "int8",
    "title_id": "int8",
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
    """An export that is not plausible; nothing of it was stored."""


class ExportBefore(NamedTuple):
    """The newest loaded export up to a day, with which a new one is compared."""

    export_date: date
    source: str
    lines: int
    median_popularity: float | None


class CatalogueSource(NamedTuple):
    """Where the newest export of any media type was loaded from: TMDB, or a world of the emulator."""

    source: str


class ExportComparison(NamedTuple):
    """The median popularity of a new export, and the number of ids of the load before that it lists too.

    `median_popularity` is None without lines, and `kept` when the lines of the load before were dropped.
    """

    median_popularity: float | None
    kept: int | None


class RecordedExport(NamedTuple):
    """An export that was stored: its lines, the further lines of the same ids, and its median popularity."""

    lines: int
    duplicate_lines: int
    median_popularity: float | None


class IdsInUse(NamedTuple):
    """The export that was applied to the ids last, and the number of living ids."""

    export_date: date
    living: int


class LoadedExport(NamedTuple):
    """An export that was stored: its day, its record, and the calls of the session."""

    day: date
    stored: RecordedExport
    calls: CallCounts


def export_asset(of: MediaAssets) -> dg.AssetsDefinition:
    """Return the asset of a media type's export."""

    @dg.asset(
        name=of.export,
        group_name="source",
        kinds={"python", "postgres"},
        partitions_def=days,
        pool="tmdb",
    )
    @logged(checked="rows_in", skipped=("rows_rejected", "duplicates"), fetched="rows_out")
    def export_of_day(
        context: dg.AssetExecutionContext,
        config: ExportConfig,
        database: dg.ResourceParam[Database],
        tmdb: dg.ResourceParam[Tmdb],
    ) -> Iterator[dg.AssetCheckEvaluation | dg.MaterializeResult[None]]:
        """A line of TMDB's daily ID export: one id that exists, with its original title and popularity.

        When TMDB has not published the export of a day, the newest of the seven days before it is used.
        """
        day, counts = day_of_run(context), ExportCounts()
        database.execute("begin_on_day", day=day)
        loader = _Loader(tmdb, database, of.media, of.export, context.run.run_id, config.accept_unlike, counts)
        try:
            loaded = run_until_done(loader.load(day))
        except ExportRefusedError as error:
            _record_rejects(database, counts, context, of)
            database.execute(
                "record_refusal", step=of.export, subject="", reason=str(error), run_id=context.run.run_id,
                as_of=run_time_of(context.run),
            )  # fmt: skip
            yield evaluation_of(context, last_attempt(database, of))
            message = f"The export was refused and nothing was changed: {error}. {_ids_in_use(database, of.media)}"
            raise dg.Failure(message, allow_retries=False) from None
        except TmdbError as error:
            raise dg.Failure(f"{error}. {_ids_in_use(database, of.media)}", allow_retries=False) from None
        _record_rejects(database, counts, context, of)
        yield dg.MaterializeResult(metadata=_metadata(day, loaded, counts))

    return export_of_day


def _metadata(
    day: date, loaded: LoadedExport, counts: ExportCounts
) -> dict[str, int | float | str | dg.TableMetadataValue | None]:
    stored = loaded.stored
    return {
        "asked_for": day.isoformat(),
        "export_date": loaded.day.isoformat(),
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


def _ids_in_use(database: Database, media: MediaType) -> str:
    """Return a sentence on the ids that stay in use when no export was loaded."""
    ids = database.fetch_optional(IdsInUse, "ids_in_use", media=media.name)
    if ids is None:
        return "No export was loaded yet, so there are no ids: refresh again once TMDB's exports can be read."
    return f"The {ids.living:,} ids of the export of {ids.export_date} stay in use."


@dataclass(frozen=True)
class _Loader:
    """Loads exports of a media type in a run; `counts` are those of the last export that it read."""

    tmdb: Tmdb
    database: Database
    media: MediaType
    step: str
    run_id: str
    accept_unlike: bool
    counts: ExportCounts

    async def load(self, day: date) -> LoadedExport:
        """Store the newest usable export up to a day. Raises ExportRefusedError when it is not plausible."""
        async with (
            self.tmdb.session(self.run_id) as client,
            _newest_export(client, day, self.media) as (used, export, unusable),
        ):
            before = self.database.fetch_optional(ExportBefore, "export_before", media=self.media.name, day=used)
            is_same_source = before is None or before.source == export.source
            _require_same_catalogue(self.database.fetch_optional(CatalogueSource, "catalogue_source"), export)

            def work(connection: sa.Connection) -> RecordedExport:
                compared = before if is_same_source and not self.accept_unlike else None
                self._stage(connection, used, export, before, compared)
                stored = fetch_one(
                    connection, RecordedExport, "record_export", media=self.media.name, day=used, asked=day,
                    source=export.source, url=export.url, lines=self.counts.lines, rejected=self.counts.rejected,
                    run_id=self.run_id, unidentified=self.counts.unidentified,
                    unreadable_ids=sorted(map(self.media.title_id, self.counts.unreadable_ids)),
                    is_accepted=self.accept_unlike or not is_same_source,
                    newer_is_unusable=unusable[0] if unusable else None,
                )  # fmt: skip
                execute(connection, "clear_refusals", step=self.step, still=[])
                if not is_same_source:  # another emulated world, in which the stored details are not true
                    execute(connection, "forget_films", media=self.media.name)
                return stored

            return LoadedExport(used, self.database.once(work), client.calls)

    def _stage(
        self,
        connection: sa.Connection,
        day: date,
        export: Export,
        before: ExportBefore | None,
        compared: ExportBefore | None,
    ) -> None:
        """Copy the lines of an export into incoming_lines. Raises ExportRefusedError when they are not plausible.

        `before` is the load before, `compared` the same if the export has to be like it.
        """
        counts = self.counts
        counts.start_again()
        execute(connection, "stage_lines")
        copy_rows(connection, "incoming_lines", LINE_COLUMNS, self._staged(export))
        day_before = before.export_date if before else None
        comparison = fetch_one(
            connection, ExportComparison, "compare_export", media=self.media.name, day_before=day_before
        )
        earlier = LoadBefore(compared.lines, comparison.kept, compared.median_popularity) if compared else None
        reasons = reasons_to_refuse(
            counts.lines, counts.rejected, comparison.median_popularity, earlier, without_flags=counts.without_flags
        )
        if reasons:
            raise ExportRefusedError(f"{export.url} (the export of {day}): {' and '.join(reasons)}")

    def _staged(self, export: Export) -> Iterator[tuple[object, ...]]:
        first = self.media.first_title_id
        for number, line in enumerate(read_lines(export.lines(), self.counts, self.media)):
            flags = (line.adult, line.video, line.softcore)
            yield (number, first + line.tmdb_id, line.original_title, line.popularity, *flags)


def _require_same_catalogue(before: CatalogueSource | None, export: Export) -> None:
    """Raise ExportRefusedError for an export of TMDB over an emulated catalogue, and for the reverse."""
    if before and before.source != export.source and "tmdb" in (before.source, export.source):
        raise ExportRefusedError(
            f"this catalogue was built from {before.source} and the export comes from {export.source}, "
            "whose ids mean other titles; set MOVIE_ASSETS_HOME to a new folder, or MOVIE_ASSETS_DATABASE_URL "
            "to another database"
        )


@asynccontextmanager
async def _newest_export(
    client: TmdbClient, newest: date, media: MediaType
) -> AsyncIterator[tuple[date, Export, Sequence[str]]]:
    """Download a day's export, or the newest usable one before it; yield its day, and the problems of newer ones.

    Raises ExportMissingError when none of these days has a usable export.
    """
    unusable: list[str] = []
    async with AsyncExitStack() as stack:
        for age in range(DAYS_TO_FALL_BACK + 1):
            day = newest - timedelta(days=age)
            try:
                export = await stack.enter_async_context(client.export(day, media))
            except (ExportMissingError, ExportDamagedError) as error:
                unusable.append(str(error))
                continue
            yield day, export, unusable
            return
    raise ExportMissingError(
        f"{unusable[0]}; none of the {DAYS_TO_FALL_BACK} days before could be used either: the last was {unusable[-1]}"
    )


def _record_rejects(
    database: Database, counts: ExportCounts, context: dg.AssetExecutionContext, of: MediaAssets
) -> None:
    if counts.samples:
        reasons, samples = zip(*counts.samples, strict=True)
        database.execute(
            "record_rejects", stage=of.export, reasons=list(reasons), samples=list(samples),
            run_id=context.run.run_id, as_of=run_time_of(context.run),
        )  # fmt: skip
