"""The assets of each media type: their names and what they say of themselves. A further media type is one more value.

This module does not import Dagster, so that commands start fast.
"""

from collections.abc import Collection
from dataclasses import dataclass

from movie_assets.tmdb.media import MOVIES, SERIES, MediaType


@dataclass(frozen=True)
class MediaAssets:
    """The assets of a media type by the stage of their work. One factory makes the assets of a stage.

    The description is that of the details, which differ most.
    """

    media: MediaType
    export: str
    ids: str
    changes: str
    discoveries: str
    details: str
    description: str

    @property
    def of_days(self) -> tuple[str, ...]:
        """The names of those whose partitions are days, in the order of the work."""
        return (self.export, self.ids, self.changes, self.discoveries)

    @property
    def names(self) -> tuple[str, ...]:
        """The names of all of them, in the order of the work."""
        return (*self.of_days, self.details)


MOVIE_ASSETS = MediaAssets(
    MOVIES, "tmdb_export", "movie_ids", "tmdb_changes", "tmdb_discoveries", "movie_details",
    """A film as TMDB describes it, fetched when it is due and accepted or rejected by the filter profiles.

TMDB's response is stored, so a change of profiles or of the parser costs no call. Films are committed in chunks
of 100: after a run was killed, the next one continues where it stopped. With the config `force: true`, a run
fetches every accepted film of its batches again.""",
)  # fmt: skip
SERIES_ASSETS = MediaAssets(
    SERIES, "series_export", "series_ids", "series_changes", "series_discoveries", "series_details",
    """A series as TMDB describes it, with its seasons and episodes, fetched when it is due: daily while it is
aired, each week while it rests, each month once it has ended, and when TMDB names a change.

Of a series that is known, only the seasons that may have changed are fetched again, with the config `force: true`
all. As for films, responses are stored and committed in chunks.""",
)  # fmt: skip
ALL = (MOVIE_ASSETS, SERIES_ASSETS)


def assets_for(media_types: Collection[str]) -> tuple[MediaAssets, ...]:
    """Return the assets of the media types with these names."""
    return tuple(each for each in ALL if each.media.name in media_types)


def switched_off(media_types: Collection[str]) -> frozenset[str]:
    """Return the names of the assets of all other media types."""
    return frozenset(name for each in ALL if each.media.name not in media_types for name in each.names)
