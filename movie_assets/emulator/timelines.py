"""The life of a made-up series: its seasons, and its status from day to day, drawn from 64 bits.

A series is planned, produced and aired, renewed or not, ended or cancelled, and sometimes revived. What happens after
HORIZON is not drawn: a series stays as it then is.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

from movie_assets.emulator.broadcasts import AT_ONCE, NEVER, WEEKDAYS, WEEKLY, Broadcast
from movie_assets.emulator.chance import mixed, pick

HORIZON = 6 * 365
MAX_SEASONS = 60
SEASONS_A_SERIES = 64  # ids of seasons that a series can use: the first is that of its specials
EPISODES_A_SERIES = 1 << 14
SPECIALS_FROM = EPISODES_A_SERIES - 100

PLANNED, IN_PRODUCTION, RETURNING, ENDED, CANCELED = (
    "Planned", "In Production", "Returning Series", "Ended", "Canceled",
)  # fmt: skip


@dataclass(frozen=True)
class Kind:
    """How series of a type are made; chances in per cent, pauses between seasons in days."""

    name: str
    episodes: tuple[int, int]
    steps: tuple[int, ...]
    renewed: int
    pause: tuple[int, int]
    minutes: tuple[int, ...]
    revived: int = 10


SCRIPTED = Kind("Scripted", (4, 24), (*[WEEKLY] * 6, *[AT_ONCE] * 3), 72, (150, 420), (22, 25, 42, 45, 50, 55))
LONG_RUNNING = Kind("Scripted", (16, 24), (WEEKLY,), 97, (150, 260), (22, 42, 45))
SOAP = Kind("Scripted", (90, 240), (WEEKDAYS,), 75, (60, 120), (22, 30, 45))
MINISERIES = Kind("Miniseries", (2, 10), (WEEKLY, AT_ONCE, AT_ONCE), 0, (0, 0), (45, 50, 60), 2)
REALITY = Kind("Reality", (8, 20), (WEEKLY,), 80, (120, 250), (42, 60, 60, 90))
DOCUMENTARY = Kind("Documentary", (3, 8), (WEEKLY, AT_ONCE), 30, (250, 500), (45, 50, 60), 4)
TALK_SHOW = Kind("Talk Show", (150, 220), (WEEKDAYS, WEEKDAYS, WEEKLY), 92, (60, 110), (30, 42, 60))
NEWS = Kind("News", (200, 250), (WEEKDAYS,), 95, (20, 30), (15, 30, 60))


class Draws:
    """A sequence of random numbers that follows from its first 64 bits."""

    def __init__(self, word: int) -> None:
        self._word = word

    def below(self, count: int) -> int:
        """Return a number from 0 to `count` - 1."""
        self._word = int(mixed(self._word))
        return int(pick(self._word, 3, count))

    def between(self, low: int, high: int) -> int:
        """Return a number from `low` to `high`."""
        return low + self.below(high - low + 1)

    def happens(self, per_cent: int) -> bool:
        """Return whether something of this chance happens."""
        return self.below(100) < per_cent


@dataclass(frozen=True, slots=True)
class Timeline:
    """Seasons in the order in which they air, specials apart, and each status with the day on which it begins."""

    kind: Kind
    premiere: int
    seasons: tuple[Broadcast, ...]
    specials: Broadcast | None
    statuses: tuple[tuple[int, str], ...]
    edits: int  # the days on which something may change, as bits

    @property
    def dated_on(self) -> int:
        """The day on which the date of the premiere becomes known."""
        return self.seasons[0].announced

    def status(self, day: int) -> str:
        """Return the status on a day."""
        return next(status for start, status in reversed(self.statuses) if start <= day)

    def listed(self, day: int) -> list[Broadcast]:
        """Return the seasons that are listed on a day, specials first."""
        everything = self.seasons if self.specials is None else (self.specials, *self.seasons)
        return [season for season in everything if season.announced <= day]

    def is_edited(self, day: int) -> bool:
        """Return whether something of the series may change on a day (nothing does on other days)."""
        return day > 0 and bool(self.edits >> day & 1)

    def airs_within(self, first: int, last: int, day: int) -> bool:
        """Return whether an episode airs from `first` to `last`, as it is known on `day`."""
        for season in self.listed(day):
            if season.start <= last and season.last + WEEKLY >= first:
                episode = season.first_airing(first, day)
                if episode is not None and season.airs(episode, day) <= last:
                    return True
        return False


def timeline(kind: Kind, word: int, premiere: int, season_ids: int, episode_ids: int) -> Timeline:
    """Draw the life of a series whose first episode airs on day `premiere`; ids are counted from the given ones."""
    draws = Draws(word)
    statuses = [(-NEVER, PLANNED), (premiere - 200, IN_PRODUCTION), (premiere - 20, RETURNING)]
    seasons: list[Broadcast] = []
    start, announced, used = premiere, premiere - draws.between(25, 190), 0
    while start <= HORIZON and len(seasons) < MAX_SEASONS and used < SPECIALS_FROM - kind.episodes[1]:
        ids = (season_ids + 1 + len(seasons), episode_ids + used)
        season = _season(draws, kind, ids, len(seasons) + 1, (announced, start), used)
        seasons.append(season)
        used += season.count
        if draws.happens(kind.renewed):
            announced, start = season.last + draws.between(5, 60), season.last + draws.between(*kind.pause)
            continue
        end = season.last + draws.between(3, 60 if kind is MINISERIES else 600)
        if draws.happens(4):  # ended by mistake, and corrected within days
            statuses += [(end, ENDED), (end + 6, RETURNING)]
            end += 14
        statuses.append((end, CANCELED if draws.happens(20) and kind is not MINISERIES else ENDED))
        if not draws.happens(kind.revived):
            break
        revived = end + draws.between(10, 500)
        statuses.append((revived, RETURNING))
        announced = revived + draws.between(0, 30)
        start = announced + draws.between(40, 300)
    moved = _with_a_moved_season(draws, seasons)
    specials = _specials(draws, season_ids, episode_ids, premiere) if draws.happens(40) else None
    days = [day for season in (*moved, *([specials] if specials else ())) for day in season.edit_days()]
    return Timeline(
        kind, premiere, tuple(moved), specials, tuple(statuses), _bits([*days, *(day for day, _ in statuses)])
    )


def _season(
    draws: Draws, kind: Kind, ids: tuple[int, int], number: int, days: tuple[int, int], before: int
) -> Broadcast:
    """Draw a season; `ids` are those of the season and of its first episode, `before` the episodes before it."""
    step = kind.steps[draws.below(len(kind.steps))]
    announced, start = days
    if step == WEEKDAYS:
        start += -(start + 2) % 7  # the epoch is a Wednesday
    leads = (0, 0, 1, 2, 5) if step == WEEKDAYS else (-1, 0, 2, 7, 7, 14, 21, 30)
    season = Broadcast(
        season_id=ids[0],
        first_episode_id=ids[1],
        number=number,
        word=int(mixed(draws.below(1 << 16) ^ ids[0] << 16)),
        announced=min(announced, start),
        start=start,
        count=draws.between(*kind.episodes),
        step=step,
        lead=leads[draws.below(len(leads))],
        batch=(1, 1, 2, 4, 300)[draws.below(5)],
    )
    season = _with_numbers(draws, season, before)
    if season.count > 2 and draws.happens(12):  # noqa: PLR2004
        lost = draws.below(season.count)
        lost_on = season.added(lost) + draws.between(1, 60)
        season = replace(season, lost=lost, lost_on=lost_on, closes=draws.happens(50))
    if draws.happens(8):
        slips_from = draws.below(season.count) if step == WEEKLY else 0
        season = replace(season, slips_from=slips_from, slips_on=season.planned(slips_from) - draws.between(1, 10))
    return season


def _with_numbers(draws: Draws, season: Broadcast, before: int) -> Broadcast:
    """Give one season in five numbers that are not 1 to n; those of most of these are corrected one day."""
    if not draws.happens(20):
        return season
    corrected_on = season.start + draws.below(max(1, season.last - season.start) + 60)
    renumbered_on = NEVER if draws.happens(35) else corrected_on
    quirk = draws.below(3)
    if quirk == 0:
        return replace(season, offset=before, renumbered_on=renumbered_on)  # counted through from season to season
    if quirk == 1:
        return replace(season, gap=draws.below(season.count), renumbered_on=renumbered_on)
    return replace(season, offset=-1, renumbered_on=renumbered_on)  # from 0


def _with_a_moved_season(draws: Draws, seasons: list[Broadcast]) -> list[Broadcast]:
    """Let the later seasons of one series in twelve have numbers that are one too high until a day."""
    if len(seasons) < 2 or not draws.happens(8):  # noqa: PLR2004
        return seasons
    first = draws.between(1, len(seasons) - 1)
    moved_on = seasons[first].announced + draws.between(10, 500)
    return seasons[:first] + [replace(season, moved_on=moved_on) for season in seasons[first:]]


def _specials(draws: Draws, season_ids: int, episode_ids: int, premiere: int) -> Broadcast:
    start = premiere + draws.between(-30, 200)
    return Broadcast(
        season_id=season_ids,
        first_episode_id=episode_ids + SPECIALS_FROM,
        number=0,
        word=int(mixed(draws.below(1 << 16) ^ season_ids << 16)),
        announced=start - 10,
        start=start,
        count=draws.between(1, 14),
        step=draws.between(20, 200),
        lead=(0, 2, 7)[draws.below(3)],
    )


def _bits(days: Iterable[int]) -> int:
    bits = 0
    for day in set(days):
        if 0 < day <= HORIZON + 2 * 365:
            bits |= 1 << day
    return bits
