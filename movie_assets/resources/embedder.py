"""Texts to vectors: the local, keyless embedder and any OpenAI-compatible service, behind one protocol.

Which texts are embedded and where vectors go is for the assets; what may be stored, for `core.vectors`.
"""

import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Protocol

import httpx
import numpy as np
import openai
from openai.types import CreateEmbeddingResponse
from pydantic import SecretStr

from movie_assets.core.hashing import hashed_vectors, words_of
from movie_assets.core.retry import MOST_PATIENCE, backoff, seconds_asked_for
from movie_assets.core.vectors import Matrix, UnusableVectorsError, usable
from movie_assets.settings import Settings

LOCAL_MODEL = "hashing-v1"
OPENAI_MODEL = "text-embedding-3-small"
OPENAI_HOST = "api.openai.com"
TEXTS_PER_REQUEST = 512  # OpenAI takes 2,048
TOKENS_PER_REQUEST = 250_000  # OpenAI takes 300,000; ours are estimates
CHARACTERS_PER_TOKEN = 2  # on the safe side: English has 4, Korean and Japanese about 1.5
SECONDS_PER_REQUEST = 60.0
ATTEMPTS = 5
# US dollars for a million tokens, https://openai.com/api/pricing; unknown models are counted without a price.
DOLLARS_PER_MILLION_TOKENS = {
    "text-embedding-3-small": 0.02,
    "text-embedding-3-large": 0.13,
    "text-embedding-ada-002": 0.10,
}


class EmbedderError(Exception):
    """No vectors can be had; the message says why and what to do."""


@dataclass(frozen=True)
class Embedded:
    """Unit vectors, (n, dimensions) in the order of the texts, and what they cost."""

    vectors: Matrix
    tokens: int
    dollars: float


class Embedder(Protocol):
    """Makes vectors that compare with one another; provider, model and dimensions name them."""

    provider: str
    model: str
    dimensions: int

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed texts. Raises EmbedderError when that is not possible, storing nothing."""


class LocalEmbedder:
    """Feature hashing on this machine: no key, no download, no cost; "tokens" are words."""

    provider = "local"

    def __init__(self, model: str, dimensions: int) -> None:
        if model != LOCAL_MODEL:
            raise EmbedderError(f"the local embedder has one model, {LOCAL_MODEL}, not {model}")
        self.model = model
        self.dimensions = dimensions

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed texts; see core.hashing."""
        vectors = hashed_vectors(texts, self.dimensions)
        return Embedded(vectors, tokens=sum(len(words_of(text)) for text in texts), dollars=0.0)


class OpenAiEmbedder:
    """OpenAI's embeddings endpoint, or a server that speaks like it."""

    def __init__(self, model: str, dimensions: int, api_key: SecretStr, base_url: str) -> None:
        self.provider = openai_provider(base_url)
        self.model = model
        self.dimensions = dimensions
        self._api_key = api_key
        self._base_url = base_url

    def embed(self, texts: Sequence[str]) -> Embedded:
        """Embed texts in as few requests as the service's limits allow."""
        # The library would wait 600 s for an answer and retry an exhausted quota; the policy here is ours.
        with openai.OpenAI(
            api_key=self._api_key.get_secret_value(),
            base_url=self._base_url,
            max_retries=0,
            timeout=SECONDS_PER_REQUEST,
        ) as client:
            parts = [self._request(client, part) for part in _packed(texts)]
        vectors = np.concatenate([p.vectors for p in parts]) if parts else np.zeros((0, self.dimensions), np.float32)
        return Embedded(vectors, sum(p.tokens for p in parts), sum(p.dollars for p in parts))

    def _request(self, client: openai.OpenAI, texts: Sequence[str]) -> Embedded:
        for attempt in range(1, ATTEMPTS + 1):
            try:
                return self._ask(client, texts)
            except UnusableVectorsError as error:
                problem, pause = str(error), 0.0
                if "dimensions" in problem:
                    raise EmbedderError(problem) from None
            except openai.APIStatusError as error:
                problem, pause = _seconds_before_retry(error, attempt)
            except openai.APIConnectionError as error:
                problem, pause = f"no answer ({error})", backoff(attempt, random.random)
            except json.JSONDecodeError as error:
                problem, pause = f"the answer is not JSON ({error})", backoff(attempt, random.random)
            if attempt < ATTEMPTS:
                time.sleep(pause)
        raise EmbedderError(f"{ATTEMPTS} attempts to embed {len(texts)} texts failed, the last: {problem}")

    def _ask(self, client: openai.OpenAI, texts: Sequence[str]) -> Embedded:
        # Only the models of the third generation take a width; "float" because some servers ignore base64.
        width = self.dimensions if self.model.startswith("text-embedding-3") else openai.omit
        answer = client.embeddings.create(
            model=self.model, input=list(texts), dimensions=width, encoding_format="float"
        )
        try:
            return self._read(answer, texts)
        except UnusableVectorsError:
            raise
        except (AttributeError, TypeError, ValueError):
            raise UnusableVectorsError(f"the answer does not hold vectors: {str(answer)[:200]}") from None

    def _read(self, answer: CreateEmbeddingResponse, texts: Sequence[str]) -> Embedded:
        if answer.model and not answer.model.startswith(self.model):
            raise EmbedderError(f"{self.model} was asked for and {answer.model} answered; check OPENAI_BASE_URL")
        if sorted(item.index for item in answer.data) != list(range(len(texts))):
            raise UnusableVectorsError(f"the answer does not hold one vector for each of {len(texts)} texts")
        by_index = sorted(answer.data, key=lambda item: item.index)
        widths = {len(item.embedding) for item in by_index}
        if widths != {self.dimensions}:
            raise UnusableVectorsError(
                f"the vectors have {'/'.join(map(str, sorted(widths)))} dimensions and {self.dimensions} were asked "
                "for; check MOVIE_ASSETS_EMBEDDING_MODEL and MOVIE_ASSETS_EMBEDDING_DIMENSIONS"
            )
        # A JSON null where a number belongs becomes NaN, which `usable` refuses.
        matrix = np.array([item.embedding for item in by_index], dtype=np.float32)
        tokens = answer.usage.total_tokens if answer.usage else sum(map(_tokens_at_most, texts))
        dollars = tokens * DOLLARS_PER_MILLION_TOKENS.get(self.model, 0.0) / 1e6
        return Embedded(usable(matrix, len(texts), self.dimensions), tokens, dollars)


def _tokens_at_most(text: str) -> int:
    return len(text) // CHARACTERS_PER_TOKEN + 1


def _packed(texts: Sequence[str]) -> Iterator[Sequence[str]]:
    """Cut texts into requests that stay within the service's limits."""
    start, tokens = 0, 0
    for position, text in enumerate(texts):
        size = _tokens_at_most(text)
        if position - start == TEXTS_PER_REQUEST or (position > start and tokens + size > TOKENS_PER_REQUEST):
            yield texts[start:position]
            start, tokens = position, 0
        tokens += size
    if start < len(texts):
        yield texts[start:]


def _seconds_before_retry(error: openai.APIStatusError, attempt: int) -> tuple[str, float]:
    """What went wrong and how long to wait; raises EmbedderError when asking again cannot help."""
    problem = f"HTTP {error.status_code} {error.code or ''} {error.message}"[:400]
    if error.status_code in (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN):
        raise EmbedderError(f"the embeddings service refused the key ({problem}); check OPENAI_API_KEY") from None
    if error.code == "insufficient_quota":
        raise EmbedderError(
            f"the account's quota is used up ({problem}); raise it and run again: what was embedded is kept"
        ) from None
    retriable = error.status_code in (408, 409, 429) or error.status_code >= httpx.codes.INTERNAL_SERVER_ERROR
    if not retriable:
        raise EmbedderError(f"the embeddings service refused the request ({problem})") from None
    asked = seconds_asked_for(error.response.headers.get("retry-after"), datetime.now(UTC))
    if asked is not None and asked > MOST_PATIENCE:
        raise EmbedderError(f"the embeddings service asks to wait {asked:,.0f} s; run again after that") from None
    return problem, backoff(attempt, random.random) if asked is None else asked


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
    embedder = OpenAiEmbedder(model or OPENAI_MODEL, dimensions, settings.openai_api_key, settings.openai_base_url)
    if provider not in ("openai", embedder.provider):
        raise EmbedderError(
            f"the catalogue was embedded by {provider}; point OPENAI_BASE_URL there, or refresh with the service that "
            "it names now"
        )
    return embedder


def embedder_from(settings: Settings) -> Embedder:
    """The embedder that the settings name."""
    return embedder_for(settings, settings.embedder_in_use, settings.embedding_model, settings.embedding_dimensions)
