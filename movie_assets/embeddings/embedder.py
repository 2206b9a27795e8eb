"""Texts to vectors: what an embedder is, the local, keyless one, and which one the settings name.

The client of OpenAI-compatible services is in `openai_embedder`. Which texts are embedded and where vectors go is for
the assets; what may be stored, for `embeddings.vectors`.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import httpx
import numpy as np

from movie_assets.catalog.embedding_text import TEMPLATE
from movie_assets.config.prices import Price, price_of
from movie_assets.config.settings import Settings
from movie_assets.embeddings.hashing import hashed_vectors, words_of
from movie_assets.embeddings.tokenizer import counter_for
from movie_assets.embeddings.tokens import USUAL_BYTES_PER_TOKEN, ByteCounter, TokenCounter
from movie_assets.embeddings.vectors import Matrix

if TYPE_CHECKING:
    from movie_assets.embeddings.openai_batches import OpenAiBatches

LOCAL_MODEL = "hashing-v1"
OPENAI_MODEL = "text-embedding-3-small"
OPENAI_HOST = "api.openai.com"
LIKE_A_KEY = re.compile(r"(?=.*\d)[\w.~%=+-]{20,}|sk-.*")
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
class RejectedInput:
    """A text without a vector, by its position, and why."""

    position: int
    reason: str
    problem: str


@dataclass(frozen=True)
class Part:
    """What one answer brought: unit vectors of the texts at `positions`, and what it cost, vectors or not.

    `reservation` is the reservation that was made for it; it is to be given back when the cost is recorded. Of the
    texts at
    the positions `cut` only the beginning was sent. `model` is the name that answered, if the service gives one.
    """

    positions: tuple[int, ...]
    vectors: Matrix
    tokens: int
    dollars: float
    culprits: tuple[RejectedInput, ...] = ()
    reservation: int | None = None
    text_bytes: int = 0  # of the texts that were charged
    cut: tuple[int, ...] = ()
    model: str | None = None


class BudgetAccount(Protocol):
    """Holds the money: whoever sends a request reserves what it may cost at most."""

    def reserve(self, tokens: int, dollars: float) -> int | None:
        """A ticket, or None when the budget does not hold so much."""

    def release(self, reservation: int) -> None:
        """Give a ticket back that nothing was charged for."""

    def is_empty(self) -> str:
        """A sentence that names the budget, what was spent and what to do."""


class UnlimitedBudget:
    """No budget."""

    def reserve(self, tokens: int, dollars: float) -> int | None:  # noqa: ARG002
        """Let every request pass."""
        return 0

    def release(self, reservation: int) -> None:
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

    def stream(
        self, texts: Sequence[str], budget: BudgetAccount, bytes_per_token: float = USUAL_BYTES_PER_TOKEN
    ) -> Iterator[Part]:
        """Embed many texts, part by part, in no particular order; a text is in one part at most.

        `bytes_per_token` is what a token has been so far: a service that does not tell its usage is booked by it.
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

    def stream(
        self,
        texts: Sequence[str],
        budget: BudgetAccount,  # noqa: ARG002  # it costs nothing
        bytes_per_token: float = USUAL_BYTES_PER_TOKEN,  # noqa: ARG002  # nor is anything booked
    ) -> Iterator[Part]:
        """Embed texts chunk by chunk, in their order."""
        for start in range(0, len(texts), LOCAL_CHUNK):
            chunk = texts[start : start + LOCAL_CHUNK]
            embedded = self.embed(chunk)
            yield Part(tuple(range(start, start + len(chunk))), embedded.vectors, embedded.tokens, 0.0)


def no_vectors(dimensions: int) -> Matrix:
    """An empty matrix of a width."""
    return np.zeros((0, dimensions), np.float32)


def openai_provider(base_url: str) -> str:
    """Return `openai`, or `openai@host:port/path` for a service that speaks like it.

    Its model of the same name is another one, and so is that of its neighbour at another port or path. HTTPS's own
    port and slashes at the end are left out. User, password, query and fragment never get in, and what could be a key
    in the path is replaced by a digest.
    """
    url = httpx.URL(base_url)
    host = f"[{url.host}]" if ":" in url.host else url.host.rstrip(".")
    port = url.port or (80 if url.scheme == "http" else None)
    if host == OPENAI_HOST and url.scheme == "https" and port in (None, 443):
        return "openai"
    names = [_without_secret(name) for name in url.path.split("/") if name]
    return "/".join([f"openai@{host}" if port in (None, 443) else f"openai@{host}:{port}", *names])


def former_provider(provider: str) -> str:
    """Return what `openai_provider` called a service when a name had the host only."""
    kind, at, address = provider.partition("@")
    host = address.partition("/")[0]
    host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return f"{kind}{at}{host}"


def set_key(embedder: "Embedder") -> dict[str, str | int]:
    """Return what names an embedder's set, as the queries `ensure_set` and `find_set` take it."""
    return {
        "provider": embedder.provider,
        "former_provider": former_provider(embedder.provider),
        "model": embedder.model,
        "dimensions": embedder.dimensions,
        "template": TEMPLATE,
    }


def _without_secret(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:8] if LIKE_A_KEY.fullmatch(name) else name


def embedder_for(settings: Settings, provider: str, model: str | None, dimensions: int) -> Embedder:
    """The embedder of a provider; also for a set that was made with other settings than today's."""
    if provider == "local":
        return LocalEmbedder(model or LOCAL_MODEL, dimensions)
    if settings.openai_api_key is None:
        raise EmbedderError(
            "vectors come from openai and OPENAI_API_KEY is not set; set it, or embed with the local embedder: "
            "MOVIE_ASSETS_EMBEDDER=local movie-assets refresh"
        )
    from movie_assets.embeddings.openai_embedder import OpenAiEmbedder  # noqa: PLC0415  # takes half a second

    name = model or OPENAI_MODEL
    embedder = OpenAiEmbedder(
        name, dimensions, settings.openai_api_key, settings.openai_base_url,
        price=price_of(name, settings.dollars_per_million_tokens), counter=counter_for(name, settings.tiktoken_cache),
        texts_per_request=settings.embedding_texts_per_request,
    )  # fmt: skip
    if provider not in ("openai", embedder.provider, former_provider(embedder.provider)):
        raise EmbedderError(
            f"the catalogue was embedded by {provider}; point OPENAI_BASE_URL there, or refresh with the service that "
            "it names now"
        )
    return embedder


def embedder_from(settings: Settings) -> Embedder:
    """The embedder that the settings name."""
    return embedder_for(settings, settings.embedder_in_use, settings.embedding_model, settings.embedding_dimensions)
