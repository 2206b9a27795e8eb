"""The real films that come with the project (`films.jsonl`), as the emulator serves them.

They never vanish and keep their plots; their keywords grow now and then, their popularity and votes move.
Popularity is not part of the file: it is made up from the votes.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from movie_assets.emulator import stories
from movie_assets.emulator.chance import drawn, field, key_of
from movie_assets.emulator.lifecycle import REVISION_DAYS, revised_ranks, revision
from movie_assets.emulator.movie import Collection, Job, Movie, Person, Role
from movie_assets.emulator.shapes import stable_id
from movie_assets.emulator.traits import DAILY, tables

MOVIES_FILE = Path(__file__).with_name("films.jsonl")


def read_movies(path: Path) -> tuple[dict[str, Any], ...]:
    """Return the entries of a file of films (JSON lines), in its order."""
    with path.open(encoding="utf-8") as lines:
        return tuple(json.loads(line) for line in lines if line.strip())


def most_voted(movies: Iterable[dict[str, Any]], count: int) -> tuple[dict[str, Any], ...]:
    """Return the `count` films with the most votes, ascending by id."""
    ranked = sorted(movies, key=lambda movie: (-movie["vote_count"], movie["id"]))[:count]
    return tuple(sorted(ranked, key=lambda movie: int(movie["id"])))


@dataclass(frozen=True)
class BundledMovies:
    """Real films in a moving world of one seed; `entries` ascend by id."""

    seed: int
    entries: tuple[dict[str, Any], ...]

    @property
    def cycle(self) -> int:
        """The days between two changes of a film's text: at least one film changes each day."""
        return max(1, min(REVISION_DAYS, len(self.entries)))

    def movie(self, rank: int, day: int) -> Movie:
        """Return the film with this rank as it is on a day."""
        entry = self.entries[rank]
        votes = entry["vote_count"] + entry["vote_count"] * max(day, -1000) // 5000
        base = tuple(entry["keywords"])
        additions = revision(rank, day, self.cycle)
        return Movie(
            tmdb_id=entry["id"],
            imdb_id=entry["imdb_id"],
            title=entry["title"],
            original_title=entry["original_title"],
            language=entry["original_language"],
            release_date=entry["release_date"],
            runtime=entry["runtime"],
            genres=tuple(entry["genres"]),
            overview=entry["plot"],
            tagline="",
            keywords=base + stories.extra_keywords(base, entry["id"], additions),
            cast=tuple(Role(_person(name), "") for name in entry["cast"]),
            crew=tuple(Job(_person(name), "Directing", "Director") for name in entry["directors"]),
            collection=_collection(entry["collection"]),
            countries=tuple(entry["countries"]),
            companies=tuple(entry["companies"]),
            certification=entry["certification"] or "",
            popularity=self.popularity(rank, day),
            vote_average=entry["vote_average"],
            vote_count=votes,
            budget=entry["budget"] or 0,
            revenue=entry["revenue"] or 0,
            status="Released",
            revision=int(additions),
        )

    def popularity(self, rank: int, day: int) -> float:
        """Return the popularity on a day, with four decimals."""
        entry = self.entries[rank]
        word = drawn(key_of(self.seed, (day << 8) + DAILY), entry["id"])
        noise: float = tables().popularity_of_day[field(word, 0)]
        fame: float = 3.0 + entry["vote_count"] / 500
        return round(fame * noise, 4)

    def revised(self, day: int) -> list[int]:
        """Return the ranks of the films whose text changed on that day."""
        return [int(rank) for rank in revised_ranks(len(self.entries), day, self.cycle)]


def _person(name: str) -> Person:
    return Person(stable_id("person", name), name, 0)


def _collection(name: str | None) -> Collection | None:
    return Collection(stable_id("collection", name), name) if name else None
