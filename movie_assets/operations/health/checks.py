"""The two checks of `health`: one for errors, one for warnings.

In a run of `health` they report the findings of that run. Executed alone they probe the database again and take the
findings on services and the disk from the last run of `health`, as a check calls neither TMDB nor the embedder.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import NamedTuple

import dagster as dg
import sqlalchemy as sa

from movie_assets.database.database import Database, execute
from movie_assets.operations.health.findings import PARTS, Finding, Severity, merged
from movie_assets.operations.health.report import probe_database
from movie_assets.runs.run_time import run_time_of
from movie_assets.tmdb.client import Tmdb

# Alerts of jobs, freshness policies and the checks of movie_details report these.
REPORTED_ELSEWHERE = {"runs", "export", "freshness", "terms"}


class StoredFinding(NamedTuple):
    """A finding of the last run of `health`; `is_service` is true for services, credentials and the disk."""

    name: str
    severity: Severity
    message: str
    affected: int
    examples: list[str]
    next_step: str
    is_service: bool
    run_id: str


def store_findings(
    database: Database, services: Sequence[Finding], data: Sequence[Finding], run_id: str, as_of: datetime
) -> None:
    """Replace the stored findings by those of a run."""

    def work(connection: sa.Connection) -> None:
        execute(connection, "clear_health_findings")
        for finding in (*services, *data):
            execute(
                connection, "record_health_finding", name=finding.name, severity=finding.severity,
                message=finding.message, affected=finding.count, examples=list(finding.examples),
                next_step=finding.next_step, is_service=finding in services, run_id=run_id, as_of=as_of,
            )  # fmt: skip

    database.once(work)


@dg.asset_check(
    asset="health",
    description="Services, credentials, database, disk, backlog, vectors, triggers, sensors and alerts work. Executed "
    "alone it probes the database again; the findings on services are those of the last run of health.",
)
def nothing_is_broken(
    context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database], tmdb: dg.ResourceParam[Tmdb]
) -> dg.AssetCheckResult:
    """Report the findings that are errors."""
    return _outcome(_findings(context, database, tmdb), {"error"}, dg.AssetCheckSeverity.ERROR)


@dg.asset_check(
    asset="health",
    description="Nothing is about to break, and films have what applications show. Executed alone it probes the "
    "database again; the findings on services are those of the last run of health.",
)
def nothing_needs_a_look(
    context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database], tmdb: dg.ResourceParam[Tmdb]
) -> dg.AssetCheckResult:
    """Report the findings that are warnings, and those that are unknown."""
    return _outcome(_findings(context, database, tmdb), {"warn", "unknown"}, dg.AssetCheckSeverity.WARN)


def _findings(context: dg.AssetCheckExecutionContext, database: Database, tmdb: Tmdb) -> list[Finding]:
    stored = database.fetch(StoredFinding, "health_findings")
    if stored and stored[0].run_id == context.run.run_id:
        return merged([_finding(row) for row in stored])
    services = [_finding(row) for row in stored if row.is_service]
    return merged([*services, *probe_database(tmdb.settings, database, run_time_of(context.run))])


def _finding(row: StoredFinding) -> Finding:
    return Finding(row.name, row.severity, row.message, row.affected, tuple(row.examples), row.next_step)


def _outcome(
    findings: Sequence[Finding], severities: Collection[str], severity: dg.AssetCheckSeverity
) -> dg.AssetCheckResult:
    """Return a result that fails if a finding has one of the severities.

    The alert of the check is sent again when PARTS has a further name.
    """
    bad = [each for each in findings if each.severity in severities and each.name not in REPORTED_ELSEWHERE]
    return dg.AssetCheckResult(
        passed=not bad,
        severity=severity,
        description="; ".join(f"{each.name}: {each.message}" for each in bad)[:1000] or None,
        metadata={PARTS: dg.MetadataValue.json([each.name for each in bad])} | {each.name: each.count for each in bad},
    )


CHECKS = [nothing_is_broken, nothing_needs_a_look]
