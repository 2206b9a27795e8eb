"""The names of the assets of each media type. A further media type is one more row here.

This module does not import Dagster, so that commands start fast.
"""

from collections.abc import Collection
from dataclasses import dataclass

from movie_assets.tmdb.media import MOVIES, SERIES, MediaType


@dataclass(frozen=True)
class MediaAssets:
    """The assets of a media type by the stage of their work. One factory makes the assets of a stage."""

    media: MediaType
    export: str
    ids: str
    changes: str
    discoveries: str
    details: str

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all of them, in the order of the work."""
        return (self.export, self.ids, self.changes, self.discoveries, self.details)


MOVIE_ASSETS = MediaAssets(MOVIES, "tmdb_export", "movie_ids", "tmdb_changes", "tmdb_discoveries", "movie_details")
SERIES_ASSETS = MediaAssets(
    SERIES, "series_export", "series_ids", "series_changes", "series_discoveries", "series_details"
)
ALL = (MOVIE_ASSETS, SERIES_ASSETS)


def assets_for(media_types: Collection[str]) -> tuple[MediaAssets, ...]:
    """Return the assets of the media types with these names."""
    return tuple(each for each in ALL if each.media.name in media_types)


def switched_off(media_types: Collection[str]) -> frozenset[str]:
    """Return the names of the assets of all other media types."""
    return frozenset(name for each in ALL if each.media.name not in media_types for name in each.names)
