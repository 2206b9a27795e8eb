"""Texts to vectors: what an embedder is, the local, keyless one, and which one the settings name.

The client of OpenAI-compatible services is in `openai_embedder`. Which texts are embedded and where vectors go is for
the assets; what may be stored, for `core.vectors`.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import httpx
import numpy as np

from movie_assets.core.hashing import hashed_vectors, words_of
from movie_assets.core.prices import Price, price_of
from movie_assets.core.tokens import ByteCounter, TokenCounter
from movie_assets.core.vectors import Matrix
from movie_assets.resources.tokenizer import counter_for
from movie_assets.settings import Settings

if TYPE_CHECKING:
    from movie_assets.resources.openai_batches import OpenAiBatches

LOCAL_MODEL = "hashing-v1"
OPENAI_MODEL = "text-embedding-3-small"
OPENAI_HOST = "api.openai.com"
LOCAL_CHUNK = 512  # texts of one part


class EmbedderError(Exception):
    """No vectors can be had; the message says why and what to do."""


@dataclass(frozen=True)
class Embedded:
    """Unit vectors, (n, dimensions) in the order of the texts, and what they cost."""

    vectors: Matrix
    tokens: int
    dollars: float


@dataclass(frozen=True)
class Culprit:
    """A text without a vector, by its position, and why."""

    position: int
    reason: str
    problem: str


@dataclass(frozen=True)
class Part:
    """What one answer brought: unit vectors of the texts at `positions`, and what it cost, vectors or not.

    `ticket` is the reservation that was made for it; it is to be given back when the cost is recorded.
    """

    positions: tuple[int, ...]
    vectors: Matrix
    tokens: int
    dollars: float
    culprits: tuple[Culprit, ...] = ()
    ticket: int | None = None
    text_bytes: int = 0  # of the texts that were charged


class Purse(Protocol):
    """Holds the money: whoever sends a request reserves what it may cost at most."""

    def reserve(self, tokens: int, dollars: float) -> int | None:
        """A ticket, or None when the budget does not hold so much."""

    def release(self, ticket: int) -> None:
        """Give a ticket back that nothing was charged for."""

    def is_empty(self) -> str:
        """A sentence that names the budget, what was spent and what to do."""


class OpenPurse:
    """No budget."""

    def reserve(self, tokens: int, dollars: float) -> int | None:  # noqa: ARG002
        """Let every request pass."""
        return 0

    def release(self, ticket: int) -> None:
        """There is nothing to give back."""

    def is_empty(self) -> str:
        """It never is."""
        return ""


class Embedder(Protocol):
    """Makes vectors that compare with one another; provider, model and dimensions name them."""

    provider: str
    model: str
    dimensions: int
    price: Price
    counter: TokenCounter

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed a few texts at once. Raises EmbedderError when one of them gets no vector."""

    def stream(self, texts: Sequence[str], purse: Purse) -> Iterator[Part]:
        """Embed many texts, part by part, in no particular order; a text is in one part at most.

        Raises EmbedderError, after the parts that are paid for, when it cannot go on. The texts that then were in no
        part are as they were.
        """

    def answer(self) -> None:
        """Ask for one vector, once and within seconds. Raises EmbedderError when none comes."""

    @property
    def batches(self) -> "OpenAiBatches | None":
        """The service's way to embed in bulk, if it has one."""


class LocalEmbedder:
    """Feature hashing on this machine: no key, no download, no cost; "tokens" are words."""

    provider = "local"
    price = Price(0.0)
    counter: TokenCounter = ByteCounter()
    batches = None

    def __init__(self, model: str, dimensions: int) -> None:
        if model != LOCAL_MODEL:
            raise EmbedderError(f"the local embedder has one model, {LOCAL_MODEL}, not {model}")
        self.model = model
        self.dimensions = dimensions

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed texts; see core.hashing."""
        vectors = hashed_vectors(texts, self.dimensions)
        return Embedded(vectors, tokens=sum(len(words_of(text)) for text in texts), dollars=0.0)

    def answer(self) -> None:
        """It always does."""

    def stream(self, texts: Sequence[str], purse: Purse) -> Iterator[Part]:  # noqa: ARG002  # it costs nothing
        """Embed texts chunk by chunk, in their order."""
        for start in range(0, len(texts), LOCAL_CHUNK):
            chunk = texts[start : start + LOCAL_CHUNK]
            embedded = self.embed(chunk)
            yield Part(tuple(range(start, start + len(chunk))), embedded.vectors, embedded.tokens, 0.0)


def no_vectors(dimensions: int) -> Matrix:
    """An empty matrix of a width."""
    return np.zeros((0, dimensions), np.float32)


def openai_provider(base_url: str) -> str:
    """`openai`, or `openai@host` for a service that speaks like it: its model of the same name is another one."""
    host = httpx.URL(base_url).host
    return "openai" if host == OPENAI_HOST else f"openai@{host}"


def embedder_for(settings: Settings, provider: str, model: str | None, dimensions: int) -> Embedder:
    """The embedder of a provider; also for a set that was made with other settings than today's."""
    if provider == "local":
        return LocalEmbedder(model or LOCAL_MODEL, dimensions)
    if settings.openai_api_key is None:
        raise EmbedderError(
            "vectors come from openai and OPENAI_API_KEY is not set; set it, or embed with the local embedder: "
            "MOVIE_ASSETS_EMBEDDER=local movie-assets refresh"
        )
    from movie_assets.resources.openai_embedder import OpenAiEmbedder  # noqa: PLC0415  # takes half a second

    name = model or OPENAI_MODEL
    embedder = OpenAiEmbedder(
        name, dimensions, settings.openai_api_key, settings.openai_base_url,
        price=price_of(name, settings.dollars_per_million_tokens), counter=counter_for(name, settings.tiktoken_cache),
    )  # fmt: skip
    if provider not in ("openai", embedder.provider):
        raise EmbedderError(
            f"the catalogue was embedded by {provider}; point OPENAI_BASE_URL there, or refresh with the service that "
            "it names now"
        )
    return embedder


def embedder_from(settings: Settings) -> Embedder:
    """The embedder that the settings name."""
    return embedder_for(settings, settings.embedder_in_use, settings.embedding_model, settings.embedding_dimensions)
