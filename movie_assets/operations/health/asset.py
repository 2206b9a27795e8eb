"""What is broken right now, as an asset: looked at each hour, its figures charted, its findings two checks that alert.

How it is looked at is `movie_assets.operations.health.report`; what it means, `operations.health.findings`.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import dagster as dg
import sqlalchemy as sa

from movie_assets.database.database import Database
from movie_assets.embeddings.embedder import Embedder
from movie_assets.operations.health.checks import keep_findings
from movie_assets.operations.health.findings import Finding, by_severity, merged
from movie_assets.operations.health.report import probe_database, probe_services
from movie_assets.runs.metadata_tables import shown_table
from movie_assets.runs.operating_charts import BAD, GOOD, MIDDLING, NONE, days_chart
from movie_assets.runs.run_time import run_time_of
from movie_assets.tmdb.client import Tmdb

COLOURS = {"answered": GOOD, "gone": NONE, "paused": MIDDLING, "failed": BAD}


@dg.asset(group_name="operations", kinds={"python", "postgres"})
def health(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    tmdb: dg.ResourceParam[Tmdb],
    embedder: dg.ResourceParam[Embedder],
) -> dg.MaterializeResult[None]:
    """A finding on one thing that can be broken: how bad it is, how many, which, and what to do next.

    `movie-assets health` tells the same at the terminal, with an exit code for a monitor, without Dagster.
    """
    as_of = run_time_of(context.run)
    services, data = (
        probe_services(tmdb.settings, database, embedder),
        probe_database(tmdb.settings, database, as_of),
    )
    keep_findings(database, services, data, context.run.run_id, as_of)
    findings = merged([*services, *data])
    kpis = database.rows("kpis", as_of=as_of)
    return dg.MaterializeResult(
        metadata={
            "errors": sum(found.severity == "error" for found in findings),
            "warnings": sum(found.severity in ("warn", "unknown") for found in findings),
            **{row.kpi: row.value for row in kpis if row.value is not None},
            "findings": _findings_table(findings),
            "kpis": _kpi_table(kpis),
            **_pictures(database, as_of),
        },
    )


def _findings_table(findings: list[Finding]) -> dg.TableMetadataValue:
    return shown_table(
        ("severity", "what", "found", "for example", "do next"),
        [
            (found.severity, found.name, found.says, ", ".join(found.examples), found.next_step)
            for found in by_severity(findings)
        ],
    )


def _kpi_table(kpis: list[sa.Row[Any]]) -> dg.TableMetadataValue:
    return shown_table(
        ("figure", "value", "goal", "met", "what it is"),
        [(row.kpi, _number(row.value), _number(row.goal), _met(row.is_met), row.says) for row in kpis],
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _met(is_met: bool | None) -> str:
    return "" if is_met is None else "yes" if is_met else "no"


def _pictures(database: Database, as_of: datetime) -> Mapping[str, dg.MetadataValue[Any]]:
    """Two weeks of calls by status and of costs; nothing where there were none."""
    calls = [
        (f"{row.day:%d %b}", {part: getattr(row, part) or 0 for part in COLOURS})
        for row in database.rows("calls_by_day", as_of=as_of)
    ]
    costs = [(f"{row.day:%d %b}", {"dollars": row.dollars}) for row in database.rows("cost_by_day", as_of=as_of)]
    made = {}
    if calls:
        made["calls_by_day"] = dg.MetadataValue.md(days_chart("calls to TMDB by day", calls, COLOURS))
    if any(parts["dollars"] for _, parts in costs):
        chart = days_chart("dollars for embeddings by day", costs, {"dollars": GOOD}, "{:.2f}")
        made["cost_by_day"] = dg.MetadataValue.md(chart)
    return made
