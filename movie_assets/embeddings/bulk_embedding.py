"""Embedding in bulk: batches at the service, kept in a table so that no kill pays twice or loses what was paid for.

The order is what makes it so: the intent is committed with its texts, then the file goes up and its id is committed,
then the batch is asked for. Whoever finds an intent later asks the service for a batch with its token. While a text is
in a batch's list no run sends it; it leaves the list in the transaction that stores its vector and cost.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import sqlalchemy as sa

from movie_assets.config.prices import DOLLARS_PER_MILLION_TOKENS
from movie_assets.database.database import Database, execute, rows
from movie_assets.embeddings.embedder import Embedder, EmbedderError, Part, RejectedInput, no_vectors
from movie_assets.embeddings.openai_batches import BYTES_PER_FILE, TEXTS_PER_BATCH, Line, OpenAiBatches, State
from movie_assets.embeddings.openai_call import Model
from movie_assets.embeddings.packing import packed
from movie_assets.embeddings.refusals import Refusal
from movie_assets.embeddings.spending import DatabaseBudget
from movie_assets.embeddings.store import EmbeddingStore, Text, texts_of
from movie_assets.embeddings.tokens import MAX_TOKENS_OF_A_TEXT, USUAL_BYTES_PER_TOKEN
from movie_assets.embeddings.vectors import Sorted

CHUNK = 512  # vectors in one transaction
ENDING = ("stop", "omit", "suspect")  # what is wrong with one line is wrong with all of them
FIRST_POLL = 1.0  # seconds between two looks at a batch, doubled each time …
LONGEST_POLL = 60.0  # … up to this


class BulkClient:
    """Sends batches and collects them, for one run."""

    def __init__(
        self, embedder: Embedder, service: OpenAiBatches, store: EmbeddingStore, budget: DatabaseBudget,
        say: Callable[[str], None], bytes_per_token: float = USUAL_BYTES_PER_TOKEN,
    ) -> None:  # fmt: skip
        self._bytes_per_token = bytes_per_token
        self._embedder, self._service, self._store, self._budget, self._say = embedder, service, store, budget, say
        self._database: Database = store.database

    def submit(self, texts: Sequence[Text]) -> str | None:
        """Send texts in as many batches as they need; tells why not all of them were sent, if so."""
        counter, price = self._embedder.counter, self._embedder.price
        cut = [counter.cut(text.text, MAX_TOKENS_OF_A_TEXT) for text in texts]
        # A line has a hundred bytes of frame, and a character outside ASCII takes twelve as JSON escapes it.
        sizes = [300 + 6 * len(text.encode(errors="replace")) for text in cut]
        waiting = [tuple(pack) for pack in packed(sizes, TEXTS_PER_BATCH, BYTES_PER_FILE)]
        if waiting and self._embedder.model not in DOLLARS_PER_MILLION_TOKENS:
            # A model that is not OpenAI's: which parameters its server takes is learned before a file has them.
            self._embedder.answer()
        while waiting:
            pack = waiting.pop(0)
            tokens = sum(counter.count(cut[n]) for n in pack)
            reservation = self._budget.reserve(tokens, price.of(tokens, in_bulk=True))
            if reservation is not None:
                self._send([(texts[n].text_hash, cut[n]) for n in pack], reservation)
            elif len(pack) > 1:
                waiting[:0] = [pack[: len(pack) // 2], pack[len(pack) // 2 :]]
            else:
                return self._budget.is_empty()
        return None

    def collect(self, *, seconds: float) -> Iterator[list[str]]:
        """Store what came of batches in flight, waiting so long for those that have not ended.

        Yields hashes of texts that have a vector or were refused, a transaction at a time.
        """
        until, pause = time.monotonic() + seconds, FIRST_POLL
        while True:
            in_flight = self._database.rows("batches_in_flight", provider=self._embedder.provider)
            running = 0
            for batch in in_flight:
                state = self._state_of(batch)
                if state is None:
                    continue
                if state.has_ended:
                    yield from self._collected(batch, state)
                else:
                    running += 1
                    self._say(f"batch {batch.bulk_id}: {state.status}, {state.done:,} of {batch.texts:,} texts")
            wait = min(pause, until - time.monotonic())
            if not running or wait <= 0:
                return
            time.sleep(wait)
            pause = min(2 * pause, LONGEST_POLL)

    def in_flight(self) -> set[str]:
        """Hashes of texts of this set that are in batches."""
        return {row.text_hash for row in self._database.rows("texts_in_flight", set_id=self._store.set_id)}

    def _send(self, texts: Sequence[tuple[str, str]], reservation: int) -> None:
        token = uuid.uuid4().hex

        def intend(connection: sa.Connection) -> sa.Row[Any]:
            (made,) = rows(
                connection, "intend_batch", token=token, set_id=self._store.set_id, run_id=self._store.run_id,
                reservation_id=reservation or None, texts=len(texts), as_of=self._store.as_of,
            )  # fmt: skip
            execute(connection, "list_batch_texts", bulk_id=made.bulk_id, text_hashes=[each for each, _ in texts])
            return made

        made = self._database.once(intend)
        file_id = self._service.upload(Model(self._embedder.model, self._embedder.dimensions), texts)
        self._database.execute("note_batch_file", bulk_id=made.bulk_id, input_file_id=file_id)
        try:
            state = self._service.create(file_id, token)
        except EmbedderError:
            self._end(made.bulk_id, reservation or None, "refused", 0)
            raise
        if state is not None:
            self._note(made.bulk_id, state)
            self._say(f"batch {made.bulk_id}: {len(texts):,} texts sent to the service ({state.service_id})")

    def _state_of(self, batch: sa.Row[Any]) -> State | None:
        """How far a batch is; one that the service never made is struck off, and its texts are due again."""
        if batch.service_id is not None:
            state = self._service.state(batch.service_id)
        elif batch.input_file_id is not None:
            found = self._service.find_or_prevent(batch.input_file_id, batch.token)
            if found is None:
                self._end(batch.bulk_id, batch.reservation_id, "never made", 0)
                return None
            state = found
        else:
            # Killed before the file's id was noted: the batch is asked for only after that.
            self._end(batch.bulk_id, batch.reservation_id, "never made", 0)
            return None
        self._note(batch.bulk_id, state)
        return state

    def _collected(self, batch: sa.Row[Any], state: State) -> Iterator[list[str]]:
        """Store the lines of a batch that has ended, then strike it off."""
        films = self._database.rows("batch_texts", bulk_id=batch.bulk_id)
        # A text that no film has any more is paid for all the same.
        orphans = [Text(row.text_hash, "", ()) for row in films if row.tmdb_id is None]
        pending = {text.text_hash: text for text in [*texts_of(r for r in films if r.tmdb_id is not None), *orphans]}
        keeper = _Keeper(self._store, self._embedder, batch, self._bytes_per_token)
        chunk: dict[str, Line] = {}
        for line in self._service.lines(state, Model(batch.model, batch.dimensions)):
            if line.text_hash not in pending or _is_due_again(line):
                continue
            if isinstance(line.outcome, Refusal) and line.outcome.action in ENDING:
                self._end(batch.bulk_id, batch.reservation_id, state.status, keeper.stored)
                raise EmbedderError(f"batch {batch.bulk_id}: {line.outcome.problem}")
            chunk[line.text_hash] = line
            if len(chunk) == CHUNK:
                yield keeper.keep([pending.pop(each) for each in chunk], list(chunk.values()))
                chunk = {}
        if chunk:
            yield keeper.keep([pending.pop(each) for each in chunk], list(chunk.values()))
        self._end(batch.bulk_id, batch.reservation_id, state.status, keeper.stored)
        why = f", {len(pending):,} are due again" if pending else ""
        self._say(
            f"batch {batch.bulk_id}: {state.status}, {keeper.stored:,} vectors stored{why}"
            f"{f' ({state.problem})' if state.problem else ''}"
        )

    def _note(self, bulk_id: int, state: State) -> None:
        self._database.execute(
            "note_batch_state", bulk_id=bulk_id, service_id=state.service_id, service_status=state.status
        )

    def _end(self, bulk_id: int, reservation_id: int | None, status: str, stored: int) -> None:
        def work(connection: sa.Connection) -> None:
            execute(connection, "end_batch", bulk_id=bulk_id, service_status=status, stored=stored)
            execute(connection, "strike_off_batch_texts", bulk_id=bulk_id)
            if reservation_id is not None:
                execute(connection, "release_reservation", reservation_id=reservation_id)

        self._database.once(work)


class _Keeper:
    """Stores the lines of one batch: its set may be another than today's, its cost belongs to the day it was sent."""

    def __init__(self, store: EmbeddingStore, embedder: Embedder, batch: sa.Row[Any], bytes_per_token: float) -> None:
        self.stored = 0
        self._price, self._counter, self._bytes_per_token = embedder.price, embedder.counter, bytes_per_token
        self._batch = batch
        self._is_of_this_set = store.set_id == batch.set_id
        self._store = store if self._is_of_this_set else store.for_set(batch.set_id)

    def keep(self, texts: Sequence[Text], lines: Sequence[Line]) -> list[str]:
        """Store a chunk; tells the hashes that are done with in the run's own set."""
        found = {n: line.outcome.vectors for n, line in enumerate(lines) if isinstance(line.outcome, Sorted)}
        good = tuple(n for n, vectors in found.items() if len(vectors))
        culprits = tuple(RejectedInput(n, *_why(line)) for n, line in enumerate(lines) if n not in good)
        vectors = np.concatenate([no_vectors(self._batch.dimensions), *(found[n] for n in good)])
        tokens = sum(self._tokens_of(line, text.text) for line, text in zip(lines, texts, strict=True))
        is_told = all(line.tokens is not None for line in lines)
        part = Part(
            good, vectors, tokens, self._price.of(tokens, in_bulk=True), culprits,
            # Bytes beside tokens that were estimated would teach later estimates nothing but themselves.
            text_bytes=sum(len(texts[n].text.encode(errors="replace")) for n in good) if is_told else 0,
            cut=tuple(n for n in good if self._counter.cut(texts[n].text, MAX_TOKENS_OF_A_TEXT) != texts[n].text),
            model=next((line.model for line in lines if line.model), None),
        )  # fmt: skip
        self._store.keep(part, texts, self._batch)
        self.stored += len(good)
        # The same text has the same hash in every set.
        return [text.text_hash for text in texts] if self._is_of_this_set else []

    def _tokens_of(self, line: Line, text: str) -> int:
        return self._counter.estimate(text, self._bytes_per_token) if line.tokens is None else line.tokens


def _is_due_again(line: Line) -> bool:
    """Whether nothing is wrong with the text: the batch expired, or the service failed."""
    return isinstance(line.outcome, Refusal) and line.outcome.action in ("again", "pause")


def _why(line: Line) -> tuple[str, str]:
    if isinstance(line.outcome, Refusal):
        return line.outcome.reason or "no_answer", line.outcome.problem
    reason = line.outcome.flawed[0]
    return reason, reason.replace("_", " ")
