"""Made-up films: one film on one day, and export lines of many films at once.

`traits` makes the figures, `stories` the words, `people` the names, `lifecycle` the days; this module makes films
of them. The real, bundled films are in `bundled`.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import numpy as np

from movie_assets.emulator import stories
from movie_assets.emulator.chance import pick
from movie_assets.emulator.lifecycle import Lifecycle, Numbers, revision
from movie_assets.emulator.movie import Collection, Movie
from movie_assets.emulator.people import Cast
from movie_assets.emulator.traits import BLOCK, EPOCH_ORDINAL, MONEY, STORY, Traits
from movie_assets.emulator.vocabulary import vocabulary
from movie_assets.emulator.world import ExportRow

IDS_FROM = 5_000_000
IMDB_NUMBERS_FROM = 90_000_000
COLLECTION_IDS_FROM = 2_000_000
CERTIFICATIONS = ("G", "PG", "PG", "PG-13", "PG-13", "R", "R", "")


@dataclass(frozen=True)
class MadeUpMovies:
    """The made-up films of one seed: `slots` of them on any day."""

    seed: int
    slots: int

    @property
    def traits(self) -> Traits:
        """The figures of these films."""
        return Traits(self.seed, self.slots)

    @property
    def life(self) -> Lifecycle:
        """The days on which these films exist."""
        return Lifecycle(self.slots)

    def number_of(self, tmdb_id: int, day: int) -> int | None:
        """Return the number of the film with this id, None if it does not exist on that day."""
        number = tmdb_id - IDS_FROM
        return number if self.slots and self.life.is_alive(number, day) else None

    def movie(self, number: int, day: int) -> Movie:
        """Return one film as it is on a day."""
        traits, words = self.traits, vocabulary()
        story, language = self._story(number), traits.language(number)
        theme = traits.theme(number)
        people = Cast(self.slots)
        release = traits.release(number, self._birth(number))
        adult, video, softcore = traits.flags(number)
        edition = int(revision(number, day))
        text, keywords = stories.texts(story, edition)
        variant = () if traits.has_no_genres(number) else story.theme.genre_variants[traits.genre_variant(number)]
        votes = traits.vote_count(number, day)
        money = traits.word(MONEY, number)
        budget = 0 if pick(money, 2, 5) else min(votes * 20_000, 600_000_000)
        tongue = words.languages[language]
        title = stories.english_title(story.theme, story.shared, story.part)
        return Movie(
            tmdb_id=IDS_FROM + number,
            imdb_id=self._imdb_id(number),
            title=title,
            original_title=stories.foreign_title(language, story.shared, story.part) if language else title,
            language=tongue.code,
            release_date=date.fromordinal(release).isoformat() if release else "",
            runtime=traits.runtime(number),
            genres=variant,
            overview=text,
            tagline=stories.tagline(story),
            keywords=keywords,
            cast=people.cast(theme, language, story.shared),
            crew=people.crew(theme, language, story.shared),
            collection=self._collection(number, story),
            countries=(tongue.countries[pick(money, 1, len(tongue.countries))],),
            companies=(words.companies[pick(story.shared, 0, len(words.companies))],),
            certification=CERTIFICATIONS[pick(money, 3, len(CERTIFICATIONS))],
            popularity=traits.popularity(number, day),
            vote_average=traits.vote_average(number, day),
            vote_count=votes,
            budget=budget,
            revenue=budget * (1 + pick(money, 0, 8)) // 2,
            status=_status(release, day),
            adult=adult,
            video=video,
            softcore=softcore,
            revision=edition,
        )

    def export_rows(self, numbers: Numbers, day: int) -> Iterator[ExportRow]:
        """Yield the export lines of many films."""
        traits, themes = self.traits, vocabulary().themes
        adult, video, softcore = traits.flags(numbers)
        columns = zip(
            numbers.tolist(),
            adult.tolist(),
            video.tolist(),
            softcore.tolist(),
            traits.popularity(numbers, day).tolist(),
            traits.language(numbers).tolist(),
            traits.theme(numbers).tolist(),
            traits.story_word(numbers).tolist(),
            np.where(traits.in_franchise(numbers), numbers % BLOCK, 0).tolist(),
            strict=True,
        )
        for number, is_adult, is_video, is_softcore, popularity, language, theme, shared, part in columns:
            title = (
                stories.foreign_title(language, shared, part)
                if language
                else stories.english_title(themes[theme], shared, part)
            )
            yield ExportRow(is_adult, IDS_FROM + number, title, popularity, is_video, is_softcore)

    def titles(self, numbers: Numbers) -> Iterator[tuple[int, str]]:
        """Yield (id, English title) of many films."""
        traits, themes = self.traits, vocabulary().themes
        parts = np.where(traits.in_franchise(numbers), numbers % BLOCK, 0).tolist()
        words = traits.story_word(numbers).tolist()
        for number, theme, shared, part in zip(
            numbers.tolist(), traits.theme(numbers).tolist(), words, parts, strict=True
        ):
            yield IDS_FROM + number, stories.english_title(themes[theme], shared, part)

    def _story(self, number: int) -> stories.Story:
        traits = self.traits
        shared = traits.story_word(number)
        part = number % BLOCK if traits.in_franchise(number) else 0
        theme = vocabulary().themes[traits.theme(number)]
        return stories.Story(theme, traits.word(STORY, number), shared, part)

    def _collection(self, number: int, story: stories.Story) -> Collection | None:
        if not self.traits.in_franchise(number):
            return None
        name = f"{stories.english_title(story.theme, story.shared, 0)} Collection"
        return Collection(COLLECTION_IDS_FROM + number // BLOCK, name)

    def _birth(self, number: int) -> int:
        return 0 if number < self.slots else int(self.life.birth(number))

    def _imdb_id(self, number: int) -> str | None:
        return None if self.traits.word(STORY, number) % 12 == 0 else f"tt{IMDB_NUMBERS_FROM + number}"


def number_of_imdb(imdb_id: str) -> int | None:
    """Return the number of the made-up film with this IMDb id, None for an id of another kind."""
    digits = imdb_id.removeprefix("tt")
    if not (digits.isascii() and digits.isdecimal()) or int(digits) < IMDB_NUMBERS_FROM:
        return None
    return int(digits) - IMDB_NUMBERS_FROM


def _status(release: int, day: int) -> str:
    if release == 0:
        return "Released"
    ahead = release - EPOCH_ORDINAL - day
    if ahead <= 0:
        return "Released"
    return "Post Production" if ahead < 120 else "Planned"  # noqa: PLR2004
