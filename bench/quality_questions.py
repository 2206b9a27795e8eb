"""The questions with which searches are measured, from files, or from the catalogue itself where no file is named."""

import json
import random
import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

from quality_catalogue import Catalogue
from text_search import with_a_slip

SEED = 27
SHORTEST_TITLE = 6  # letters of a title that gets a slip: with one slip, a shorter one may be another title
WELL_VOTED = 1000  # films with the most votes, whose titles get slips
LIKE = ("movies like {}", "something like {}", "films similar to {}")
SENTENCE = re.compile(r"(?<=[.!?])\s+")
SHORTEST_SENTENCE = 40  # characters


class Question(NamedTuple):
    """A question, and the films that answer it."""

    text: str
    films: frozenset[int]


@dataclass(frozen=True)
class Questions:
    """All questions of a measurement. `franchises` has for a film the others of its collection."""

    franchises: Mapping[int, frozenset[int]]
    plots: Sequence[Question]
    slips: Sequence[Question]
    like: Sequence[Question]
    like_other_titles: Sequence[Question]
    users: Sequence[Question]

    @property
    def texts(self) -> list[str]:
        """Every text once, in a fixed order."""
        return list(dict.fromkeys(q.text for asked in (self.plots, self.slips, self.like, self.users) for q in asked))


class Film(NamedTuple):
    """What questions are made of."""

    tmdb_id: int
    title: str
    year: int | None
    overview: str
    collection: str | None
    votes: int


def questions_for(
    catalogue: Catalogue, samples: int, plots: Path | None, collections: Path | None, users: Path | None
) -> Questions:
    """Make at most `samples` questions of a kind about the films in the catalogue, the same ones each time."""
    films = [
        Film(*row)
        for row in catalogue.rows(
            "select m.tmdb_id, m.title, m.release_year, coalesce(m.overview, ''), m.collection_id::text, "
            "coalesce(s.vote_count, 0) from catalog.movies m left join catalog.movie_stats s using (tmdb_id) order by 1"
        )
    ]
    chance = random.Random(SEED)  # noqa: S311  # repeatable, not secret
    franchises = sampled(franchises_of(films, collections), samples, chance)
    titles = {film.tmdb_id: film.title for film in films}
    like = [Question(LIKE[n % 3].format(titles[film]), others) for n, (film, others) in enumerate(franchises.items())]
    return Questions(
        franchises,
        list(plots_of_file(plots, titles) if plots else plots_of_overviews(films, samples, chance)),
        slips_of(films, samples, chance),
        like,
        [question for question in map(partial(without_shared_words, titles), like, franchises) if question.films],
        list(users_of_file(users, films)) if users else [],
    )


def franchises_of(films: Sequence[Film], path: Path | None) -> dict[int, frozenset[int]]:
    """Return the other films of each film's collection, by the file {id: collection}, else by the catalogue."""
    named = json.loads(path.read_text()) if path else {film.tmdb_id: film.collection for film in films}
    known, together = {film.tmdb_id for film in films}, defaultdict(set)
    for film, collection in named.items():
        if collection and int(film) in known:
            together[collection].add(int(film))
    groups = [group for group in together.values() if len(group) > 1]
    return {film: frozenset(group - {film}) for group in groups for film in sorted(group)}


def sampled(
    franchises: dict[int, frozenset[int]], samples: int, chance: random.Random
) -> dict[int, frozenset[int]]:  # fmt: skip
    """Return so many of the films, in the order of their ids."""
    films = sorted(franchises)
    return {film: franchises[film] for film in sorted(chance.sample(films, min(samples, len(films))))}


def without_shared_words(titles: Mapping[int, str], question: Question, film: int) -> Question:
    """Return a question of which only the films are right whose titles share no word with the film that it names."""
    named = words_of_title(titles[film])
    return Question(question.text, frozenset(o for o in question.films if not named & words_of_title(titles[o])))


def words_of_title(title: str) -> set[str]:
    """Return the words of three letters or more."""
    return set(re.findall(r"\w{3,}", title.casefold()))


def plots_of_file(path: Path, titles: Mapping[int, str]) -> Iterator[Question]:
    """Read lines {"tmdb_id": …, "question": …}; films that the catalogue does not have are left out."""
    for line in json_lines(path):
        if line["tmdb_id"] in titles:
            yield Question(line["question"], frozenset({line["tmdb_id"]}))


def plots_of_overviews(films: Iterable[Film], samples: int, chance: random.Random) -> Iterator[Question]:
    """Ask with the longest sentence of an overview, without the title's words. Easy: the film's text has it."""
    usable = [film for film in films if len(film.overview) >= SHORTEST_SENTENCE]
    for film in chance.sample(usable, min(samples, len(usable))):
        sentence = max(SENTENCE.split(film.overview), key=len)
        named = set(re.findall(r"\w+", film.title.lower()))
        words = [word for word in sentence.split() if not named & set(re.findall(r"\w+", word.lower()))]
        yield Question(" ".join(words), frozenset({film.tmdb_id}))


def slips_of(films: Iterable[Film], samples: int, chance: random.Random) -> list[Question]:
    """Misspell titles of films with many votes by one letter; every film of that title is right."""
    voted = sorted(films, key=lambda film: (-film.votes, film.tmdb_id))[:WELL_VOTED]
    by_title = defaultdict(set)
    for film in voted:
        by_title[film.title].add(film.tmdb_id)
    titles = [title for title in by_title if len(re.sub(r"\W", "", title)) >= SHORTEST_TITLE]
    questions = []
    for title in chance.sample(titles, min(samples, len(titles))):
        while (slip := with_a_slip(title, chance)).casefold() == title.casefold():
            pass
        questions.append(Question(slip, frozenset(by_title[title])))
    return questions


def users_of_file(path: Path, films: Sequence[Film]) -> Iterator[Question]:
    """Read lines {"query": …, "expected_title_regex": …}; those without a pattern or a matching film are left out."""
    for line in json_lines(path):
        if not line["expected_title_regex"]:
            continue
        pattern = re.compile(line["expected_title_regex"])
        right = {
            film.tmdb_id for film in films if pattern.search(f"{film.title} ({film.year}") or pattern.search(film.title)
        }
        if right:
            yield Question(line["query"], frozenset(right))


def json_lines(path: Path) -> Iterator[dict[str, Any]]:
    """Yield the objects of a file of JSON lines."""
    with path.open(encoding="utf-8") as lines:
        yield from (json.loads(line) for line in lines if line.strip())
