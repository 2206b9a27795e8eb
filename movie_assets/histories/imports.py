"""One import: a file, folder or archive of watched films into the catalogue, and its report.

Formats are core's, opening files is resources.history_files', finding films and making histories are SQL's
(sql/histories/watch_histories.sql). The command line and the asset watch_histories both come here.
"""

import json
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Any, Literal

import sqlalchemy as sa

from movie_assets.database.database import Database, as_dict, copy_rows, execute, rows
from movie_assets.histories.file_formats import KNOWN, Recognised, UnknownFormatError, recognise
from movie_assets.histories.imdb import read_imdb
from movie_assets.histories.import_report import ImportReport, naming
from movie_assets.histories.inbox import Bundle, HistoryFileError, Member, opened_bundle
from movie_assets.histories.letterboxd import read_letterboxd
from movie_assets.histories.movie_list import read_film_list
from movie_assets.histories.movie_names import keyed
from movie_assets.histories.movielens import read_films, read_movielens, read_site_export
from movie_assets.histories.rows import MAX_ROWS, Entry, MovieName, SeriesEntry, Tally, TooLargeError
from movie_assets.histories.trackers import NotJsonError, read_simkl, read_simkl_csv, read_trakt

MAX_SHARE_LEAVING = 0.5  # of a kind of file's entries before; a newer export that lost more is not believed
MAX_RELEASE_ROWS = 200_000_000  # ratings of a release of MovieLens; the largest has 33 million
ENTRY_COLUMNS = {
    "person": "text", "part": "text", "no": "int4", "line": "int4", "is_wanted": "bool", "rating": "float4",
    "seen_at": "timestamptz",
}  # fmt: skip
SERIES_COLUMNS = {
    "person": "text", "part": "text", "key": "text", "kind": "text", "title": "text", "year": "int2", "imdb_id": "text",
    "tmdb_id": "int8", "tvdb_id": "int8", "season": "int4", "episode": "int4", "is_wanted": "bool", "rating": "float4",
    "seen_at": "timestamptz", "line": "int4",
}  # fmt: skip
NAME_COLUMNS = {
    "no": "int4", "name": "text", "title": "text", "year": "int2", "imdb_id": "text", "tmdb_id": "int8",
    "rivals": "int2",
}  # fmt: skip


class ImportFailedError(Exception):
    """Nothing of a source's files was imported; the message says why and what to do."""


@dataclass(frozen=True)
class Choices:
    """How to import."""

    person: str = "me"
    unrated: Literal["seen", "wanted"] | None = None  # what films without a rating are, where a file does not tell
    replace: bool = False  # even if most of what was imported before leaves
    request: bool = False  # ask TMDB for films that the catalogue does not have


@dataclass(frozen=True)
class _Part:
    member: Member
    kind: Recognised
    tally: Tally

    @property
    def is_of_a_release(self) -> bool:
        """Whether it is a file of a release of MovieLens, with ratings of many people."""
        return self.kind.source == "movielens" and self.kind.form != "site"


def import_path(database: Database, path: Path, choices: Choices, as_of: datetime) -> list[ImportReport]:
    """Import a file, folder or archive, each source in it in one transaction; a report for each.

    Raises ImportFailedError when nothing of a source was imported.
    """
    if not choices.person.strip() or choices.person.startswith("movielens:"):
        raise ImportFailedError("give a person's name, and none that begins with movielens:, as MovieLens' users do")
    try:
        with opened_bundle(path) as bundle:
            parts, notes = _recognised(bundle, choices)
            digest = bundle.digest()
            reports = []
            for source in dict.fromkeys(part.kind.source for part in parts):
                of_source = [part for part in parts if part.kind.source == source]
                with database.transaction() as connection:
                    report = _import(connection, of_source, choices, as_of)
                    report = replace(report, notes=[*report.notes, *notes])
                    _record(connection, report, digest, as_of)
                reports.append(report)
            return reports
    except (HistoryFileError, UnknownFormatError, TooLargeError, NotJsonError) as error:
        raise ImportFailedError(f"{error}; nothing of it was imported") from None


def _recognised(bundle: Bundle, choices: Choices) -> tuple[list[_Part], list[str]]:
    """The files that are histories, and a note for each of the others."""
    parts: list[_Part] = []
    notes = list(bundle.left_out)
    for member in bundle.members:
        try:
            kind = recognise(member.name, member.beginning(), choices.unrated)
        except UnknownFormatError as error:
            if len(bundle.members) == 1:
                raise UnknownFormatError(f"{error}. Known are {KNOWN}") from None
            notes.append(f"passed over: {error}")
            continue
        if kind.part is None:
            notes.append(f"passed over: {member.name} has no films that other files do not have")
            continue
        is_release = kind.source == "movielens" and kind.form != "site"
        if not is_release:
            member.require_text()
        if kind.guess:
            notes.append(kind.guess)
        parts.append(
            _Part(member, kind, Tally(member.name, kind.lines_before, MAX_RELEASE_ROWS if is_release else MAX_ROWS))
        )
    if not parts:
        raise UnknownFormatError(f"{bundle.name} has no file with watched films in it. Known are {KNOWN}")
    return parts, notes


def _import(connection: sa.Connection, parts: Sequence[_Part], choices: Choices, as_of: datetime) -> ImportReport:
    if not rows(connection, "lock_imports")[0].is_ours:
        raise ImportFailedError("another import is at work; wait for it to end")
    source = parts[0].kind.source
    person = None if any(part.is_of_a_release for part in parts) else choices.person
    numbers: dict[MovieName, int] = {}
    series: list[tuple[str, SeriesEntry]] = []
    notes: list[str] = []
    with ExitStack() as stack:
        execute(connection, "stage_entries")
        staged = _staged(_entries(parts, stack, as_of, notes), person, numbers, series)
        copy_rows(connection, "staged_entries", ENTRY_COLUMNS, staged)
    _require_something(parts)
    _stage_names(connection, list(numbers))
    execute(connection, "store_names")
    moved = [row.tmdb_id for row in rows(connection, "match_staged_names")]
    kept = _store(connection, parts, person, replace_all=choices.replace)
    if not any(part.tally.rows for part in parts) and not choices.replace:
        files = ", ".join(part.member.name for part in parts)
        raise ImportFailedError(f"{files}: there is a header and no row below it; nothing was imported")
    stored_series = _store_series(connection, parts, choices, series)
    derived = rows(connection, "derive_histories", source=source, person=person, films=None)[0]
    if rows(connection, "others_wait_for_films", films=moved, source=source, person=person)[0].others_wait:
        others = rows(connection, "derive_histories", source=None, person=None, films=moved)[0]
        if moved_too := others.added + others.updated:
            notes.append(f"{moved_too:,} histories of others waited for films that were found here")
    requested = execute(connection, "request_named_films") if choices.request else 0
    outcomes = rows(connection, "requested_in_import") if choices.request else []
    if kept:
        notes.append(
            f"{kept:,} entries that the files do not have were kept, as the files could not be read as a whole"
        )
    tallies = [part.tally for part in parts]
    return ImportReport(
        source, person, [part.member.name for part in parts],
        rows=sum(part.tally.rows for part in parts if part.kind.part not in ("links", "movies")),
        **naming(rows(connection, "named_in_import")), series=stored_series,
        passed_over=_added_up(tally.passed_over for tally in tallies),
        assumed=_added_up(tally.assumed for tally in tallies), rejected=sum(tally.rejected for tally in tallies),
        dates_unread=sum(tally.dates_unread for tally in tallies), **as_dict(derived), kept=kept,
        requested=requested, requests={row.outcome: row.films for row in outcomes}, notes=notes,
        rejects=[reject for tally in tallies for reject in tally.rejects],
        remarks=[remark for tally in tallies for remark in tally.remarks],
    )  # fmt: skip


def _added_up(counters: Iterable[Counter[str]]) -> dict[str, int]:
    return dict(sum(counters, start=Counter[str]()).most_common())


def _require_something(parts: Sequence[_Part]) -> None:
    """Raise ImportFailedError when a file has rows and not one of them could be taken: it is not what it seems."""
    for part in parts:
        tally = part.tally
        if tally.rows and not tally.taken and part.kind.part not in ("links", "movies"):
            first = (tally.rejects or tally.remarks)[0]
            raise ImportFailedError(
                f"none of the {tally.rows:,} rows of {tally.file} could be taken (line {first.line}: {first.reason}); "
                "nothing was imported and nothing taken out"
            )


def _entries(
    parts: Sequence[_Part], stack: ExitStack, as_of: datetime, notes: list[str]
) -> Iterator[tuple[str, Entry | SeriesEntry]]:
    """All entries of a source's files, with the part that they belong to."""
    release = [part for part in parts if part.is_of_a_release]
    if release:
        if len(release) < len(parts):
            raise ImportFailedError("a release of MovieLens and what its site exports for a person are imported apart")
        yield from (("ratings", entry) for entry in _movielens(release, stack, as_of, notes))
        return
    for part in parts:
        yield from ((str(part.kind.part), entry) for entry in _entries_of(part, as_of))


def _entries_of(part: _Part, as_of: datetime) -> Iterator[Entry | SeriesEntry]:
    """The entries of one file of a person."""
    kind, tally = part.kind, part.tally
    if kind.form == "json":
        text = part.member.text()
        if kind.source == "simkl":
            return read_simkl(text, tally, as_of)
        return read_trakt(text, tally, as_of, is_wanted=kind.is_wanted)
    lines = islice(part.member.text_lines(), kind.lines_before, None)
    table: dict[str, Any] = {"lines": lines, "tally": tally, "delimiter": kind.delimiter}
    readers: dict[str, Callable[[], Iterator[Entry | SeriesEntry]]] = {
        "simkl": lambda: read_simkl_csv(as_of=as_of, **table),
        "movielens": lambda: read_site_export(is_wanted=kind.is_wanted, **table),
        "letterboxd": lambda: read_letterboxd(as_of=as_of, is_wanted=kind.is_wanted, **table),
        "imdb": lambda: read_imdb(as_of=as_of, unrated_is_wanted=kind.is_wanted, **table),
        "list": lambda: read_film_list(lines, tally, is_wanted=kind.is_wanted),
    }
    return readers[kind.source]()


def _movielens(parts: Sequence[_Part], stack: ExitStack, as_of: datetime, notes: list[str]) -> Iterator[Entry]:
    found = {str(part.kind.part): part for part in parts}
    if len(found) < len(parts):
        raise ImportFailedError("there are several releases of MovieLens here; import one at a time")
    if not {"ratings", "links"} <= found.keys():
        raise ImportFailedError("MovieLens' ratings.csv is read with the links.csv of its release; put them together")
    movies = found.get("movies")
    films = read_films(
        found["links"].member.text_lines(), found["links"].tally, movies.member.text_lines() if movies else [],
        movies.tally if movies else Tally(""),
    )  # fmt: skip
    tmdb_ids = [film.tmdb_id for film in films.values() if film.tmdb_id]
    notes.append(
        f"{len(films) - len(tmdb_ids):,} of {len(films):,} MovieLens films have no TMDB id; "
        f"{len(tmdb_ids) - len(set(tmdb_ids)):,} have the one of another"
    )
    lines = stack.enter_context(found["ratings"].member.lines())
    yield from read_movielens(lines, films, found["ratings"].tally, as_of)


def _staged(
    entries: Iterable[tuple[str, Entry | SeriesEntry]], person: str | None, numbers: dict[MovieName, int],
    series: list[tuple[str, SeriesEntry]],
) -> Iterator[Sequence[Any]]:  # fmt: skip
    """Entries of films as they are copied; films are numbered as they come. Entries of series go into `series`."""
    for part, entry in entries:
        if isinstance(entry, SeriesEntry):
            series.append((part, entry))
            continue
        number = numbers.setdefault(entry.film, len(numbers))
        whose = entry.person if person is None else person
        yield whose, part, number, entry.line, entry.is_wanted, entry.rating, entry.seen_at


def _stage_names(connection: sa.Connection, films: Sequence[MovieName]) -> None:
    execute(connection, "stage_names")
    lines = (
        (number, key.name, film.title, film.year, film.imdb_id, film.tmdb_id, key.rivals)
        for number, (film, key) in enumerate(zip(films, keyed(films), strict=True))
    )
    copy_rows(connection, "staged_names", NAME_COLUMNS, lines)


def _store(connection: sa.Connection, parts: Sequence[_Part], person: str | None, *, replace_all: bool) -> int:
    """Store the entries and take out those that left; return how many left but are kept.

    Raises ImportFailedError when more left one kind of file than can be believed. A film that moved from one kind of
    file to another, as from the watchlist to the diary, is not lost.
    """
    source = parts[0].kind.source
    names = sorted({str(part.kind.part) for part in parts})
    scope = {"source": source, "person": person, "parts": names}
    before = [
        (name, rows(connection, "count_entries_that_leave", **scope | {"parts": [name], "staged_parts": names})[0])
        for name in names
    ]
    rows(connection, "store_entries", source=source)
    leaving = sum(counts.leaving for _, counts in before)
    is_whole = all(part.tally.is_whole for part in parts)
    if leaving and not replace_all and not is_whole:
        return int(leaving)
    for name, counts in before:
        if counts.lost > MAX_SHARE_LEAVING * counts.stored and not replace_all:
            files = ", ".join(part.member.name for part in parts if part.kind.part == name)
            raise ImportFailedError(
                f"{files} would take out {counts.lost:,} of the {counts.stored:,} entries that are there now; nothing "
                f"of {source} was changed. If that is right, say --replace"
            )
    if leaving:
        rows(connection, "remove_entries", **scope)
    return 0


def _store_series(
    connection: sa.Connection, parts: Sequence[_Part], choices: Choices, series: Sequence[tuple[str, SeriesEntry]]
) -> int:
    """Store what a person's files have of series; the newest file of a kind replaces the one before if it is whole."""
    if any(part.is_of_a_release for part in parts):
        return 0
    execute(connection, "stage_series")
    lines = (
        (choices.person, part, e.key, e.kind, e.title, e.year, e.imdb_id, e.tmdb_id, e.tvdb_id, e.season, e.episode,
         e.is_wanted, e.rating, e.seen_at, e.line)
        for part, e in series
    )  # fmt: skip
    copy_rows(connection, "staged_series", SERIES_COLUMNS, lines)
    is_whole = all(part.tally.is_whole for part in parts)
    stored = rows(
        connection, "store_series", person=choices.person, source=parts[0].kind.source,
        parts=sorted({str(part.kind.part) for part in parts}), remove=is_whole or choices.replace,
    )  # fmt: skip
    return int(stored[0].stored)


def _record(connection: sa.Connection, report: ImportReport, digest: str, as_of: datetime) -> None:
    rejects = json.dumps([asdict(reject) for reject in report.rejects])
    execute(
        connection, "record_import", person=report.person, source=report.source, files=list(report.files),
        digest=digest, counts=json.dumps(report.counts()), rejects=rejects, as_of=as_of,
    )  # fmt: skip


def digest_of(path: Path) -> str:
    """The digest under which an import of a file, folder or archive is kept. Raises ImportFailedError."""
    try:
        with opened_bundle(path) as bundle:
            return bundle.digest()
    except HistoryFileError as error:
        raise ImportFailedError(str(error)) from None


def match_waiting(database: Database) -> sa.Row[Any]:
    """Find films for names that wait, of whatever import; tells what that added to and updated in the histories."""

    def work(connection: sa.Connection) -> sa.Row[Any]:
        if not rows(connection, "lock_imports")[0].is_ours:
            raise ImportFailedError("another import is at work; wait for it to end")
        moved = [row.tmdb_id for row in rows(connection, "match_waiting_names")]
        return rows(connection, "derive_histories", source=None, person=None, films=moved)[0]

    return database.once(work)
