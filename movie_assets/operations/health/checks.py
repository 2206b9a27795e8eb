"""The two checks of `health`: one for errors, one for warnings.

In the run of `health` they report what that run found. Executed alone they look at the database again and take the
findings on services and the disk from the last run of `health`, as a check calls neither TMDB nor the embedder.
"""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

import dagster as dg
import sqlalchemy as sa

from movie_assets.database.database import Database, execute
from movie_assets.operations.health.findings import PARTS, Finding, merged
from movie_assets.operations.health.report import probe_database
from movie_assets.runs.run_time import run_time_of
from movie_assets.tmdb.client import Tmdb

# Jobs, freshness policies and the checks of movie_details report these, each by its own name.
REPORTED_ELSEWHERE = {"runs", "export", "freshness", "terms"}


def keep_findings(
    database: Database, services: Sequence[Finding], data: Sequence[Finding], run_id: str, as_of: datetime
) -> None:
    """Replace the stored findings by those of a run."""

    def work(connection: sa.Connection) -> None:
        execute(connection, "clear_health_findings")
        for finding in (*services, *data):
            execute(
                connection, "record_health_finding", name=finding.name, severity=finding.severity, message=finding.says,
                found=finding.count, examples=list(finding.examples), next_step=finding.next_step,
                is_service=finding in services, run_id=run_id, as_of=as_of,
            )  # fmt: skip

    database.once(work)


@dg.asset_check(
    asset="health",
    description="Services, credentials, database, disk, backlog, vectors, triggers, sensors and alerts work. Executed "
    "alone it looks at the database now; what it says of services is from the last run of health.",
)
def nothing_is_broken(
    context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database], tmdb: dg.ResourceParam[Tmdb]
) -> dg.AssetCheckResult:
    """Report the findings that are errors."""
    return _outcome(_findings(context, database, tmdb), {"error"}, dg.AssetCheckSeverity.ERROR)


@dg.asset_check(
    asset="health",
    description="Nothing is about to break, and films have what applications show. Executed alone it looks at the "
    "database now; what it says of services is from the last run of health.",
)
def nothing_needs_a_look(
    context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database], tmdb: dg.ResourceParam[Tmdb]
) -> dg.AssetCheckResult:
    """Report the findings that are warnings, and what could not be looked at."""
    return _outcome(_findings(context, database, tmdb), {"warn", "unknown"}, dg.AssetCheckSeverity.WARN)


def _findings(context: dg.AssetCheckExecutionContext, database: Database, tmdb: Tmdb) -> list[Finding]:
    stored = database.rows("health_findings")
    if stored and stored[0].run_id == context.run.run_id:
        return merged([_finding(row) for row in stored])
    services = [_finding(row) for row in stored if row.is_service]
    return merged([*services, *probe_database(tmdb.settings, database, run_time_of(context.run))])


def _finding(row: sa.Row[Any]) -> Finding:
    return Finding(row.name, row.severity, row.message, row.found, tuple(row.examples), row.next_step)


def _outcome(
    findings: Sequence[Finding], severities: Collection[str], severity: dg.AssetCheckSeverity
) -> dg.AssetCheckResult:
    """A check that fails while there are such findings. An alert is repeated when PARTS has another name."""
    bad = [found for found in findings if found.severity in severities and found.name not in REPORTED_ELSEWHERE]
    return dg.AssetCheckResult(
        passed=not bad,
        severity=severity,
        description="; ".join(f"{found.name}: {found.says}" for found in bad)[:1000] or None,
        metadata={PARTS: dg.MetadataValue.json([found.name for found in bad])}
        | {found.name: found.count for found in bad},
    )


CHECKS = [nothing_is_broken, nothing_needs_a_look]
