"""The broadcast of one season: which of its episodes TMDB lists on a day, under which numbers and dates.

Days are counted from the epoch of `lifecycle`; those before it are negative. Episodes are counted from 0 in the order
in which they air, whatever their numbers are. `timelines` decides when seasons begin.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterator
from dataclasses import dataclass

from movie_assets.emulator.chance import field, mixed, pick

NEVER = 1 << 20
AT_ONCE, WEEKDAYS, WEEKLY = 0, 1, 7
SETTLED_AFTER = 14  # days after the last episode
UNDATED, UNDATED_SPECIALS = 2, 35  # per cent


@dataclass(frozen=True, slots=True)
class Broadcast:
    """A season with `count` episodes, some of which may not be listed yet.

    `step` is the number of days between episodes, or AT_ONCE or WEEKDAYS. An episode is added `lead` days before it
    airs, together with those of its batch. Until `renumbered_on`, numbers are higher by `offset`, and by one more from
    episode `gap` on. Episode `lost` is removed on `lost_on`; later ones then move up if `closes`. On `slips_on`, the
    episodes from `slips_from` on are postponed by a week. Until `moved_on`, the season's number is one higher.
    """

    season_id: int
    first_episode_id: int
    number: int
    word: int
    announced: int
    start: int
    count: int
    step: int
    lead: int
    batch: int = 1
    offset: int = 0
    gap: int = NEVER
    renumbered_on: int = NEVER
    lost: int = NEVER
    lost_on: int = NEVER
    closes: bool = False
    slips_from: int = NEVER
    slips_on: int = NEVER
    moved_on: int = -NEVER

    @property
    def last(self) -> int:
        """The day on which the last episode is planned to air."""
        return self.planned(self.count - 1)

    def season_number(self, day: int) -> int:
        """Return the season's number on a day."""
        return self.number + (day < self.moved_on)

    def planned(self, episode: int) -> int:
        """Return the day on which an episode airs, unless it is postponed."""
        if self.step == WEEKDAYS:
            return self.start + episode // 5 * 7 + episode % 5
        return self.start + episode * self.step

    def airs(self, episode: int, day: int) -> int:
        """Return the day on which an episode airs, as it is known on a day."""
        slips = episode >= self.slips_from and day >= self.slips_on
        return self.planned(episode) + (WEEKLY if slips else 0)

    def added(self, episode: int) -> int:
        """Return the first day on which an episode is listed; it never falls from one episode to the next."""
        return max(self.announced, self.planned(episode - episode % self.batch) - self.lead)

    def filled(self, episode: int) -> int:
        """Return the day on which an episode gets its name, overview and runtime, if it ever gets them."""
        own = self.planned(episode) + int(pick(self.episode_word(episode), 3, 9)) - 4
        return max(self.added(episode), own)

    def episode_word(self, episode: int) -> int:
        """Return the 64 bits that decide an episode's traits."""
        return int(mixed(self.word + episode))

    def is_undated(self, episode: int) -> bool:
        """Return whether the air date of an episode is never known."""
        share = UNDATED if self.number else UNDATED_SPECIALS
        return bool(field(self.episode_word(episode), 2) % 100 < share)

    def added_by(self, day: int) -> int:
        """Return how many episodes were added up to a day, the lost one included."""
        if day < self.announced:
            return 0
        return bisect_right(range(self.count), day, key=self.added)

    def listed(self, day: int) -> list[int]:
        """Return the episodes that are listed on a day."""
        episodes = list(range(self.added_by(day)))
        if self.lost < len(episodes) and day >= self.lost_on:
            episodes.remove(self.lost)
        return episodes

    def listed_count(self, day: int) -> int:
        """Return how many episodes are listed on a day."""
        added = self.added_by(day)
        return added - (self.lost < added and day >= self.lost_on)

    def is_listed(self, episode: int, day: int) -> bool:
        """Return whether an episode is listed on a day."""
        is_lost = episode == self.lost and day >= self.lost_on
        return 0 <= episode < self.count and self.announced <= day and self.added(episode) <= day and not is_lost

    def episode_number(self, episode: int, day: int) -> int:
        """Return the number of an episode on a day."""
        number = episode + 1
        if day < self.renumbered_on:
            number += self.offset + (episode >= self.gap)
        return number - (self.closes and day >= self.lost_on and episode > self.lost)

    def first_airing(self, earliest: int, day: int) -> int | None:
        """Return the first dated episode that airs on `earliest` or later, as it is known on `day`."""
        start = bisect_left(range(self.count), earliest, key=lambda episode: self.airs(episode, day))
        return self._first_dated(range(start, self.added_by(day)), day)

    def last_airing(self, before: int, day: int) -> int | None:
        """Return the last dated episode that airs before a day, as it is known on `day`."""
        end = bisect_left(range(self.count), before, key=lambda episode: self.airs(episode, day))
        return self._first_dated(range(min(end, self.added_by(day)) - 1, -1, -1), day)

    def edit_days(self) -> Iterator[int]:
        """Yield the days on which something of the season may change at TMDB: all on which something does."""
        yield from (self.announced, self.renumbered_on, self.lost_on, self.slips_on, self.moved_on)
        if self.last < 0:
            return
        for episode in range(self.count):
            yield self.added(episode)
            yield self.filled(episode)

    def is_settled(self, day: int) -> bool:
        """Return whether nothing of the season changes after a day."""
        later = (self.renumbered_on, self.lost_on, self.slips_on, self.moved_on)
        return self.last + SETTLED_AFTER <= day and all(edit <= day or edit == NEVER for edit in later)

    def _first_dated(self, episodes: range, day: int) -> int | None:
        for episode in episodes:
            if self.is_listed(episode, day) and not self.is_undated(episode):
                return episode
        return None
