"""The words of the made-up world: themes, names by language, companies, spare keywords.

The words are in `themes.jsonl` (one theme a line) and `names.json`; `stories` and `people` put them together.
"""

import json
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

from movie_assets.emulator.shapes import GENRES

THEMES_FILE = Path(__file__).with_name("themes.jsonl")
NAMES_FILE = Path(__file__).with_name("names.json")

GENRE_BITS = {name: 1 << index for index, name in enumerate(GENRES)}
GENRE_VARIANTS = 8


@dataclass(frozen=True)
class Theme:
    """The words of one kind of film."""

    name: str
    genre_variants: tuple[tuple[str, ...], ...]
    roles: tuple[str, ...]
    places: tuple[str, ...]
    quests: tuple[str, ...]
    troubles: tuple[str, ...]
    keywords: tuple[str, ...]
    nouns: tuple[str, ...]
    adjectives: tuple[str, ...]


@dataclass(frozen=True)
class Language:
    """A language of original release, with the names and titles that go with it."""

    code: str
    english_name: str
    name: str
    share: int
    countries: tuple[str, ...]
    first_names: tuple[str, ...]
    last_names: tuple[str, ...]
    title_nouns: tuple[str, ...]
    title_pattern: str


@dataclass(frozen=True)
class Vocabulary:
    """All words of the made-up world."""

    themes: tuple[Theme, ...]
    languages: tuple[Language, ...]
    character_first: tuple[str, ...]
    character_last: tuple[str, ...]
    extra_keywords: tuple[str, ...]
    companies: tuple[str, ...]


@lru_cache(maxsize=1)
def vocabulary() -> Vocabulary:
    """Return the words of the two files, which are read once."""
    names = json.loads(NAMES_FILE.read_text(encoding="utf-8"))
    themes = THEMES_FILE.read_text(encoding="utf-8").splitlines()
    return Vocabulary(
        themes=tuple(_theme(json.loads(line)) for line in themes),
        languages=tuple(_language(code, entry) for code, entry in names["languages"].items()),
        character_first=tuple(names["character_first"]),
        character_last=tuple(names["character_last"]),
        extra_keywords=tuple(names["extra_keywords"]),
        companies=tuple(names["companies"]),
    )


def _theme(entry: dict[str, Any]) -> Theme:
    words = {key: tuple(value) for key, value in entry.items() if key not in {"name", "genres"}}
    return Theme(name=entry["name"], genre_variants=_genre_variants(entry["genres"]), **words)


def _genre_variants(genres: list[str]) -> tuple[tuple[str, ...], ...]:
    """Return eight lists of genres for a theme's films: mostly all its genres, sometimes one, sometimes one more."""
    every, first = tuple(genres), (genres[0],)
    extra = next(name for name in ("Drama", "Thriller", "Comedy") if name not in genres)
    variants = (every, every, every, every, first, every[::-1], (*every, extra), (*first, extra))
    return variants[:GENRE_VARIANTS]


def _language(code: str, entry: dict[str, Any]) -> Language:
    return Language(
        code=code,
        english_name=entry["language"],
        name=entry["name"],
        share=entry["share"],
        countries=tuple(entry["countries"]),
        first_names=tuple(entry["first"]),
        last_names=tuple(entry["last"]),
        title_nouns=tuple(entry["nouns"]),
        title_pattern=entry["pattern"],
    )
