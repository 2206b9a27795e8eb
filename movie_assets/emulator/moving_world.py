"""The default world: the bundled real films, filled up with made-up ones, moving from day to day.

Details of single films are computed for each request; columns and changes of the latest days are cached.
"""

from collections.abc import Collection, Iterator, Sequence
from datetime import date
from functools import lru_cache
from typing import Any

import numpy as np

from movie_assets.emulator import details
from movie_assets.emulator.bundled import MOVIES_FILE, BundledMovies, most_voted, read_movies
from movie_assets.emulator.lifecycle import day_index
from movie_assets.emulator.made_up import IDS_FROM, MadeUpMovies, number_of_imdb
from movie_assets.emulator.movie import Movie
from movie_assets.emulator.moving_series import MovingSeries
from movie_assets.emulator.responses import compact_json
from movie_assets.emulator.vocabulary import GENRE_BITS, vocabulary
from movie_assets.emulator.world import Change, Columns, ExportRow

EXPORT_PIECE = 20_000


class MovingWorld:
    """`movies` films on any day: the bundled ones with the most votes first, then made-up ones.

    With `movies` at or below the number of bundled films there are no made-up ones, so no film comes or
    goes; texts, popularity and votes move all the same. `series` made-up series are beside them, in an attribute of
    that name, which is None without any.
    """

    series: MovingSeries | None

    def __init__(
        self, movies: int, seed: int, entries: Sequence[dict[str, Any]] | None = None, series: int = 0
    ) -> None:
        if movies < 1:
            raise ValueError(f"a world needs at least one film, not {movies}")
        known = read_movies(MOVIES_FILE) if entries is None else entries
        self._bundled = BundledMovies(seed, most_voted(known, movies))
        self._made_up = MadeUpMovies(seed, movies - len(self._bundled.entries))
        self._rank = {entry["id"]: rank for rank, entry in enumerate(self._bundled.entries)}
        self._by_imdb = {entry["imdb_id"]: entry["id"] for entry in self._bundled.entries}
        self.series = MovingSeries(series, seed) if series else None
        self.changes = lru_cache(maxsize=32)(self._changes)
        self.columns = lru_cache(maxsize=3)(self._columns)

    def movie(self, tmdb_id: int, day: date) -> Movie | None:
        """Return one film, None if it does not exist on that day."""
        index = day_index(day)
        if tmdb_id in self._rank:
            return self._bundled.movie(self._rank[tmdb_id], index)
        number = self._made_up.number_of(tmdb_id, index)
        return None if number is None else self._made_up.movie(number, index)

    def body(self, tmdb_id: int, day: date, parts: Collection[str]) -> bytes | None:
        """Return details with the requested sub-objects, as JSON."""
        movie = self.movie(tmdb_id, day)
        if movie is None:
            return None
        return compact_json(details.with_parts(movie, parts, day))

    def detail(self, tmdb_id: int, day: date) -> dict[str, Any] | None:
        """Return details without sub-objects."""
        movie = self.movie(tmdb_id, day)
        return None if movie is None else details.detail(movie)

    def id_of(self, imdb_id: str, day: date) -> int | None:
        """Return the id of the film with this IMDb id."""
        if imdb_id in self._by_imdb:
            return int(self._by_imdb[imdb_id])
        number = number_of_imdb(imdb_id)
        if number is None:
            return None
        movie = self.movie(IDS_FROM + number, day)
        return movie.tmdb_id if movie is not None and movie.imdb_id == imdb_id else None

    def export(self, day: date) -> Iterator[Sequence[ExportRow]]:
        """Yield the lines of the day's ID export."""
        index = day_index(day)
        yield [
            ExportRow(
                adult=False,
                tmdb_id=entry["id"],
                original_title=entry["original_title"],
                popularity=self._bundled.popularity(rank, index),
                video=False,
                softcore=False,
            )
            for rank, entry in enumerate(self._bundled.entries)
        ]
        numbers = self._made_up.life.alive(index)
        for start in range(0, len(numbers), EXPORT_PIECE):
            yield list(self._made_up.export_rows(numbers[start : start + EXPORT_PIECE], index))

    def titles(self, day: date) -> Iterator[tuple[int, str]]:
        """Yield (id, title) of every film of the day."""
        for entry in self._bundled.entries:
            yield entry["id"], entry["title"]
        numbers = self._made_up.life.alive(day_index(day))
        for start in range(0, len(numbers), EXPORT_PIECE):
            yield from self._made_up.titles(numbers[start : start + EXPORT_PIECE])

    def _changes(self, day: date) -> Sequence[Change]:
        index, life = day_index(day), self._made_up.life
        changes = [Change(self._bundled.entries[rank]["id"], adult=False) for rank in self._bundled.revised(index)]
        if self._made_up.slots:
            alive = np.sort(np.concatenate([life.born(index), life.revised(index)]))
            adult, _, _ = self._made_up.traits.flags(alive)
            pairs = zip(alive.tolist(), adult.tolist(), strict=True)
            changes += [Change(IDS_FROM + number, adult=flag) for number, flag in pairs]
            changes += [Change(IDS_FROM + number, adult=None) for number in life.deleted(index).tolist()]
        return changes

    def _columns(self, day: date) -> Columns:
        real, made_up = self._real_columns(day), self._made_up_columns(day)
        if not self._made_up.slots:
            return real
        pairs = {name: (getattr(real, name), getattr(made_up, name)) for name in Columns.__dataclass_fields__}
        return Columns(**{name: np.concatenate(pair) for name, pair in pairs.items()})

    def _real_columns(self, day: date) -> Columns:
        movies = [self._bundled.movie(rank, day_index(day)) for rank in range(len(self._bundled.entries))]
        return columns_of(movies)

    def _made_up_columns(self, day: date) -> Columns:
        index, traits = day_index(day), self._made_up.traits
        numbers = self._made_up.life.alive(index)
        slots = self._made_up.slots
        births = np.where(numbers < slots, 0, self._made_up.life.birth(np.maximum(numbers, slots)))
        codes = np.array([language.code for language in vocabulary().languages])
        return Columns(
            tmdb_id=IDS_FROM + numbers,
            popularity=traits.popularity(numbers, index),
            vote_count=traits.vote_count(numbers, index),
            vote_average=traits.vote_average(numbers, index),
            release=traits.release(numbers, births),
            runtime=traits.runtime(numbers),
            language=codes[traits.language(numbers)],
            genres=traits.genre_mask(numbers),
            adult=traits.flags(numbers)[0],
        )


def columns_of(movies: Sequence[Movie]) -> Columns:
    """Return films as columns, in their order."""
    return Columns(
        tmdb_id=np.array([movie.tmdb_id for movie in movies], dtype=np.int64),
        popularity=np.array([movie.popularity for movie in movies], dtype=np.float64),
        vote_count=np.array([movie.vote_count for movie in movies], dtype=np.int64),
        vote_average=np.array([movie.vote_average for movie in movies], dtype=np.float64),
        release=np.array([release_ordinal(movie.release_date) for movie in movies], dtype=np.int64),
        runtime=np.array([movie.runtime for movie in movies], dtype=np.int64),
        language=np.array([movie.language for movie in movies], dtype=np.str_),
        genres=np.array([sum(GENRE_BITS[name] for name in movie.genres) for movie in movies], dtype=np.uint32),
        adult=np.array([movie.adult for movie in movies], dtype=np.bool_),
    )


def release_ordinal(release_date: str) -> int:
    """Return the ordinal of a release day, 0 when unknown."""
    try:
        return date.fromisoformat(release_date).toordinal()
    except ValueError:
        return 0
