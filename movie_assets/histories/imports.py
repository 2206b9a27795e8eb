"""Imports a file, folder or archive of watched films into the catalogue, and returns a report for each source in it.

The command line and the asset watch_histories both use it. Movies are matched and histories derived in SQL
(sql/histories/watch_histories.sql).
"""

import json
from collections import Counter
from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import asdict, replace
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import sqlalchemy as sa

from movie_assets.database.database import Database, execute, fetch, fetch_value
from movie_assets.histories.bundles import HistoryFileError, opened_bundle
from movie_assets.histories.choices import Choices, ImportFailedError
from movie_assets.histories.file_formats import UnknownFormatError
from movie_assets.histories.file_parts import FilePart, entries_of, parts_of, require_entries
from movie_assets.histories.import_report import ImportedName, ImportReport, count_names
from movie_assets.histories.rows import TooLargeError
from movie_assets.histories.store import (
    DerivedCounts,
    derive_histories,
    derive_series,
    require_import_lock,
    stage_entries,
    store_entries,
    store_names,
    store_series,
)
from movie_assets.histories.trackers import NotJsonError


class RequestOutcome(NamedTuple):
    """How many requested movies have an outcome; "waiting" without one."""

    outcome: str
    films: int


def import_path(database: Database, path: Path, choices: Choices, as_of: datetime) -> list[ImportReport]:
    """Import a file, folder or archive, each source in it in one transaction; return a report for each.

    Raises ImportFailedError when nothing of a source was imported.
    """
    if not choices.person.strip() or choices.person.startswith("movielens:"):
        raise ImportFailedError("give a person's name, and none that begins with movielens:, as MovieLens' users do")
    try:
        with opened_bundle(path) as bundle:
            parts, notes = parts_of(bundle, choices)
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


def _import(connection: sa.Connection, parts: Sequence[FilePart], choices: Choices, as_of: datetime) -> ImportReport:
    """Import the files of one source in an open transaction. Raises ImportFailedError."""
    require_import_lock(connection)
    person = None if any(part.is_of_a_release for part in parts) else choices.person
    notes: list[str] = []
    with ExitStack() as stack:
        movies, series = stage_entries(connection, entries_of(parts, stack, as_of, notes), person)
    require_entries(parts)
    store_names(connection, movies)
    moved: list[int] = fetch_value(connection, list, "match_staged_names")
    kept = store_entries(connection, parts, person, replace_all=choices.replace)
    if not any(part.tally.rows for part in parts) and not choices.replace:
        files = ", ".join(part.member.name for part in parts)
        raise ImportFailedError(f"{files}: there is a header and no row below it; nothing was imported")
    stored_series = store_series(connection, parts, choices, series)
    derived_series = derive_series(connection, source=parts[0].kind.source, person=person)
    derived = derive_histories(connection, source=parts[0].kind.source, person=person)
    notes += _notes_on_others(connection, parts[0].kind.source, person, moved)
    requested = execute(connection, "request_named_films") if choices.request else 0
    outcomes = fetch(connection, RequestOutcome, "requested_in_import") if choices.request else []
    if kept:
        notes.append(
            f"{kept:,} entries that the files do not have were kept, as the files could not be read as a whole"
        )
    names = count_names(fetch(connection, ImportedName, "named_in_import"))
    report = ImportReport(
        parts[0].kind.source, person, [part.member.name for part in parts], **names, series=stored_series,
        series_matched=derived_series.matched,
        **derived._asdict(), kept=kept, requested=requested, requests={row.outcome: row.films for row in outcomes},
        notes=notes,
    )  # fmt: skip
    return _with_tallies(report, parts)


def _notes_on_others(connection: sa.Connection, source: str, person: str | None, moved: list[int]) -> list[str]:
    """Derive the histories of other people and sources that waited for the moved movies; return a note if any did."""
    if not fetch_value(connection, bool, "others_wait_for_films", films=moved, source=source, person=person):
        return []
    others = derive_histories(connection, movies=moved)
    count = others.added + others.updated
    return [f"{count:,} histories of others waited for films that were matched here"] if count else []


def _with_tallies(report: ImportReport, parts: Sequence[FilePart]) -> ImportReport:
    """Return a report with the counts of reading the files."""
    tallies = [part.tally for part in parts]
    return replace(
        report,
        rows=sum(part.tally.rows for part in parts if part.has_entries),
        passed_over=_added_up(tally.passed_over for tally in tallies),
        assumed=_added_up(tally.assumed for tally in tallies),
        rejected=sum(tally.rejected for tally in tallies),
        dates_unread=sum(tally.dates_unread for tally in tallies),
        rejects=[reject for tally in tallies for reject in tally.rejects],
        remarks=[remark for tally in tallies for remark in tally.remarks],
    )


def _added_up(counters: Iterable[Counter[str]]) -> dict[str, int]:
    return dict(sum(counters, start=Counter[str]()).most_common())


def _record(connection: sa.Connection, report: ImportReport, digest: str, as_of: datetime) -> None:
    """Store the report in pipeline.imports."""
    rejects = json.dumps([asdict(reject) for reject in report.rejects])
    execute(
        connection, "record_import", person=report.person, source=report.source, files=list(report.files),
        digest=digest, counts=json.dumps(report.counts()), rejects=rejects, as_of=as_of,
    )  # fmt: skip


def digest_of(path: Path) -> str:
    """Return the digest under which an import of a file, folder or archive is recorded. Raises ImportFailedError."""
    try:
        with opened_bundle(path) as bundle:
            return bundle.digest()
    except HistoryFileError as error:
        raise ImportFailedError(str(error)) from None


def match_waiting(database: Database) -> DerivedCounts:
    """Match the names that wait for a movie, of whatever import; return how many histories changed.

    Raises ImportFailedError when another import is at work.
    """

    def work(connection: sa.Connection) -> DerivedCounts:
        require_import_lock(connection)
        derive_series(connection)
        moved: list[int] = fetch_value(connection, list, "match_waiting_names")
        return derive_histories(connection, movies=moved)

    return database.once(work)
