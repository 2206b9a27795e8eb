"""Embeds the texts of a comparison, records what they cost, and measures an index of their vectors."""

import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa

from movie_assets.database.database import Database, copy_rows, execute, fetch
from movie_assets.embeddings.embedder import Embedder, ResultChunk
from movie_assets.embeddings.roles import Role
from movie_assets.embeddings.spending import DatabaseBudget
from movie_assets.embeddings.vectors import Matrix
from movie_assets.search.relevance import mean_and_error, recall_of_similarities

SEARCHES = 100
VECTOR_COLUMNS = {"place": "int4", "embedding": "vector"}


class ComparedSearch(NamedTuple):
    """A search for the ten nearest vectors: their similarities by an index, and by comparing all."""

    approximate: list[float]
    exact: list[float]


@dataclass
class CostAccount:
    """The budget of a comparison, and what its cost is recorded with: no embedding set, so that none looks paid for.

    `tokens` and `dollars` are those of one model, `texts` got a vector.
    """

    database: Database
    budget: DatabaseBudget
    run_id: str
    as_of: datetime
    texts: int = 0
    tokens: int = 0
    dollars: float = 0.0

    def record(self, chunk: ResultChunk) -> None:
        """Record what a request cost, and release its reservation, in one transaction."""

        def work(connection: sa.Connection) -> None:
            if chunk.dollars:
                execute(
                    connection, "record_cost", set_id=None, run_id=self.run_id, texts=len(chunk.positions),
                    tokens=chunk.tokens, dollars=chunk.dollars, as_of=self.as_of, is_bulk=False,
                    text_bytes=chunk.text_bytes,
                )  # fmt: skip
            if chunk.reservation:
                execute(connection, "release_reservation", reservation_id=chunk.reservation)

        if chunk.dollars or chunk.reservation:
            self.database.once(work)
        self.texts += len(chunk.positions)
        self.tokens += chunk.tokens
        self.dollars += chunk.dollars


@dataclass
class EmbeddedTexts:
    """The vectors of some texts, (n, dimensions) with rows of zeros for rejected texts, their tokens and seconds."""

    vectors: Matrix
    tokens: int = 0
    seconds: float = 0.0

    @property
    def embedded(self) -> Matrix:
        """The vectors without those of rejected texts."""
        return self.vectors[self.vectors.any(axis=1)]

    @property
    def rejected(self) -> int:
        """The number of texts without a vector."""
        return len(self.vectors) - len(self.embedded)


def embed_texts(account: CostAccount, embedder: Embedder, texts: Sequence[str], role: Role) -> EmbeddedTexts:
    """Embed texts within the budget. Raises EmbedderError when the service or the budget ends this early."""
    result = EmbeddedTexts(np.zeros((len(texts), embedder.dimensions), np.float32))
    started = time.perf_counter()
    for chunk in embedder.stream(texts, account.budget, role=role):
        account.record(chunk)
        result.vectors[list(chunk.positions)] = chunk.vectors
        result.tokens += chunk.tokens
    result.seconds = time.perf_counter() - started
    return result


def index_recall(database: Database, vectors: Matrix) -> float | None:
    """Return recall@10 of an index over the vectors, built like that of the active set in a temporary table."""

    def work(connection: sa.Connection) -> list[ComparedSearch]:
        execute(connection, "stage_compared_vectors")
        copy_rows(connection, "compared_vectors", VECTOR_COLUMNS, enumerate(vectors))
        return fetch(connection, ComparedSearch, "search_compared_vectors", searches=SEARCHES)

    if not len(vectors):
        return None
    recalls = [recall_of_similarities(search.approximate, search.exact) for search in database.once(work)]
    return mean_and_error([recall for recall in recalls if recall is not None])[0]


def utf8_bytes(texts: Iterable[str]) -> int:
    """Return the size of texts."""
    return sum(len(text.encode(errors="replace")) for text in texts)
