"""The records of bulk jobs in `pipeline.embedding_batches`, and the texts that each of them claims.

A job is recorded with its texts before anything is sent (`plan`). From then on no run sends these texts, until they
are collected or the job has ended. A recorded job is sent at once or, while the service's queue has no room, later.
"""

import uuid
from collections.abc import Sequence
from typing import NamedTuple

import sqlalchemy as sa

from movie_assets.database.database import execute, fetch_value
from movie_assets.embeddings.embedder import Embedder
from movie_assets.embeddings.openai_bulk import JobState
from movie_assets.embeddings.store import BulkJob, EmbeddingStore, Text


class JobText(NamedTuple):
    """A text of a bulk job that was not collected, with the movies that have it now, if any."""

    text_hash: str
    embedding_text: str | None
    title_ids: list[int]
    batches: list[int]


class TextInFlight(NamedTuple):
    """A text that is in a bulk job."""

    text_hash: str


class JobFiles(NamedTuple):
    """The files of a bulk job at the service that are not needed any more."""

    bulk_id: int
    files: list[str]


class Queue(NamedTuple):
    """The tokens and jobs that wait at the service, and the limit of tokens if a refusal has shown one."""

    token_limit: int | None
    tokens: int
    jobs: int


class FruitlessRuns(NamedTuple):
    """The number of a day's last runs whose jobs brought no vector, and what the service reported."""

    runs: int
    problem: str | None


class BulkJobs:
    """The bulk jobs of an embedder's service, as one run sees and changes them."""

    def __init__(self, embedder: Embedder, store: EmbeddingStore) -> None:
        self._embedder, self._store, self._database = embedder, store, store.database

    def open(self) -> Sequence[BulkJob]:
        """Return the jobs that were not collected to their end, of any set."""
        return self._database.fetch(BulkJob, "bulk_jobs_in_flight", provider=self._embedder.provider)

    def claimed(self) -> set[str]:
        """Return the hashes of this set's texts that are in bulk jobs."""
        rows = self._database.fetch(TextInFlight, "texts_in_flight", set_id=self._store.set_id)
        return {row.text_hash for row in rows}

    def texts_of(self, bulk_id: int) -> dict[str, Text]:
        """Return the texts of a job by their hash; texts without a movie, too, as they are charged all the same."""
        return {
            row.text_hash: Text(
                row.text_hash, row.embedding_text or "", tuple(zip(row.title_ids, row.batches, strict=True))
            )
            for row in self._database.fetch(JobText, "bulk_job_texts", bulk_id=bulk_id)
        }

    def queue(self) -> Queue:
        """Return what waits at the service for the embedder's model."""
        embedder = self._embedder
        return self._database.fetch_one(Queue, "bulk_queue", provider=embedder.provider, model=embedder.model)

    def fruitless_runs(self) -> FruitlessRuns:
        """Return the runs of the last day whose jobs brought no vector after the last job that did."""
        return self._database.fetch_one(
            FruitlessRuns, "fruitless_bulk_runs", set_id=self._store.set_id, as_of=self._store.as_of
        )

    def plan(self, text_hashes: Sequence[str], tokens: int, reservation_id: int | None) -> tuple[int, str]:
        """Record a job with its texts, which claims them; return its number and its token."""
        token = uuid.uuid4().hex

        def work(connection: sa.Connection) -> int:
            bulk_id = fetch_value(
                connection, int, "insert_bulk_job", token=token, set_id=self._store.set_id, run_id=self._store.run_id,
                reservation_id=reservation_id, texts=len(text_hashes), tokens=tokens, as_of=self._store.as_of,
            )  # fmt: skip
            execute(connection, "insert_bulk_job_texts", bulk_id=bulk_id, text_hashes=text_hashes)
            return bulk_id

        return self._database.once(work), token

    def begin(self, job: BulkJob, texts: int, tokens: int, reservation_id: int | None) -> None:
        """Record that this run sends a job that was recorded before, and that its cost is this run's."""

        def work(connection: sa.Connection) -> None:
            _release(connection, job.reservation_id)
            execute(
                connection, "begin_bulk_job", bulk_id=job.bulk_id, run_id=self._store.run_id, texts=texts,
                tokens=tokens, reservation_id=reservation_id, as_of=self._store.as_of,
            )  # fmt: skip

        self._database.once(work)

    def drop_texts_without_movie(self, bulk_id: int) -> None:
        """Take the texts that no movie has any more out of a job that was not sent."""
        self._database.execute("delete_bulk_job_texts_without_movie", bulk_id=bulk_id)

    def record_file(self, bulk_id: int, file_id: str) -> None:
        """Record the file that was uploaded for a job."""
        self._database.execute("record_bulk_job_file", bulk_id=bulk_id, input_file_id=file_id)

    def record_state(self, bulk_id: int, state: JobState) -> None:
        """Record the state of a job at the service, and the files that it has there."""
        self._database.execute(
            "record_bulk_job_state", bulk_id=bulk_id, service_id=state.service_id, service_status=state.status,
            done=state.done, failed=state.failed, problem=state.problem or None, files=list(state.files),
        )  # fmt: skip

    def defer(self, job: BulkJob, limit: int | None = None, problem: str | None = None) -> None:
        """Let a job wait that was not created at the service; a later run sends it under a new token."""

        def work(connection: sa.Connection) -> None:
            _release(connection, job.reservation_id)
            execute(
                connection, "defer_bulk_job", bulk_id=job.bulk_id, token=uuid.uuid4().hex, queue_limit=limit,
                problem=problem,
            )  # fmt: skip

        self._database.once(work)

    def end(self, bulk_id: int, reservation_id: int | None, status: str, problem: str | None = None) -> None:
        """Record that a job has ended; its texts without a result are due again."""

        def work(connection: sa.Connection) -> None:
            execute(connection, "end_bulk_job", bulk_id=bulk_id, service_status=status, problem=problem)
            execute(connection, "delete_bulk_job_texts", bulk_id=bulk_id)
            _release(connection, reservation_id)

        self._database.once(work)

    def unneeded_files(self) -> Sequence[JobFiles]:
        """Return the files at the service that no job needs any more."""
        return self._database.fetch(JobFiles, "bulk_job_files", provider=self._embedder.provider)

    def record_files_left(self, bulk_id: int, files: Sequence[str]) -> None:
        """Record the files of a job that are still at the service."""
        self._database.execute("record_bulk_job_files", bulk_id=bulk_id, files=list(files))


def _release(connection: sa.Connection, reservation_id: int | None) -> None:
    if reservation_id is not None:
        execute(connection, "release_reservation", reservation_id=reservation_id)
