"""A world that stands still for one day, and an emulator that serves it; refreshing.py starts it.

A made-up world moves every day, but what a day costs on which nothing has changed wants one that does not.
Usage: standstill.py OPTIONS DAY: EmulatorOptions as JSON, the day that is as the day before. Prints its URLs as JSON.
"""

import json
import sys
import threading
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator, world_of
from movie_assets.emulator.world import Change, Columns, ExportRow, HasSeries, SeriesWorld, World

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Standstill:
    """The inner world, which from `day` on is a day late: that day is as the one before, the next as that day was."""

    inner: World
    day: date

    @property
    def series(self) -> SeriesWorld | None:
        """The series of the inner world, which move every day."""
        return self.inner.series if isinstance(self.inner, HasSeries) else None

    def _shown(self, day: date) -> date:
        return day if day < self.day else day - DAY

    def body(self, tmdb_id: int, day: date, parts: Collection[str]) -> bytes | None:
        """Details of a film with the sub-objects asked for."""
        return self.inner.body(tmdb_id, self._shown(day), parts)

    def detail(self, tmdb_id: int, day: date) -> dict[str, Any] | None:
        """Details of a film without sub-objects."""
        return self.inner.detail(tmdb_id, self._shown(day))

    def id_of(self, imdb_id: str, day: date) -> int | None:
        """Id of the film with this IMDb id."""
        return self.inner.id_of(imdb_id, self._shown(day))

    def export(self, day: date) -> Iterator[Sequence[ExportRow]]:
        """Lines of the day's ID export."""
        return self.inner.export(self._shown(day))

    def changes(self, day: date) -> Sequence[Change]:
        """Ids that are other ones than the day before: none on the day that stands still."""
        return () if day == self.day else self.inner.changes(self._shown(day))

    def columns(self, day: date) -> Columns:
        """Every film of the day in columns."""
        return self.inner.columns(self._shown(day))

    def titles(self, day: date) -> Iterable[tuple[int, str]]:
        """(id, title) of every film of the day."""
        return self.inner.titles(self._shown(day))


def main() -> None:
    """Serve until the process is terminated."""
    given = json.loads(sys.argv[1])
    if "details" in given:
        given["details"] = Path(given["details"])
    options = EmulatorOptions(**given)
    with TmdbEmulator(options, world=Standstill(world_of(options), date.fromisoformat(sys.argv[2]))) as ready:
        print(json.dumps([ready.url, ready.tmdb_url, ready.export_url, ready.openai_url]), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
