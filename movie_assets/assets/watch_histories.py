"""What people watched: new files of the inbox, and films found for names that waited. How is imports' business."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

import dagster as dg

from movie_assets.assets.run_log import logged
from movie_assets.import_report import ImportReport
from movie_assets.imports import Choices, ImportFailedError, digest_of, import_path, match_waiting
from movie_assets.moment import moment_of
from movie_assets.resources.history_files import Inbox
from movie_assets.resources.postgres import Database

CHECK = dg.AssetCheckSpec(
    "every_file_in_the_inbox_is_imported",
    asset="watch_histories",
    description="No file in MOVIE_ASSETS_INBOX was refused as a whole, in this run or in one before it.",
)


@dataclass
class _Outcome:
    reports: list[ImportReport] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    known: int = 0


@dg.asset(
    group_name="histories",
    kinds={"python", "postgres"},
    deps=["search_documents"],
    check_specs=[CHECK],
)
@logged(checked="rows_in", skipped="rejected", changed="rows_out")
def watch_histories(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database], inbox: dg.ResourceParam[Inbox]
) -> Iterator[dg.AssetCheckResult | dg.MaterializeResult[None]]:
    """A film that somebody watched, rated or wants to watch.

    Files that are new in the inbox are imported; names that waited find the films that came into the
    catalogue.
    """
    seen = inbox.look().signature or ""  # before the files are read, so that one that comes meanwhile is news
    outcome = _empty(database, inbox, moment_of(context.run))
    found = match_waiting(database)
    totals = database.row("count_histories")
    yield dg.MaterializeResult(
        metadata={
            "dagster/row_count": totals.histories,
            "rows_in": sum(report.rows for report in outcome.reports),
            "rows_out": sum(report.changed for report in outcome.reports) + found.added + found.updated,
            "rejected": sum(report.rejected for report in outcome.reports),
            "files_imported": sum(len(report.files) for report in outcome.reports),
            "files_known": outcome.known,
            "inbox": seen,
            "histories_found_later": found.added,
            "people": totals.people,
            "reviews_open": totals.reviews_open,
            "names_unknown": totals.names_waiting - totals.reviews_open,
            "imports": dg.MetadataValue.json([report.as_json() for report in outcome.reports]),
        },
    )
    yield dg.AssetCheckResult(
        passed=not outcome.refused,
        check_name=CHECK.name,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(outcome.refused) or None,
        metadata={"refused": len(outcome.refused)},
    )


def _empty(database: Database, inbox: Inbox, moment: datetime) -> _Outcome:
    """Import what is new in the inbox, the oldest file first; a file that is refused stops no other."""
    outcome = _Outcome()
    if inbox.folder is not None and not inbox.folder.is_dir():
        outcome.refused.append(f"the folder {inbox.folder} (MOVIE_ASSETS_INBOX) is not there")
    for person, path in inbox.files():
        try:
            if _is_known(database, person, path):
                outcome.known += 1
            else:
                outcome.reports += import_path(database, path, Choices(person), moment)
        except ImportFailedError as error:
            outcome.refused.append(f"{path.name} of {person}: {error}")
    return outcome


def _is_known(database: Database, person: str, path: Path) -> bool:
    return bool(database.row("imported_before", digest=digest_of(path), person=person).is_known)
