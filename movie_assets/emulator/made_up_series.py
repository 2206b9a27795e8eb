"""Made-up series: one series on one day, with its seasons and episodes.

`timelines` and `broadcasts` decide what is aired when, `series_traits` the figures; words and people come from where
those of films do. As for films, `lifecycle` decides which series exist. One in three of those that are deleted has been
merged into its heir, which takes over its name and the ids by which other sites know it.
"""

from datetime import date
from functools import lru_cache
from typing import NamedTuple

from movie_assets.emulator import stories
from movie_assets.emulator.broadcasts import WEEKLY, Broadcast
from movie_assets.emulator.bundled import MOVIES_FILE, most_voted, read_movies
from movie_assets.emulator.chance import field, mixed, pick
from movie_assets.emulator.lifecycle import Lifecycle, revision
from movie_assets.emulator.made_up import IDS_FROM
from movie_assets.emulator.made_up_episodes import Listing, day_of
from movie_assets.emulator.people import Cast
from movie_assets.emulator.series import Ensemble, Episode, Season, Series
from movie_assets.emulator.series_traits import RATINGS, SeriesTraits
from movie_assets.emulator.timelines import EPISODES_A_SERIES, SEASONS_A_SERIES, Timeline, timeline
from movie_assets.emulator.traits import MONEY, STORY
from movie_assets.emulator.vocabulary import vocabulary

IMDB_NUMBERS_FROM = 80_000_000
TVDB_IDS_FROM, SEASON_TVDB_FROM, EPISODE_TVDB_FROM = 70_000, 9_000, 2_000
EPISODE_IMDB_FROM = 100_000_000


@lru_cache(maxsize=1)
def _ids_of_films() -> tuple[tuple[int, ...], dict[int, int]]:
    """Return the ids of the bundled films, and their places: some series have the id of a film."""
    entries = read_movies(MOVIES_FILE)
    ids = tuple(entry["id"] for entry in most_voted(entries, len(entries)))
    return ids, {tmdb_id: place for place, tmdb_id in enumerate(ids)}


def id_of(number: int) -> int:
    """Return the id of a series. All ids are such as films have: many are those of films of the same world."""
    films = _ids_of_films()[0]
    return films[number] if number % 5 in {1, 2} and number < len(films) else IDS_FROM + number


class Wanted(NamedTuple):
    """What an id of another site can be: the number of a series, and the ids of a season and of an episode."""

    series: int | None = None
    season: int | None = None
    episode: int | None = None


def episode_ids(episode_id: int) -> tuple[str, int]:
    """Return the ids of an episode at IMDb and TVDB."""
    return f"tt{EPISODE_IMDB_FROM + episode_id}", episode_id + EPISODE_TVDB_FROM


def number_of_external(source: str, external_id: str) -> Wanted:
    """Return what an id at IMDb (`imdb_id`) or TVDB (`tvdb_id`) can be; TVDB's numbers are of several kinds at once."""
    digits = external_id.removeprefix("tt") if source == "imdb_id" else external_id
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 16):  # noqa: PLR2004
        return Wanted()
    number = int(digits)
    if source == "tvdb_id":
        season, episode = number - SEASON_TVDB_FROM, number - EPISODE_TVDB_FROM
        return Wanted(number - TVDB_IDS_FROM, season if season > 0 else None, episode if episode > 0 else None)
    if source != "imdb_id":
        return Wanted()
    if number > EPISODE_IMDB_FROM:
        return Wanted(episode=number - EPISODE_IMDB_FROM)
    return Wanted(series=number - IMDB_NUMBERS_FROM)


class MadeUpSeries:
    """The made-up series of one seed: `slots` of them on any day."""

    def __init__(self, seed: int, slots: int) -> None:
        self.slots = slots
        self.life = Lifecycle(slots)
        self.traits = SeriesTraits(seed ^ 0x7E1E, slots)
        self.timeline = lru_cache(maxsize=None)(self._timeline)

    def number_of(self, tmdb_id: int, day: int) -> int | None:
        """Return the number of the series with this id, None if it does not exist on that day."""
        number = _ids_of_films()[1].get(tmdb_id, tmdb_id - IDS_FROM)
        exists = self.slots and self.life.is_alive(number, day) and id_of(number) == tmdb_id
        return number if exists else None

    def name(self, number: int) -> str:
        """Return the English name of a series."""
        theme = vocabulary().themes[self.traits.theme(number)]
        return stories.english_title(theme, int(self.traits.word(STORY, number)), 0)

    def original_name(self, number: int) -> str:
        """Return the name of a series in its own language."""
        language = int(self.traits.language(number))
        return (
            stories.foreign_title(language, int(self.traits.word(STORY, number)), 0) if language else self.name(number)
        )

    def series(self, number: int, day: int) -> Series:
        """Return one series as it is on a day."""
        traits, index = self.traits, max(day, 0)
        story, language = self._story(number), int(traits.language(number))
        plan = self.timeline(number)
        adult, _, softcore = traits.flags(number)
        overview, keywords = stories.texts(story, revision(number, day))
        imdb_id, tvdb_id = self.external_ids(number, day)
        money, tongue = traits.word(MONEY, number), vocabulary().languages[language]
        names = [] if self.original_name(number) == self.name(number) else [self.original_name(number)]
        merged = self.merged_into(number, day)
        return Series(
            tmdb_id=id_of(number),
            imdb_id=imdb_id,
            tvdb_id=tvdb_id,
            name=self.name(number),
            original_name=self.original_name(number),
            other_names=(*names, *([self.name(merged)] if merged is not None else [])),
            language=tongue.code,
            countries=(tongue.countries[pick(money, 1, len(tongue.countries))],) if number % 25 else (),
            first_air_date=day_of(plan.premiere) if index >= plan.dated_on else None,
            genres=traits.genres(number, plan.kind.name, story.theme),
            overview=overview,
            tagline=stories.tagline(story),
            keywords=keywords,
            networks=traits.networks(number),
            companies=(vocabulary().companies[pick(story.shared, 0, len(vocabulary().companies))],),
            status=plan.status(index),
            type=plan.kind.name,
            minutes=self.minutes(number),
            rating=RATINGS[pick(money, 3, len(RATINGS))],
            popularity=traits.popularity(number, day),
            vote_average=traits.vote_average(number, day),
            vote_count=traits.vote_count(number, day),
            adult=bool(adult),
            softcore=bool(softcore),
            seasons=self._seasons(number, index),
            last_episode=self._last_episode(number, index),
            next_episode=self._next_episode(number, index),
            people=self._people(number),
        )

    def external_ids(self, number: int, day: int) -> tuple[str | None, int | None]:
        """Return the ids at IMDb and TVDB on a day, which are those of the latest series that was merged into this one.

        One series in six has no IMDb id, one in eight no TVDB id.
        """
        merged = self.merged_into(number, day)
        if merged is not None:
            return self.external_ids(merged, day)
        imdb_id = f"tt{IMDB_NUMBERS_FROM + number}" if number % 6 != 5 else None  # noqa: PLR2004
        return imdb_id, TVDB_IDS_FROM + number if number % 8 != 7 else None  # noqa: PLR2004

    def heir(self, number: int) -> int | None:
        """Return the series into which a number is merged when it ends, None for a number that is only deleted."""
        slot = self.life.slot(number)
        is_merged = field(self.traits.word(STORY, number), 3) % 3 == 0
        return slot + 1 if is_merged and slot % 5 in {0, 3} and slot + 1 < self.slots else None

    def merged_into(self, number: int, day: int) -> int | None:
        """Return the latest number that was merged into this one, None if there is none."""
        if number >= self.slots or number % 5 not in {1, 4}:
            return None
        return next((ended for ended in self.life.ended(number - 1, day) if self.heir(ended) == number), None)

    def _timeline(self, number: int) -> Timeline:
        kind = self.traits.kind(number)
        birth = 0 if number < self.slots else int(self.life.birth(number))
        premiere = self.traits.premiere(number, birth)
        word = int(mixed(self.traits.word(STORY, number)))
        return timeline(kind, word, premiere, number * SEASONS_A_SERIES + 1, number * EPISODES_A_SERIES + 1)

    def _seasons(self, number: int, day: int) -> tuple[Season, ...]:
        listings = [self._listing(number, broadcast, day) for broadcast in self.timeline(number).listed(day)]
        return tuple(
            Season(
                season_id=listing.broadcast.season_id,
                number=listing.broadcast.season_number(day),
                name=f"Season {listing.broadcast.season_number(day)}" if listing.broadcast.number else "Specials",
                overview=listing.overview(listing.broadcast.word) if listing.broadcast.word % 10 < 4 else "",  # noqa: PLR2004
                air_date=_season_date(listing.broadcast, day),
                episode_count=listing.broadcast.listed_count(day),
                vote_average=round(5 + pick(listing.broadcast.word, 2, 40) / 10, 1),
                is_settled=listing.broadcast.is_settled(day),
                made=listing.episodes,
            )
            for listing in listings
        )

    def _last_episode(self, number: int, day: int) -> Episode | None:
        for broadcast in reversed(self.timeline(number).seasons):
            place = broadcast.last_airing(day, day)
            if place is not None:
                return self._listing(number, broadcast, day).episode(place)
        return None

    def _next_episode(self, number: int, day: int) -> Episode | None:
        for broadcast in self.timeline(number).seasons:
            place = broadcast.first_airing(day, day) if broadcast.last >= day - WEEKLY else None
            if place is not None:
                return self._listing(number, broadcast, day).episode(place)
        return None

    def _listing(self, number: int, broadcast: Broadcast, day: int) -> Listing:
        return Listing(broadcast, day, self._story(number), self.minutes(number), self._people(number))

    def _people(self, number: int) -> Ensemble:
        traits = self.traits
        story = int(traits.word(STORY, number))
        return Ensemble(Cast(self.slots), int(traits.theme(number)), int(traits.language(number)), story)

    def _story(self, number: int) -> stories.Story:
        word = int(self.traits.word(STORY, number))
        return stories.Story(vocabulary().themes[self.traits.theme(number)], word, word, 0)

    def minutes(self, number: int) -> int:
        """Return the usual runtime of a series' episodes."""
        minutes = self.timeline(number).kind.minutes
        return minutes[pick(self.traits.word(STORY, number), 2, len(minutes))]


def _season_date(broadcast: Broadcast, day: int) -> date | None:
    """Return a season's own date: unknown for 7 %, and off by a day for 5 %."""
    share = pick(broadcast.word, 1, 100)
    if share < 7 or (share % 2 and broadcast.added_by(day) == 0):  # noqa: PLR2004
        return None
    return day_of(broadcast.airs(0, day) + (7 <= share < 12))  # noqa: PLR2004
