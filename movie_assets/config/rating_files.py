"""The addresses of the files with ratings from other sources."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class RatingFiles:
    """Where the files of ratings are: an address or a path each, None where a source is off."""

    imdb: str | None = None
    movielens: str | None = None
    csv: str | None = None

    @property
    def assets(self) -> list[str]:
        """The assets that have a file to read."""
        return [name for name, address in self._files.items() if address]

    @property
    def off(self) -> list[str]:
        """The assets that have none: what they made once may be as old as it likes."""
        return [name for name, address in self._files.items() if not address]

    @property
    def _files(self) -> Mapping[str, str | None]:
        return {"imdb_ratings": self.imdb, "movielens_ratings": self.movielens, "csv_ratings": self.csv}
