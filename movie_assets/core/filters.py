"""Which films belong in the catalogue: the rules of both stages and the order in which they are asked.

The export stage (adult, video, softcore, popularity) is applied in SQL, by pipeline.apply_export, because it
runs over a million lines; its rules are listed here so that a report can show the whole funnel in order.
"""

from dataclasses import dataclass
from datetime import date

from movie_assets.core.films import Film

EXPORT_RULES = ("adult", "video", "softcore", "popularity")
DETAIL_RULES = (
    "adult",
    "video",
    "softcore",
    "vote_count",
    "vote_average",
    "release_date",
    "runtime",
    "language",
)
RULES = (*EXPORT_RULES, *(rule for rule in DETAIL_RULES if rule not in EXPORT_RULES))


@dataclass(frozen=True)
class Thresholds:
    """What a film must reach. Runtimes are minutes, averages 0 to 10, languages ISO 639-1."""

    min_popularity: float
    min_vote_count: int
    min_vote_average: float
    released_since: date
    min_runtime: int
    max_runtime: int
    languages: tuple[str, ...]

    def describe(self) -> dict[str, str]:
        """Each rule in words, in the order in which the rules are asked."""
        return {
            "adult": "not marked adult",
            "video": "a film, not a video",
            "softcore": "not marked softcore",
            "popularity": f"popularity ≥ {self.min_popularity:g}",
            "vote_count": f"votes ≥ {self.min_vote_count}",
            "vote_average": f"average vote ≥ {self.min_vote_average:g}",
            "release_date": f"released since {self.released_since}",
            "runtime": f"{self.min_runtime}-{self.max_runtime} minutes",
            "language": f"language in {' '.join(self.languages)}",
        }

    def reason_to_reject(self, film: Film) -> str | None:
        """The first rule of the detail stage that a film fails, or None when it is accepted.

        A release date or a runtime that is not known fails its rule. Popularity is not asked again: the daily
        export, which is newer than the details, decides on it.
        """
        passes = {
            "adult": not film.adult,
            "video": not film.video,
            "softcore": not film.softcore,
            "vote_count": film.vote_count >= self.min_vote_count,
            "vote_average": film.vote_average >= self.min_vote_average,
            "release_date": film.release_date is not None and film.release_date >= self.released_since,
            "runtime": film.runtime_minutes is not None
            and self.min_runtime <= film.runtime_minutes <= self.max_runtime,
            "language": film.original_language in self.languages,
        }
        return next((rule for rule in DETAIL_RULES if not passes[rule]), None)
