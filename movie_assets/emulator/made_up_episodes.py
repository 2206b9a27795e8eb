"""The episodes of one made-up season on one day."""

from dataclasses import dataclass
from datetime import date

from movie_assets.emulator import stories
from movie_assets.emulator.broadcasts import Broadcast
from movie_assets.emulator.chance import field, pick
from movie_assets.emulator.movie import Job, Role
from movie_assets.emulator.series import Ensemble, Episode
from movie_assets.emulator.traits import EPOCH_ORDINAL

MID_SEASON_FROM = 16  # episodes
UNNAMED, UNKNOWN_RUNTIME = 38, 20  # per cent
WITH_OVERVIEW = range(30, 85)  # per cent: some of them are unnamed
JOBS = ("Director", "Screenplay")


@dataclass(frozen=True)
class Listing:
    """A season as it is listed on a day; `minutes` is the usual runtime of its episodes."""

    broadcast: Broadcast
    day: int
    story: stories.Story
    minutes: int
    people: Ensemble

    def episodes(self) -> tuple[Episode, ...]:
        """Return the listed episodes, in the order of their numbers. Each has one of the season's guests."""
        crew = tuple(job for job in self.people.crew() if job.job in JOBS)
        guests = self.people.guests(self.broadcast.season_id)
        return tuple(
            self.episode(place, crew, guests[order % 5 : order % 5 + 1])
            for order, place in enumerate(self.broadcast.listed(self.day))
        )

    def episode(self, place: int, crew: tuple[Job, ...] = (), guests: tuple[Role, ...] = ()) -> Episode:
        """Return the episode at a place in the order of airing."""
        broadcast, day = self.broadcast, self.day
        word, air, number = (
            broadcast.episode_word(place),
            broadcast.airs(place, day),
            broadcast.episode_number(place, day),
        )
        is_filled, texts = day >= broadcast.filled(place), field(word, 0) % 100
        is_named = is_filled and texts >= UNNAMED
        has_runtime = is_filled and field(word, 3) % 100 >= UNKNOWN_RUNTIME
        votes = 0 if air >= day else pick(word, 1, 7) + (day - air) // 60
        return Episode(
            episode_id=broadcast.first_episode_id + place,
            season_number=broadcast.season_number(day),
            number=number,
            name=stories.english_title(self.story.theme, word, 0) if is_named else f"Episode {number}",
            overview=self.overview(word) if is_filled and texts in WITH_OVERVIEW else "",
            air_date=None if broadcast.is_undated(place) else day_of(air),
            runtime=max(1, self.minutes + pick(word, 1, 9) - 4) if has_runtime else None,
            episode_type=_type(broadcast, place),
            vote_average=round(5 + pick(word, 2, 50) / 10, 1) if votes else 0.0,
            vote_count=votes,
            crew=crew,
            guests=guests,
        )

    def overview(self, word: int) -> str:
        """Return the overview of an episode or of a season with a word of its own."""
        return stories.overview(stories.Story(self.story.theme, word, self.story.shared, 0), 0)


def day_of(index: int) -> date:
    """Return the date of a day that is counted from the epoch."""
    return date.fromordinal(EPOCH_ORDINAL + index)


def _type(broadcast: Broadcast, place: int) -> str:
    if broadcast.number and place == broadcast.count - 1:
        return "finale"
    if broadcast.number and broadcast.count >= MID_SEASON_FROM and place == broadcast.count // 2:
        return "mid_season"
    return "standard"
