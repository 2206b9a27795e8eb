"""OpenAI, and every service with OpenAI's API at the address that OPENAI_BASE_URL names.

`openai_stream` sends many requests at once, `openai_call` sends one, `openai_bulk` uses the Batch API. They import
OpenAI's library, which takes half a second, so they are imported where texts are embedded.
"""

import hashlib
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import httpx
import numpy as np
from pydantic import SecretStr

from movie_assets.config.embedding_limits import TEXTS_PER_REQUEST
from movie_assets.config.prices import Price
from movie_assets.config.settings import Settings
from movie_assets.embeddings.embedder import (
    WORD,
    BudgetAccount,
    Embedded,
    EmbedderError,
    KnownModel,
    Limits,
    ProbeResult,
    Provider,
    ResultChunk,
    UnlimitedBudget,
    no_vectors,
    required_key,
)
from movie_assets.embeddings.openai_request import Model
from movie_assets.embeddings.refusals import OPENAI_ERRORS, ErrorWording
from movie_assets.embeddings.roles import NO_ROLES, Role, Roles, known_roles
from movie_assets.embeddings.server_limits import Server
from movie_assets.embeddings.tokenizer import counter_for
from movie_assets.embeddings.tokens import USUAL_BYTES_PER_TOKEN, ByteCounter, TokenCounter

if TYPE_CHECKING:
    from openai import OpenAI

    from movie_assets.embeddings.openai_bulk import BulkApi

OPENAI_MODEL = "text-embedding-3-small"
OPENAI_HOST = "api.openai.com"
LIKE_A_KEY = re.compile(r"(?=.*\d)[\w.~%=+-]{20,}|sk-.*")
# US dollars for a million tokens, https://platform.openai.com/docs/pricing (embeddings), read in November 2026.
MODELS = {
    "text-embedding-3-small": KnownModel(0.02, range(1, 1537)),
    "text-embedding-3-large": KnownModel(0.13, range(1, 3073)),
    "text-embedding-ada-002": KnownModel(0.10, (1536,)),
}
SECONDS_PER_REQUEST = 60.0
SECONDS_PER_PROBE = 15.0


class OpenAiEmbedder:
    """Makes vectors with a model of an OpenAI-compatible service; any number of requests may be in flight."""

    errors: ErrorWording = OPENAI_ERRORS

    def __init__(
        self,
        model: str,
        dimensions: int,
        api_key: SecretStr,
        base_url: str,
        *,
        price: Price | None = None,
        counter: TokenCounter | None = None,
        limits: Limits | None = None,
        texts_per_request: int = TEXTS_PER_REQUEST,
    ) -> None:
        self.provider = openai_provider(base_url)
        self.model = model
        self.dimensions = dimensions
        self.price = price or PROVIDER.price_of(model)
        self.counter = counter or ByteCounter()
        self.roles: Roles = NO_ROLES
        self.limits = limits or Limits()
        self.server = Server(min(texts_per_request, self.limits.inputs), self.limits.tokens)
        self._api_key = api_key
        self._base_url = base_url

    def request_model(self, role: Role = "document") -> Model:
        """Return what writes the JSON of requests; a service with other parameters has another one."""
        return Model(self.model, self.dimensions, self.errors, self.roles.parameters(role))

    @property
    def bulk_api(self) -> "BulkApi | None":
        """Return the service's Batch API."""
        from movie_assets.embeddings.openai_bulk import BulkApi  # noqa: PLC0415  # takes half a second

        return BulkApi(self._client, self.server)

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
        from movie_assets.embeddings.openai_probe import probe  # noqa: PLC0415  # takes half a second

        marked = self.roles.applied([*texts, WORD], role)
        with self._client().with_options(timeout=SECONDS_PER_PROBE) as client:
            return probe(client, self.request_model(role), marked[:-1], marked[-1], self.server)

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
        from movie_assets.embeddings.openai_stream import Stream  # noqa: PLC0415  # takes half a second

        with self._client() as client:
            stream = Stream(
                client, self.request_model(role), self.roles.applied(texts, role), self.counter, self.price, budget,
                bytes_per_token, self.server, longest=self.limits.longest,
            )  # fmt: skip
            # Closed before the client is, also when the caller stops early.
            chunks = stream.chunks()
            try:
                yield from chunks
            finally:
                chunks.close()

    def _client(self) -> "OpenAI":
        import openai  # noqa: PLC0415  # takes half a second

        # By default the library waits 600 s for a response and retries when the quota is used up.
        return openai.OpenAI(
            api_key=self._api_key.get_secret_value(),
            base_url=self._base_url,
            max_retries=0,
            timeout=SECONDS_PER_REQUEST,
        )


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


def _without_secret(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:8] if LIKE_A_KEY.fullmatch(name) else name


def guess(model: str) -> KnownModel:
    """Return what the name of another server's model says of it: its prefixes."""
    return KnownModel(roles=known_roles(model))


def make(settings: Settings, model: str, dimensions: int) -> OpenAiEmbedder:
    """Return the embedder of a model. Raises EmbedderError without a key."""
    key = required_key("openai", "OPENAI_API_KEY", settings.openai_api_key)
    return OpenAiEmbedder(
        model, dimensions, key, settings.openai_base_url,
        price=PROVIDER.price_of(model, settings.dollars_per_million_tokens),
        counter=counter_for(model, settings.tiktoken_cache), limits=PROVIDER.known(model).limits,
        texts_per_request=settings.embedding_texts_per_request,
    )  # fmt: skip


PROVIDER = Provider("openai", OPENAI_MODEL, MODELS, make, ("OPENAI_API_KEY",), "OPENAI_BASE_URL", guess)
