"""The figures of a made-up series: type, premiere, genres, networks; the others are those of a film in `traits`."""

from dataclasses import dataclass, replace

from movie_assets.emulator.broadcasts import WEEKDAYS
from movie_assets.emulator.chance import Word, field, pick
from movie_assets.emulator.series import Network
from movie_assets.emulator.series_shapes import GENRES_OF_FILMS, GENRES_OF_TYPES, NETWORKS
from movie_assets.emulator.timelines import (
    DOCUMENTARY,
    HORIZON,
    LONG_RUNNING,
    MINISERIES,
    NEWS,
    REALITY,
    SCRIPTED,
    SOAP,
    TALK_SHOW,
    Kind,
)
from movie_assets.emulator.traits import MONEY, NATURE, STORY, Traits
from movie_assets.emulator.vocabulary import Theme, vocabulary

# Two series of every world are always there: one with more seasons than TMDB's slots, one with thousands of episodes.
LONG_RUNNER, NIGHTLY_SHOW = 1, 2
LONG_RUNNER_YEARS, NIGHTLY_YEARS = 30, 24
KINDS = (
    *[SCRIPTED] * 64, *[LONG_RUNNING] * 4, SOAP, *[MINISERIES] * 10, *[REALITY] * 9, *[DOCUMENTARY] * 9,
    *[TALK_SHOW] * 2, NEWS,
)  # fmt: skip
ALWAYS_THERE = {
    LONG_RUNNER: replace(LONG_RUNNING, renewed=100),
    NIGHTLY_SHOW: replace(TALK_SHOW, renewed=100, steps=(WEEKDAYS,)),
}
RATINGS = ("TV-Y7", "TV-G", "TV-PG", "TV-14", "TV-14", "TV-MA", "TV-MA", "")
YET_TO_COME, YEARS = 0.06, 30  # of the series that exist since the epoch: how many are planned, and over what time
VOTES_OF_A_FILM = 3  # for one of a series


@dataclass(frozen=True)
class SeriesTraits(Traits):
    """Traits of the made-up series of one world, by number."""

    def in_franchise(self, number: Word) -> Word:
        """Return False: a series has no franchise."""
        return number < 0

    def vote_count(self, number: Word, day: int) -> Word:
        """Return the votes on a day."""
        return super().vote_count(number, day) // VOTES_OF_A_FILM

    def kind(self, number: int) -> Kind:
        """Return how a series is made."""
        if number in ALWAYS_THERE:
            return ALWAYS_THERE[number]
        return KINDS[pick(self.word(NATURE, number), 0, len(KINDS))]

    def premiere(self, number: int, birth: int) -> int:
        """Return the day of the premiere.

        Half of the series that come after the epoch are new; the others are as old as those that were there before.
        """
        word = self.word(NATURE, number)
        if number in ALWAYS_THERE:
            return -365 * (LONG_RUNNER_YEARS if number == LONG_RUNNER else NIGHTLY_YEARS)
        share = field(word, 2) / 65536
        if birth > 0 and field(word, 3) % 2:
            return birth - 20 + int(110 * share)
        if birth == 0 and share < YET_TO_COME:
            return int(share / YET_TO_COME * HORIZON)
        return birth - int(YEARS * 365 * share * share)

    def genres(self, number: int, kind: str, theme: Theme) -> tuple[str, ...]:
        """Return the genres, by the names that series have."""
        if self.has_no_genres(number):
            return ()
        names = [GENRES_OF_FILMS.get(name, name) for name in theme.genre_variants[self.genre_variant(number)]]
        first = [GENRES_OF_TYPES[kind]] if kind in GENRES_OF_TYPES else []
        return tuple(dict.fromkeys([*first, *names[: 1 if first else 3]]))

    def networks(self, number: int) -> tuple[Network, ...]:
        """Return the networks: one in the language's country or one for all countries, none for 4 %, two for 6 %."""
        share = field(self.word(MONEY, number), 2) % 100
        countries = vocabulary().languages[self.language(number)].countries
        local = [network for network in NETWORKS if network.country in ("", *countries)]
        first = pick(self.word(STORY, number), 0, len(local))
        if share < 4:  # noqa: PLR2004
            return ()
        return (local[first], local[first - 1]) if share < 10 and len(local) > 1 else (local[first],)  # noqa: PLR2004
