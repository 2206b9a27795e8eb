"""The check of languages: most titles have a plot and a poster in each language of the settings."""

from typing import NamedTuple

import dagster as dg

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.runs.metadata_tables import shown_table

MIN_SHARE = 0.5  # of the titles of a media type; TMDB has plots in German for most films with 100 votes
COLUMNS = (
    "language", "media type", "titles", "with a title of its own", "with a plot", "with a poster",
    "with fetched images", "with a poster of its own",
)  # fmt: skip


class TextsOfLanguage(NamedTuple):
    """Counts of the titles of a media type: with texts in a language, any poster, fetched images, a poster in it."""

    language: str
    media_type: str
    titles: int
    own_titles: int
    overviews: int
    posters: int
    fetched: int
    own_posters: int

    def problems(self) -> list[str]:
        """Return what fewer than half of the titles have, a sentence each."""
        title = f"titles ({self.media_type})"
        shares = (
            (self.overviews, self.titles, f"{title} have a plot in {self.language}"),
            (self.own_posters, self.fetched, f"{title} with fetched images have a poster in {self.language}"),
        )
        return [f"{count:,} of {of:,} {words}" for count, of, words in shares if count < MIN_SHARE * of]


@dg.asset_check(
    asset="reconciliation",
    description="At least half of the titles have a plot in each language of MOVIE_ASSETS_LANGUAGES, and a poster "
    "where images are fetched. For the others catalog.localized falls back. The metadata has the counts by language.",
)
def texts_are_in_all_languages(
    context: dg.AssetCheckExecutionContext,  # noqa: ARG001  # the signature of a check
    database: dg.ResourceParam[Database],
    settings: dg.ResourceParam[Settings],
) -> dg.AssetCheckResult:
    """Report for each language how many titles have texts in it, and name the languages that few have."""
    counts = database.fetch(TextsOfLanguage, "texts_by_language", languages=list(settings.languages))
    problems = [problem for each in counts for problem in each.problems()]
    return dg.AssetCheckResult(
        passed=not problems,
        severity=dg.AssetCheckSeverity.WARN,
        description="; ".join(problems) or None,
        metadata={"languages": len(settings.languages), "texts": shown_table(COLUMNS, counts)},
    )
