"""The asset of watch histories: it imports new files of the inbox, and matches names that wait for a film.

`histories.imports` imports a file.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import dagster as dg
import sqlalchemy as sa

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, execute
from movie_assets.histories.choices import Choices, ImportFailedError
from movie_assets.histories.import_report import ImportReport
from movie_assets.histories.imports import digest_of, import_path, match_waiting
from movie_assets.histories.inbox import Inbox
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of

STEP = "watch_histories"
# A check's description is kept in Dagster's records, where a person's name must not be.
QUERY_HINT = "select subject, reason from pipeline.refusals where step = 'watch_histories' lists them with the reasons"


class HistoryTotals(NamedTuple):
    """The numbers of histories and people, of open reviews, and of names that wait for a film."""

    histories: int
    people: int
    reviews_open: int
    names_waiting: int


class RefusedFile(NamedTuple):
    """A file that was refused, as "person/name", with the reason."""

    subject: str
    reason: str
    run_id: str
    refused_at: datetime


@dataclass
class _Outcome:
    reports: list[ImportReport] = field(default_factory=list)
    refused: dict[str, str] = field(default_factory=dict)  # reasons by file, as "person/name"
    known: int = 0


@dg.asset(
    group_name="histories",
    kinds={"python", "postgres"},
    deps=["search_documents"],
)
@logged(checked="rows_in", skipped="rejected", changed="rows_out")
def watch_histories(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database], settings: dg.ResourceParam[Settings]
) -> dg.MaterializeResult[None]:
    """A film that somebody watched, rated or wants to watch.

    New files in the inbox are imported. Names that wait for a film are matched with the films that have come into the
    catalogue.
    """
    inbox = Inbox(settings.inbox)
    signature = inbox.state().signature or ""  # before the files are read, so that a file that comes meanwhile is new
    try:
        outcome = _import_new(database, inbox, run_time_of(context.run))
    except OSError as error:  # its message may name a person's folder
        raise dg.Failure(f"a folder of the inbox cannot be read: {error.strerror}") from None
    _record_refusals(database, outcome.refused, context)
    matched = match_waiting(database)
    totals = database.fetch_one(HistoryTotals, "count_histories")
    return dg.MaterializeResult(
        metadata={
            "dagster/row_count": totals.histories,
            "rows_in": sum(report.rows for report in outcome.reports),
            "rows_out": sum(report.changed for report in outcome.reports) + matched.added + matched.updated,
            "rejected": sum(report.rejected for report in outcome.reports),
            "files_imported": sum(len(report.files) for report in outcome.reports),
            "files_known": outcome.known,
            "inbox": signature,
            "histories_found_later": matched.added,
            "people": totals.people,
            "reviews_open": totals.reviews_open,
            "names_unknown": totals.names_waiting - totals.reviews_open,
            # Counts only: Dagster's records must not have the name of a person who is forgotten later. pipeline.imports
            # has the persons, the files and the rejected rows.
            "imports": dg.MetadataValue.json([report.without_names() for report in outcome.reports]),
        },
    )


def _record_refusals(database: Database, refused: Mapping[str, str], context: dg.AssetExecutionContext) -> None:
    """Store the refused files for the check, and delete those that are no longer refused."""

    def work(connection: sa.Connection) -> None:
        for subject, reason in refused.items():
            execute(
                connection, "record_refusal", step=STEP, subject=subject, reason=reason, run_id=context.run.run_id,
                as_of=run_time_of(context.run),
            )  # fmt: skip
        execute(connection, "clear_refusals", step=STEP, still=list(refused))

    database.once(work)


def _import_new(database: Database, inbox: Inbox, as_of: datetime) -> _Outcome:
    """Import the new files of the inbox, the oldest first. A refused file does not stop the others."""
    outcome = _Outcome()
    for person, path in inbox.files():
        try:
            if _is_known(database, person, path):
                outcome.known += 1
            else:
                outcome.reports += import_path(database, path, Choices(person), as_of)
        except ImportFailedError as error:
            outcome.refused[_subject(person, path)] = str(error)
    return outcome


def _is_known(database: Database, person: str, path: Path) -> bool:
    """Return whether this very content was imported before for the person."""
    return database.fetch_value(bool, "imported_before", digest=digest_of(path), person=person)


def _subject(person: str, path: Path) -> str:
    return f"{person}/{path.name}"


@dg.asset_check(
    asset=STEP,
    description="Each file in MOVIE_ASSETS_INBOX was imported: none was refused as a whole when it was last read.",
)
def every_file_in_the_inbox_is_imported(
    database: dg.ResourceParam[Database], settings: dg.ResourceParam[Settings]
) -> dg.AssetCheckResult:
    """Count the refused files that are still in the inbox and were not imported since."""
    inbox = Inbox(settings.inbox)
    subjects = {row.subject for row in database.fetch(RefusedFile, "refusals", step=STEP)}
    refused = sum(
        _subject(person, path) in subjects and not _is_known(database, person, path) for person, path in inbox.files()
    )
    problems = [f"{refused} {'file was' if refused == 1 else 'files were'} refused: {QUERY_HINT}"] if refused else []
    if inbox.folder is not None and not inbox.folder.is_dir():
        problems.append(f"the folder {inbox.folder} (MOVIE_ASSETS_INBOX) is not there")
    return dg.AssetCheckResult(
        passed=not problems,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(problems) or None,
        metadata={"refused": refused},
    )
