"""Stores the results of a bulk job: vectors, rejected texts and the cost, in the job's own set."""

from collections.abc import Sequence

import numpy as np

from movie_assets.embeddings.embedder import Embedder, RejectedInput, ResultChunk, no_vectors
from movie_assets.embeddings.openai_bulk import TextResult
from movie_assets.embeddings.refusals import Refusal
from movie_assets.embeddings.store import BulkJob, EmbeddingStore, Text
from movie_assets.embeddings.tokens import MAX_TOKENS_OF_A_TEXT
from movie_assets.embeddings.vectors import CheckedVectors


class ResultWriter:
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
        good = tuple(checked)
        rejected = tuple(
            RejectedInput(n, each.outcome.reason or "no_answer", each.outcome.problem)
            for n, each in enumerate(results)
            if isinstance(each.outcome, Refusal)
        )
        vectors = np.concatenate([no_vectors(self._job.dimensions), *checked.values()])
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


def is_due_again(result: TextResult) -> bool:
    """Return whether the text is not to blame: the job expired, or the service failed."""
    return isinstance(result.outcome, Refusal) and result.outcome.action in ("retry", "pause")
