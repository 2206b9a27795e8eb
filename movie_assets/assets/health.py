"""What is broken right now, as an asset: looked at each hour, its figures charted, its findings two checks that alert.

How it is looked at is `movie_assets.health`; what it means, `core.health`.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime
from typing import Any

import dagster as dg
import sqlalchemy as sa

from movie_assets.core.health import PARTS, Finding, by_severity
from movie_assets.core.operating_pictures import BAD, GOOD, MIDDLING, NONE, days_picture
from movie_assets.health import look_at_everything
from movie_assets.moment import moment_of
from movie_assets.resources.embedder import Embedder
from movie_assets.resources.postgres import Database
from movie_assets.resources.tmdb import Tmdb

NOTHING_IS_BROKEN = dg.AssetCheckSpec(
    "nothing_is_broken",
    asset="health",
    description="Services, credentials, database, disk, backlog, vectors, triggers, sensors and alerts work.",
)
NOTHING_NEEDS_A_LOOK = dg.AssetCheckSpec(
    "nothing_needs_a_look",
    asset="health",
    description="Nothing is on its way to be broken, and films have what applications show.",
)
# Jobs, freshness policies and the checks of movie_details tell it, each by its own name.
TOLD_ELSEWHERE = {"runs", "export", "freshness", "terms"}
COLOURS = {"answered": GOOD, "gone": NONE, "paused": MIDDLING, "failed": BAD}


@dg.asset(group_name="operations", kinds={"python", "postgres"}, check_specs=[NOTHING_IS_BROKEN, NOTHING_NEEDS_A_LOOK])
def health(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    tmdb: dg.ResourceParam[Tmdb],
    embedder: dg.ResourceParam[Embedder],
) -> Iterator[dg.MaterializeResult[None]]:
    """A finding on one thing that can be broken: how bad it is, how many, which, and what to do next.

    `movie-assets health` tells the same at the terminal, with an exit code for a monitor, without Dagster.
    """
    moment = moment_of(context.run)
    findings = look_at_everything(tmdb.settings, database, embedder, moment)
    kpis = database.rows("kpis", moment=moment)
    told = [found for found in findings if found.name not in TOLD_ELSEWHERE]
    yield dg.MaterializeResult(
        metadata={
            "errors": sum(found.severity == "error" for found in findings),
            "warnings": sum(found.severity in ("warn", "unknown") for found in findings),
            **{row.kpi: row.value for row in kpis if row.value is not None},
            "findings": dg.MetadataValue.md(_findings_table(findings)),
            "kpis": dg.MetadataValue.md(_kpi_table(kpis)),
            **_pictures(database, moment),
        },
        check_results=[
            _outcome(NOTHING_IS_BROKEN, dg.AssetCheckSeverity.ERROR, [f for f in told if f.severity == "error"]),
            _outcome(
                NOTHING_NEEDS_A_LOOK, dg.AssetCheckSeverity.WARN, [f for f in told if f.severity in ("warn", "unknown")]
            ),
        ],
    )


def _outcome(check: dg.AssetCheckSpec, severity: dg.AssetCheckSeverity, bad: Sequence[Finding]) -> dg.AssetCheckResult:
    """A check that fails while there are such findings. Alerts tell again when `parts` has another name (PARTS)."""
    return dg.AssetCheckResult(
        check_name=check.name,
        passed=not bad,
        severity=severity,
        description="; ".join(f"{found.name}: {found.says}" for found in bad)[:1000] or None,
        metadata={PARTS: dg.MetadataValue.json([found.name for found in bad])}
        | {found.name: found.count for found in bad},
    )


def _findings_table(findings: list[Finding]) -> str:
    lines = [
        f"| {found.severity} | {found.name} | {found.says} | {', '.join(found.examples)} | {found.next_step} |"
        for found in by_severity(findings)
    ]
    return "\n".join(["| | what | found | for example | do next |", "|---|---|---|---|---|", *lines])


def _kpi_table(kpis: list[sa.Row[Any]]) -> str:
    lines = [
        f"| {row.kpi} | {_number(row.value)} | {_number(row.goal)} | {_met(row.is_met)} | {row.says} |" for row in kpis
    ]
    return "\n".join(["| figure | value | goal | met | what it is |", "|---|--:|--:|---|---|", *lines])


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.4g}"


def _met(is_met: bool | None) -> str:
    return "" if is_met is None else "yes" if is_met else "**no**"


def _pictures(database: Database, moment: datetime) -> Mapping[str, dg.MetadataValue[Any]]:
    """Two weeks of calls by status and of costs; nothing where there were none."""
    calls = [
        (f"{row.day:%d %b}", {part: getattr(row, part) or 0 for part in COLOURS})
        for row in database.rows("calls_by_day", moment=moment)
    ]
    costs = [(f"{row.day:%d %b}", {"dollars": row.dollars}) for row in database.rows("cost_by_day", moment=moment)]
    made = {}
    if calls:
        made["calls_by_day"] = dg.MetadataValue.md(days_picture("calls to TMDB by day", calls, COLOURS))
    if any(parts["dollars"] for _, parts in costs):
        picture = days_picture("dollars for embeddings by day", costs, {"dollars": GOOD}, "{:.2f}")
        made["cost_by_day"] = dg.MetadataValue.md(picture)
    return made
