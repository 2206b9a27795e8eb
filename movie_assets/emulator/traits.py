"""The figures of a made-up film: fame, votes, dates, language, theme, franchise.

Every trait is a function of (seed, number) and, where it moves, of the day; each takes one number or an array of
numbers. `stories` makes words of the figures.
"""

from dataclasses import dataclass
from datetime import date
from functools import lru_cache

import numpy as np
import numpy.typing as npt

from movie_assets.emulator.chance import (
    Table,
    Word,
    chosen,
    drawn,
    field,
    key_of,
    lognormal_table,
    mixed,
    normal_quantiles,
    pick,
    table_of,
    weighted_table,
)
from movie_assets.emulator.lifecycle import EPOCH
from movie_assets.emulator.vocabulary import GENRE_BITS, GENRE_VARIANTS, vocabulary

BLOCK = 12  # numbers that share one chance of being a franchise, whose films are the first of the block
EPOCH_ORDINAL = EPOCH.toordinal()
UNRATED_BELOW = -1.43  # in standard deviations: the least known 8 % have no votes at all

# Salts: one for each kind of decision.
FAME, NATURE, STORY, FRANCHISE, DAILY, MONEY = range(6)


@dataclass(frozen=True)
class Tables:
    """The distributions of the made-up world."""

    popularity: Table
    popularity_noise: Table
    popularity_of_day: Table
    votes: Table
    votes_noise: Table
    average: Table
    language: Table
    release: Table
    runtime: Table
    franchise_size: Table
    genre_mask: npt.NDArray[np.uint32]


@lru_cache(maxsize=1)
def tables() -> Tables:
    """Build the distributions once.

    Medians and spreads are set so that some 60 % of the films have a popularity of 1 or more and 25-40 %
    pass the usual filter (100 votes, average 5, since 1990, 60-240 minutes, seven languages).
    """
    words = vocabulary()
    unrated = normal_quantiles() < UNRATED_BELOW
    votes = np.where(unrated, 0.0, 150.0 * np.exp(1.75 * normal_quantiles()))
    masks = [sum(GENRE_BITS[name] for name in variant) for theme in words.themes for variant in theme.genre_variants]
    return Tables(
        popularity=lognormal_table(1.36, 1.15),
        popularity_noise=lognormal_table(1.0, 0.35),
        popularity_of_day=lognormal_table(1.0, 0.08),
        votes=Table(votes.clip(max=60_000)),
        votes_noise=lognormal_table(1.0, 0.5),
        average=Table((6.3 + 0.9 * normal_quantiles()).clip(1.0, 9.6)),
        language=weighted_table([(i, language.share) for i, language in enumerate(words.languages)]),
        release=table_of(_release_quantile),
        runtime=weighted_table(
            [(0, 50), *((minutes, 1.5) for minutes in range(3, 58))]
            + [(minutes, 40 * 0.975 ** abs(minutes - 98)) for minutes in range(60, 230)]
            + [(minutes, 0.3) for minutes in range(230, 330)]
        ),
        franchise_size=weighted_table([(0, 60), (2, 12), (3, 14), (4, 8), (5, 6)]),
        genre_mask=np.array(masks, dtype=np.uint32),
    )


def _release_quantile(probability: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
    """Return release days from 1950 on, more of them the later; 3 % unknown (0), 1.5 % after the epoch."""
    first = date(1950, 1, 1).toordinal()
    shares = ((probability - 0.03) / 0.955).clip(0.0, 1.0)
    known = first + (np.cbrt(shares) * (EPOCH_ORDINAL - 1 - first)).astype(np.int64)
    ahead = EPOCH_ORDINAL + ((probability - 0.985) / 0.015 * 540).astype(np.int64)
    return np.where(probability < 0.03, 0, np.where(probability < 0.985, known, ahead))  # noqa: PLR2004


@dataclass(frozen=True)
class Traits:
    """Traits of the made-up films of one world, by number."""

    seed: int
    slots: int

    def word(self, salt: int, number: Word) -> Word:
        """Return 64 bits that decide one kind of trait of a film."""
        return drawn(key_of(self.seed, salt), number)

    def popularity(self, number: Word, day: int) -> Word:
        """Return the popularity on a day, with four decimals; it moves every day by some 8 %."""
        table, fame = tables(), self.word(FAME, number)
        today = drawn(key_of(self.seed, (day << 8) + DAILY), number)
        value = table.popularity[field(fame, 0)] * table.popularity_noise[field(fame, 1)]
        return _rounded(value * table.popularity_of_day[field(today, 0)], 4)

    def vote_count(self, number: Word, day: int) -> Word:
        """Return the votes on a day: they grow by one in 2,000 a day."""
        table, fame = tables(), self.word(FAME, number)
        votes = _whole(table.votes[field(fame, 0)] * table.votes_noise[field(fame, 2)])
        return votes + votes * max(day, -1000) // 2000

    def vote_average(self, number: Word, day: int) -> Word:
        """Return the mean vote on a day, with three decimals; 0 without votes. It drifts by some thousandths."""
        today = drawn(key_of(self.seed, (day << 8) + DAILY), number)
        value = tables().average[field(self.word(FAME, number), 3)] + pick(today, 1, 5) / 1000
        return chosen(self.vote_count(number, day) > 0, _rounded(value, 3), 0.0)

    def language(self, number: Word) -> Word:
        """Return the index of the original language, the same for all films of a franchise."""
        return tables().language[field(mixed(self.story_word(number) ^ 0x1A), 0)]

    def runtime(self, number: Word) -> Word:
        """Return the runtime in minutes, 0 when unknown."""
        return tables().runtime[field(self.word(NATURE, number), 1)]

    def release(self, number: Word, birth: Word) -> Word:
        """Return the ordinal of the release day, 0 when unknown; `birth` is the film's first day (0 before the epoch).

        More than half of the films that come after the epoch are released around the day they come.
        """
        word = self.word(NATURE, number)
        around = EPOCH_ORDINAL + birth - 60 + pick(word, 3, 420)
        recent = (birth > 0) & (pick(word, 3, 1000) % 20 < 11)  # noqa: PLR2004
        return chosen(recent, around, tables().release[field(word, 2)])

    def flags(self, number: Word) -> tuple[Word, Word, Word]:
        """Return whether the film is adult, a video, softcore: about 1.5 %, 2 % and 0.5 % are."""
        word = self.word(MONEY, number)
        return field(word, 0) < 983, field(word, 1) < 1311, field(word, 2) < 328  # noqa: PLR2004

    def franchise_word(self, number: Word) -> Word:
        """Return 64 bits that decide the traits that the films of a franchise share."""
        return self.word(FRANCHISE, number // BLOCK)

    def in_franchise(self, number: Word) -> Word:
        """Return whether the film is one of a franchise; all of those exist since before the epoch."""
        size = tables().franchise_size[field(self.franchise_word(number), 0)]
        return (number % BLOCK < size) & (number < self.slots)

    def story_word(self, number: Word) -> Word:
        """Return the 64 bits of a film's theme, title and people: its franchise's, or its own."""
        own = self.word(STORY, number)
        return chosen(self.in_franchise(number), self.franchise_word(number), own)

    def theme(self, number: Word) -> Word:
        """Return the index of the film's theme."""
        return pick(self.story_word(number), 1, len(vocabulary().themes))

    def genre_variant(self, number: Word) -> Word:
        """Return the index of the film's genres among the theme's variants."""
        return pick(self.word(STORY, number), 2, GENRE_VARIANTS)

    def has_no_genres(self, number: Word) -> Word:
        """Return whether the film has no genres: about 1 % have none."""
        return field(self.word(MONEY, number), 3) % 100 < 1

    def genre_mask(self, number: Word) -> npt.NDArray[np.uint32]:
        """Return the genres of an array of numbers, as bits in the order of `shapes.GENRES`."""
        rows = self.theme(number) * GENRE_VARIANTS + self.genre_variant(number)
        mask = tables().genre_mask[rows]
        return np.where(self.has_no_genres(number), np.uint32(0), mask)


def _rounded(value: Word, digits: int) -> Word:
    """Round half up by scaling: Python's and numpy's own rounding differ in the last digit."""
    scale = 10**digits
    if isinstance(value, np.ndarray):
        return np.floor(value * scale + 0.5) / scale
    return int(value * scale + 0.5) / scale


def _whole(value: Word) -> Word:
    return value.astype(np.int64) if isinstance(value, np.ndarray) else int(value)
