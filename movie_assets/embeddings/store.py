"""Stores what an embedder answers: vectors, their cost, and the texts that got none, an answer a transaction.

Which texts are asked for is decided in `movie_embeddings`.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import sqlalchemy as sa

from movie_assets.database.database import Database, copy_rows, execute, rows
from movie_assets.embeddings.embedder import Part
from movie_assets.runs.batch_runs import BatchContent, row_counts
from movie_assets.runs.run_log import log_work

COLUMNS = {"tmdb_id": "int8", "text_hash": "text", "embedding": "vector", "is_cut": "bool"}
MAX_REJECTS = 0.01  # share of a batch's films without a vector, beyond which the batch fails …
REJECTS_ALWAYS_BORNE = 5  # … but never for a handful


@dataclass(frozen=True)
class Text:
    """A text to embed and the films that have it: (tmdb_id, batch)."""

    text_hash: str
    text: str
    films: tuple[tuple[int, int], ...]


def texts_of(films: Iterable[sa.Row[Any]]) -> list[Text]:
    """Each text once, in the order of the films, with all films that have it."""
    holders: dict[str, list[sa.Row[Any]]] = {}
    for film in films:
        holders.setdefault(film.text_hash, []).append(film)
    return [
        Text(text_hash, having[0].embedding_text, tuple((film.tmdb_id, film.batch) for film in having))
        for text_hash, having in holders.items()
    ]


@dataclass
class Totals:
    """What a run embedded and what it cost."""

    texts: int = 0
    tokens: int = 0
    dollars: float = 0.0
    rejected: int = 0
    cut: int = 0  # texts of which only the beginning was embedded
    last_refusal: str | None = None  # message about the last text that was refused
    models: list[str] = field(default_factory=list)  # names that the service gave, each change of it


class EmbeddingStore:
    """Stores answers for one set, and counts."""

    def __init__(self, database: Database, set_id: int, as_of: datetime, run_id: str) -> None:
        self.database = database
        self.set_id = set_id
        self.as_of = as_of
        self.run_id = run_id
        self.totals = Totals()
        self.rejects: Counter[int] = Counter()  # films by batch

    def for_set(self, set_id: int) -> "EmbeddingStore":
        """A store for another set, which this run's totals leave out."""
        return EmbeddingStore(self.database, set_id, self.as_of, self.run_id)

    def keep(self, part: Part, texts: Sequence[Text], bulk: sa.Row[Any] | None = None) -> list[int]:
        """Store what came for texts in one transaction; tells the batch of each film that is done with.

        A film whose text moved meanwhile gets no vector: `store_embeddings` compares. What came of a batch at the
        service (`bulk`) leaves its list in the same transaction, and is charged to the run and the day that sent it.
        """
        payer = self if bulk is None else bulk

        def work(connection: sa.Connection) -> None:
            self._store(connection, part, texts)
            if part.tokens or part.positions:
                execute(
                    connection, "record_cost", set_id=self.set_id, run_id=payer.run_id, texts=len(part.positions),
                    tokens=part.tokens, dollars=part.dollars, as_of=payer.as_of, is_bulk=bulk is not None,
                    text_bytes=part.text_bytes,
                )  # fmt: skip
            if bulk is not None:
                hashes = [text.text_hash for text in texts]
                execute(connection, "collect_batch_texts", bulk_id=bulk.bulk_id, text_hashes=hashes)
                execute(connection, "lower_reservation", reservation_id=bulk.reservation_id, dollars=part.dollars)
            log_work(
                connection, self.run_id, "movie_embeddings", embedded=len(part.positions), tokens=part.tokens,
                dollars=part.dollars, failed=len(part.culprits),
            )  # fmt: skip
            if part.reservation:
                execute(connection, "release_reservation", reservation_id=part.reservation)

        self.database.once(work)
        return self.count(part, texts)

    def plan(self, batch_numbers: Iterable[int], due: int) -> None:
        """Count what a run has before it: films that it looked at, and those whose vector is of their text."""

        def work(connection: sa.Connection) -> None:
            (found,) = rows(connection, "work_at_hand", batches=sorted(batch_numbers))
            log_work(connection, self.run_id, "movie_embeddings", checked=found.films, skipped=found.films - due)

        self.database.once(work)

    def count(self, part: Part, texts: Sequence[Text]) -> list[int]:
        """Add an answer to the totals; tells the batch of each film that is done with."""
        self.totals.texts += len(part.positions)
        self.totals.tokens += part.tokens
        self.totals.dollars += part.dollars
        self.totals.cut += len(part.cut)
        if part.model and part.positions and self.totals.models[-1:] != [part.model]:
            self.totals.models.append(part.model)
        refused = [batch for rejected_input in part.culprits for _, batch in texts[rejected_input.position].films]
        self.totals.rejected += len(part.culprits)
        if part.culprits:
            self.totals.last_refusal = part.culprits[-1].problem
        self.rejects.update(refused)
        return [batch for position in part.positions for _, batch in texts[position].films] + refused

    def batches_beyond_bearing(self, films_by_batch: Counter[int]) -> dict[int, str]:
        """The batches of whose films too many got no vector, with a sentence."""
        return {
            batch: f"{rejects} or more of its {films_by_batch[batch]} texts got no vector; select * from "
            "pipeline.rejects where stage = 'movie_embeddings' tells why"
            for batch, rejects in self.rejects.items()
            if rejects > max(REJECTS_ALWAYS_BORNE, MAX_REJECTS * films_by_batch[batch])
        }

    def contents(self, batches: Collection[int]) -> dict[int, BatchContent]:
        """What finished batches hold; the set is part of their data versions."""
        found = self.database.rows("embedded_contents", set_id=self.set_id, batches=list(batches))
        return {
            row.batch: BatchContent(f"set-{self.set_id}-{row.content}", row_counts(row.films, row.total))
            for row in found
        }

    def _store(self, connection: sa.Connection, part: Part, texts: Sequence[Text]) -> None:
        """Vectors, and rejects for texts without one, in the caller's transaction."""
        stored, cut = [texts[position] for position in part.positions], set(part.cut)
        if stored:
            execute(connection, "stage_embeddings")
            copy_rows(
                connection, "incoming_embeddings", COLUMNS,
                ((tmdb_id, texts[position].text_hash, vector, position in cut)
                 for position, vector in zip(part.positions, part.vectors, strict=True)
                 for tmdb_id, _ in texts[position].films),
            )  # fmt: skip
            execute(connection, "store_embeddings", set_id=self.set_id, as_of=self.as_of)
            hashes = [text.text_hash for text in stored]
            execute(connection, "accept_texts", set_id=self.set_id, text_hashes=hashes)
        if part.culprits:
            refused = [(texts[rejected_input.position], rejected_input) for rejected_input in part.culprits]
            execute(
                connection, "refuse_texts", set_id=self.set_id, as_of=self.as_of,
                text_hashes=[text.text_hash for text, _ in refused], reasons=[c.reason for _, c in refused],
            )  # fmt: skip
            by_film = [(tmdb_id, text, rejected_input) for text, rejected_input in refused for tmdb_id, _ in text.films]
            execute(
                connection, "record_text_rejects", run_id=self.run_id, as_of=self.as_of,
                tmdb_ids=[tmdb_id for tmdb_id, _, _ in by_film], reasons=[c.reason for _, _, c in by_film],
                samples=[f"{c.problem[:200]} | {text.text}"[:500] for _, text, c in by_film],
            )  # fmt: skip
