"""The world of the rehearsal: the emulator's moving world, with storylines for some of its movies.

Everything follows from `movie(id, day)`: the export, the lists, the change feed and the details of a day. As at TMDB,
the change feed names every edit, and neither votes nor popularity.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from functools import lru_cache
from itertools import pairwise
from typing import Any

from movie_assets.emulator import details, series_details
from movie_assets.emulator.bundled import MOVIES_FILE, most_voted, read_movies
from movie_assets.emulator.movie import Movie
from movie_assets.emulator.moving_series import MovingSeries
from movie_assets.emulator.moving_world import MovingWorld, columns_of
from movie_assets.emulator.responses import compact_json
from movie_assets.emulator.world import Change, Columns, ExportRow
from movie_assets_tests.rehearsal.storylines import LOSS_DAY, SHARE_LOST, Storyline, storylines

UNNAMED_BY_THE_FEED: dict[str, Any] = {"popularity": 0.0, "vote_count": 0, "vote_average": 0.0}

IMAGES = {"images"}  # the part of a call for images, which asks for no details
COUNTRIES_OF_COMPANIES = ("US", "GB", "FR", "JP", "")


class RehearsalWorld:
    """`ids` movies and some series on any day; `asked` lists the ids of movies whose details were asked for."""

    def __init__(self, ids: int, seed: int, first: date, series: int = 0) -> None:
        plots = list(storylines(first))
        real = most_voted(read_movies(MOVIES_FILE), len(plots) + 20)
        if ids < len(real):
            raise ValueError(f"the storylines need a world of {len(real)} ids or more")
        self.first = first
        self.asked: list[int] = []
        self.offers: dict[int, Any] = {}  # the part `watch/providers` of the day's responses, by id
        self.known_offers: dict[int, Any] = {}  # that of the newest response
        self.storylines: Mapping[int, Storyline] = dict(zip([entry["id"] for entry in real], plots, strict=False))
        self._base = MovingWorld(ids, seed, entries=real)
        self.series = RehearsedSeries(series, seed) if series else None
        self.heirs = self._heirs()
        self.described = lru_cache(maxsize=20_000)(self._described)
        self.movies = lru_cache(maxsize=4)(self._movies)
        self.columns = lru_cache(maxsize=4)(self._columns)
        self.changes = lru_cache(maxsize=8)(self._changes)

    def number(self, day: date) -> int:
        """How many days after the first one."""
        return (day - self.first).days

    def ids_of(self, kind: str) -> list[int]:
        """Ids of the movies whose storyline is of a kind."""
        return [tmdb_id for tmdb_id, storyline in self.storylines.items() if storyline.kind == kind]

    def named(self, tmdb_id: int) -> str:
        """An id with its storyline, for messages."""
        storyline = self.storylines.get(tmdb_id)
        return f"{tmdb_id} ({storyline.kind})" if storyline else str(tmdb_id)

    def movie(self, tmdb_id: int, day: date) -> Movie | None:
        """TMDB's facts of a movie on a day, None if TMDB does not have it."""
        storyline = self.storylines.get(tmdb_id)
        if storyline is not None and not storyline.exists(self.number(day)):
            return None
        return self.described(tmdb_id, day)

    def listed(self, day: date) -> dict[int, ExportRow]:
        """Lines of the day's export as TMDB writes it, which may lack some."""
        return {row.tmdb_id: row for piece in self.export(day) for row in piece}

    def body(self, tmdb_id: int, day: date, parts: Collection[str]) -> bytes | None:
        """Details with the sub-objects asked for, as JSON."""
        if set(parts) != IMAGES:
            self.asked.append(tmdb_id)
        movie = self.movie(tmdb_id, day)
        if movie is None:
            return None
        body = response(movie, parts, day)
        if "watch/providers" in body:
            self.offers[tmdb_id] = self.known_offers[tmdb_id] = body["watch/providers"]
        return compact_json(body)

    def detail(self, tmdb_id: int, day: date) -> dict[str, Any] | None:
        """Details without sub-objects."""
        movie = self.movie(tmdb_id, day)
        return None if movie is None else details.detail(movie)

    def id_of(self, imdb_id: str, day: date) -> int | None:
        """Id of the movie with this IMDb id."""
        return next((movie.tmdb_id for movie in self.movies(day).values() if movie.imdb_id == imdb_id), None)

    def export(self, day: date) -> Iterator[Sequence[ExportRow]]:
        """Lines of the day's ID export."""
        number, rows = self.number(day), []
        for tmdb_id in sorted(self._all_ids(day)):
            storyline = self.storylines.get(tmdb_id)
            movie = self.described(tmdb_id, day)
            if movie is not None and (storyline is None or storyline.is_listed(number)):
                rows.append(line_of(movie))
        if number == LOSS_DAY:
            del rows[::SHARE_LOST]
        yield rows

    def titles(self, day: date) -> Iterator[tuple[int, str]]:
        """(id, title) of every movie of the day."""
        for tmdb_id, movie in self.movies(day).items():
            yield tmdb_id, movie.title

    def _movies(self, day: date) -> dict[int, Movie]:
        found = {tmdb_id: self.movie(tmdb_id, day) for tmdb_id in sorted(self._all_ids(day))}
        return {tmdb_id: movie for tmdb_id, movie in found.items() if movie is not None}

    def _columns(self, day: date) -> Columns:
        return columns_of(list(self.movies(day).values()))

    def _changes(self, day: date) -> Sequence[Change]:
        now, before = self.movies(day), self.movies(day - timedelta(days=1))
        edited = [
            Change(tmdb_id, adult=movie.adult)
            for tmdb_id, movie in now.items()
            if tmdb_id not in before or _edited_part(movie) != _edited_part(before[tmdb_id])
        ]
        return edited + [Change(tmdb_id, adult=None) for tmdb_id in before.keys() - now.keys()]

    def _all_ids(self, day: date) -> set[int]:
        return {row.tmdb_id for piece in self._base.export(day) for row in piece}

    def _described(self, tmdb_id: int, day: date) -> Movie | None:
        """A movie's facts, also those of a deleted one that the export still lists."""
        base = self._base.movie(tmdb_id, day)
        if base is None:
            return None
        # The emulator's budget follows the votes; here only edits move it.
        movie = replace(base, budget=tmdb_id % 7 * 10_000_000, revenue=tmdb_id % 11 * 10_000_000)
        storyline = self.storylines.get(tmdb_id)
        if storyline is None:
            return movie
        movie = replace(movie, **storyline.values(self.number(day)))
        predecessor = self.heirs.get(tmdb_id)
        if predecessor is not None and not self.storylines[predecessor].exists(self.number(day)):
            former = self._base.movie(predecessor, day)
            movie = replace(movie, imdb_id=former.imdb_id if former else None)
        return movie

    def _heirs(self) -> dict[int, int]:
        """By the id that takes over, the id that is merged into it."""
        plots = list(self.storylines.items())
        return {heir: tmdb_id for (tmdb_id, plot), (heir, _) in pairwise(plots) if plot.merged_into_next}


class RehearsedSeries(MovingSeries):
    """The emulator's series; `asked` has the id of each call, `offers` the part `watch/providers` of its response."""

    def __init__(self, count: int, seed: int) -> None:
        super().__init__(count, seed)
        self.asked: list[int] = []
        self.offers: dict[int, Any] = {}

    def body(self, tmdb_id: int, day: date, parts: Collection[str]) -> bytes | None:
        if set(parts) != IMAGES:
            self.asked.append(tmdb_id)
        series = self.series(tmdb_id, day)
        if series is None:
            return None
        body = _with_countries(series_details.with_parts(series, parts, day))
        if "watch/providers" in body:
            self.offers[tmdb_id] = body["watch/providers"]
        return compact_json(body)

    def season_body(self, tmdb_id: int, number: int, day: date, parts: Collection[str]) -> bytes | None:
        self.asked.append(tmdb_id)
        return super().season_body(tmdb_id, number, day, parts)


def line_of(movie: Movie) -> ExportRow:
    """The line of the export about a movie."""
    return ExportRow(movie.adult, movie.tmdb_id, movie.original_title, movie.popularity, movie.video, movie.softcore)


def response(movie: Movie, parts: Collection[str], day: date) -> dict[str, Any]:
    """TMDB's response for a movie on a day."""
    return _with_countries(details.with_parts(movie, parts, day))


def _with_countries(body: dict[str, Any]) -> dict[str, Any]:
    """Give each company of a response a country of its own; the emulator gives it that of the movie, or none."""
    for company in body["production_companies"]:
        company["origin_country"] = COUNTRIES_OF_COMPANIES[company["id"] % len(COUNTRIES_OF_COMPANIES)]
    return body


def _edited_part(movie: Movie) -> Movie:
    return replace(movie, **UNNAMED_BY_THE_FEED)
