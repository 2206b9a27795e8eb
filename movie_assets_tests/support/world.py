"""A small world of films in the test's hands, served by the real stand-in: change it between days."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from typing import Any

import numpy as np

from movie_assets.emulator.world import Change, Columns, ExportRow, SeriesWorld


def film(tmdb_id: int, **changes: Any) -> dict[str, Any]:
    """A film that passes every rule, in TMDB's shape; `changes` replaces fields."""
    return {
        "id": tmdb_id,
        "title": f"Film {tmdb_id}",
        "original_title": f"Film {tmdb_id}",
        "original_language": "en",
        "adult": False,
        "video": False,
        "popularity": 5.0,
        "vote_count": 500,
        "vote_average": 7.0,
        "release_date": "2020-05-05",
        "runtime": 100,
        "overview": f"Story number {tmdb_id} about a lighthouse.",
        "poster_path": f"/{tmdb_id}.jpg",
        "genres": [{"id": 18, "name": "Drama"}],
        "keywords": {"keywords": [{"id": 1, "name": "sea"}]},
        "credits": {
            "crew": [{"name": "Agnès Varda", "job": "Director"}],
            "cast": [{"name": "Jeanne Moreau", "order": 0}],
        },
    } | changes


class Films:
    """A world of few films; `asked` counts the details that were asked for, id by id."""

    def __init__(self, series: SeriesWorld | None = None) -> None:
        self.series = series
        self.films: dict[int, dict[str, Any]] = {}
        self.responses: dict[int, bytes] = {}  # details as they are sent, in place of what the film would give
        self.listed: list[ExportRow] = []  # further lines of the export, also ones that no film stands behind
        self.changed: dict[date, list[int]] = {}
        self.withheld: set[int] = set()  # listed everywhere, and 404 when their details are asked for
        self.asked: Counter[int] = Counter()
        self.before_answer: Callable[[], None] = lambda: None

    def put(self, *films: dict[str, Any]) -> None:
        """Add films, or replace them."""
        self.films.update({body["id"]: body for body in films})

    def body(self, tmdb_id: int, day: date, parts: Collection[str]) -> bytes | None:  # noqa: ARG002
        self.before_answer()
        self.asked[tmdb_id] += 1
        if tmdb_id in self.responses:
            return self.responses[tmdb_id]
        return json.dumps(self.films[tmdb_id]).encode() if tmdb_id in self.films.keys() - self.withheld else None

    def detail(self, tmdb_id: int, day: date) -> dict[str, Any] | None:  # noqa: ARG002
        return self.films.get(tmdb_id)

    def id_of(self, imdb_id: str, day: date) -> int | None:  # noqa: ARG002
        return next((tmdb_id for tmdb_id, body in self.films.items() if body.get("imdb_id") == imdb_id), None)

    def export(self, day: date) -> Iterator[Sequence[ExportRow]]:  # noqa: ARG002
        yield [*(export_row(tmdb_id, body) for tmdb_id, body in self.films.items()), *self.listed]

    def changes(self, day: date) -> Sequence[Change]:
        return [Change(tmdb_id, adult=False) for tmdb_id in self.changed.get(day, [])]

    def columns(self, day: date) -> Columns:  # noqa: ARG002
        films = list(self.films.values())
        return Columns(
            tmdb_id=np.array([f["id"] for f in films], np.int64),
            popularity=np.array([f["popularity"] for f in films], np.float64),
            vote_count=np.array([f["vote_count"] for f in films], np.int64),
            vote_average=np.array([f["vote_average"] for f in films], np.float64),
            release=np.array([_ordinal(f["release_date"]) for f in films], np.int64),
            runtime=np.array([f["runtime"] or 0 for f in films], np.int64),
            language=np.array([f["original_language"] for f in films], np.str_),
            genres=np.zeros(len(films), np.uint32),
            adult=np.array([f["adult"] is True for f in films], np.bool_),
        )

    def titles(self, day: date) -> Iterator[tuple[int, str]]:  # noqa: ARG002
        return iter(())


def _ordinal(released: str | None) -> int:
    try:
        return date.fromisoformat(released or "").toordinal()
    except ValueError:
        return 0


def export_row(tmdb_id: int, body: dict[str, Any]) -> ExportRow:
    """The export's line of a film."""
    return ExportRow(
        adult=body["adult"],
        tmdb_id=tmdb_id,
        original_title=body["original_title"],
        popularity=body["popularity"],
        video=body["video"],
        softcore=body.get("softcore"),
    )
