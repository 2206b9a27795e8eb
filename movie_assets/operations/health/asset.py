"""The asset `health`: its hourly run probes what can be broken; its findings have two checks, which alerts report.

`operations.health.report` runs the probes, and `operations.health.findings` evaluates them.
"""

from collections.abc import Mapping, Sequence
from datetime import date, datetime
from typing import NamedTuple

import dagster as dg

from movie_assets.database.database import Database
from movie_assets.embeddings.embedder import Embedder
from movie_assets.operations.health.checks import store_findings
from movie_assets.operations.health.findings import Finding, by_severity, merged
from movie_assets.operations.health.report import probe_database, probe_services
from movie_assets.runs.metadata_tables import bar, shown_table
from movie_assets.runs.run_time import run_time_of
from movie_assets.tmdb.client import Tmdb


class Kpi(NamedTuple):
    """A figure that the catalogue is operated by; `value` is None without data, `goal` without a goal."""

    kpi: str
    value: float | None
    goal: float | None
    is_met: bool | None
    description: str


class CallsOfDay(NamedTuple):
    """The calls to TMDB on a day (UTC), by status: 200, 404, 429 and all others."""

    day: date
    answered: int
    gone: int
    paused: int
    failed: int


class CostOfDay(NamedTuple):
    """The cost of embeddings on a day (UTC)."""

    day: date
    dollars: float
    tokens: int


@dg.asset(group_name="operations", kinds={"python", "postgres"})
def health(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    tmdb: dg.ResourceParam[Tmdb],
    embedder: dg.ResourceParam[Embedder],
) -> dg.MaterializeResult[None]:
    """A finding on one thing that can be broken: its severity, what is affected, and what to do next.

    `movie-assets health` prints the same in the terminal, with an exit code for a monitor, without Dagster.
    """
    as_of = run_time_of(context.run)
    services = probe_services(tmdb.settings, database, embedder)
    data = probe_database(tmdb.settings, database, as_of)
    store_findings(database, services, data, context.run.run_id, as_of)
    findings = merged([*services, *data])
    kpis = database.fetch(Kpi, "kpis", as_of=as_of)
    return dg.MaterializeResult(
        metadata={
            "errors": sum(finding.severity == "error" for finding in findings),
            "warnings": sum(finding.severity in ("warn", "unknown") for finding in findings),
            **{row.kpi: row.value for row in kpis if row.value is not None},
            "findings": _findings_table(findings),
            "kpis": _kpi_table(kpis),
            **_tables_by_day(database, as_of),
        },
    )


def _findings_table(findings: Sequence[Finding]) -> dg.TableMetadataValue:
    return shown_table(
        ("severity", "what", "found", "for example", "do next"),
        [
            (each.severity, each.name, each.message, ", ".join(each.examples), each.next_step)
            for each in by_severity(findings)
        ],
    )


def _kpi_table(kpis: Sequence[Kpi]) -> dg.TableMetadataValue:
    return shown_table(
        ("figure", "value", "goal", "met", "what it is"),
        [(row.kpi, _number(row.value), _number(row.goal), _met(row.is_met), row.description) for row in kpis],
    )


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _met(is_met: bool | None) -> str:
    return "" if is_met is None else "yes" if is_met else "no"


def _tables_by_day(database: Database, as_of: datetime) -> Mapping[str, dg.TableMetadataValue]:
    """Return tables of the calls and costs of two weeks, a row a day; no table without any."""
    calls = database.fetch(CallsOfDay, "calls_by_day", as_of=as_of)
    costs = database.fetch(CostOfDay, "cost_by_day", as_of=as_of)
    tables = {}
    if calls:
        totals = [each.answered + each.gone + each.paused + each.failed for each in calls]
        highest = max(1, *totals)
        tables["calls_by_day"] = shown_table(
            ("day", "calls", "200", "404", "429", "failed", ""),
            [
                (each.day.isoformat(), total, each.answered, each.gone, each.paused, each.failed, bar(total / highest))
                for each, total in zip(calls, totals, strict=True)
            ],
        )
    if any(each.dollars for each in costs):
        dearest = max(each.dollars for each in costs)
        tables["cost_by_day"] = shown_table(
            ("day", "dollars", "tokens", ""),
            [(each.day.isoformat(), each.dollars, each.tokens, bar(each.dollars / dearest)) for each in costs],
        )
    return tables
