"""Recorded series: responses of TMDB from a file of JSON lines, served as recorded, every day.

A line is a recorded exchange, an object with `path`, `status` and `body`, of `/3/tv/{id}`, of one of its sub-objects
or of one of its seasons; or it is the details of a series alone. Lists are derived from the details.
"""

import re
from collections.abc import Collection, Iterator, Sequence
from datetime import date
from functools import cached_property
from typing import Any

import numpy as np
import numpy.typing as npt

from movie_assets.emulator.moving_world import release_ordinal
from movie_assets.emulator.responses import compact_json
from movie_assets.emulator.series_shapes import (
    EMPTY_SEASON_PARTS,
    EMPTY_SERIES_PARTS,
    STATUS_CODES,
    TV_GENRES,
    TYPE_CODES,
    season_number_of,
    series_item,
)
from movie_assets.emulator.shapes import Json
from movie_assets.emulator.world import Change, Level, SeriesColumns, SeriesExportRow

LARGEST_ID = 2**53
PATH = re.compile(r"/3/tv/(\d{1,15})(?:/(.+))?")
GENRE_BIT_BY_ID = {number: 1 << index for index, number in enumerate(TV_GENRES.values())}


class RecordedSeries:
    """The series of a file; of several records of the same thing the first counts."""

    def __init__(self) -> None:
        self._details: dict[int, Json] = {}
        self._parts: dict[int, Json] = {}  # sub-objects and seasons by id, under the names they are appended by

    def __len__(self) -> int:
        """Return the number of series of which something was recorded."""
        return len(self._details.keys() | self._parts.keys())

    def take(self, line: Json) -> bool:
        """Keep a line of the file, and return whether it was one of a series."""
        if "title" not in line and is_id(line.get("id")) and {"first_air_date", "number_of_seasons"} & line.keys():
            self._details.setdefault(line["id"], line)
            return True
        match, body = PATH.fullmatch(str(line.get("path"))), line.get("body")
        if match is None or line.get("status", 200) != 200 or not isinstance(body, dict):  # noqa: PLR2004
            return False
        tmdb_id, part = int(match[1]), match[2]
        if part is None:
            self._details.setdefault(tmdb_id, {**body, "id": tmdb_id})
        elif season_number_of(part) is not None:
            self._parts.setdefault(tmdb_id, {}).setdefault(part, body)
        elif part in EMPTY_SERIES_PARTS:
            recorded = {key: value for key, value in body.items() if key != "id"}
            self._parts.setdefault(tmdb_id, {}).setdefault(part, recorded)
        else:
            return False
        return True

    def body(self, tmdb_id: int, day: date, parts: Collection[str]) -> bytes | None:  # noqa: ARG002
        """Return the recorded details; sub-objects that were not recorded are added in TMDB's empty shape."""
        details = self._details.get(tmdb_id)
        if details is None:
            return None
        recorded = {**self._parts.get(tmdb_id, {}), **details}
        added = {part: recorded.get(part, EMPTY_SERIES_PARTS.get(part)) for part in parts if part not in details}
        return compact_json({**details, **{part: value for part, value in added.items() if value is not None}})

    def season_body(self, tmdb_id: int, number: int, day: date, parts: Collection[str]) -> bytes | None:  # noqa: ARG002
        """Return a season that was recorded, alone or within details."""
        season = self._seasons(tmdb_id).get(number)
        if season is None:
            return None
        empty = {part: EMPTY_SEASON_PARTS[part] for part in parts if part in EMPTY_SEASON_PARTS}
        return compact_json({**empty, **season})

    def detail(self, tmdb_id: int, day: date) -> dict[str, Any] | None:  # noqa: ARG002
        """Return the recorded details."""
        return self._details.get(tmdb_id)

    def find(self, source: str, external_id: str, day: date) -> dict[str, list[Json]]:  # noqa: ARG002
        """Return the series that was recorded with an id at another site."""
        ids = {tmdb_id: self._part(tmdb_id, "external_ids") for tmdb_id in sorted(self._details)}
        known = [tmdb_id for tmdb_id, entry in ids.items() if str(entry.get(source)) == external_id]
        return {"tv_results": [{**series_item(self._details[tmdb_id]), "media_type": "tv"} for tmdb_id in known]}

    def export(self, day: date) -> Iterator[Sequence[SeriesExportRow]]:  # noqa: ARG002
        """Yield the export lines of the recorded series."""
        yield [
            SeriesExportRow(
                tmdb_id,
                str(series.get("original_name") or series.get("name") or ""),
                number_in(series.get("popularity")),
                adult=bool(series.get("adult")),
            )
            for tmdb_id, series in sorted(self._details.items())
        ]

    def changes(self, day: date) -> Sequence[Change]:  # noqa: ARG002
        """Return no changes: recorded series do not move."""
        return ()

    def columns(self, day: date) -> SeriesColumns:  # noqa: ARG002
        """Return every series in columns."""
        return self._columns

    def airing(self, first: date, last: date, day: date) -> npt.NDArray[np.bool_]:  # noqa: ARG002
        """Return which series of the columns have a recorded episode that airs within these days."""
        span = range(first.toordinal(), last.toordinal() + 1)
        return np.array([any(air in span for air in self._air_days(tmdb_id)) for tmdb_id in sorted(self._details)])

    def titles(self, day: date) -> Iterator[tuple[int, str]]:  # noqa: ARG002
        """Yield (id, name) of every series."""
        for tmdb_id, series in sorted(self._details.items()):
            yield tmdb_id, str(series.get("name") or "")

    def edits(self, level: Level, tmdb_id: int, day: date) -> list[dict[str, Any]] | None:  # noqa: ARG002
        """Return no edits; None for a series that was not recorded."""
        return None if level == "series" and tmdb_id not in self._details else []

    def _part(self, tmdb_id: int, name: str) -> Json:
        part = self._details[tmdb_id].get(name) or self._parts.get(tmdb_id, {}).get(name)
        return part if isinstance(part, dict) else {}

    def _seasons(self, tmdb_id: int) -> dict[int, Json]:
        recorded = {**self._parts.get(tmdb_id, {}), **self._details.get(tmdb_id, {})}
        return {
            number: body
            for name, body in recorded.items()
            if (number := season_number_of(name)) is not None and isinstance(body, dict)
        }

    def _air_days(self, tmdb_id: int) -> Iterator[int]:
        for season in self._seasons(tmdb_id).values():
            for episode in season.get("episodes") or ():
                yield release_ordinal(str(episode.get("air_date") or ""))

    @cached_property
    def _columns(self) -> SeriesColumns:
        series = [self._details[tmdb_id] for tmdb_id in sorted(self._details)]
        return SeriesColumns(
            tmdb_id=np.array(sorted(self._details), dtype=np.int64),
            popularity=np.array([number_in(one.get("popularity")) for one in series], dtype=np.float64),
            vote_count=np.array([number_in(one.get("vote_count")) for one in series], dtype=np.int64),
            vote_average=np.array([number_in(one.get("vote_average")) for one in series], dtype=np.float64),
            release=np.array([release_ordinal(str(one.get("first_air_date") or "")) for one in series], dtype=np.int64),
            runtime=np.zeros(len(series), dtype=np.int64),
            language=np.array([str(one.get("original_language") or "") for one in series], dtype=np.str_),
            genres=np.array([sum(GENRE_BIT_BY_ID.get(n, 0) for n in _ids(one, "genres")) for one in series], np.uint32),
            adult=np.array([bool(one.get("adult")) for one in series], dtype=np.bool_),
            status=np.array([STATUS_CODES.get(str(one.get("status")), -1) for one in series], dtype=np.int64),
            kind=np.array([TYPE_CODES.get(str(one.get("type")), -1) for one in series], dtype=np.int64),
            networks=_padded([sorted(_ids(one, "networks")) for one in series]),
        )


def is_id(value: object) -> bool:
    """Return whether a value can be the id of a film or of a series."""
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < LARGEST_ID


def number_in(value: object) -> float:
    """Return a recorded number, 0 for a value that is none."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return 0.0
    return float(value) if -LARGEST_ID < value < LARGEST_ID else 0.0


def _ids(series: Json, key: str) -> set[int]:
    entries = series.get(key)
    return {entry["id"] for entry in entries or () if isinstance(entry, dict) and is_id(entry.get("id"))}


def _padded(rows: Sequence[Sequence[int]]) -> npt.NDArray[np.int64]:
    width = max([1, *map(len, rows)])
    return np.array([[*row, *[0] * (width - len(row))] for row in rows], dtype=np.int64).reshape(len(rows), width)
