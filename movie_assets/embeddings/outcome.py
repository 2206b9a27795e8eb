"""Records the outcome of a run of `movie_embeddings` for its set, however the run ends; health checks read it."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass

import sqlalchemy as sa

from movie_assets.embeddings.store import EmbeddingStore, Text


@dataclass
class Outcome:
    """The texts of a run, and in `problem` the message of the service or budget that ended it early."""

    store: EmbeddingStore
    texts: Sequence[Text]
    problem: str | None = None

    def record(self) -> None:
        """Store the outcome of the set; a run without any result leaves the outcome of the run before."""
        totals = self.store.totals
        self.store.database.execute(
            "record_embedding_outcome", set_id=self.store.set_id, run_id=self.store.run_id,
            text_hashes=[text.text_hash for text in self.texts], embedded=totals.texts, refused=totals.rejected,
            problem=self.problem or totals.last_refusal, models=totals.models, as_of=self.store.as_of,
        )  # fmt: skip


@contextmanager
def recorded(outcome: Outcome, warn: Callable[[str], None]) -> Iterator[None]:
    """Record an outcome when the block ends, with a result or with an error; the error is raised again.

    An error of the database, or a signal that stops the run, is not a problem of the service and is not recorded as
    one.
    """
    try:
        yield
    except BaseException as error:
        if isinstance(error, Exception) and not isinstance(error, sa.exc.SQLAlchemyError):
            outcome.problem = f"{type(error).__name__}: {error}"
        try:
            outcome.record()
        except sa.exc.DBAPIError:
            warn("the outcome of this run could not be recorded; health shows that of the run before")
        raise
    outcome.record()
