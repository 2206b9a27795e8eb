"""Which films belong in the catalogue: named profiles, their rules, and the order in which rules are asked.

The export stage (adult, video, softcore, popularity) is applied in SQL, by pipeline.apply_export, because it
runs over a million lines; its rules are listed here so that a report can show the whole funnel in order.
Where profiles come from is `movie_assets.profiles`.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import date, timedelta

from movie_assets.core.films import Film

EXPORT_RULES = ("adult", "video", "softcore", "popularity")
NEVER_WANTED = ("adult", "video", "softcore")
DETAIL_RULES = (*NEVER_WANTED, "vote_count", "vote_average", "release_date", "runtime", "language")
RULES = (*EXPORT_RULES, *(rule for rule in DETAIL_RULES if rule not in EXPORT_RULES))


@dataclass(frozen=True)
class Profile:
    """What a film must reach. Runtimes are minutes, averages 0 to 10, languages ISO 639-1 (none named: any).

    Popularity and its rank (1 is the most popular id of the day's export) say which ids deserve a call.
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
    target: int | None = None  # films; only reported

    def first_failed(self, film: Film, day: date) -> str | None:
        """The first rule of the detail stage that a film fails on a day, or None.

        A date, runtime or language that is not known fails a rule that asks for one. Popularity is not asked
        again: the daily export, which is newer than the details, decides on it.
        """
        runtime_matters = self.min_runtime > 0 or self.max_runtime is not None
        passes = {
            "adult": not film.adult,
            "video": not film.video,
            "softcore": not film.softcore,
            "vote_count": film.vote_count >= self.min_vote_count,
            "vote_average": film.vote_average >= self.min_vote_average,
            "release_date": self._is_in_time(film.release_date, day),
            "runtime": not runtime_matters
            or (
                film.runtime_minutes is not None
                and self.min_runtime <= film.runtime_minutes
                and (self.max_runtime is None or film.runtime_minutes <= self.max_runtime)
            ),
            "language": not self.languages or film.original_language in self.languages,
        }
        return next((rule for rule in DETAIL_RULES if not passes[rule]), None)

    def _is_in_time(self, released: date | None, day: date) -> bool:
        if self.released_since is None and self.released_within_days is None:
            return True
        if released is None or (self.released_since is not None and released < self.released_since):
            return False
        within = self.released_within_days
        return within is None or day - timedelta(days=within) <= released <= day

    def describe(self) -> dict[str, str]:
        """Each rule in words."""
        times = []
        if self.released_since is not None:
            times.append(f"released since {self.released_since}")
        if self.released_within_days is not None:
            times.append(f"released in the last {self.released_within_days} days")
        rank = f", among the {self.popularity_rank:,} most popular" if self.popularity_rank else ""
        longest = " or more" if self.max_runtime is None else f"-{self.max_runtime}"
        return {
            "adult": "not marked adult",
            "video": "a film, not a video",
            "softcore": "not marked softcore",
            "popularity": f"popularity ≥ {self.min_popularity:g}{rank}",
            "vote_count": f"votes ≥ {self.min_vote_count}",
            "vote_average": f"average vote ≥ {self.min_vote_average:g}",
            "release_date": ", ".join(times) or "any release date",
            "runtime": f"{self.min_runtime}{longest} minutes",
            "language": f"language in {' '.join(self.languages)}" if self.languages else "any language",
        }


@dataclass(frozen=True)
class Thresholds:
    """The profiles in use. A film belongs in the catalogue when it passes one of them."""

    profiles: tuple[Profile, ...]

    @property
    def min_vote_count(self) -> int:
        """The fewest votes with which a film can be accepted."""
        return min(profile.min_vote_count for profile in self.profiles)

    @property
    def min_vote_average(self) -> float:
        """The lowest average with which a film can be accepted."""
        return min(profile.min_vote_average for profile in self.profiles)

    @property
    def target(self) -> int | None:
        """How many films the profiles are meant to reach, if one says so."""
        return max((profile.target for profile in self.profiles if profile.target), default=None)

    @property
    def as_json(self) -> str:
        """The profiles as pipeline.evaluate takes them: a JSON array, an object for each profile."""
        return json.dumps([asdict(profile) for profile in self.profiles], default=date.isoformat, sort_keys=True)

    @property
    def name(self) -> str:
        """Names the profiles by a hash of their values; stored responses are evaluated again when it changes."""
        return hashlib.sha256(self.as_json.encode()).hexdigest()[:12]

    @property
    def export_rules(self) -> str:
        """Names the rules of the export stage; loads of other rules keep another share."""
        return "; ".join(f"{p.min_popularity:g} {p.popularity_rank or '-'}" for p in self.profiles)

    def describe(self) -> Mapping[str, str]:
        """Each rule in words, in the order in which the rules are asked; profiles that differ side by side."""
        words = [profile.describe() for profile in self.profiles]
        return {rule: " | ".join(dict.fromkeys(said[rule] for said in words)) for rule in RULES}

    def reason_to_reject(self, film: Film, day: date, *, is_kept: bool = False) -> str | None:
        """The rule that keeps a film out, or None when it is accepted.

        Of several profiles, the one in which the film came furthest tells. A film that is kept on request has
        to pass no rule but those on adult titles and videos.
        """
        failed = [profile.first_failed(film, day) for profile in self.profiles]
        reason = None if None in failed else max((r for r in failed if r), key=DETAIL_RULES.index)
        return reason if not is_kept or reason in NEVER_WANTED else None
