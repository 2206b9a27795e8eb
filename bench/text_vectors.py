"""Vectors that an embedder makes of film texts: the emulator's, or recorded ones and combinations of two of them.

Made-up clustered vectors are too easy for an index: what it misses with vectors of hashed words shows only here.
"""

import gzip
import json
import random
from collections.abc import Iterator, Sequence
from datetime import date
from itertools import islice
from pathlib import Path
from typing import NamedTuple

from made_up_vectors import Matrix

from movie_assets.catalog.eligibility import derive
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.emulator.moving_world import MovingWorld
from movie_assets.tmdb.json_values import UnusableResponseError, read_json

KEPT = 0.6  # share of each text's words in a combined one
QUESTION_WORDS = 6  # of each of two texts
DAY = date(2026, 11, 1)  # of the emulator's films
PARTS = ("credits", "keywords")  # of a film that its text has


class TextVectors(NamedTuple):
    """Vectors of films and of questions."""

    films: Matrix
    questions: Matrix


def recorded_texts(details: Path) -> list[str]:
    """Return the texts of recorded answers of /movie/{id}, a line each; answers that are no film are left out."""
    texts: dict[int, str] = {}
    with (gzip.open if details.suffix == ".gz" else open)(details, "rb") as lines:
        for line in lines:
            try:
                answer: object = read_json(line)
                if isinstance(answer, dict) and isinstance(answer.get("id"), int):
                    texts[answer["id"]] = derive(answer, answer["id"]).text
            except UnusableResponseError:
                continue
    return list(texts.values())


def film_texts(films: int, details: Path | None) -> Iterator[str]:
    """Yield the texts of so many films, the same ones each time.

    They are the emulator's, or with `details` the recorded ones, and then texts of the words of two of them.
    """
    if details is None:
        world = MovingWorld(films + films // 10, seed=1)  # some films exist on other days only
        bodies = ((tmdb_id, world.body(tmdb_id, DAY, PARTS)) for tmdb_id, _ in world.titles(DAY))
        yield from islice((derive(json.loads(body), tmdb_id).text for tmdb_id, body in bodies if body), films)
        return
    texts = recorded_texts(details)
    yield from texts[:films]
    chance = random.Random(1)  # noqa: S311
    for _ in range(films - len(texts)):
        yield " ".join(word for text in chance.sample(texts, 2) for word in text.split() if chance.random() < KEPT)


def question_texts(texts: Sequence[str], questions: int) -> list[str]:
    """Return so many questions, of six words from each of two of the texts."""
    chance = random.Random(2)  # noqa: S311
    return [
        " ".join(
            word
            for words in (text.split() for text in chance.sample(texts, 2))
            for word in chance.sample(words, min(QUESTION_WORDS, len(words)))
        )
        for _ in range(questions)
    ]


def text_vectors(details: Path | None, films: int, questions: int, model: str, dimensions: int) -> TextVectors:
    """Return vectors of so many films and questions, by a model of the local embedder."""
    texts = list(film_texts(films, details))
    embedder = LocalEmbedder(model, dimensions)
    return TextVectors(embedder.embed(texts).vectors, embedder.embed(question_texts(texts, questions)).vectors)
