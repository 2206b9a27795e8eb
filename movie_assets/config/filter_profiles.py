"""Filter profiles: the rules that say which films belong in the catalogue, and the order of the rules.

A profile is for titles of one media type. SQL applies them: pipeline.apply_export the rules of the export stage (adult,
video, softcore, popularity), and pipeline.evaluate the rules of the details. `movie_assets.config.profiles` reads
profiles from files.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date

EXPORT_RULES = ("adult", "video", "softcore", "popularity")
NEVER_WANTED = ("adult", "video", "softcore")
DETAIL_RULES = (*NEVER_WANTED, "vote_count", "vote_average", "release_date", "runtime", "language")
RULES = (*EXPORT_RULES, *(rule for rule in DETAIL_RULES if rule not in EXPORT_RULES))  # of movies
OF_SERIES = ("type", "status")  # rules that only series have, applied last
RULES_OF = {"movie": RULES, "series": (*(rule for rule in RULES if rule != "video"), *OF_SERIES)}  # by media type
LEFT_OUT: Mapping[str, object] = {
    "media": "movie",
    "types": (),
    "statuses": (),
}  # values that the hash does not depend on


@dataclass(frozen=True)
class FilterProfile:
    """The conditions that a title must meet.

    `media` is movie or series. Runtimes are in minutes, averages 0 to 10, languages ISO 639-1 codes (an empty tuple:
    any language). The release date of a series is that of its first episode; types and statuses are TMDB's words for
    series, such as Miniseries and Ended (an empty tuple: any). Details are fetched only for ids with the popularity,
    and with a rank (1 is the most popular id of the day's export) up to `popularity_rank`.
    """

    name: str
    min_popularity: float = 0.0
    popularity_rank: int | None = None
    min_vote_count: int = 0
    min_vote_average: float = 0.0
    released_since: date | None = None
    released_within_days: int | None = None
    min_runtime: int = 0
    max_runtime: int | None = None
    languages: tuple[str, ...] = ()
    target: int | None = None  # number of films; only reported
    media: str = "movie"
    types: tuple[str, ...] = ()
    statuses: tuple[str, ...] = ()

    def describe(self) -> dict[str, str]:
        """Return a description of each rule."""
        is_movie = self.media == "movie"
        released, dates = "released" if is_movie else "first aired", []
        if self.released_since is not None:
            dates.append(f"{released} since {self.released_since}")
        if self.released_within_days is not None:
            dates.append(f"{released} in the last {self.released_within_days} days")
        rank = f", among the {self.popularity_rank:,} most popular" if self.popularity_rank else ""
        longest = " or more" if self.max_runtime is None else f"-{self.max_runtime}"
        rules = {
            "adult": "not marked adult",
            "video": "a film, not a video",
            "softcore": "not marked softcore",
            "popularity": f"popularity ≥ {self.min_popularity:g}{rank}",
            "vote_count": f"votes ≥ {self.min_vote_count}",
            "vote_average": f"average vote ≥ {self.min_vote_average:g}",
            "release_date": ", ".join(dates) or "any release date",
            "runtime": f"{self.min_runtime}{longest} minutes",
            "language": f"language in {' '.join(self.languages)}" if self.languages else "any language",
            "type": f"type {' or '.join(self.types)}" if self.types else "any type",
            "status": f"status {' or '.join(self.statuses)}" if self.statuses else "any status",
        }
        return {rule: rules[rule] for rule in RULES_OF[self.media]}


@dataclass(frozen=True)
class FilterProfiles:
    """The profiles in use. A film belongs in the catalogue if it passes one of them."""

    profiles: tuple[FilterProfile, ...]

    @property
    def media(self) -> str:
        """The media type of the profiles, which have the same one."""
        return self.profiles[0].media

    @property
    def min_vote_count(self) -> int:
        """The fewest votes with which a film can be accepted."""
        return min(profile.min_vote_count for profile in self.profiles)

    @property
    def vote_counts(self) -> list[int]:
        """The numbers of votes that profiles require, the fewest first, each once."""
        return sorted({profile.min_vote_count for profile in self.profiles})

    @property
    def min_vote_average(self) -> float:
        """The lowest average with which a film can be accepted."""
        return min(profile.min_vote_average for profile in self.profiles)

    @property
    def target(self) -> int | None:
        """The number of films that the profiles are meant to reach; None if no profile has one."""
        return max((profile.target for profile in self.profiles if profile.target), default=None)

    @property
    def as_json(self) -> str:
        """The profiles in the form for pipeline.evaluate: a JSON array with an object for each profile."""
        profiles = [
            {name: value for name, value in asdict(profile).items() if LEFT_OUT.get(name, ...) != value}
            for profile in self.profiles
        ]
        return json.dumps(profiles, default=date.isoformat, sort_keys=True)

    @property
    def name(self) -> str:
        """A hash of the profiles' values; stored responses are evaluated again when it changes."""
        return hashlib.sha256(self.as_json.encode()).hexdigest()[:12]

    @property
    def export_rules(self) -> str:
        """The rules of the export stage as a text; the shares of loads are compared under the same rules only."""
        return "; ".join(f"{p.min_popularity:g} {p.popularity_rank or '-'}" for p in self.profiles)

    def describe(self) -> Mapping[str, str]:
        """Return a description of each rule, in the order of evaluation; different ones are joined by |."""
        descriptions = [profile.describe() for profile in self.profiles]
        return {rule: " | ".join(dict.fromkeys(each[rule] for each in descriptions)) for rule in RULES_OF[self.media]}
