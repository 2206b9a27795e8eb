"""Load a file of ratings: it is read when it has changed, checked, and stored or refused as a whole."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple

import dagster as dg
import sqlalchemy as sa
from pydantic import Field

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, copy_rows, execute, fetch, fetch_one
from movie_assets.ratings.downloads import DAMAGED, Opened, RatingFileError, opened, shown
from movie_assets.ratings.file_formats import (
    MAX_SHIFT,
    MAX_VOTE_RATIO,
    MIN_VOTE_RATIO,
    MIN_VOTES_TO_COMPARE,
    READ_AS,
    Comparison,
    FileCounts,
    Films,
    Rating,
    UnreadableFileError,
    imdb_number,
    reasons_to_refuse,
)
from movie_assets.runs.run_time import run_time_of

COLUMNS = {
    "line": "int8", "title_id": "int8", "source": "text", "scale_min": "float8", "scale_max": "float8",
    "raw_value": "float8", "votes": "int8", "seen_at": "timestamptz",
}  # fmt: skip
UNCHANGED = "The stored ratings were not changed"
MetadataEntry = str | int | float | bool | dg.JsonMetadataValue | dg.MarkdownMetadataValue | dg.TableMetadataValue
Metadata = dict[str, MetadataEntry]


class RatingsConfig(dg.Config):
    """Run configuration of the assets that load files of ratings."""

    accept_unlike: bool = Field(
        default=False,
        description="Load a file even if it lost more than a tenth of the lines of the previous load, or its ratings "
        "differ too much from those of that load.",
    )


class LastLoad(NamedTuple):
    """The newest load of a loader's file."""

    address: str
    version: str | None
    film_ids: str
    lines: int
    stored: int
    loaded_at: datetime


class ImdbId(NamedTuple):
    """A title with one of its IMDb ids."""

    title_id: int
    imdb_id: str


class DuplicateRating(NamedTuple):
    """A movie that several lines of a file rate for one source; the first of the lines is the one that is stored."""

    title_id: int
    source: str
    lines: list[int]


class StoredRatings(NamedTuple):
    """Row counts of a load: ratings now stored, dropped duplicates, changed, deleted and written ratings."""

    stored: int
    duplicates: int
    changed: int
    deleted: int
    written: int


@dataclass
class Reading:
    """The state of reading one file: the reader's inputs, and the counts that it fills."""

    films: Films
    media: list[str]  # the media types that are switched on
    as_of: datetime
    counts: FileCounts = field(default_factory=FileCounts)
    remarks: Metadata = field(default_factory=dict)  # further metadata of the run
    duplicates: list[str] = field(default_factory=list)  # the first movies that several lines rate for one source


@dataclass(frozen=True)
class Loader:
    """A file that ratings come from: its name in the database, its setting, and the function that reads it."""

    name: str
    setting: str
    read: Callable[[Opened, Reading], Iterator[Rating]]
    by_imdb_id: bool = False  # the file is read again when the catalogue's IMDb ids change


def load_ratings(
    context: dg.AssetExecutionContext, database: Database, settings: Settings, loader: Loader, config: RatingsConfig
) -> Iterator[dg.MaterializeResult[None]]:
    """Make the stored ratings of a file's sources those of the file. Without an address, log how to enable it.

    A disabled source is materialized too, because a run or a backfill would otherwise skip the assets after it.
    Raises dagster.Failure when the file cannot be opened, cannot be read or is refused.
    """
    address: str | None = getattr(settings.rating_files, loader.name)
    if address is None:
        context.log.info(f"off: set {loader.setting} to an address or a path to switch it on")
        yield dg.MaterializeResult(metadata={"state": f"off: set {loader.setting} to switch it on"})
        return
    media = list(settings.media_types)
    films = _films_by_imdb_id(database, media) if loader.by_imdb_id else {}
    reading = Reading(films, media, run_time_of(context.run))
    try:
        metadata = _load(database, loader, address, reading, config, context.run.run_id)
    except (UnreadableFileError, *DAMAGED) as error:
        reason = (
            str(error) if isinstance(error, UnreadableFileError) else f"it is damaged ({type(error).__name__}: {error})"
        )
        message = f"{shown(address)} was refused: {reason}. {UNCHANGED}."
        raise dg.Failure(message, allow_retries=False) from None
    except (RatingFileError, OSError) as error:
        raise dg.Failure(f"{error}. {UNCHANGED}; is {loader.setting} right?", allow_retries=False) from None
    finally:
        _record_rejects(database, reading, context)
    context.log.info(_summary_of(metadata))
    if reading.duplicates:
        reading.remarks["duplicates_named"] = dg.MetadataValue.json(reading.duplicates)
        context.log.warning(
            f"{metadata['duplicates']:,} lines rate a film that another line rates for the same source; the line seen "
            f"last was stored: {', '.join(reading.duplicates)}"
        )
    yield dg.MaterializeResult(metadata={**metadata, **reading.remarks})


def _summary_of(figures: Metadata) -> str:
    """Return the log line for the metadata of a load."""
    if not figures["is_new"]:
        return f"the file has not changed: its {figures['rows_stored']:,} ratings stay"
    return (
        f"{figures['rows_out']:,} ratings of films ({figures['rows_changed']:,} new or changed, "
        f"{figures['rows_removed']:,} deleted) from {figures['rows_in']:,} lines, {figures['rows_rejected']:,} rejected"
    )


def _load(
    database: Database, loader: Loader, address: str, reading: Reading, config: RatingsConfig, run_id: str
) -> Metadata:
    """Read the file and store its ratings in one transaction; return the metadata of the load.

    Raises UnreadableFileError when the file is refused, RatingFileError when it cannot be opened.
    """
    film_ids = hashlib.sha256(f"{READ_AS} {sorted(reading.films.items())}".encode()).hexdigest()[:16]
    last = database.fetch_optional(LastLoad, "last_rating_load", loader=loader.name)
    is_known = last is not None and (last.address, last.film_ids) == (shown(address), film_ids)
    with opened(address, last.version if last and is_known else None) as file:
        if file is None:
            assert last is not None  # noqa: S101  # only a loaded file has a known version
            return {"is_new": False, "rows_stored": last.stored, "read_at": last.loaded_at.isoformat()}
        with database.transaction() as connection:
            _stage(connection, loader.read(file, reading))
            reading.duplicates = _described(fetch(connection, DuplicateRating, "duplicate_ratings"))
            counts = reading.counts
            _require_believable(connection, counts, last, accept_unlike=config.accept_unlike)
            stored = fetch_one(connection, StoredRatings, "store_ratings", loader=loader.name, media=reading.media)
            execute(
                connection, "record_rating_load", loader=loader.name, address=shown(address), version=file.version,
                film_ids=film_ids, lines=counts.lines, rejected=counts.rejected, unmatched=counts.unmatched,
                stored=stored.stored, changed=stored.changed + stored.deleted, loaded_at=reading.as_of, run_id=run_id,
            )  # fmt: skip
    return _metadata_of(counts, stored)


def _stage(connection: sa.Connection, ratings: Iterator[Rating]) -> None:
    """Copy ratings into the temporary table incoming_ratings."""
    execute(connection, "stage_ratings")
    lines = ((r.line, r.title_id, r.source, *r.scale, r.raw_value, r.votes, r.seen_at) for r in ratings)
    copy_rows(connection, "incoming_ratings", COLUMNS, lines)


def _require_believable(
    connection: sa.Connection, counts: FileCounts, last: LastLoad | None, *, accept_unlike: bool
) -> None:
    """Raise UnreadableFileError when the staged file cannot be right.

    Unless `accept_unlike`, it is also compared with the last load.
    """
    lines_before = None if last is None or accept_unlike else last.lines
    if reasons := reasons_to_refuse(counts, lines_before, [] if accept_unlike else _comparisons(connection)):
        hint = "; to load it nevertheless, launch it with accept_unlike" if "previous load" in reasons[-1] else ""
        raise UnreadableFileError(" and ".join(reasons) + hint)


def _comparisons(connection: sa.Connection) -> list[Comparison]:
    """Compare the staged ratings with the stored ones, source by source."""
    return fetch(
        connection, Comparison, "compare_ratings", min_votes=MIN_VOTES_TO_COMPARE, max_shift=MAX_SHIFT,
        min_vote_ratio=MIN_VOTE_RATIO, max_vote_ratio=MAX_VOTE_RATIO,
    )  # fmt: skip


def _metadata_of(counts: FileCounts, stored: StoredRatings) -> Metadata:
    return {
        "is_new": True,
        "dagster/row_count": stored.stored,
        "rows_in": counts.lines + counts.rejected,
        "rows_out": stored.stored,
        "rows_changed": stored.changed,
        "rows_removed": stored.deleted,
        "rows_rejected": counts.rejected,
        "rows_unrated": counts.unrated,
        "rows_without_a_film": counts.unmatched,
        "duplicates": stored.duplicates,
    }


def _described(duplicates: Sequence[DuplicateRating]) -> list[str]:
    """Return a text for each movie that several lines rate for one source, with the numbers of these lines."""
    return [
        f"film {row.title_id} at {row.source} (line {row.lines[0]} counts, not {', '.join(map(str, row.lines[1:]))})"
        for row in duplicates
    ]


def _films_by_imdb_id(database: Database, media: list[str]) -> Films:
    """Return the keys of the titles of some media types that the number of each IMDb id stands for."""
    films: dict[int, list[int]] = defaultdict(list)
    for row in database.fetch(ImdbId, "imdb_ids", media=media):
        number = imdb_number(row.imdb_id)
        if number is not None:
            films[number].append(row.title_id)
    return dict(films)


def _record_rejects(database: Database, reading: Reading, context: dg.AssetExecutionContext) -> None:
    """Store the samples of rejected lines in pipeline.rejects."""
    if samples := reading.counts.samples:
        database.execute(
            "record_rejects", stage=context.asset_key.to_user_string(), reasons=[reason for reason, _ in samples],
            samples=[sample for _, sample in samples], run_id=context.run.run_id, as_of=reading.as_of,
        )  # fmt: skip
