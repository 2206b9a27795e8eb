"""A world of recorded details: a file of JSON lines in TMDB's details shape, served as recorded, every day.

The export and the lists are derived from the records. Nothing comes, goes or changes.
"""

import gzip
import json
import sys
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from functools import cached_property
from pathlib import Path
from typing import Any, BinaryIO, cast

import numpy as np
import numpy.typing as npt

from movie_assets.emulator.moving_world import release_ordinal
from movie_assets.emulator.recorded_series import RecordedSeries, is_id, number_in
from movie_assets.emulator.responses import compact_json
from movie_assets.emulator.shapes import EMPTY_PARTS, GENRES
from movie_assets.emulator.world import Change, Columns, ExportRow

GENRE_BIT_BY_ID = {number: 1 << index for index, number in enumerate(GENRES.values())}


class RecordedWorld:
    """Films of a file, plain or .gz; of several records of one id the first counts.

    Series of the file are in the attribute `series`, which is None if there are none.
    Lines without a film or series are counted in `skipped`, and their number is written to stderr.
    """

    def __init__(self, path: Path) -> None:
        self._lines: dict[int, bytes] = {}
        recorded = RecordedSeries()
        self.skipped = 0
        with _opened(path) as lines:
            for line in lines:
                self._take(line.strip(), recorded)
        self.series = recorded or None
        if not self._lines and not recorded:
            raise ValueError(f"{path} holds no film: a line should be the JSON of one film in TMDB's detail shape")
        if self.skipped:
            sys.stderr.write(f"{path}: {self.skipped} lines without a film skipped\n")

    def body(self, tmdb_id: int, day: date, parts: Collection[str]) -> bytes | None:  # noqa: ARG002
        """Return the recorded body; sub-objects that it lacks are added in TMDB's empty shape."""
        line = self._lines.get(tmdb_id)
        if line is None:
            return None
        wanted = [part for part in parts if part in EMPTY_PARTS]
        if not wanted:
            return line
        known = json.loads(line)
        missing = {part: EMPTY_PARTS[part] for part in wanted if part not in known}
        if not missing:
            return line
        return line[:-1].rstrip() + b"," + compact_json(missing)[1:]

    def detail(self, tmdb_id: int, day: date) -> dict[str, Any] | None:  # noqa: ARG002
        """Return the recorded details."""
        line = self._lines.get(tmdb_id)
        return None if line is None else json.loads(line)

    def id_of(self, imdb_id: str, day: date) -> int | None:  # noqa: ARG002
        """Return the id of the film that was recorded with this IMDb id."""
        return self._by_imdb.get(imdb_id)

    def export(self, day: date) -> Iterator[Sequence[ExportRow]]:  # noqa: ARG002
        """Yield the export lines of the recorded films."""
        yield [
            ExportRow(
                adult=bool(movie.get("adult")),
                tmdb_id=movie["id"],
                original_title=str(movie.get("original_title") or movie.get("title") or ""),
                popularity=number_in(movie.get("popularity")),
                video=bool(movie.get("video")),
                softcore=bool(movie["softcore"]) if "softcore" in movie else None,
            )
            for movie in self._movies()
        ]

    def changes(self, day: date) -> Sequence[Change]:  # noqa: ARG002
        """Return no changes: recorded films do not move."""
        return ()

    def columns(self, day: date) -> Columns:  # noqa: ARG002
        """Return every film in columns."""
        return self._columns

    def titles(self, day: date) -> Iterator[tuple[int, str]]:  # noqa: ARG002
        """Yield (id, title) of every film."""
        for movie in self._movies():
            yield movie["id"], str(movie.get("title") or "")

    def _take(self, line: bytes, recorded: RecordedSeries) -> None:
        if not line:
            return
        try:
            movie = json.loads(line)
        except ValueError:
            self.skipped += 1
            return
        if isinstance(movie, dict) and recorded.take(movie):
            return
        if not isinstance(movie, dict) or not is_id(movie.get("id")):
            self.skipped += 1
            return
        self._lines.setdefault(movie["id"], line)

    def _movies(self) -> Iterator[dict[str, Any]]:
        for tmdb_id in sorted(self._lines):
            yield json.loads(self._lines[tmdb_id])

    @cached_property
    def _by_imdb(self) -> dict[str, int]:
        return {movie["imdb_id"]: movie["id"] for movie in self._movies() if isinstance(movie.get("imdb_id"), str)}

    @cached_property
    def _columns(self) -> Columns:
        rows = [_row(movie) for movie in self._movies()]
        kinds = (np.int64, np.float64, np.int64, np.float64, np.int64, np.int64, np.str_, np.uint32, np.bool_)
        columns = zip(*rows, strict=True) if rows else [()] * len(kinds)
        names = Columns.__dataclass_fields__
        arrays: Iterator[npt.NDArray[Any]] = (
            np.array(column, dtype=kind) for column, kind in zip(columns, kinds, strict=True)
        )
        return Columns(**dict(zip(names, arrays, strict=True)))


def _row(movie: dict[str, Any]) -> tuple[Any, ...]:
    """Return a film's values in the order of the columns; a value that cannot be read is zero or empty."""
    list_batches = movie.get("genres")
    entries = list_batches if isinstance(list_batches, list) else []
    genres = {genre["id"] for genre in entries if isinstance(genre, dict) and isinstance(genre.get("id"), int)}
    return (
        movie["id"],
        number_in(movie.get("popularity")),
        int(number_in(movie.get("vote_count"))),
        number_in(movie.get("vote_average")),
        release_ordinal(str(movie.get("release_date") or "")),
        int(number_in(movie.get("runtime"))),
        str(movie.get("original_language") or ""),
        sum(GENRE_BIT_BY_ID.get(genre, 0) for genre in genres),
        bool(movie.get("adult")),
    )


def _opened(path: Path) -> BinaryIO:
    return cast("BinaryIO", gzip.open(path, "rb")) if path.suffix == ".gz" else path.open("rb")
