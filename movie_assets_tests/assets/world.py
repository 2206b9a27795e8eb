"""A small world of films in the test's hands, served by the real stand-in: change it between days."""

import json
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Sequence
from datetime import date
from typing import Any

from movie_assets.standin.world import Change, Columns, ExportRow


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
        "genres": [{"id": 18, "name": "Drama"}],
        "keywords": {"keywords": [{"id": 1, "name": "sea"}]},
        "credits": {
            "crew": [{"name": "Agnès Varda", "job": "Director"}],
            "cast": [{"name": "Jeanne Moreau", "order": 0}],
        },
    } | changes


class Films:
    """A world of few films; `asked` counts the details that were asked for, id by id."""

    def __init__(self) -> None:
        self.films: dict[int, dict[str, Any]] = {}
        self.listed: list[ExportRow] = []  # further lines of the export, also ones that no film stands behind
        self.changed: dict[date, list[int]] = {}
        self.asked: Counter[int] = Counter()
        self.before_answer: Callable[[], None] = lambda: None

    def put(self, *films: dict[str, Any]) -> None:
        """Add films, or replace them."""
        self.films.update({body["id"]: body for body in films})

    def body(self, tmdb_id: int, day: date, parts: Collection[str]) -> bytes | None:  # noqa: ARG002
        self.before_answer()
        self.asked[tmdb_id] += 1
        return json.dumps(self.films[tmdb_id]).encode() if tmdb_id in self.films else None

    def detail(self, tmdb_id: int, day: date) -> dict[str, Any] | None:  # noqa: ARG002
        return self.films.get(tmdb_id)

    def id_of(self, imdb_id: str, day: date) -> int | None:  # noqa: ARG002
        return None

    def export(self, day: date) -> Iterator[Sequence[ExportRow]]:  # noqa: ARG002
        yield [*(export_row(tmdb_id, body) for tmdb_id, body in self.films.items()), *self.listed]

    def changes(self, day: date) -> Sequence[Change]:
        return [Change(tmdb_id, adult=False) for tmdb_id in self.changed.get(day, [])]

    def columns(self, day: date) -> Columns:
        raise NotImplementedError

    def titles(self, day: date) -> Iterator[tuple[int, str]]:  # noqa: ARG002
        return iter(())


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
