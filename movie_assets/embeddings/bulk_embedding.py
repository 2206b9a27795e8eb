"""Embedding in bulk: jobs at the service are recorded so that no kill pays twice or loses results that were paid for.

The order of the steps ensures that: the intended job is committed with its texts, then the file is uploaded and its id
committed, then the job is created. A later run that finds an intended job asks the service for a job with its token.
No run sends a text that is in a job's list; it leaves the list in the transaction that stores its vector and cost.
"""

import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

import numpy as np
import sqlalchemy as sa

from movie_assets.database.database import Database, execute, fetch_value
from movie_assets.embeddings.embedder import Embedder, EmbedderError, RejectedInput, ResultChunk, no_vectors
from movie_assets.embeddings.openai_bulk import BYTES_PER_FILE, TEXTS_PER_JOB, BulkApi, JobState, TextResult
from movie_assets.embeddings.openai_request import Model
from movie_assets.embeddings.packing import packed
from movie_assets.embeddings.providers.openai import MODELS
from movie_assets.embeddings.refusals import Refusal
from movie_assets.embeddings.spending import DatabaseBudget
from movie_assets.embeddings.store import BulkJob, EmbeddingStore, Text
from movie_assets.embeddings.tokens import MAX_TOKENS_OF_A_TEXT, USUAL_BYTES_PER_TOKEN
from movie_assets.embeddings.vectors import CheckedVectors

CHUNK = 512  # vectors in one transaction
FAILS_THE_JOB = ("stop", "omit", "diagnose")  # a refusal of one text with such an action holds for all of the job
FIRST_POLL = 1.0  # seconds between two requests for a job's state, doubled each time …
LONGEST_POLL = 60.0  # … up to this


class JobText(NamedTuple):
    """A text of a bulk job that was not collected, with the movies that have it now, if any."""

    text_hash: str
    embedding_text: str | None
    tmdb_ids: list[int]
    batches: list[int]


class TextInFlight(NamedTuple):
    """A text that is in a bulk job."""

    text_hash: str


class BulkClient:
    """Sends bulk jobs and collects their results, for one run."""

    def __init__(
        self, embedder: Embedder, bulk_api: BulkApi, store: EmbeddingStore, budget: DatabaseBudget,
        log: Callable[[str], None], bytes_per_token: float = USUAL_BYTES_PER_TOKEN,
    ) -> None:  # fmt: skip
        self._bytes_per_token = bytes_per_token
        self._embedder, self._bulk_api, self._store, self._budget, self._log = embedder, bulk_api, store, budget, log
        self._database: Database = store.database

    def submit(self, texts: Sequence[Text]) -> str | None:
        """Send texts in as many jobs as they need; return the reason if not all of them were sent."""
        counter, price = self._embedder.counter, self._embedder.price
        marked = self._embedder.roles.applied([text.text for text in texts], "document")
        cut = [counter.cut(text, MAX_TOKENS_OF_A_TEXT) for text in marked]
        # A line has a hundred bytes of frame, and a character outside ASCII takes twelve as JSON escapes it.
        sizes = [300 + 6 * len(text.encode(errors="replace")) for text in cut]
        waiting = [tuple(pack) for pack in packed(sizes, TEXTS_PER_JOB, BYTES_PER_FILE)]
        if waiting and self._embedder.model not in MODELS:
            # Not a model of OpenAI: the probe learns which parameters the server accepts before a file has them.
            self._embedder.probe()
        while waiting:
            pack = waiting.pop(0)
            tokens = sum(counter.count(cut[n]) for n in pack)
            reservation = self._budget.reserve(tokens, price.of(tokens, in_bulk=True))
            if reservation is not None:
                self._send([(texts[n].text_hash, cut[n]) for n in pack], reservation)
            elif len(pack) > 1:
                waiting[:0] = [pack[: len(pack) // 2], pack[len(pack) // 2 :]]
            else:
                return self._budget.exhausted_message()
        return None

    def collect(self, *, seconds: float) -> Iterator[list[str]]:
        """Store the results of jobs in flight, and wait up to `seconds` for the jobs that have not ended.

        Yields hashes of texts of this set that got a vector or were rejected, one transaction at a time.
        """
        until, pause = time.monotonic() + seconds, FIRST_POLL
        while True:
            running = 0
            for job in self._database.fetch(BulkJob, "bulk_jobs_in_flight", provider=self._embedder.provider):
                state = self._state_of(job)
                if state is None:
                    continue
                if state.has_ended:
                    yield from self._collect_job(job, state)
                else:
                    running += 1
                    self._log(f"batch {job.bulk_id}: {state.status}, {state.done:,} of {job.texts:,} texts")
            wait = min(pause, until - time.monotonic())
            if not running or wait <= 0:
                return
            time.sleep(wait)
            pause = min(2 * pause, LONGEST_POLL)

    def in_flight(self) -> set[str]:
        """Return the hashes of this set's texts that are in bulk jobs."""
        rows = self._database.fetch(TextInFlight, "texts_in_flight", set_id=self._store.set_id)
        return {row.text_hash for row in rows}

    def _send(self, texts: Sequence[tuple[str, str]], reservation: int) -> None:
        token = uuid.uuid4().hex

        def intend(connection: sa.Connection) -> int:
            bulk_id = fetch_value(
                connection, int, "insert_bulk_job", token=token, set_id=self._store.set_id, run_id=self._store.run_id,
                reservation_id=reservation or None, texts=len(texts), as_of=self._store.as_of,
            )  # fmt: skip
            execute(connection, "insert_bulk_job_texts", bulk_id=bulk_id, text_hashes=[each for each, _ in texts])
            return bulk_id

        bulk_id = self._database.once(intend)
        file_id = self._bulk_api.upload(Model(self._embedder.model, self._embedder.dimensions), texts)
        self._database.execute("record_bulk_job_file", bulk_id=bulk_id, input_file_id=file_id)
        try:
            state = self._bulk_api.create(file_id, token)
        except EmbedderError:
            self._end(bulk_id, reservation or None, "refused", 0)
            raise
        if state is not None:
            self._record_state(bulk_id, state)
            self._log(f"batch {bulk_id}: {len(texts):,} texts sent to the service ({state.service_id})")

    def _state_of(self, job: BulkJob) -> JobState | None:
        """Return the state of a job at the service; None if it was never created, and its texts are due again."""
        if job.service_id is not None:
            state: JobState | None = self._bulk_api.state(job.service_id)
        elif job.input_file_id is not None:
            state = self._bulk_api.find_or_prevent(job.input_file_id, job.token)
        else:
            state = None  # the run was killed before it recorded the file's id, and a job is created only after that
        if state is None:
            self._end(job.bulk_id, job.reservation_id, "never made", 0)
        else:
            self._record_state(job.bulk_id, state)
        return state

    def _collect_job(self, job: BulkJob, state: JobState) -> Iterator[list[str]]:
        """Store the results of a job that has ended, then mark it as collected."""
        pending = self._texts_of(job)
        writer = _ResultWriter(self._store, self._embedder, job, self._bytes_per_token)
        chunk: dict[str, TextResult] = {}
        for result in self._bulk_api.results(state, Model(job.model, job.dimensions)):
            if result.text_hash not in pending or _is_due_again(result):
                continue
            if isinstance(result.outcome, Refusal) and result.outcome.action in FAILS_THE_JOB:
                self._end(job.bulk_id, job.reservation_id, state.status, writer.stored)
                raise EmbedderError(f"batch {job.bulk_id}: {result.outcome.problem}")
            chunk[result.text_hash] = result
            if len(chunk) == CHUNK:
                yield writer.store([pending.pop(each) for each in chunk], list(chunk.values()))
                chunk = {}
        if chunk:
            yield writer.store([pending.pop(each) for each in chunk], list(chunk.values()))
        self._end(job.bulk_id, job.reservation_id, state.status, writer.stored)
        due_again = f", {len(pending):,} are due again" if pending else ""
        problem = f" ({state.problem})" if state.problem else ""
        self._log(f"batch {job.bulk_id}: {state.status}, {writer.stored:,} vectors stored{due_again}{problem}")

    def _texts_of(self, job: BulkJob) -> dict[str, Text]:
        """Return the texts of a job by their hash; texts without a movie, too, as they are charged all the same."""
        return {
            row.text_hash: Text(
                row.text_hash, row.embedding_text or "", tuple(zip(row.tmdb_ids, row.batches, strict=True))
            )
            for row in self._database.fetch(JobText, "bulk_job_texts", bulk_id=job.bulk_id)
        }

    def _record_state(self, bulk_id: int, state: JobState) -> None:
        self._database.execute(
            "record_bulk_job_state", bulk_id=bulk_id, service_id=state.service_id, service_status=state.status
        )

    def _end(self, bulk_id: int, reservation_id: int | None, status: str, stored: int) -> None:
        def work(connection: sa.Connection) -> None:
            execute(connection, "end_bulk_job", bulk_id=bulk_id, service_status=status, stored=stored)
            execute(connection, "delete_bulk_job_texts", bulk_id=bulk_id)
            if reservation_id is not None:
                execute(connection, "release_reservation", reservation_id=reservation_id)

        self._database.once(work)


class _ResultWriter:
    """Stores the results of one job, in the job's set, and charges the day on which it was sent."""

    def __init__(self, store: EmbeddingStore, embedder: Embedder, job: BulkJob, bytes_per_token: float) -> None:
        self.stored = 0
        self._price, self._counter, self._bytes_per_token = embedder.price, embedder.counter, bytes_per_token
        self._job = job
        self._is_of_this_set = store.set_id == job.set_id
        self._store = store if self._is_of_this_set else store.for_set(job.set_id)

    def store(self, texts: Sequence[Text], results: Sequence[TextResult]) -> list[str]:
        """Store the results of texts; return the hashes of the texts if they are of the run's own set."""
        checked = {n: each.outcome.vectors for n, each in enumerate(results)
                   if isinstance(each.outcome, CheckedVectors)}  # fmt: skip
        good = tuple(n for n, vectors in checked.items() if len(vectors))
        rejected = tuple(RejectedInput(n, *_reason_of(each)) for n, each in enumerate(results) if n not in good)
        vectors = np.concatenate([no_vectors(self._job.dimensions), *(checked[n] for n in good)])
        tokens = sum(self._tokens_of(each, text.text) for each, text in zip(results, texts, strict=True))
        are_tokens_reported = all(each.tokens is not None for each in results)
        chunk = ResultChunk(
            good, vectors, tokens, self._price.of(tokens, in_bulk=True), rejected,
            # Later forecasts learn from bytes and tokens; estimated tokens would only confirm the estimate.
            text_bytes=sum(len(texts[n].text.encode(errors="replace")) for n in good) if are_tokens_reported else 0,
            cut=tuple(n for n in good if self._counter.cut(texts[n].text, MAX_TOKENS_OF_A_TEXT) != texts[n].text),
            model=next((each.model for each in results if each.model), None),
        )  # fmt: skip
        self._store.store(chunk, texts, self._job)
        self.stored += len(good)
        # A text has the same hash in every set, and may be due in the run's own set all the same.
        return [text.text_hash for text in texts] if self._is_of_this_set else []

    def _tokens_of(self, result: TextResult, text: str) -> int:
        return self._counter.estimate(text, self._bytes_per_token) if result.tokens is None else result.tokens


def _is_due_again(result: TextResult) -> bool:
    """Return whether the text is not to blame: the job expired, or the service failed."""
    return isinstance(result.outcome, Refusal) and result.outcome.action in ("retry", "pause")


def _reason_of(result: TextResult) -> tuple[str, str]:
    """Return the reason and the message of a result without a vector."""
    if isinstance(result.outcome, Refusal):
        return result.outcome.reason or "no_answer", result.outcome.problem
    reason = result.outcome.flawed[0]
    return reason, reason.replace("_", " ")
