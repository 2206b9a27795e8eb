"""The pre-flight of a run of `movie_embeddings`: reserves, sends, records and reports its one request."""

from collections.abc import Callable, Sequence

from movie_assets.embeddings.cost_forecast import Forecast
from movie_assets.embeddings.embedder import Embedder, ResultChunk, no_vectors
from movie_assets.embeddings.preflight import Preflight, is_worth_a_preflight, preflight, sample_of
from movie_assets.embeddings.spending import DatabaseBudget
from movie_assets.embeddings.store import EmbeddingStore, Text


def preflight_of_run(
    embedder: Embedder,
    budget: DatabaseBudget,
    store: EmbeddingStore,
    texts: Sequence[Text],
    expected: Forecast,
    log: Callable[[str], None],
) -> Preflight | None:
    """Return what one request shows before a run that costs something and needs several; None for other runs.

    The request is charged to the run. There is none when a budget has no room for it, as the run then ends with its
    own sentence.
    """
    if not is_worth_a_preflight(embedder, len(texts)):
        return None
    if budget.budgets.are_set and embedder.price.per_million_tokens is None:
        return None
    sample = sample_of([text.text for text in texts])
    most = sum(map(embedder.counter.count, embedder.roles.applied(sample, "document")))
    reservation = budget.reserve(most, embedder.price.of(most))
    if reservation is None:
        return None
    flight = preflight(embedder, sample, expected)
    shown = flight.shown
    tokens = most if shown.tokens is None else shown.tokens
    if tokens:
        dollars = embedder.price.of(tokens)
        chunk = ResultChunk((), no_vectors(embedder.dimensions), tokens, dollars, (), reservation)
        store.store(chunk, ())
    else:
        budget.release(reservation)
    log(flight.message)
    return flight
