"""How a file of ratings is taken in: read when it changed, believed or refused as a whole, stored at once."""

import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import dagster as dg
import sqlalchemy as sa
from pydantic import Field

from movie_assets.database.database import Database, copy_rows, execute, rows
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
    "line": "int8", "tmdb_id": "int8", "source": "text", "scale_min": "float8", "scale_max": "float8",
    "raw_value": "float8", "votes": "int8", "seen_at": "timestamptz",
}  # fmt: skip
KEPT = "The ratings that are stored stay as they are"


class RatingsConfig(dg.Config):
    """How to take in a file of ratings."""

    accept_unlike: bool = Field(
        default=False,
        description="Take in a file even if it lost more than a tenth of the lines of the load before, or its ratings "
        "are unlike those of that load.",
    )


@dataclass
class Reading:
    """One reading of a file: what a reader needs, and what it found."""

    films: Films  # by the number of an IMDb id
    as_of: datetime
    counts: FileCounts = field(default_factory=FileCounts)
    remarks: dict[str, Any] = field(default_factory=dict)  # what else the run's metadata tells
    duplicates: list[str] = field(default_factory=list)  # the first films that several lines rate for one source


@dataclass(frozen=True)
class Loader:
    """One of the files that ratings come from: its name in the database, its setting, and how it is read."""

    name: str
    setting: str
    read: Callable[[Opened, Reading], Iterator[Rating]]
    by_imdb_id: bool = False  # so that other films in the catalogue mean other ratings


def take_in(
    context: dg.AssetExecutionContext, database: Database, loader: Loader, address: str | None, config: RatingsConfig
) -> Iterator[dg.MaterializeResult[None]]:
    """Bring the stored ratings of a file's sources in line with it; without an address, say how to switch it on.

    A source that is off is materialized too, as a run or a backfill would otherwise skip what follows it.
    """
    if address is None:
        context.log.info(f"off: set {loader.setting} to an address or a path to switch it on")
        yield dg.MaterializeResult(metadata={"state": f"off: set {loader.setting} to switch it on"})
        return
    reading = Reading(_films_by_imdb_id(database) if loader.by_imdb_id else {}, run_time_of(context.run))
    try:
        metadata = _load(database, loader, address, reading, config, context.run.run_id)
    except (UnreadableFileError, *DAMAGED) as error:
        why = (
            str(error) if isinstance(error, UnreadableFileError) else f"it is damaged ({type(error).__name__}: {error})"
        )
        sentence = f"{shown(address)} was refused and nothing was changed: {why}. {KEPT}."
        raise dg.Failure(sentence, allow_retries=False) from None
    except (RatingFileError, OSError) as error:
        raise dg.Failure(f"{error}. {KEPT}; is {loader.setting} right?", allow_retries=False) from None
    finally:
        _keep_rejects(database, reading, context)
    context.log.info(_in_words(metadata))
    if reading.duplicates:
        reading.remarks["duplicates_named"] = dg.MetadataValue.json(reading.duplicates)
        context.log.warning(
            f"{metadata['duplicates']:,} lines rate a film that another line rates for the same source; the one seen "
            f"last counts: {', '.join(reading.duplicates)}"
        )
    yield dg.MaterializeResult(metadata={**metadata, **reading.remarks})


def _in_words(figures: dict[str, Any]) -> str:
    if not figures["is_new"]:
        return f"the file has not changed: its {figures['rows_stored']:,} ratings stand"
    return (
        f"{figures['rows_out']:,} ratings of films ({figures['rows_changed']:,} new or changed, "
        f"{figures['rows_removed']:,} gone) from {figures['rows_in']:,} lines, {figures['rows_rejected']:,} rejected"
    )


def _load(
    database: Database, loader: Loader, address: str, reading: Reading, config: RatingsConfig, run_id: str
) -> dict[str, Any]:
    """Read and store, and tell what came of it."""
    film_ids = hashlib.sha256(f"{READ_AS} {sorted(reading.films.items())}".encode()).hexdigest()[:16]
    last = next(iter(database.rows("last_rating_load", loader=loader.name)), None)
    is_known = last is not None and (last.address, last.film_ids) == (shown(address), film_ids)
    with opened(address, last.version if last and is_known else None) as file:
        if file is None:
            assert last is not None  # noqa: S101  # there is no known version without one
            return {"is_new": False, "rows_stored": last.stored, "read_at": last.loaded_at.isoformat()}
        counts = reading.counts
        with database.transaction() as connection:
            execute(connection, "stage_ratings")
            lines = (
                (r.line, r.tmdb_id, r.source, *r.scale, r.raw_value, r.votes, r.seen_at)
                for r in loader.read(file, reading)
            )
            copy_rows(connection, "incoming_ratings", COLUMNS, lines)
            before = None if last is None or config.accept_unlike else last.lines
            reading.duplicates = _named(rows(connection, "duplicate_ratings"))
            unlike = [] if config.accept_unlike else _compared(connection)
            if reasons := reasons_to_refuse(counts, before, unlike):
                hint = "; to take it in nevertheless, launch it with accept_unlike" if "before" in reasons[-1] else ""
                raise UnreadableFileError(" and ".join(reasons) + hint)
            (stored,) = rows(connection, "store_ratings", loader=loader.name)
            execute(
                connection, "record_rating_load", loader=loader.name, address=shown(address), version=file.version,
                film_ids=film_ids, lines=counts.lines, rejected=counts.rejected, unmatched=counts.unmatched,
                stored=stored.stored, changed=stored.moved + stored.gone, loaded_at=reading.as_of, run_id=run_id,
            )  # fmt: skip
    return {
        "is_new": True,
        "dagster/row_count": stored.stored,
        "rows_in": counts.lines + counts.rejected,
        "rows_out": stored.stored,
        "rows_changed": stored.moved,
        "rows_removed": stored.gone,
        "rows_rejected": counts.rejected,
        "rows_unrated": counts.unrated,
        "rows_without_a_film": counts.unmatched,
        "duplicates": stored.duplicates,
    }


def _compared(connection: sa.Connection) -> list[Comparison]:
    """Compare the staged ratings with the stored ones, source by source."""
    found = rows(
        connection, "compare_ratings", min_votes=MIN_VOTES_TO_COMPARE, max_shift=MAX_SHIFT,
        min_vote_ratio=MIN_VOTE_RATIO, max_vote_ratio=MAX_VOTE_RATIO,
    )  # fmt: skip
    return [Comparison(row.source, row.compared, row.shifted, row.recounted) for row in found]


def _named(duplicates: Sequence[sa.Row[Any]]) -> list[str]:
    """Name films that several lines rate for one source, with these lines."""
    return [
        f"film {row.tmdb_id} at {row.source} (line {row.lines[0]} counts, not {', '.join(map(str, row.lines[1:]))})"
        for row in duplicates
    ]


def _films_by_imdb_id(database: Database) -> Films:
    films: dict[int, list[int]] = defaultdict(list)
    for row in database.rows("imdb_ids"):
        number = imdb_number(row.imdb_id)
        if number is not None:
            films[number].append(row.tmdb_id)
    return dict(films)


def _keep_rejects(database: Database, reading: Reading, context: dg.AssetExecutionContext) -> None:
    if samples := reading.counts.samples:
        database.execute(
            "record_rejects", stage=context.asset_key.to_user_string(), reasons=[reason for reason, _ in samples],
            samples=[sample for _, sample in samples], run_id=context.run.run_id, as_of=reading.as_of,
        )  # fmt: skip
