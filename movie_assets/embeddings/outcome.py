"""Records what a run of `movie_embeddings` met for its set, however the run ends; health is judged by it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from movie_assets.embeddings.store import EmbeddingStore, Text


@dataclass
class Outcome:
    """What a run met with its texts; `problem` is the message of the service or budget that ended it early."""

    store: EmbeddingStore
    texts: Sequence[Text]
    problem: str | None = None

    def record(self) -> None:
        """Store the outcome of the set; a run that met nothing leaves that of the run before."""
        totals = self.store.totals
        self.store.database.execute(
            "record_embedding_outcome", set_id=self.store.set_id, run_id=self.store.run_id,
            text_hashes=[text.text_hash for text in self.texts], embedded=totals.texts, refused=totals.rejected,
            problem=self.problem or totals.last_refusal, models=totals.models, as_of=self.store.as_of,
        )  # fmt: skip


@contextmanager
def recorded(outcome: Outcome, warn: Callable[[str], None]) -> Iterator[None]:
    """Record an outcome when the work ends, with a result or with an error; the error is raised again.

    An error of the database, and a signal that stops the run, say nothing about the service: they are no problem of
    the outcome.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, Exception) and not isinstance(error, sa.exc.SQLAlchemyError):
            outcome.problem = f"{type(error).__name__}: {error}"
        try:
            outcome.record()
        except sa.exc.DBAPIError:
            warn("what the run met at the embeddings service could not be recorded; health shows the run before")
        raise
    outcome.record()
