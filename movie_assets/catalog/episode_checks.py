"""The check of the seasons and episodes of series: against TMDB's own counts of them."""

from typing import NamedTuple

import dagster as dg

from movie_assets.database.database import Database
from movie_assets.runs.metadata_tables import shown_table

EPISODES = "episodes_are_as_counted"
EPISODES_SAYS = (
    "The seasons and episodes of nearly every accepted series are as many as TMDB counts for the series, without "
    "season 0, and for each of its seasons; no season that has episodes lacks all of them for want of a response."
)
MAX_OTHER_COUNTS = 0.05  # of the series: TMDB's own counts of 3 of 109 real series differ from their lists
ALWAYS_ALLOWED = 2  # series of a small catalogue
COLUMNS = ("title_id", "series", "what differs", "TMDB counts", "in the catalogue")


class MiscountedSeries(NamedTuple):
    """A series with another number of something than TMDB counts.

    `series` is the number of all series that have such a difference.
    """

    title_id: int
    title: str
    what: str
    counted: int
    stored: int
    series: int


class SeriesCounts(NamedTuple):
    """The numbers of accepted series, and of their seasons and episodes."""

    series: int
    seasons: int
    episodes: int
    specials: int
    unfetched_seasons: int


def episodes_agree(database: Database) -> dg.AssetCheckResult:
    """Compare the seasons and episodes of each series with TMDB's counts of them."""
    counts = database.fetch_one(SeriesCounts, "count_episodes")
    examples = database.fetch(MiscountedSeries, "miscounted_series")
    miscounted = examples[0].series if examples else 0
    passed = miscounted <= max(ALWAYS_ALLOWED, MAX_OTHER_COUNTS * counts.series)
    problem = (
        f"{miscounted:,} of {counts.series:,} series have other numbers of seasons or episodes than TMDB counts; "
        f"at most {MAX_OTHER_COUNTS:.0%} may"
    )
    cells = [(row.title_id, row.title, row.what, row.counted, row.stored) for row in examples]
    return dg.AssetCheckResult(
        passed=passed,
        check_name=EPISODES,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if passed else problem,
        metadata={
            **counts._asdict(),
            "miscounted_series": miscounted,
            **({"where": shown_table(COLUMNS, cells)} if cells else {}),
        },
    )
