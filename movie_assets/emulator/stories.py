"""Titles, overviews, taglines and keywords of made-up films.

`traits` decides a film's theme and word; this module makes sentences of them. An overview and a list of keywords have a
version, which changes on the days on which texts change.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from movie_assets.emulator.chance import field, mixed, pick
from movie_assets.emulator.people import character_name
from movie_assets.emulator.vocabulary import Theme, vocabulary

MAX_EXTRA_KEYWORDS = 5
STEPS = (13, 17, 19, 29, 31, 37, 41)  # primes that share no factor with the number of spare keywords, which is 44 to 50

# The texts that a film's revisions change: its overview and its keywords in turn, or only one of them.
BOTH, KEYWORDS_ONLY, OVERVIEW_ONLY = range(3)

SUBTITLES = ("Reckoning", "Homecoming", "The Reprise", "Aftermath", "Origins", "The Last Chapter")

OPENINGS = (
    "In {place}, {role} {hero} must {quest}.",
    "{Role} {hero} comes to {place} to {quest}.",
    "When {trouble} shatters the peace of {place}, {role} {hero} sets out to {quest}.",
    "{hero}, {a_role}, has one chance to {quest} before {place} is lost.",
    "Nobody in {place} believes {role} {hero}, who swears to {quest}.",
    "To {quest}: that is all {role} {hero} ever wanted from {place}.",
    "{Role} {hero} returns to {place} after many years, meaning to {quest}.",
)
TURNS = (
    "But {trouble} stands in the way, and {friend} is not what {friend_first} seems.",
    "With {friend} beside {hero_first}, only {trouble} can stop them.",
    "What begins as an attempt to {quest2} ends with {trouble2}.",
    "Then comes {trouble2}, and {hero_first} has to trust {friend}.",
    "{friend} wants to {quest2}, and between them lies {trouble}.",
    "Each step leads closer to {place2} and to {trouble2}.",
)
CLOSINGS = (
    "By morning {hero_first} will have to choose between {friend_first} and {place}.",
    "The road to {place2} costs more than {hero_first} can pay.",
    "Some promises outlive {trouble2}.",
    "Only {friend_first} knows how it ends.",
)


@dataclass(frozen=True)
class Story:
    """The source of a film's words.

    `plot` decides its own plot, `shared` the traits that the films of its franchise have in common (equal to `plot`
    for a film without a franchise), `part` its place in the franchise (0 for the first, or for none).
    """

    theme: Theme
    plot: int
    shared: int
    part: int


def english_title(theme: Theme, shared: int, part: int) -> str:
    """Return the English title; the later films of a franchise have a number or a subtitle."""
    words = vocabulary()
    word = mixed(shared)
    nouns = theme.nouns
    noun = nouns[pick(word, 0, len(nouns))]
    adjective = theme.adjectives[pick(word, 1, len(theme.adjectives))]
    name = words.character_last[pick(word, 2, len(words.character_last))]
    first = words.character_first[field(word, 2) % len(words.character_first)]
    shape = pick(word, 3, 16)
    title = _titled(shape, noun, adjective, first, name)
    if part == 0:
        return title
    if shape % 2:
        return f"{title} {part + 1}"
    return f"{title}: {SUBTITLES[(part + shape) % len(SUBTITLES)]}"


def _titled(shape: int, noun: str, adjective: str, first: str, name: str) -> str:
    if shape == 0:
        return f"The {adjective} {noun}"
    if shape == 1:
        return f"{adjective} {noun}"
    patterns = (
        f"The {noun} of {first} {name}",
        f"{first} and the {adjective} {noun}",
        f"{name}'s {noun}",
        f"The {adjective} {noun} of {name}",
        f"A {noun} for {first}",
        f"{adjective} {name}",
        f"{first} {name}'s {adjective} {noun}",
    )
    return patterns[shape // 2 - 1]


def foreign_title(language: int, shared: int, part: int) -> str:
    """Return the original title in a language other than English."""
    tongue = vocabulary().languages[language]
    word = mixed(shared)
    nouns = tongue.title_nouns
    one = pick(word, 0, len(nouns))
    other = (one + 1 + pick(word, 1, len(nouns) - 1)) % len(nouns)
    title = tongue.title_pattern.format(nouns[one], nouns[other])
    if pick(word, 2, 3):
        title = f"{title}: {tongue.first_names[pick(word, 3, len(tongue.first_names))]}"
    return f"{title} {part + 1}" if part else title


def overview(story: Story, version: int) -> str:
    """Return one to three sentences; each version opens with another sentence."""
    theme = story.theme
    word = mixed(story.plot ^ 0x0E)
    more = mixed(word)
    role = theme.roles[pick(mixed(story.shared), 0, len(theme.roles))]
    hero, friend = character_name(story.shared, 0), character_name(story.shared, 1)
    place, place2 = _two(theme.places, word, 0)
    quest, quest2 = _two(theme.quests, word, 1)
    trouble, trouble2 = _two(theme.troubles, word, 2)
    article = "an" if role[0] in "aeio" else "a"
    sentences = [OPENINGS[(pick(word, 3, len(OPENINGS)) + version) % len(OPENINGS)]]
    length = pick(more, 0, 10)
    if length > 1:
        sentences.append(TURNS[(pick(more, 1, len(TURNS)) + version) % len(TURNS)])
    if length > 5:  # noqa: PLR2004
        sentences.append(CLOSINGS[pick(more, 2, len(CLOSINGS))])
    return " ".join(sentences).format(
        hero=hero,
        hero_first=hero.split(" ", 1)[0],
        friend=friend,
        friend_first=friend.split(" ", 1)[0],
        role=role,
        a_role=f"{article} {role}",
        Role=role[0].upper() + role[1:],
        place=place,
        place2=place2,
        quest=quest,
        quest2=quest2,
        trouble=trouble,
        trouble2=trouble2,
    )


def _two(choices: tuple[str, ...], word: int, index: int) -> tuple[str, str]:
    one = pick(word, index, len(choices))
    return choices[one], choices[(one + 1 + pick(word, 3, len(choices) - 1)) % len(choices)]


def tagline(story: Story) -> str:
    """Return a tagline, or an empty text for half of the films."""
    word = mixed(story.plot ^ 0x7A)
    if pick(word, 0, 2):
        return ""
    noun = story.theme.nouns[pick(word, 1, len(story.theme.nouns))].lower()
    adjective = story.theme.adjectives[pick(word, 2, len(story.theme.adjectives))].lower()
    return f"Every {noun} has its {adjective} side."


def theme_keywords(story: Story) -> tuple[str, ...]:
    """Return three to seven of the theme's keywords, in no particular order; a franchise shares the first."""
    words = story.theme.keywords
    start = pick(mixed(story.shared), 3, len(words))
    size = 3 + pick(mixed(story.plot ^ 0x6B), 0, 5)
    step = 3 if len(words) % 3 else 1
    return tuple(words[(start + step * turn) % len(words)] for turn in range(min(size, len(words))))


def extra_keywords(base: Sequence[str], plot: int, additions: int) -> tuple[str, ...]:
    """Return the latest keywords that viewers added to a film; each addition changes the list.

    Films take them in orders of their own, so that two films hardly share any.
    """
    spare = [word for word in vocabulary().extra_keywords if word not in base]
    start = pick(mixed(plot ^ 0xE5), 0, len(spare))
    step = STEPS[pick(mixed(plot ^ 0xE5), 1, len(STEPS))]
    count = min(additions, MAX_EXTRA_KEYWORDS)
    return tuple(spare[(start + (additions - 1 - turn) * step) % len(spare)] for turn in range(count))


def versions(revision: int, touched: int, plot: int) -> tuple[int, int]:
    """Return the version of the overview and the number of added keywords after so many revisions."""
    if touched == KEYWORDS_ONLY:
        return 0, revision
    if touched == OVERVIEW_ONLY:
        return revision, 0
    turn = revision + plot % 2
    return turn // 2, (turn + 1) // 2


def texts(story: Story, revision: int) -> tuple[str, tuple[str, ...]]:
    """Return overview and keywords after so many revisions. About 1 % have no overview, 7 % no keywords."""
    fate = pick(mixed(story.plot ^ 0x3C), 0, 100)
    touched = BOTH
    if fate < 1:
        touched = KEYWORDS_ONLY
    elif fate < 8:  # noqa: PLR2004
        touched = OVERVIEW_ONLY
    version, additions = versions(revision, touched, story.plot)
    text = "" if touched == KEYWORDS_ONLY else overview(story, version)
    if touched == OVERVIEW_ONLY:
        return text, ()
    base = theme_keywords(story)
    return text, base + extra_keywords(base, story.plot, additions)
