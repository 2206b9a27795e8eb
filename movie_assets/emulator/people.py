"""The people of the made-up world: the cast and crew of each film.

People belong to themes: a theme draws on a pool of its own and, for a third of its films, on that of one or
two other themes, so that a director works on one to three kinds of film. The pools grow with the world.
The films of a franchise have the same story word, and so share director, cast and characters.
"""

from dataclasses import dataclass
from functools import lru_cache

from movie_assets.emulator.chance import field, key_of, mixed, pick
from movie_assets.emulator.movie import Job, Person, Role
from movie_assets.emulator.vocabulary import vocabulary

DIRECTOR, ACTOR, WRITER, PRODUCER, COMPOSER = range(5)
MOVIES_PER_PERSON = {DIRECTOR: 6, ACTOR: 3, WRITER: 5, PRODUCER: 8, COMPOSER: 10}
SMALLEST_POOL = {DIRECTOR: 2, ACTOR: 12, WRITER: 3, PRODUCER: 3, COMPOSER: 3}
PERSON_IDS_FROM = 5_000_000
PEOPLE_KINDS = len(MOVIES_PER_PERSON)


@lru_cache(maxsize=20_000)
def made_up_person(kind: int, index: int, language: int) -> Person:
    """Return person number `index` of a kind, with a name in that language."""
    words = vocabulary()
    tongue = words.languages[language]
    word = mixed(index * PEOPLE_KINDS + kind + 1)
    first = tongue.first_names[pick(word, 0, len(tongue.first_names))]
    last = tongue.last_names[pick(word, 1, len(tongue.last_names))]
    person_id = (index * PEOPLE_KINDS + kind) * len(words.languages) + language
    return Person(PERSON_IDS_FROM + person_id, f"{first} {last}", 1 + pick(word, 2, 2))


@dataclass(frozen=True)
class Cast:
    """The cast and crew of the films of a world of `slots` made-up films."""

    slots: int

    def cast(self, theme: int, language: int, story: int) -> tuple[Role, ...]:
        """Return up to ten roles of different people; the same story always has the same leads and characters."""
        roles: dict[int, Role] = {}
        for turn in range(4 + pick(story, 3, 7)):
            person = self._person(ACTOR, theme, language, story, turn)
            roles.setdefault(person.person_id, Role(person, character_name(story, turn)))
        return tuple(roles.values())

    def crew(self, theme: int, language: int, story: int) -> tuple[Job, ...]:
        """Return director (two for one film in sixteen), writer, producer and composer."""
        jobs = [Job(self._person(DIRECTOR, theme, language, story, 0), "Directing", "Director")]
        if story % 16 == 1:
            jobs.append(Job(self._person(DIRECTOR, theme, language, story, 1), "Directing", "Director"))
        jobs.append(Job(self._person(WRITER, theme, language, story, 0), "Writing", "Screenplay"))
        jobs.append(Job(self._person(PRODUCER, theme, language, story, 0), "Production", "Producer"))
        if story % 8 != 3:  # noqa: PLR2004
            jobs.append(Job(self._person(COMPOSER, theme, language, story, 0), "Sound", "Original Music Composer"))
        return tuple(jobs)

    def _person(self, kind: int, theme: int, language: int, story: int, turn: int) -> Person:
        themes = len(vocabulary().themes)
        pool = max(SMALLEST_POOL[kind], self.slots // (themes * MOVIES_PER_PERSON[kind]))
        word = mixed(story ^ key_of(kind, turn))
        # The square of a uniform share: a few names of a pool work far more often than the others.
        share = field(word, 0) * field(word, 0) >> 16
        local = share * pool >> 16
        away = pick(word, 1, 6)
        home = (theme + (3 + local % 5) * (away if away < 3 else 0)) % themes  # noqa: PLR2004
        return made_up_person(kind, local * themes + home, language)


def character_name(story: int, turn: int) -> str:
    """Return the name of the character of cast member number `turn`."""
    words = vocabulary()
    word = mixed(story ^ key_of(77, turn))
    first = words.character_first[pick(word, 0, len(words.character_first))]
    if turn > 5:  # noqa: PLR2004
        return first
    return f"{first} {words.character_last[pick(word, 1, len(words.character_last))]}"
