"""Stores the results of an embedder: vectors, their cost, and rejected texts, one transaction for each result chunk.

Which texts are embedded is decided in `movie_embeddings`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import NamedTuple, Protocol

import sqlalchemy as sa

from movie_assets.database.database import Database, copy_rows, execute, fetch_value
from movie_assets.embeddings.embedder import ResultChunk
from movie_assets.runs.batch_runs import BatchContent, row_counts
from movie_assets.runs.run_log import log_work

COLUMNS = {"title_id": "int8", "text_hash": "text", "embedding": "vector", "is_cut": "bool"}
MAX_REJECTED_SHARE = 0.01  # of a batch's films without a vector; beyond it the batch fails …
MAX_REJECTED_ALWAYS_ACCEPTED = 5  # … unless there are no more than these


class MovieText(Protocol):
    """A movie with its text, as several queries return it."""

    @property
    def title_id(self) -> int:
        """Return the movie's id."""

    @property
    def batch(self) -> int:
        """Return the number of the movie's batch."""

    @property
    def text_hash(self) -> str:
        """Return the hash of the text and its template."""

    @property
    def embedding_text(self) -> str:
        """Return the text that is embedded."""


class DueMovie(NamedTuple):
    """A movie whose text has no current vector, or whose text is embedded again (`is_forced`)."""

    title_id: int
    batch: int
    text_hash: str
    embedding_text: str
    is_in_flight: bool
    is_forced: bool


class EmbeddedContent(NamedTuple):
    """The movies of a batch that have a vector, a hash of their texts, and the number of movies in the whole set."""

    batch: int
    films: int
    content: str
    total: int


class BulkJob(NamedTuple):
    """A job of the service's Batch API that was not collected to its end, with the model of its set."""

    bulk_id: int
    token: str
    set_id: int
    run_id: str
    reservation_id: int | None
    texts: int
    tokens: int
    as_of: datetime
    input_file_id: str | None
    service_id: str | None
    model: str
    dimensions: int


@dataclass(frozen=True)
class Text:
    """A text to embed and the movies that have it: (title_id, batch)."""

    text_hash: str
    text: str
    films: tuple[tuple[int, int], ...]


def texts_of(movies: Iterable[MovieText]) -> list[Text]:
    """Return each distinct text once, in the order of the movies, with all movies that have it."""
    movies_by_hash: dict[str, list[MovieText]] = {}
    for movie in movies:
        movies_by_hash.setdefault(movie.text_hash, []).append(movie)
    return [
        Text(text_hash, having[0].embedding_text, tuple((movie.title_id, movie.batch) for movie in having))
        for text_hash, having in movies_by_hash.items()
    ]


@dataclass
class Totals:
    """What a run embedded and what it cost."""

    texts: int = 0
    tokens: int = 0
    dollars: float = 0.0
    rejected: int = 0
    cut: int = 0  # texts of which only the beginning was embedded
    last_refusal: str | None = None  # message about the last text that was rejected
    models: list[str] = field(default_factory=list)  # names that the service returned, one for each change
    sent_in_bulk: int = 0  # texts of the bulk jobs that the run sent
    left_by_bulk: set[str] = field(default_factory=set)  # hashes of texts without a result in the jobs collected
    left_at_full_price: int = 0  # those of them that the run embedded at once


class EmbeddingStore:
    """Stores results for one set, and adds up the totals of a run."""

    def __init__(self, database: Database, set_id: int, as_of: datetime, run_id: str) -> None:
        self.database = database
        self.set_id = set_id
        self.as_of = as_of
        self.run_id = run_id
        self.totals = Totals()
        self.rejected_movies: Counter[int] = Counter()  # by batch

    def for_set(self, set_id: int) -> "EmbeddingStore":
        """Return a store for another set, whose results do not count in the totals of this one."""
        return EmbeddingStore(self.database, set_id, self.as_of, self.run_id)

    def store(self, chunk: ResultChunk, texts: Sequence[Text], job: BulkJob | None = None) -> list[int]:
        """Store a result chunk in one transaction, and return the batch of each movie that is done.

        A movie whose text changed meanwhile gets no vector: the query `store_embeddings` compares the hashes. Texts of
        a bulk job leave its list in the same transaction, and are charged to the run and the day that sent the job.
        """

        def work(connection: sa.Connection) -> None:
            self._store_vectors(connection, chunk, texts)
            self._store_rejected(connection, chunk, texts)
            self._record_cost(connection, chunk, texts, job)
            log_work(
                connection, self.run_id, "movie_embeddings", embedded=len(chunk.positions), tokens=chunk.tokens,
                dollars=chunk.dollars, failed=len(chunk.rejected),
            )  # fmt: skip
            if chunk.reservation:
                execute(connection, "release_reservation", reservation_id=chunk.reservation)

        self.database.once(work)
        return self.count(chunk, texts)

    def plan(self, batch_numbers: Iterable[int], due: int) -> None:
        """Log how many movies the batches of a run have, and how many of them are not due."""

        def work(connection: sa.Connection) -> None:
            movies = fetch_value(connection, int, "count_movies_of_batches", batches=sorted(batch_numbers))
            log_work(connection, self.run_id, "movie_embeddings", checked=movies, skipped=movies - due)

        self.database.once(work)

    def count(self, chunk: ResultChunk, texts: Sequence[Text]) -> list[int]:
        """Add a result chunk to the totals, and return the batch of each movie that is done."""
        self.totals.texts += len(chunk.positions)
        self.totals.tokens += chunk.tokens
        self.totals.dollars += chunk.dollars
        self.totals.cut += len(chunk.cut)
        if chunk.model and chunk.positions and self.totals.models[-1:] != [chunk.model]:
            self.totals.models.append(chunk.model)
        rejected = [batch for text in chunk.rejected for _, batch in texts[text.position].films]
        self.totals.rejected += len(chunk.rejected)
        if chunk.rejected:
            self.totals.last_refusal = chunk.rejected[-1].problem
        self.rejected_movies.update(rejected)
        return [batch for position in chunk.positions for _, batch in texts[position].films] + rejected

    def batches_with_too_many_rejects(self, movies_by_batch: Counter[int]) -> dict[int, str]:
        """Return the batches in which too many movies got no vector, each with a message."""
        return {
            batch: f"{rejected} or more of its {movies_by_batch[batch]} texts got no vector; for the reasons: select * "
            "from pipeline.rejects where stage = 'movie_embeddings'"
            for batch, rejected in self.rejected_movies.items()
            if rejected > max(MAX_REJECTED_ALWAYS_ACCEPTED, MAX_REJECTED_SHARE * movies_by_batch[batch])
        }

    def contents(self, batches: Collection[int]) -> dict[int, BatchContent]:
        """Return the contents of finished batches; the set is part of their data versions."""
        rows = self.database.fetch(
            EmbeddedContent, "embedded_contents", set_id=self.set_id, batches=list(batches)
        )  # fmt: skip
        return {
            row.batch: BatchContent(f"set-{self.set_id}-{row.content}", row_counts(row.films, row.total))
            for row in rows
        }

    def _store_vectors(self, connection: sa.Connection, chunk: ResultChunk, texts: Sequence[Text]) -> None:
        if not chunk.positions:
            return
        cut = set(chunk.cut)
        execute(connection, "stage_embeddings")
        copy_rows(
            connection, "incoming_embeddings", COLUMNS,
            ((title_id, texts[position].text_hash, vector, position in cut)
             for position, vector in zip(chunk.positions, chunk.vectors, strict=True)
             for title_id, _ in texts[position].films),
        )  # fmt: skip
        execute(connection, "store_embeddings", set_id=self.set_id, as_of=self.as_of)
        hashes = [texts[position].text_hash for position in chunk.positions]
        execute(connection, "accept_texts", set_id=self.set_id, text_hashes=hashes)

    def _store_rejected(self, connection: sa.Connection, chunk: ResultChunk, texts: Sequence[Text]) -> None:
        if not chunk.rejected:
            return
        rejected = [(texts[rejected.position], rejected) for rejected in chunk.rejected]
        execute(
            connection, "refuse_texts", set_id=self.set_id, as_of=self.as_of,
            text_hashes=[text.text_hash for text, _ in rejected], reasons=[why.reason for _, why in rejected],
        )  # fmt: skip
        by_movie = [(title_id, text, why) for text, why in rejected for title_id, _ in text.films]
        execute(
            connection, "record_text_rejects", run_id=self.run_id, as_of=self.as_of,
            title_ids=[title_id for title_id, _, _ in by_movie], reasons=[why.reason for _, _, why in by_movie],
            samples=[f"{why.problem[:200]} | {text.text}"[:500] for _, text, why in by_movie],
        )  # fmt: skip

    def _record_cost(
        self, connection: sa.Connection, chunk: ResultChunk, texts: Sequence[Text], job: BulkJob | None
    ) -> None:
        payer = job or self
        if chunk.tokens or chunk.positions:
            execute(
                connection, "record_cost", set_id=self.set_id, run_id=payer.run_id, texts=len(chunk.positions),
                tokens=chunk.tokens, dollars=chunk.dollars, as_of=payer.as_of, is_bulk=job is not None,
                text_bytes=chunk.text_bytes,
            )  # fmt: skip
        if job is not None:
            hashes = [text.text_hash for text in texts]
            vectors = len(chunk.positions)
            execute(connection, "collect_bulk_job_texts", bulk_id=job.bulk_id, text_hashes=hashes, vectors=vectors)
            execute(connection, "lower_reservation", reservation_id=job.reservation_id, dollars=chunk.dollars)
