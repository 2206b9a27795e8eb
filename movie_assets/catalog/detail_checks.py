"""The checks of `movie_details` and `series_details`: coverage of each batch, completeness of the metadata, age.

`catalog.episode_checks` has the check that only series have.
"""

from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from typing import NamedTuple

import dagster as dg

from movie_assets.catalog.detail_ages import AgeTier, ExpiredResponses
from movie_assets.catalog.episode_checks import EPISODES, EPISODES_SAYS, episodes_agree
from movie_assets.database.database import Database
from movie_assets.runs.metadata_tables import Cell, bar, shown_table
from movie_assets.runs.partitions import batches
from movie_assets.runs.run_time import run_time_of
from movie_assets.tmdb.media import MOVIES, MediaType

COVERAGE = "every_batch_is_covered"
COMPLETENESS = "metadata_is_complete"
AGE = "details_are_within_their_age"
TERMS = "nothing_is_kept_for_six_months"

MAX_WITHOUT_DETAILS = 0.01  # of the ids of a batch
ALWAYS_ALLOWED = 2  # ids of a batch: in a small batch, one failed id is more than the share
MAX_OVERDUE = 0.02  # of the accepted films
HOURS_SHOWN_AS_DAYS = 48  # from here on
# A wide profile accepts films of which TMDB itself has few details. Films with at least so many votes are well known.
WELL_KNOWN_VOTES = 100
# Without these fields, search finds less and applications show less: a warning, not an error.
WARNING_ONLY = ("directors", "leading_cast", "poster_path")
WHERE_COLUMNS = ("batch", "ids", "never fetched", "failed", "details missing")
AGE_COLUMNS = ("allowed age", "films", "within it", "due", "overdue by a day", "share within it", "bar")
Figures = Mapping[str, int | float | str | dict[str, int] | list[str] | dg.TableMetadataValue]  # metadata


class BatchCoverage(NamedTuple):
    """A batch: its ids that no rule rejects before the details, and how many of them have no details, by the reason."""

    batch: int
    never_fetched: int
    failed: int
    without_details: int
    ids: int

    @property
    def uncovered(self) -> int:
        """The number of ids without details, whatever the reason."""
        return self.never_fetched + self.failed + self.without_details

    @property
    def is_covered(self) -> bool:
        """Whether few enough ids have no details."""
        return self.uncovered <= max(ALWAYS_ALLOWED, MAX_WITHOUT_DETAILS * self.ids)


class FieldCounts(NamedTuple):
    """The number of well-known films, and how many of them have each field."""

    films: int
    title: int
    release_year: int
    genres: int
    overview: int
    original_language: int
    runtime_minutes: int
    directors: int
    leading_cast: int
    keywords: int
    certification: int
    imdb_id: int
    poster_path: int


class OverdueFilms(NamedTuple):
    """The number of accepted films that are due again for a reason."""

    reason: str
    films: int


def evaluate(
    database: Database, as_of: datetime, media: MediaType, figures: Figures | None = None
) -> Iterator[dg.AssetCheckResult]:
    """Evaluate all checks over a media type. The figures of a run are added to the metadata of the first."""
    yield _coverage(database, media, figures)
    yield _completeness(database, media)
    yield _age(database, as_of, media)
    yield _terms(database, as_of)
    if media.has_seasons:
        yield episodes_agree(database)


def _terms(database: Database, as_of: datetime) -> dg.AssetCheckResult:
    responses = database.fetch_one(ExpiredResponses, "expired_films", as_of=as_of)
    problem = f"{responses.expired:,} responses are older than 180 days; none may be"
    return dg.AssetCheckResult(
        passed=responses.expired == 0,
        check_name=TERMS,
        description=problem if responses.expired else None,
        metadata={
            "older_than_180_days": responses.expired,
            "older_than_170_days": responses.soon,
            "oldest": responses.oldest.isoformat() if responses.oldest else "none",
        },
    )


def _coverage(database: Database, media: MediaType, figures: Figures | None = None) -> dg.AssetCheckResult:
    names = batches.get_partition_keys()
    coverage = database.fetch(BatchCoverage, "batch_coverage", media=media.name)
    bad = [batch for batch in coverage if not batch.is_covered]
    ids = sum(batch.ids for batch in coverage)
    cells = [(names[b.batch], b.ids, b.never_fetched, b.failed, b.without_details) for b in bad]
    problem = f"{len(bad)} of {len(names)} batches have no details of more than 1 % of their ids"
    return dg.AssetCheckResult(
        passed=not bad,
        check_name=COVERAGE,
        description=problem if bad else None,
        metadata={
            "batches_not_covered": len(bad),
            **(figures or {}),
            "coverage": 1 - sum(batch.uncovered for batch in coverage) / ids if ids else 1.0,
            **({"where": shown_table(WHERE_COLUMNS, cells)} if bad else {}),
        },
    )


def _completeness(database: Database, media: MediaType) -> dg.AssetCheckResult:
    counts = database.fetch_one(FieldCounts, "metadata_rates", min_votes=WELL_KNOWN_VOTES, media=media.name)._asdict()
    least_rates = media.min_rates
    films = counts.pop("films")
    rates = {field: count / films if films else 1.0 for field, count in counts.items()}
    too_low = [field for field, least in least_rates.items() if rates[field] < least]
    problems = [f"{field} ({rates[field]:.1%}, at least {least_rates[field]:.0%} should)" for field in too_low]
    cells = [
        (field, f"{rate:.1%}", bar(rate), f"{least_rates[field]:.0%}" if field in least_rates else "reported only")
        for field, rate in rates.items()
    ]
    return dg.AssetCheckResult(
        passed=not too_low,
        check_name=COMPLETENESS,
        severity=dg.AssetCheckSeverity.WARN if set(too_low) <= set(WARNING_ONLY) else dg.AssetCheckSeverity.ERROR,
        description=f"too few of {films:,} {media.noun} have {'; '.join(problems)}" if too_low else None,
        metadata={
            "films": films,
            **rates,
            "table": shown_table(("field", "films that have it", "share", "least"), cells),
        },
    )


def _age(database: Database, as_of: datetime, media: MediaType) -> dg.AssetCheckResult:
    films = database.fetch_value(int, "count_titles", media=media.name)
    overdue_films = database.fetch(OverdueFilms, "overdue_films", as_of=as_of, media=media.name)
    by_reason = {row.reason: row.films for row in overdue_films}
    overdue = sum(by_reason.values())
    passed = overdue <= MAX_OVERDUE * films
    tiers = database.fetch(AgeTier, "ages", as_of=as_of, media=media.name)
    problem = f"{overdue:,} of {films:,} {media.noun} are overdue; at most {MAX_OVERDUE:.0%} may be"
    return dg.AssetCheckResult(
        passed=passed,
        check_name=AGE,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if passed else problem,
        metadata={
            "films": films,
            "overdue": overdue,
            **by_reason,
            **{f"within_{_span(tier.allowed_hours).replace(' ', '_')}": tier.within / tier.films for tier in tiers},
            **(
                {
                    "oldest": min(tier.oldest for tier in tiers).isoformat(),
                    "ages": shown_table(AGE_COLUMNS, map(_cells, tiers)),
                }
                if tiers
                else {}
            ),
        },
    )


def _cells(tier: AgeTier) -> tuple[Cell, ...]:
    """Return a tier as a row of the table of ages: its films within their age, due, and overdue by a day."""
    due = tier.films - tier.within - tier.overdue
    share = tier.within / tier.films
    return (
        f"up to {_span(tier.allowed_hours)}",
        tier.films,
        tier.within,
        due,
        tier.overdue,
        f"{share:.0%}",
        bar(share),
    )


def _span(hours: int) -> str:
    return f"{hours} hours" if hours < HOURS_SHOWN_AS_DAYS else f"{hours // 24} days"


def checks_of(media: MediaType) -> list[dg.AssetChecksDefinition]:
    """Return the checks of the asset of a media type."""
    noun = media.noun
    checks = [
        _check(
            media,
            COVERAGE,
            "In each batch, at most 1 % (or two) of the ids that neither the export nor TMDB's lists "
            "reject have no details.",
            lambda database, _: _coverage(database, media),
        ),
        _check(
            media,
            COMPLETENESS,
            f"Nearly every accepted {'film' if media == MOVIES else noun} with 100 votes or more has each field that "
            f"search and applications depend on, posters included. {noun.capitalize()} that are kept on request, "
            "whatever the profiles, do not count.",
            lambda database, _: _completeness(database, media),
        ),
        _check(
            media,
            AGE,
            f"At most 2 % of the accepted {noun} are due again ({media.ages}). Reports the "
            f"share of {noun} within each age, and the oldest copy.",
            lambda database, as_of: _age(database, as_of, media),
        ),
        _check(
            media,
            TERMS,
            f"TMDB's terms: no response is older than 180 days. {noun.capitalize()} are refreshed at 170 and "
            "purged at 180.",
            _terms,
        ),
    ]
    if media.has_seasons:
        checks.append(_check(media, EPISODES, EPISODES_SAYS, lambda database, _: episodes_agree(database)))
    return checks


def _check(
    media: MediaType, name: str, description: str, result: Callable[[Database, datetime], dg.AssetCheckResult]
) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=f"{media.name}_details", name=name, description=description)
    def check(context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database]) -> dg.AssetCheckResult:
        return result(database, run_time_of(context.run))

    return check
