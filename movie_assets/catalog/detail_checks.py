"""The checks of `movie_details`: is every batch covered, is the metadata complete, is it fresh."""

from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import TYPE_CHECKING, Any

import dagster as dg

from movie_assets.database.database import Database, as_dict
from movie_assets.runs.metadata_tables import calls_table
from movie_assets.runs.operating_charts import age_chart, coverage_chart
from movie_assets.runs.partitions import batches
from movie_assets.runs.run_time import run_time_of

if TYPE_CHECKING:
    from movie_assets.tmdb.responses import CallCounts

COVERAGE = "every_batch_is_covered"
COMPLETENESS = "metadata_is_complete"
AGE = "details_are_within_their_age"
TERMS = "nothing_is_kept_for_six_months"

MAX_WITHOUT_DETAILS = 0.01
ALWAYS_BORNE = 2  # films of a batch: in a small catalogue the odd failed film is more than its share
MAX_OVERDUE = 0.02
HOURS_TOLD_AS_DAYS = 48
# A wide profile accepts films that TMDB itself knows little of; with so many votes a film is known.
KNOWN_FILMS = 100
# What each field reached on 1,348 accepted real films of so many votes was 99.9 % or more; the others are only
# reported, because TMDB itself has no keyword or certification for many films.
MIN_RATE = {
    "title": 1.0,
    "original_language": 1.0,
    "release_year": 0.99,
    "runtime_minutes": 0.99,
    "genres": 0.98,
    "overview": 0.98,
    "directors": 0.95,
    "leading_cast": 0.95,
    "poster_path": 0.95,
}
# Search finds less without people, and applications show less without posters: a warning, not a failure.
WORSE_WITHOUT = ("directors", "leading_cast", "poster_path")


def evaluate(
    database: Database, as_of: datetime, counts: Mapping[str, Any] | None = None
) -> Iterator[dg.AssetCheckResult]:
    """Evaluate all of them over the whole catalogue; a run's own counts go with the first."""
    yield _coverage(database, counts)
    yield _completeness(database)
    yield _age(database, as_of)
    yield _terms(database, as_of)


def _terms(database: Database, as_of: datetime) -> dg.AssetCheckResult:
    kept = database.row("expired_films", as_of=as_of)
    return dg.AssetCheckResult(
        passed=kept.expired == 0,
        check_name=TERMS,
        description=f"{kept.expired:,} answers are older than 180 days; none may be" if kept.expired else None,
        metadata={
            "older_than_180_days": kept.expired,
            "older_than_170_days": kept.soon,
            "oldest": kept.oldest.isoformat() if kept.oldest else "none",
        },
    )


def _counts_of_run(counts: Mapping[str, Any]) -> dict[str, Any]:
    calls: CallCounts = counts["calls"]
    return {
        **{name: value for name, value in counts.items() if isinstance(value, int)},
        "calls_by_status": calls.by_status,
        "unknown_keys": sorted(counts["unknown_keys"]),
        **({"calls": calls_table(calls)} if calls.kinds else {}),
    }


def _coverage(database: Database, counts: Mapping[str, Any] | None = None) -> dg.AssetCheckResult:
    names = batches.get_partition_keys()
    found = {row.batch: row for row in database.rows("batch_coverage")}
    lacking = {row.batch: row.never_fetched + row.failed + row.without_facts for row in found.values()}
    bad = [row for row in found.values() if lacking[row.batch] > max(ALWAYS_BORNE, MAX_WITHOUT_DETAILS * row.ids)]
    shares = [1 - lacking[batch] / found[batch].ids if batch in found else None for batch in range(len(names))]
    table = "\n".join(
        ["| batch | ids | never fetched | failed | facts missing |", "|---|--:|--:|--:|--:|"]
        + [f"| {names[r.batch]} | {r.ids} | {r.never_fetched} | {r.failed} | {r.without_facts} |" for r in bad]
    )
    return dg.AssetCheckResult(
        passed=not bad,
        check_name=COVERAGE,
        description=f"{len(bad)} of {len(names)} batches have no details of more than 1 % of their ids"
        if bad
        else None,
        metadata={
            "batches_not_covered": len(bad),
            **(_counts_of_run(counts) if counts else {}),
            "coverage": dg.MetadataValue.md(coverage_chart(shares)),
            **({"where": dg.MetadataValue.md(table)} if bad else {}),
        },
    )


def _completeness(database: Database) -> dg.AssetCheckResult:
    found = as_dict(database.row("metadata_rates", min_votes=KNOWN_FILMS))
    films = found.pop("films")
    rates = {field: count / films if films else 1.0 for field, count in found.items()}
    too_low = [field for field, least in MIN_RATE.items() if rates[field] < least]
    told = [f"{field} ({rates[field]:.1%}, at least {MIN_RATE[field]:.0%} should)" for field in too_low]
    table = "\n".join(
        ["| field | films that have it | least |", "|---|--:|--:|"]
        + [
            f"| {field} | {rate:.1%} | {f'{MIN_RATE[field]:.0%}' if field in MIN_RATE else 'reported only'} |"
            for field, rate in rates.items()
        ]
    )
    return dg.AssetCheckResult(
        passed=not too_low,
        check_name=COMPLETENESS,
        severity=dg.AssetCheckSeverity.WARN if set(too_low) <= set(WORSE_WITHOUT) else dg.AssetCheckSeverity.ERROR,
        description=f"too few of {films:,} films have {'; '.join(told)}" if too_low else None,
        metadata={"films": films, **rates, "table": dg.MetadataValue.md(table)},
    )


def _age(database: Database, as_of: datetime) -> dg.AssetCheckResult:
    films = database.row("count_movies").films
    by_reason = {row.reason: row.films for row in database.rows("overdue_films", as_of=as_of)}
    overdue = sum(by_reason.values())
    passed = overdue <= MAX_OVERDUE * films
    ages = [row for row in database.rows("ages", as_of=as_of) if row.films]
    tiers = [(f"up to {_span(row.allowed_hours)}", row.films, row.within, row.overdue) for row in ages]
    return dg.AssetCheckResult(
        passed=passed,
        check_name=AGE,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if passed else f"{overdue:,} of {films:,} films are overdue; at most {MAX_OVERDUE:.0%} may be",
        metadata={
            "films": films,
            "overdue": overdue,
            **by_reason,
            **{f"within_{_span(row.allowed_hours).replace(' ', '_')}": row.within / row.films for row in ages},
            **({"oldest": min(row.oldest for row in ages).isoformat()} if ages else {}),
            **({"ages": dg.MetadataValue.md(age_chart(tiers))} if tiers else {}),
        },
    )


def _span(hours: int) -> str:
    return f"{hours} hours" if hours < HOURS_TOLD_AS_DAYS else f"{hours // 24} days"


@dg.asset_check(
    asset="movie_details",
    description="In each batch, at most 1 % (or two) of the ids worth a look have no details.",
)
def every_batch_is_covered(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Count the ids without details in each batch."""
    return _coverage(database)


@dg.asset_check(
    asset="movie_details",
    description="Each field that search and applications depend on, posters included, is there for nearly every "
    "accepted film of 100 votes or more. Films that were requested whatever the profiles say do not count.",
)
def metadata_is_complete(database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
    """Count the films that have each field."""
    return _completeness(database)


@dg.asset_check(
    asset="movie_details",
    description="At most 2 % of the accepted films are due again (2 to 30 days old, by release date); the share "
    "of each age that is within it, and the oldest copy.",
)
def details_are_within_their_age(
    context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database]
) -> dg.AssetCheckResult:
    """Count the films that are due again."""
    return _age(database, run_time_of(context.run))


@dg.asset_check(
    asset="movie_details",
    description="TMDB's terms: no answer is older than 180 days. Films are refreshed at 170 and purged at 180.",
)
def nothing_is_kept_for_six_months(
    context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database]
) -> dg.AssetCheckResult:
    """Count the answers that are older than 180 days."""
    return _terms(database, run_time_of(context.run))


CHECKS = [every_batch_is_covered, metadata_is_complete, details_are_within_their_age, nothing_is_kept_for_six_months]
