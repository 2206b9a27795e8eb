"""Stores the entries of imported files: movies by name, entries of movies, entries of series.

Entries are copied into temporary tables; sql/histories/watch_histories.sql compares them with the stored ones. All
functions run in the import's transaction.
"""

from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

import sqlalchemy as sa

from movie_assets.database.database import copy_rows, execute, fetch_one, fetch_value
from movie_assets.histories.choices import Choices, ImportFailedError
from movie_assets.histories.file_parts import FilePart
from movie_assets.histories.movie_names import name_keys
from movie_assets.histories.rows import Entry, MovieName, SeriesEntry

MAX_SHARE_LEAVING = 0.5  # of the stored entries of a kind of file; a newer export that lacks more is refused
ENTRY_COLUMNS = {
    "person": "text", "part": "text", "no": "int4", "line": "int4", "is_wanted": "bool", "rating": "float4",
    "seen_at": "timestamptz",
}  # fmt: skip
SERIES_COLUMNS = {
    "person": "text", "part": "text", "key": "text", "kind": "text", "title": "text", "year": "int2", "imdb_id": "text",
    "tmdb_id": "int8", "tvdb_id": "int8", "season": "int4", "episode": "int4", "is_wanted": "bool", "rating": "float4",
    "seen_at": "timestamptz", "tmdb_episode_id": "int8", "line": "int4",
}  # fmt: skip
NAME_COLUMNS = {
    "no": "int4", "name": "text", "title": "text", "year": "int2", "imdb_id": "text", "tmdb_id": "int8",
    "rivals": "int2",
}  # fmt: skip
StagedEntry = tuple[str | None, str, int, int, bool, float | None, datetime | None]  # in the order of ENTRY_COLUMNS


class EntriesLeaving(NamedTuple):
    """The stored entries of a kind of file, those that the new files lack, and those that no file has, as counts."""

    stored: int
    leaving: int
    lost: int


class DerivedCounts(NamedTuple):
    """How many histories were added, updated, removed and left unchanged."""

    added: int
    updated: int
    removed: int
    unchanged: int


def require_import_lock(connection: sa.Connection) -> None:
    """Take the lock of imports until the end of the transaction. Raises ImportFailedError when it is held."""
    if not fetch_value(connection, bool, "lock_imports"):
        raise ImportFailedError("another import is at work; wait for it to end")


def stage_entries(
    connection: sa.Connection, entries: Iterable[tuple[str, Entry | SeriesEntry]], person: str | None
) -> tuple[list[MovieName], list[tuple[str, SeriesEntry]]]:
    """Copy the entries of movies into staged_entries; return the movies in the order of their numbers, and the series.

    Entries belong to `person`, or, if it is None, to the person that each entry names.
    """
    numbers: dict[MovieName, int] = {}
    series: list[tuple[str, SeriesEntry]] = []

    def lines() -> Iterator[StagedEntry]:
        for part, entry in entries:
            if isinstance(entry, SeriesEntry):
                series.append((part, entry))
                continue
            number = numbers.setdefault(entry.movie, len(numbers))
            owner = entry.person if person is None else person
            yield owner, part, number, entry.line, entry.is_wanted, entry.rating, entry.seen_at

    execute(connection, "stage_entries")
    copy_rows(connection, "staged_entries", ENTRY_COLUMNS, lines())
    return list(numbers), series


def store_names(connection: sa.Connection, movies: Sequence[MovieName]) -> None:
    """Copy the movies into staged_names, and store those that are new."""
    execute(connection, "stage_names")
    lines = (
        (number, key.name, movie.title, movie.year, movie.imdb_id, movie.tmdb_id, key.rivals)
        for number, (movie, key) in enumerate(zip(movies, name_keys(movies), strict=True))
    )
    copy_rows(connection, "staged_names", NAME_COLUMNS, lines)
    execute(connection, "store_names")


def store_entries(
    connection: sa.Connection, parts: Sequence[FilePart], person: str | None, *, replace_all: bool
) -> int:
    """Store the staged entries and delete those that the files lack; return how many of the latter were kept.

    They are kept when the files could not be read as a whole. Raises ImportFailedError when a kind of file lost too
    many entries. An entry that moved to another kind of file, as from the watchlist to the diary, is not lost.
    """
    source = parts[0].kind.source
    names = sorted({part.name for part in parts})
    leaving_by_part = {
        name: fetch_one(
            connection, EntriesLeaving, "count_entries_that_leave", source=source, person=person, parts=[name],
            staged_parts=names,
        )
        for name in names
    }  # fmt: skip
    execute(connection, "store_entries", source=source)
    leaving = sum(counts.leaving for counts in leaving_by_part.values())
    is_whole = all(part.tally.is_whole for part in parts)
    if leaving and not replace_all and not is_whole:
        return leaving
    for name, counts in leaving_by_part.items():
        if counts.lost > MAX_SHARE_LEAVING * counts.stored and not replace_all:
            files = ", ".join(part.member.name for part in parts if part.kind.part == name)
            raise ImportFailedError(
                f"{files} would delete {counts.lost:,} of the {counts.stored:,} stored entries; nothing of {source} "
                "was changed. If that is right, say --replace"
            )
    if leaving:
        execute(connection, "remove_entries", source=source, person=person, parts=names)
    return 0


def store_series(
    connection: sa.Connection, parts: Sequence[FilePart], choices: Choices, series: Sequence[tuple[str, SeriesEntry]]
) -> int:
    """Store the entries of series in a person's files; return how many the files have.

    The newest file of a kind replaces the one before if it could be read as a whole.
    """
    if any(part.is_of_a_release for part in parts):
        return 0
    execute(connection, "stage_series")
    lines = (
        (choices.person, part, e.key, e.kind, e.title, e.year, e.imdb_id, e.tmdb_id, e.tvdb_id, e.season, e.episode,
         e.is_wanted, e.rating, e.seen_at, e.tmdb_episode_id, e.line)
        for part, e in series
    )  # fmt: skip
    copy_rows(connection, "staged_series", SERIES_COLUMNS, lines)
    is_whole = all(part.tally.is_whole for part in parts)
    return fetch_value(
        connection, int, "store_series", person=choices.person, source=parts[0].kind.source,
        parts=sorted({part.name for part in parts}), remove=is_whole or choices.replace,
    )  # fmt: skip


class DerivedSeries(NamedTuple):
    """Counts of what people have seen of series: episodes written and removed, and the rows that match a series."""

    written: int
    removed: int
    matched: int


def derive_series(connection: sa.Connection, *, source: str | None = None, person: str | None = None) -> DerivedSeries:
    """Match the rows on series, and update what people have seen; None stands for all sources or people."""
    return fetch_one(connection, DerivedSeries, "derive_series", source=source, person=person)


def derive_histories(
    connection: sa.Connection, *, source: str | None = None, person: str | None = None, movies: list[int] | None = None
) -> DerivedCounts:
    """Update catalog.watched_titles from the entries; None stands for all sources, people or movies."""
    return fetch_one(connection, DerivedCounts, "derive_histories", source=source, person=person, films=movies)
