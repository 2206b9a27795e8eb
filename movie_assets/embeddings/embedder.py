"""The interface of embedders, the local embedder, and the choice of the embedder that the settings name.

The client of OpenAI-compatible services is in `openai_embedder`. The asset decides which texts are embedded;
`embeddings.vectors` decides which vectors may be stored.
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
    from movie_assets.embeddings.openai_bulk import BulkApi

LOCAL_MODEL = "hashing-v1"
OPENAI_MODEL = "text-embedding-3-small"
OPENAI_HOST = "api.openai.com"
LIKE_A_KEY = re.compile(r"(?=.*\d)[\w.~%=+-]{20,}|sk-.*")
LOCAL_CHUNK = 512  # texts of one result chunk


class EmbedderError(Exception):
    """Texts cannot be embedded; the message says why and what to do."""


@dataclass(frozen=True)
class Embedded:
    """Unit vectors, (n, dimensions) in the order of the texts, and their cost."""

    vectors: Matrix
    tokens: int
    dollars: float


@dataclass(frozen=True)
class RejectedInput:
    """A text that got no vector, by its position, with a reason (a code) and a message."""

    position: int
    reason: str
    problem: str


@dataclass(frozen=True)
class ResultChunk:
    """The results of one response: unit vectors of the texts at `positions`, (n, dimensions), rejected texts, and cost.

    The cost is charged with or without vectors. `reservation` is the budget's reservation for the request, to be
    released when the cost is recorded. Of the texts at the positions `cut` only the beginning was sent. `model` is the
    model's name in the response, if it has one.
    """

    positions: tuple[int, ...]
    vectors: Matrix
    tokens: int
    dollars: float
    rejected: tuple[RejectedInput, ...] = ()
    reservation: int | None = None
    text_bytes: int = 0  # of the texts that were charged
    cut: tuple[int, ...] = ()
    model: str | None = None


class BudgetAccount(Protocol):
    """Limits spending: the highest possible cost of a request is reserved before the request is sent."""

    def reserve(self, tokens: int, dollars: float) -> int | None:
        """Return the number of a new reservation, or None when the budget is too small for it."""

    def release(self, reservation: int) -> None:
        """Delete a reservation for which nothing was charged."""

    def exhausted_message(self) -> str:
        """Return a message that names the budget that is used up, the dollars spent, and what to do."""


class UnlimitedBudget:
    """A budget without a limit."""

    def reserve(self, tokens: int, dollars: float) -> int | None:  # noqa: ARG002
        """Allow every request."""
        return 0

    def release(self, reservation: int) -> None:
        """Do nothing, as nothing is reserved."""

    def exhausted_message(self) -> str:
        """Return an empty message, as this budget is never used up."""
        return ""


class Embedder(Protocol):
    """Makes vectors of one set, which provider, model and dimensions name; they may be compared with one another."""

    provider: str
    model: str
    dimensions: int
    price: Price
    counter: TokenCounter

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed a few texts at once. Raises EmbedderError when one of them gets no vector."""

    def stream(
        self, texts: Sequence[str], budget: BudgetAccount, bytes_per_token: float = USUAL_BYTES_PER_TOKEN
    ) -> Iterator[ResultChunk]:
        """Embed many texts, and yield result chunks in no particular order; a text is in at most one chunk.

        `bytes_per_token` is the usual size of a token: it estimates the tokens where a service does not report them.
        Raises EmbedderError, after the chunks that were charged, when it cannot go on. Nothing is known of texts that
        are in no chunk, and they can be sent again.
        """

    def probe(self) -> None:
        """Request one vector, once and within seconds. Raises EmbedderError when the service returns none."""

    @property
    def bulk_api(self) -> "BulkApi | None":
        """Return the service's API for bulk jobs, or None if it has none."""


class LocalEmbedder:
    """Feature hashing on this machine: no key, no download, no cost; "tokens" are words."""

    provider = "local"
    price = Price(0.0)
    counter: TokenCounter = ByteCounter()
    bulk_api = None

    def __init__(self, model: str, dimensions: int) -> None:
        if model != LOCAL_MODEL:
            raise EmbedderError(f"the local embedder has one model, {LOCAL_MODEL}, not {model}")
        self.model = model
        self.dimensions = dimensions

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Return the hashed vectors of texts."""
        vectors = hashed_vectors(texts, self.dimensions)
        return Embedded(vectors, tokens=sum(len(words_of(text)) for text in texts), dollars=0.0)

    def probe(self) -> None:
        """Do nothing, as no service is needed."""

    def stream(
        self,
        texts: Sequence[str],
        budget: BudgetAccount,  # noqa: ARG002  # it costs nothing
        bytes_per_token: float = USUAL_BYTES_PER_TOKEN,  # noqa: ARG002  # words are counted
    ) -> Iterator[ResultChunk]:
        """Yield the vectors of texts chunk by chunk, in their order."""
        for start in range(0, len(texts), LOCAL_CHUNK):
            chunk = texts[start : start + LOCAL_CHUNK]
            embedded = self.embed(chunk)
            yield ResultChunk(tuple(range(start, start + len(chunk))), embedded.vectors, embedded.tokens, 0.0)


def no_vectors(dimensions: int) -> Matrix:
    """Return an empty matrix, (0, dimensions)."""
    return np.zeros((0, dimensions), np.float32)


def openai_provider(base_url: str) -> str:
    """Return `openai`, or `openai@host:port/path` for another service with OpenAI's API.

    Models of the same name on other hosts, ports or paths can be different models, so each address is a provider of its
    own. The default port of HTTPS and trailing slashes are left out. User, password, query and fragment are never part
    of the name, and a part of the path that could be a key is replaced by a digest.
    """
    url = httpx.URL(base_url)
    host = f"[{url.host}]" if ":" in url.host else url.host.rstrip(".")
    port = url.port or (80 if url.scheme == "http" else None)
    if host == OPENAI_HOST and url.scheme == "https" and port in (None, 443):
        return "openai"
    names = [_without_secret(name) for name in url.path.split("/") if name]
    return "/".join([f"openai@{host}" if port in (None, 443) else f"openai@{host}:{port}", *names])


def former_provider(provider: str) -> str:
    """Return the name that earlier releases gave a provider, which had the host only."""
    kind, at, address = provider.partition("@")
    host = address.partition("/")[0]
    host = host[1:].partition("]")[0] if host.startswith("[") else host.partition(":")[0]
    return f"{kind}{at}{host}"


def set_key(embedder: "Embedder") -> dict[str, str | int]:
    """Return the values that name an embedder's set, as parameters of the queries `ensure_set` and `find_set`."""
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
    """Return the embedder of a provider, also for a set that was made with other settings than the current ones.

    Raises EmbedderError without a key, or when OPENAI_BASE_URL names another service than the set's.
    """
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
    """Return the embedder that the settings name. Raises EmbedderError without a key."""
    return embedder_for(settings, settings.embedder_in_use, settings.embedding_model, settings.embedding_dimensions)
