"""The texts of a run of `movie_embeddings` that have no result yet, and embedding them at once."""

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from movie_assets.embeddings.embedder import Embedder
from movie_assets.embeddings.outcome import Outcome
from movie_assets.embeddings.spending import DatabaseBudget
from movie_assets.embeddings.store import EmbeddingStore, Text
from movie_assets.runs.batch_runs import BatchRun


@dataclass
class EmbeddingRun:
    """The texts of a run, and in `remaining` those without a result yet, by their hash."""

    embedder: Embedder
    budget: DatabaseBudget
    store: EmbeddingStore
    batches: BatchRun
    texts: Sequence[Text]
    bytes_per_token: float
    log: Callable[[str], None]

    def __post_init__(self) -> None:
        """Begin with all texts remaining."""
        self.remaining = {text.text_hash: text for text in self.texts}
        self.outcome = Outcome(self.store, self.texts)

    def done(self, text_hashes: Iterable[str]) -> None:
        """Count texts of a bulk job as done; texts of other runs' films are ignored."""
        ours = [self.remaining.pop(each) for each in text_hashes if each in self.remaining]
        self.batches.advance(batch for text in ours for _, batch in text.films)

    def fail(self, texts: Iterable[Text], problem: str) -> None:
        """Record a problem of the service or the budget, and fail the batches of the texts."""
        for text in texts:
            self.outcome.problem = problem
            for _, batch in text.films:
                self.batches.fail(batch, problem)

    def embed_at_once(self, texts: Sequence[Text]) -> None:
        """Store each result chunk as it arrives, while the next requests are in flight."""
        movies_by_batch = Counter(batch for text in self.texts for _, batch in text.films)
        for chunk in self.embedder.stream([text.text for text in texts], self.budget, self.bytes_per_token):
            done = self.store.store(chunk, texts)
            for batch, problem in self.store.batches_with_too_many_rejects(movies_by_batch).items():
                self.batches.fail(batch, problem)
            self.batches.advance(done)
