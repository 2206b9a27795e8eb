"""TMDB's fixed lists: where each is read, how old it may become, and how many of its titles leave it in a day."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from movie_assets.tmdb.media import MOVIES, SERIES, MediaType

HOURS_OF_TRENDS = 6
MIN_TITLES = 20  # in both snapshots that are compared; in shorter lists a few titles are a large share
ALLOWED_TIMES = 3  # what usually leaves a list, and ALWAYS_ALLOWED of it
ALWAYS_ALLOWED = 0.1
MAX_LEAVERS = 0.95


@dataclass(frozen=True)
class ListKind:
    """One of TMDB's lists.

    `leavers` is the share of its titles that usually leaves it within a day, as counted on lists of 32 days in 2026.
    `warn_hours` and `fail_hours` are ages of its newest snapshot.
    """

    name: str
    media: MediaType
    path: str
    leavers: float
    has_regions: bool = False
    is_of_days: bool = False  # it has the titles of some days, and can be empty
    warn_hours: int = 30
    fail_hours: int = 54

    @property
    def is_of_trends(self) -> bool:
        """Whether it is a list of trends, which move within hours."""
        return self.name.startswith("trending")

    def due_since(self, now: datetime) -> datetime:
        """Return the time since when a new snapshot is due: a quarter of the day, midnight or Monday."""
        midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
        if self.is_of_trends:
            return midnight.replace(hour=now.hour // HOURS_OF_TRENDS * HOURS_OF_TRENDS)
        return midnight - timedelta(days=now.weekday()) if self.name == "top_rated" else midnight

    def allowed_leavers(self, between: timedelta) -> float:
        """Return the share of titles that may have left the list between two snapshots."""
        usual = 1 - (1 - self.leavers) ** between.days
        return min(MAX_LEAVERS, ALWAYS_ALLOWED + ALLOWED_TIMES * usual)


ListOfRegion = tuple[ListKind, str]


def _kinds(media: MediaType, *, has_regions: bool, trends: tuple[float, float], popular: float) -> list[ListKind]:
    path = media.path
    return [
        ListKind("trending_day", media, f"/trending/{path}/day", trends[0], warn_hours=12, fail_hours=36),
        ListKind("trending_week", media, f"/trending/{path}/week", trends[1], warn_hours=12, fail_hours=36),
        ListKind("popular", media, f"/{path}/popular", popular, has_regions),
        ListKind("top_rated", media, f"/{path}/top_rated", 0.01, has_regions, warn_hours=8 * 24, fail_hours=15 * 24),
    ]


KINDS: Sequence[ListKind] = (
    *_kinds(MOVIES, has_regions=True, trends=(0.26, 0.20), popular=0.08),
    ListKind("now_playing", MOVIES, "/movie/now_playing", 0.07, has_regions=True, is_of_days=True),
    ListKind("upcoming", MOVIES, "/movie/upcoming", 0.07, has_regions=True, is_of_days=True),
    *_kinds(SERIES, has_regions=False, trends=(0.30, 0.21), popular=0.09),
    ListKind("airing_today", SERIES, "/tv/airing_today", 0.59, is_of_days=True),
    ListKind("on_the_air", SERIES, "/tv/on_the_air", 0.13, is_of_days=True),
)


def wanted_lists(media_types: Collection[str], regions: Sequence[str], pages: int) -> list[ListOfRegion]:
    """Return the lists that are read: each list of some media types with each of its regions; none with 0 pages.

    The region of a list of the world is empty.
    """
    kinds = [kind for kind in KINDS if kind.media.name in media_types and pages]
    return [(kind, region) for kind in kinds for region in (regions if kind.has_regions else [""])]
