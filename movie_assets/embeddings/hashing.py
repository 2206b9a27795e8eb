"""Feature hashing: unit vectors of texts without a key, a model file or a network.

A vector depends only on the text, the model and the number of dimensions, so vectors that were made on different days
or machines can be compared. The text of a film is composed by `catalog.embedding_text`. sql/search/hashed_vectors.sql
makes the same vectors.
"""

import math
import re
import unicodedata
import zlib
from collections import Counter
from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import numpy as np
import numpy.typing as npt

from movie_assets.embeddings.common_words import word_weight

# Letters and digits are separate words, so that the sequel "Alien³" shares a word with "Alien".
WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?|\d+")
SHORTEST_PLURAL = 3
BLOCK = 64  # texts whose vectors are summed at once, in double precision
MIXER = 1_640_531_527  # 2³² / φ², as in Fibonacci hashing; a digest times it fits SQL's bigint

# Function words do not distinguish films, and hashing has no corpus from which to learn their frequency.
STOP_WORDS = frozenset(WORD.findall(
    "a about after all also an and are as at be been before but by can down for from get gets had has "
    "have he her him his how if in into is it its itself just may more most must my new no not now of off "
    "on one only or other our out over own she so some such than that the their them then there they this "
    "those through to too two under until up was way we were what when where which while who whom whose "
    "why will with without you your directed starring genres keywords "
))  # fmt: skip


def words_of(text: str) -> list[str]:
    """Return the normalized words of a text: lower case, without accents, English plurals and function words."""
    plain = text.lower()
    if not plain.isascii():
        decomposed = unicodedata.normalize("NFKD", plain)
        plain = "".join(character for character in decomposed if not unicodedata.combining(character))
    words = (word.removesuffix("'s") for word in WORD.findall(plain))
    return [_singular(word) for word in words if word not in STOP_WORDS]


def _singular(word: str) -> str:
    return word[:-1] if len(word) > SHORTEST_PLURAL and word.endswith("s") and not word.endswith("ss") else word


def hashed_vectors(texts: Sequence[str], dimensions: int) -> npt.NDArray[np.float32]:
    """Return the vectors of texts by hashing-v1, an (n, dimensions) matrix of rows of length 1.

    Each word is mapped to one component with a sign (Weinberger et al. 2009, "Feature Hashing for Large Scale
    Multitask Learning") and weighs 1 + ln(its count).
    """
    vectors = np.zeros((len(texts), dimensions), dtype=np.float32)
    for row, text in zip(vectors, texts, strict=True):
        counts = Counter(words_of(text))
        for word, count in counts.items():
            digest = zlib.crc32(word.encode())
            sign = 1.0 if digest >> 31 else -1.0
            row[(digest & 0x7FFFFFFF) % dimensions] += sign * (1.0 + np.log(count))
    return _unit_rows(vectors)


def weighted_vectors(texts: Sequence[str], dimensions: int) -> npt.NDArray[np.float32]:
    """Return the vectors of texts by hashing-v2, an (n, dimensions) matrix of rows of length 1.

    A word weighs (1 + ln(its count)) · `word_weight`. It is mapped to two components: two rare words that share one
    component seldom share the other, so chance resemblances are weaker.
    """
    vectors = np.empty((len(texts), dimensions), dtype=np.float32)
    for start in range(0, len(texts), BLOCK):
        vectors[start : start + BLOCK] = _weighted_block(texts[start : start + BLOCK], dimensions)
    return vectors


def _weighted_block(texts: Sequence[str], dimensions: int) -> npt.NDArray[np.float32]:
    rows, places, parts = [], [], []
    for n, text in enumerate(texts):
        for word, count in Counter(words_of(text)).items():
            weight = 1.0 + math.log(count)
            for place, part in _components(word):
                rows.append(n)
                places.append(place % dimensions)
                parts.append(part * weight)
    vectors = np.zeros((len(texts), dimensions))
    np.add.at(vectors, (rows, places), parts)
    return _unit_rows(vectors)


@lru_cache(maxsize=30_000)
def _components(word: str) -> tuple[tuple[int, float], tuple[int, float]]:
    """Return the two components of a word, before the division by the dimensions, each with its weight and sign."""
    digest = zlib.crc32(word.encode())
    mixed = digest * MIXER
    weight = word_weight(word)
    return (
        (digest & 0x7FFFFFFF, weight if digest >> 31 else -weight),
        (mixed >> 15 & 0x7FFFFFFF, weight if mixed >> 46 & 1 else -weight),
    )


def _unit_rows(vectors: npt.NDArray[Any]) -> npt.NDArray[np.float32]:
    """Scale each row to length 1.

    A row of zeros becomes the first axis, because a zero vector has no cosine and pgvector leaves it out of its index.
    """
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    vectors[lengths[:, 0] == 0, 0] = lengths[lengths == 0] = 1.0
    vectors /= lengths
    return np.asarray(vectors, dtype=np.float32)
