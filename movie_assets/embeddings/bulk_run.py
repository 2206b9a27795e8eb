"""A run of `movie_embeddings` at a service with a Batch API: what it collects, sends in bulk, and embeds at once.

Texts are sent in bulk if the run's config says so, or if more texts of the set wait than MOVIE_ASSETS_BULK_ABOVE_TEXTS.
A run that the setting sends does not wait for its jobs: later runs collect them, which the sensor launches.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.embeddings.bulk_embedding import BulkClient
from movie_assets.embeddings.bulk_policy import goes_in_bulk
from movie_assets.embeddings.embedder import EmbedderError
from movie_assets.embeddings.embedding_run import EmbeddingRun
from movie_assets.embeddings.openai_bulk import BulkApi, NoBatchApiError
from movie_assets.embeddings.store import Text

SECONDS_FOR_LOCK = 120.0  # another run holds it only while it sends and collects
FIRST_POLL = 1.0  # seconds between two requests for a job's state, doubled each time …
LONGEST_POLL = 60.0  # … up to this
MAX_FRUITLESS_RUNS = 2  # in a row, within a day; then the setting sends no further jobs
BUSY = "another run is busy with batches at the service; run again when it has ended"


@dataclass(frozen=True)
class BulkChoice:
    """Whether a run sends its texts in bulk: `by_config`, or by the setting if enough texts wait."""

    by_config: bool
    seconds: float
    settings: Settings

    @property
    def may_send(self) -> bool:
        """Return whether the run may send jobs at all."""
        return self.by_config or self.settings.bulk_above_texts > 0

    def is_bulk(self, run: EmbeddingRun, texts: int) -> bool:
        """Return whether texts go in bulk, of which the run has some and the whole set perhaps more."""
        return self.by_config or goes_in_bulk(run.embedder, run.store, self.settings, texts)


def embed_with_bulk(run: EmbeddingRun, bulk_api: BulkApi, choice: BulkChoice) -> None:
    """Collect the results of bulk jobs, then embed the other texts, at once or in bulk."""
    client = BulkClient(run.embedder, bulk_api, run.store, run.budget, run.log, run.bytes_per_token)
    is_bulk = choice.is_bulk(run, len(_unclaimed(run, client)))
    with _bulk_lock(run.store.database, SECONDS_FOR_LOCK if is_bulk else 0) as locked:
        if locked:
            with _files_deleted(client):
                _collect(run, client, may_send=choice.may_send)
                is_bulk = choice.may_send and _send(run, client, choice)
    texts = _unclaimed(run, client)
    if not is_bulk:
        _embed_the_rest_at_once(run, texts, choice.settings)
    elif not locked and texts:
        # This is not recorded as a problem of the outcome, as the service has nothing to do with it.
        run.batches.fail_unfinished(BUSY)
    elif choice.by_config:
        _wait(run, client, choice.seconds)
    if claimed := client.jobs.claimed():
        run.log(f"{len(claimed):,} texts are in batches at the service; a later run collects them")


def _collect(run: EmbeddingRun, client: BulkClient, *, may_send: bool) -> None:
    for text_hashes in client.collect(may_send=may_send):
        run.done(text_hashes)


def _unclaimed(run: EmbeddingRun, client: BulkClient) -> list[Text]:
    """Return the texts of the run that have no result and are in no bulk job."""
    claimed = client.jobs.claimed()
    return [text for text in run.remaining.values() if text.text_hash not in claimed]


def _send(run: EmbeddingRun, client: BulkClient, choice: BulkChoice) -> bool:
    """Send recorded jobs, and the other texts if they go in bulk; return whether they do.

    A service without a Batch API gets its texts at once, unless the run's config demands bulk.
    """
    try:
        client.resume()
        texts = _unclaimed(run, client)
        if not choice.is_bulk(run, len(texts)):
            return False
        if problem := _fruitless(client, choice) or client.submit(texts):
            run.fail(_unclaimed(run, client), problem)
    except NoBatchApiError as error:
        if choice.by_config:
            raise
        run.log(f"{error}; texts are embedded at once, at the full price")
        return False
    return True


def _fruitless(client: BulkClient, choice: BulkChoice) -> str | None:
    """Return why the setting sends no further jobs now: those of the last runs brought no vector."""
    fruitless = client.jobs.fruitless_runs()
    if choice.by_config or fruitless.runs < MAX_FRUITLESS_RUNS:
        return None
    return (
        f"the batches of the last {fruitless.runs} runs brought no vector ({fruitless.problem}), so no other is sent "
        "for a day; correct the cause and launch embed_in_bulk, or set MOVIE_ASSETS_BULK_ABOVE_TEXTS=0"
    )


def _embed_the_rest_at_once(run: EmbeddingRun, texts: Sequence[Text], settings: Settings) -> None:
    totals = run.store.totals
    left = totals.left_by_bulk & {text.text_hash for text in texts}
    totals.left_at_full_price = len(left)
    if left and settings.bulk_above_texts:
        run.log(
            f"{len(left):,} texts that batches left are embedded at once, at the full price, as no more than "
            f"MOVIE_ASSETS_BULK_ABOVE_TEXTS={settings.bulk_above_texts} texts wait"
        )
    elif left:
        run.log(f"{len(left):,} texts that batches left are embedded at once, at the full price")
    run.embed_at_once(texts)


def _wait(run: EmbeddingRun, client: BulkClient, seconds: float) -> None:
    """Collect the results of bulk jobs for so long; a text that a job left fails its batch and stays due."""
    until, pause = time.monotonic() + seconds, FIRST_POLL
    problem = run.outcome.problem
    while client.jobs.open():
        with _bulk_lock(run.store.database, SECONDS_FOR_LOCK) as locked:
            if locked:
                with _files_deleted(client):
                    _collect(run, client, may_send=True)
                    problem = client.resume() or problem
        wait = min(pause, until - time.monotonic())
        if not client.running or wait <= 0:
            break
        time.sleep(wait)
        pause = min(2 * pause, LONGEST_POLL)
    run.fail(_unclaimed(run, client), problem or "the service ended a batch without all of its texts; run again")


@contextmanager
def _files_deleted(client: BulkClient) -> Iterator[None]:
    """Delete the files that no job needs after the block, also when the service ends it early."""
    try:
        yield
    except EmbedderError:
        client.delete_files()
        raise
    client.delete_files()


@contextmanager
def _bulk_lock(database: Database, seconds: float) -> Iterator[bool]:
    """Hold the lock on bulk jobs, and yield whether it could be had within so many seconds.

    Two runs must not collect the same job, or mistake a job that the other is just sending for a dead run's.
    """
    until = time.monotonic() + seconds
    while True:
        with database.batch_locks([0], "embedding_batches") as locked:
            if locked or time.monotonic() >= until:
                yield bool(locked)
                return
        time.sleep(1)
