"""Embedders of services that have an API of their own, by plain HTTP: one request and how its response is read.

A provider's class says what differs: path, headers, the JSON of request and response, and where a response asks for a
pause. Everything else is shared: see `embeddings.remote`.
"""

import json
from abc import abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime

import httpx
from pydantic import SecretStr

from movie_assets.config.settings import Settings
from movie_assets.embeddings.embedder import Provider
from movie_assets.embeddings.error_messages import message_of_error
from movie_assets.embeddings.refusals import (
    ErrorWording,
    Refusal,
    refusal_of,
    refusal_of_vectors,
    refusal_without_response,
)
from movie_assets.embeddings.remote import RemoteEmbedder, service_name
from movie_assets.embeddings.roles import Role
from movie_assets.embeddings.server_limits import Parameters
from movie_assets.embeddings.service_call import Ask, ServiceResponse, with_lower_names, without_vectors
from movie_assets.embeddings.vectors import CheckedVectors, UnusableVectorsError, vectors_by_index

BAD_REQUEST = 400
Json = Mapping[str, object]


class NativeEmbedder(RemoteEmbedder):
    """Makes vectors with a service that has an API of its own."""

    own_host: str  # of the service itself; another address is another provider of vectors
    errors: ErrorWording

    def __init__(
        self, provider: Provider, settings: Settings, model: str, dimensions: int, api_key: SecretStr, base_url: str
    ) -> None:
        known = provider.known(model)
        super().__init__(
            service_name(provider.name, self.own_host, base_url), model, dimensions,
            provider.price_of(model, settings.dollars_per_million_tokens), limits=known.limits,
            texts_per_request=settings.embedding_texts_per_request,
        )  # fmt: skip
        self.roles = known.roles
        self.server.trials.clear()  # no parameter of these requests is optional
        self.asks_for_width = len(known.dimensions) != 1  # services refuse the parameter for models of one width
        self._api_key = api_key
        self._base_url = base_url

    @property
    @abstractmethod
    def path(self) -> str:
        """Return the path of requests below the base address."""

    def headers(self, key: str) -> dict[str, str]:
        """Return the headers that carry the key."""
        return {"Authorization": f"Bearer {key}"}

    @abstractmethod
    def request(self, texts: Sequence[str], marks: Mapping[str, str], dimensions: int | None) -> dict[str, object]:
        """Return the JSON of a request; `marks` is the parameter that names the role, if the model has one."""

    @abstractmethod
    def entries(self, content: Json) -> object:
        """Return the vectors of a response as `vectors.vectors_by_index` takes them."""

    @abstractmethod
    def tokens(self, content: Json) -> int | None:
        """Return the tokens that a response charges; None if it does not say."""

    def pause(self, content: Json) -> str | None:  # noqa: ARG002  # most services use the header
        """Return the pause in seconds that an error asks for in its JSON, as Retry-After has it; None without one."""
        return None

    @contextmanager
    def asking(self, role: Role, seconds: float) -> Iterator[Ask]:
        """Yield the function that sends one request."""
        marks, key = self.roles.parameters(role), self._api_key.get_secret_value()
        headers = {"Content-Type": "application/json", **self.headers(key)}
        with httpx.Client(base_url=self._base_url, headers=headers, timeout=seconds) as client:

            def ask(texts: Sequence[str], parameters: Parameters) -> ServiceResponse:
                is_asked = self.asks_for_width and parameters.dimensions
                body = self.request(texts, marks, self.dimensions if is_asked else None)
                # Half of a surrogate pair is sent as "?", as JSON in UTF-8 has no other form for it.
                sent = json.dumps(body, ensure_ascii=False).encode(errors="replace")
                try:
                    response = client.post(self.path, content=sent)
                except httpx.HTTPError as error:
                    return ServiceResponse(refusal_without_response(error, self.errors, (key,)))
                return self._read(response, len(texts), key)

            yield ask

    def _read(self, response: httpx.Response, count: int, key: str) -> ServiceResponse:
        headers = with_lower_names(response.headers)
        try:
            content = response.json()
        except ValueError:
            if response.is_success:
                return ServiceResponse(without_vectors(response.content, (key,)))
            content = response.text
        if not response.is_success:
            return ServiceResponse(self._refusal(response.status_code, content, headers, key), 0, headers)
        if not isinstance(content, dict):
            return ServiceResponse(without_vectors(content, (key,)))
        outcome, tokens = self._outcome(content, count, key), self.tokens(content)
        charged = 0 if tokens is None and isinstance(outcome, Refusal) else tokens
        model = content.get("model")
        return ServiceResponse(outcome, charged, headers, model[:200] if isinstance(model, str) and model else None)

    def _outcome(self, content: Json, count: int, key: str) -> CheckedVectors | Refusal:
        entries = self.entries(content)
        if not entries and any(content.get(name) for name in ("error", "message", "detail")):
            return self._refusal(BAD_REQUEST, content, {}, key)  # a proxy's, with status 200
        try:
            return vectors_by_index(entries or [], count, self.dimensions)
        except UnusableVectorsError as error:
            return refusal_of_vectors(error)

    def _refusal(self, status: int, content: object, headers: Mapping[str, str], key: str) -> Refusal:
        code, message = message_of_error(content, (key,))
        pause = self.pause(content) if isinstance(content, dict) else None
        asked = {"retry-after": pause, **headers} if pause else headers
        return refusal_of(status, code, message, asked, datetime.now(UTC), self.errors)


def value_at(content: object, *path: str) -> object:
    """Return the value at a path of keys in JSON; None where there is none."""
    for key in path:
        content = content.get(key) if isinstance(content, dict) else None
    return content


def count_at(content: object, *path: str) -> int | None:
    """Return the number at a path of keys in JSON; None where there is none that can be a count."""
    value = value_at(content, *path)
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else None
