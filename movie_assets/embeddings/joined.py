"""Vectors of a model joined with those of words, so that a search compares meaning and words at once.

The vector of a text is the model's, scaled by √(1 - share), followed by that of hashing-v2, scaled by √share. The
cosine of two such vectors is the weighted sum of both cosines. Share and dimensions are part of the set's model name;
`catalog.joined_vector` makes the same vectors in SQL from a model's vector of a question.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from movie_assets.config.embedding_limits import MAX_WIDTH
from movie_assets.embeddings.embedder import (
    WORD,
    BudgetAccount,
    Embedded,
    Embedder,
    EmbedderError,
    ProbeResult,
    ResultChunk,
)
from movie_assets.embeddings.hashing import weighted_vectors
from movie_assets.embeddings.roles import Role
from movie_assets.embeddings.tokens import USUAL_BYTES_PER_TOKEN
from movie_assets.embeddings.vectors import Matrix

MIN_WORD_DIMENSIONS = 1000  # with fewer, different words share components too often
JOINED = re.compile(r"(?P<model>.+):(?P<dimensions>\d+)\+words:(?P<share>0\.\d+)")  # a set's model name


class JoinedEmbedder:
    """Joins the vectors of another embedder with those of words; as many dimensions as an index takes, 4,000 in all."""

    bulk_api = None  # results of bulk jobs come without their texts' words

    def __init__(self, inner: Embedder, share: float) -> None:
        if inner.dimensions > MAX_WIDTH - MIN_WORD_DIMENSIONS:
            raise EmbedderError(
                f"vectors of {inner.dimensions:,} dimensions leave too few for words; set "
                f"MOVIE_ASSETS_EMBEDDING_DIMENSIONS to {MAX_WIDTH - MIN_WORD_DIMENSIONS:,} or less, or unset "
                "MOVIE_ASSETS_EMBEDDING_JOIN_WORDS"
            )
        self._inner = inner
        self._share = float(f"{share:g}")  # as the name has it
        self.provider, self.price, self.counter, self.roles = inner.provider, inner.price, inner.counter, inner.roles
        self.model = f"{inner.model}:{inner.dimensions}+words:{share:g}"
        self.dimensions = MAX_WIDTH

    def embed(self, texts: Sequence[str], role: Role = "document") -> Embedded:
        """Embed a few texts at once. Raises EmbedderError when one of them gets no vector."""
        embedded = self._inner.embed(texts, role)
        return replace(embedded, vectors=self._joined(embedded.vectors, texts))

    def stream(
        self,
        texts: Sequence[str],
        budget: BudgetAccount,
        bytes_per_token: float = USUAL_BYTES_PER_TOKEN,
        role: Role = "document",
    ) -> Iterator[ResultChunk]:
        """Embed many texts, and yield the other embedder's result chunks with joined vectors."""
        for chunk in self._inner.stream(texts, budget, bytes_per_token, role):
            yield replace(chunk, vectors=self._joined(chunk.vectors, [texts[n] for n in chunk.positions]))

    def probe(self, texts: Sequence[str] = (WORD,), role: Role = "document") -> ProbeResult:
        """Probe the other embedder."""
        return self._inner.probe(texts, role)

    def _joined(self, vectors: Matrix, texts: Sequence[str]) -> Matrix:
        words = weighted_vectors(texts, self.dimensions - self._inner.dimensions)
        return np.hstack([np.sqrt(1 - self._share) * vectors, np.sqrt(self._share) * words]).astype(np.float32)
