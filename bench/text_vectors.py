"""Vectors that an embedder makes of film texts: recorded ones, and texts that combine the words of two recorded ones.

Made-up clustered vectors are too easy for an index: what it misses with vectors of hashed words shows only here.
"""

import gzip
import random
from pathlib import Path
from typing import NamedTuple

from made_up_vectors import Matrix

from movie_assets.catalog.eligibility import derive
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.tmdb.movies import UnusableResponseError, read_json

KEPT = 0.6  # share of each text's words in a combined one
QUESTION_WORDS = 6  # of each of two texts


class TextVectors(NamedTuple):
    """Vectors of films and of questions."""

    films: Matrix
    questions: Matrix


def texts_of(details: Path) -> list[str]:
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


def text_vectors(details: Path, films: int, questions: int, model: str, dimensions: int) -> TextVectors:
    """Return vectors of so many films and questions, by a model of the local embedder."""
    texts = texts_of(details)
    chance = random.Random(1)  # noqa: S311  # the same vectors each time
    made = texts[:films]
    while len(made) < films:
        words = [word for text in chance.sample(texts, 2) for word in text.split() if chance.random() < KEPT]
        made.append(" ".join(words))
    asked = [
        " ".join(word for text in chance.sample(texts, 2) for word in chance.sample(text.split(), QUESTION_WORDS))
        for _ in range(questions)
    ]
    embedder = LocalEmbedder(model, dimensions)
    return TextVectors(embedder.embed(made).vectors, embedder.embed(asked).vectors)
