"""The daily export of titles, vectors and scores, and the check that reads it again.

`destination` has the files and their names, `table_files` writes rows.
"""

from datetime import UTC, date, datetime, timedelta
from typing import Any, NamedTuple

import dagster as dg
import sqlalchemy as sa

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, fetch, fetch_one
from movie_assets.database.queries import query_text
from movie_assets.exports.destination import KEPT, TERMS, Destination, ExportError, NewExport
from movie_assets.exports.table_files import arrow, write_table
from movie_assets.runs.metadata_tables import shown_table
from movie_assets.runs.partitions import day_of_run, days
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of

TERMS_ADDRESS = "https://www.themoviedb.org/api-terms-of-use"
AGE_ALLOWED = timedelta(days=178)  # of a response; the terms allow six months, and a run may be missed for two days
OFF = "off: set MOVIE_ASSETS_EXPORT_TO to a folder or an address such as s3://bucket/path to switch it on"
NO_VECTORS = "select 0::bigint as title_id, ''::text as text_hash, null::real[] as embedding limit 0"
COLUMNS = ("file", "rows", "bytes", "sha256")


class ExportSource(NamedTuple):
    """When the oldest details of titles were fetched, and the active embedding set with the tables of its vectors."""

    oldest_fetch: datetime | None
    embedding_set: str | None
    vector_tables: list[str]


class Notice(NamedTuple):
    """A source with the notice that its terms ask for."""

    source: str
    notice: str
    link: str
    applies_to: str


@dg.asset(
    group_name="catalogue",
    kinds={"parquet", "postgres"},
    partitions_def=days,
    deps=["movie_vectors", "rating_aggregates"],
    pool="exports",
)
@logged(checked="rows_written", gone="exports_deleted")
def exports(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database], settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """A day's export: titles, their vectors and scores as Parquet and JSON lines.

    Off until MOVIE_ASSETS_EXPORT_TO is set. All rows are read at one point in time. The manifest appears last, so an
    export with a manifest is whole. A further run of the day replaces its export. Expired exports are deleted.
    """
    day, as_of = day_of_run(context), run_time_of(context.run)
    if settings.export_to is None:
        context.log.info(OFF)
        return dg.MaterializeResult(metadata={"state": OFF, "rows_written": 0, "exports_deleted": 0})
    if day != as_of.date():
        message = f"an export has the catalogue as it is now ({as_of.date()}); that of {day} cannot be made any more"
        raise dg.Failure(message, allow_retries=False)
    try:
        arrow()
        destination = Destination(settings.export_to)
        deleted = destination.delete_expired(as_of)
        with destination.new_export(day) as export:
            manifest = _write(database, export, day, as_of)
            export.publish(manifest)
    except (ExportError, OSError) as error:
        raise dg.Failure(f"{day} was not exported: {error}", allow_retries=False) from None
    files = export.published
    rows = [(name, entry.get("rows"), entry["bytes"], entry["sha256"]) for name, entry in files.items()]
    return dg.MaterializeResult(
        metadata={
            "rows_written": sum(entry["rows"] for name, entry in files.items() if name.endswith(".parquet")),
            "exports_deleted": len(deleted),
            "bytes": sum(entry["bytes"] for entry in files.values()),
            "expires_at": manifest["expires_at"],
            "files": shown_table(COLUMNS, rows),
        }
    )


def _write(database: Database, export: NewExport, day: date, as_of: datetime) -> dict[str, Any]:
    """Write all files but the manifest, and return the manifest without them."""
    with database.transaction() as connection:
        connection.exec_driver_sql("set transaction isolation level repeatable read, read only")
        source = fetch_one(connection, ExportSource, "export_source")
        oldest = min(filter(None, (source.oldest_fetch, as_of)))
        expires_at = min(oldest + AGE_ALLOWED, as_of + KEPT).astimezone(UTC)
        if expires_at <= as_of:
            raise ExportError(f"details of titles are of {oldest:%Y-%m-%d}, six months old: launch fetch_details first")
        notices = fetch(connection, Notice, "export_notices")
        with export.writing(TERMS) as file:
            file.write(_terms(notices, expires_at).encode())
        write_table(connection, sa.text(query_text("exported_titles")), export, "titles", values_in_row=100)
        write_table(connection, sa.text(_vectors(source.vector_tables)), export, "vectors", values_in_row=2000)
        write_table(connection, sa.text(query_text("exported_scores")), export, "scores", values_in_row=20)
    return {
        "day": str(day),
        "made_at": as_of.isoformat(),
        "oldest_fetch": oldest.isoformat(),
        "expires_at": expires_at.isoformat(),
        "embedding_set": source.embedding_set,
        "notice": next(each.notice for each in notices if each.source == "TMDB"),
        "terms": TERMS_ADDRESS,
    }


def _vectors(tables: list[str]) -> str:
    """Return the statement for the vectors of some tables, whose names the database made."""
    columns = "select title_id, text_hash, embedding::vector::real[] as embedding"
    return " union all ".join(f"({columns} from catalog.{table} order by title_id)" for table in tables) or NO_VECTORS


def _terms(notices: list[Notice], expires_at: datetime) -> str:
    sources = "\n".join(f"{each.source} ({each.applies_to}): {each.notice} {each.link}" for each in notices)
    return (
        f"Delete these files by {expires_at:%Y-%m-%d %H:%M} UTC: TMDB allows its data to be kept for six months.\n"
        "Do not pass them on, and do not train models with them without an agreement.\n"
        f"TMDB's terms: {TERMS_ADDRESS}\n\nShow these notices wherever the data is shown:\n{sources}\n"
    )


@dg.asset_check(asset=exports)
def the_newest_export_is_whole(
    context: dg.AssetCheckExecutionContext, settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """The files of the newest export have the bytes and hashes of its manifest, and it has not expired."""
    if settings.export_to is None:
        return dg.AssetCheckResult(passed=True, description=OFF)
    try:
        destination = Destination(settings.export_to)
        newest = next(((day, made) for day in destination.days() if (made := destination.manifest(day))), None)
        if newest is None:
            return dg.AssetCheckResult(passed=False, description="there is no export with a manifest")
        day, manifest = newest
        problems = destination.problems(day, manifest)
    except (ExportError, OSError) as error:
        return dg.AssetCheckResult(passed=False, description=str(error))
    if datetime.fromisoformat(manifest["expires_at"]) <= run_time_of(context.run):
        problems.append(f"it expired at {manifest['expires_at']}")
    return dg.AssetCheckResult(
        passed=not problems,
        description=f"the export of {day}: {'; '.join(problems)}" if problems else None,
        metadata={"day": str(day), "files": len(manifest["files"]), "problems": len(problems)},
    )
