"""The pre-flight of a paid run: one small request shows whether the service works, what it takes and how fast it is.

With it the log has the run's texts, tokens, dollars and minutes before anything else is spent. The vectors of the
request are not stored: it may have fewer texts than the run's, cut ones, or a single word, and it costs at most
`SAMPLE` texts of a run of more than `TEXTS_PER_REQUEST`.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from movie_assets.config.embedding_limits import IN_FLIGHT, TEXTS_PER_REQUEST
from movie_assets.embeddings.cost_forecast import Forecast
from movie_assets.embeddings.embedder import (
    WORD,
    Embedder,
    EmbedderError,
    ProbeResult,
    ResultChunk,
    ServiceBusyError,
    no_vectors,
)
from movie_assets.embeddings.spending import DatabaseBudget
from movie_assets.embeddings.store import EmbeddingStore, Text

SAMPLE = 8  # texts of the request; few servers take fewer
MAX_BYTES = 1500  # of a text of the sample; hardly any model's context is shorter


@dataclass(frozen=True)
class Preflight:
    """The forecast of a run and what one request showed of the service.

    `refusal` is the service's refusal, which another request would meet as well; `busy` is why it made no vectors now.
    """

    expected: Forecast
    shown: ProbeResult = field(default_factory=ProbeResult)
    refusal: str | None = None
    busy: str | None = None

    @property
    def minutes(self) -> tuple[float, float] | None:
        """Return the least and the most minutes that the run takes; None when the request showed no speed.

        The least: requests of the usual size take as long as this one, several at once. The most: the service embeds
        one text after another at the speed of this request. Limits of the account bound both.
        """
        shown, texts = self.shown, self.expected.amount.texts
        if not shown.texts:
            return None
        requests = -(-texts // TEXTS_PER_REQUEST)
        bounds = [requests * shown.seconds / IN_FLIGHT / 60]
        if shown.tokens_per_minute:
            bounds.append(self.expected.tokens / shown.tokens_per_minute - 1)  # the first minute's are there at once
        if shown.requests_per_minute:
            bounds.append(requests / shown.requests_per_minute - 1)
        least = max(bounds)
        return least, max(least, texts * shown.seconds / shown.texts / 60)

    @property
    def message(self) -> str:
        """Return what the run costs and what the service showed, for its log."""
        expected, shown = self.expected, self.shown
        dollars = "an unknown price" if expected.dollars is None else f"${expected.dollars:,.4f}"
        parts = [f"{expected.amount.texts:,} texts, about {expected.tokens:,} tokens, {dollars}"]
        if self.minutes is not None:
            least, most = (max(1, round(minutes)) for minutes in self.minutes)
            parts.append(f"about {least:,} min" if least == most else f"{least:,} to {most:,} min")
        message = ", ".join(parts)
        facts = [
            *([f"answers as {shown.model}"] if shown.model else []),
            *([f"takes no {' and no '.join(shown.left_out)}"] if shown.left_out else []),
            *([f"allows {shown.tokens_per_minute:,} tokens a minute"] if shown.tokens_per_minute else []),
            *([f"makes no vectors now: {self.busy}"] if self.busy else []),
            *([f"refused: {self.refusal}"] if self.refusal else []),
        ]
        return f"pre-flight: {message}" + (f"; the service {', '.join(facts)}" if facts else "")

    @property
    def metadata(self) -> dict[str, float | str]:
        """Return what the request showed, for the metadata of the check of the budgets."""
        minutes, shown = self.minutes, self.shown
        return {
            **({"minutes_at_least": minutes[0], "minutes_at_most": minutes[1]} if minutes else {}),
            **({"answered_by": shown.model} if shown.model else {}),
            **({"left_out": ", ".join(shown.left_out)} if shown.left_out else {}),
            **({"tokens_per_minute": shown.tokens_per_minute} if shown.tokens_per_minute else {}),
            **({"refusal": self.refusal} if self.refusal else {}),
            **({"busy": self.busy} if self.busy else {}),
        }


def is_worth_a_preflight(embedder: Embedder, texts: int) -> bool:
    """Return whether a run is sent to a service that may cost something, in more than one request.

    The first request of a smaller run shows the same.
    """
    return embedder.price.per_million_tokens != 0 and texts > TEXTS_PER_REQUEST


def sample_of(texts: Sequence[str]) -> list[str]:
    """Return the first few short texts, or one word if all are long."""
    short = [text for text in texts if text.strip() and len(text.encode(errors="replace")) <= MAX_BYTES]
    return short[:SAMPLE] or [WORD]


def preflight(embedder: Embedder, sample: Sequence[str], expected: Forecast) -> Preflight:
    """Send one request with a sample of the texts, the vectors of which are not stored."""
    try:
        return Preflight(expected, embedder.probe(sample))
    except ServiceBusyError as error:
        return Preflight(expected, busy=str(error))
    except EmbedderError as error:
        return Preflight(expected, refusal=str(error))


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


def require_no_refusal(flight: Preflight | None) -> None:
    """Raise EmbedderError with the service's sentence if the pre-flight was refused."""
    if flight is not None and flight.refusal is not None:
        raise EmbedderError(flight.refusal)
