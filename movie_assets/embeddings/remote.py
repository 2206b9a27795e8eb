"""What embedders of services share: many requests at once, a small one as a probe, and the name of the service.

A provider's class says how one request is sent (`asking`). Which requests are sent, what happens after a refusal, and
the limits of account and budget are in `embeddings.request_stream` and `embeddings.request_queue`.
"""

import hashlib
import re
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING

import httpx
import numpy as np

from movie_assets.config.embedding_limits import TEXTS_PER_REQUEST
from movie_assets.config.prices import Price
from movie_assets.embeddings.embedder import (
    WORD,
    BudgetAccount,
    Embedded,
    EmbedderError,
    Limits,
    ProbeResult,
    ResultChunk,
    UnlimitedBudget,
    no_vectors,
)
from movie_assets.embeddings.request_stream import Stream
from movie_assets.embeddings.roles import NO_ROLES, Role, Roles
from movie_assets.embeddings.server_limits import Server
from movie_assets.embeddings.service_call import Ask
from movie_assets.embeddings.service_probe import probe
from movie_assets.embeddings.tokens import USUAL_BYTES_PER_TOKEN, ByteCounter, TokenCounter

if TYPE_CHECKING:
    from movie_assets.embeddings.openai_bulk import BulkApi

LIKE_A_KEY = re.compile(r"(?=.*\d)[\w.~%=+-]{20,}|sk-.*")
SECONDS_PER_REQUEST = 60.0
SECONDS_PER_PROBE = 15.0


class RemoteEmbedder(ABC):
    """Makes vectors with a model of a service; any number of requests may be in flight."""

    def __init__(
        self,
        provider: str,
        model: str,
        dimensions: int,
        price: Price,
        *,
        counter: TokenCounter | None = None,
        limits: Limits | None = None,
        texts_per_request: int = TEXTS_PER_REQUEST,
    ) -> None:
        self.provider = provider
        self.model = model
        self.dimensions = dimensions
        self.price = price
        self.counter = counter or ByteCounter()
        self.roles: Roles = NO_ROLES
        self.limits = limits or Limits()
        self.server = Server(min(texts_per_request, self.limits.inputs), self.limits.tokens)

    @abstractmethod
    def asking(self, role: Role, seconds: float) -> AbstractContextManager[Ask]:
        """Return a context with the function that sends one request, which may take so many seconds."""

    @property
    def bulk_api(self) -> "BulkApi | None":
        """Return None: most services have no API for bulk jobs."""
        return None

    def embed(self, texts: Sequence[str], role: Role = "document") -> Embedded:
        """Embed texts, all of them or none. Raises EmbedderError when one of them gets no vector."""
        vectors = np.zeros((len(texts), self.dimensions), np.float32)
        tokens, dollars = 0, 0.0
        for chunk in self.stream(texts, UnlimitedBudget(), role=role):
            for rejected in chunk.rejected:
                raise EmbedderError(f"the text “{texts[rejected.position]:.60}” gets no vector: {rejected.problem}")
            vectors[list(chunk.positions)] = chunk.vectors
            tokens += chunk.tokens
            dollars += chunk.dollars
        return Embedded(vectors, tokens, dollars) if texts else Embedded(no_vectors(self.dimensions), 0, 0.0)

    def probe(self, texts: Sequence[str] = (WORD,), role: Role = "document") -> ProbeResult:
        """Request the vectors of a few short texts. Raises EmbedderError when the service returns none in seconds."""
        marked = self.roles.applied([*texts, WORD], role)
        with self.asking(role, SECONDS_PER_PROBE) as ask:
            return probe(ask, marked[:-1], marked[-1], self.server)

    def stream(
        self,
        texts: Sequence[str],
        budget: BudgetAccount,
        bytes_per_token: float = USUAL_BYTES_PER_TOKEN,
        role: Role = "document",
    ) -> Iterator[ResultChunk]:
        """Embed many texts, as fast as the account's limits and the budget allow."""
        if not texts:
            return
        with self.asking(role, SECONDS_PER_REQUEST) as ask:
            stream = Stream(
                ask, self.dimensions, self.roles.applied(texts, role), self.counter, self.price, budget,
                bytes_per_token, self.server, longest=self.limits.longest,
            )  # fmt: skip
            # Closed before the client is, also when the caller stops early.
            chunks = stream.chunks()
            try:
                yield from chunks
            finally:
                chunks.close()


def service_name(provider: str, own_host: str, base_url: str) -> str:
    """Return a provider's name, or `name@host:port/path` for another service with the same API.

    Models of the same name on other hosts, ports or paths can be different models, so each address is a provider of its
    own. The default port of HTTPS and trailing slashes are left out. User, password, query and fragment are never part
    of the name, and a part of the path that could be a key is replaced by a digest.
    """
    url = httpx.URL(base_url)
    host = f"[{url.host}]" if ":" in url.host else url.host.rstrip(".")
    port = url.port or (80 if url.scheme == "http" else None)
    if host == own_host and url.scheme == "https" and port in (None, 443):
        return provider
    names = [_without_secret(name) for name in url.path.split("/") if name]
    return "/".join([f"{provider}@{host}" if port in (None, 443) else f"{provider}@{host}:{port}", *names])


def _without_secret(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:8] if LIKE_A_KEY.fullmatch(name) else name
