"""The addresses of the files with ratings from other sources."""

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class RatingFiles:
    """The address or path of each file of ratings; None for a source that is switched off."""

    imdb: str | None = None
    movielens: str | None = None
    csv: str | None = None

    @property
    def assets(self) -> list[str]:
        """The assets of the files that are switched on."""
        return [name for name, address in self._files.items() if address]

    @property
    def off(self) -> list[str]:
        """The assets of the sources that are switched off; their earlier rows may have any age."""
        return [name for name, address in self._files.items() if not address]

    @property
    def _files(self) -> Mapping[str, str | None]:
        return {"imdb_ratings": self.imdb, "movielens_ratings": self.movielens, "csv_ratings": self.csv}
