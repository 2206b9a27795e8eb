"""OpenAI, and every service with OpenAI's API at the address that OPENAI_BASE_URL names.

`openai_call` sends one request, `openai_bulk` uses the Batch API. They import OpenAI's library, which takes half a
second, so they are imported where texts are embedded.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
from pydantic import SecretStr

from movie_assets.config.embedding_limits import TEXTS_PER_REQUEST
from movie_assets.config.prices import Price
from movie_assets.config.settings import Settings
from movie_assets.embeddings.embedder import KnownModel, Limits, Provider, required_key
from movie_assets.embeddings.openai_request import Model
from movie_assets.embeddings.refusals import OPENAI_ERRORS, ErrorWording
from movie_assets.embeddings.remote import SECONDS_PER_REQUEST, RemoteEmbedder, service_name
from movie_assets.embeddings.roles import Role, known_roles
from movie_assets.embeddings.service_call import Ask
from movie_assets.embeddings.tokenizer import counter_for
from movie_assets.embeddings.tokens import TokenCounter

if TYPE_CHECKING:
    from openai import OpenAI

    from movie_assets.embeddings.openai_bulk import BulkApi

OPENAI_MODEL = "text-embedding-3-small"
OPENAI_HOST = "api.openai.com"
NO_KEY = SecretStr("none")  # many servers of one's own want none
# US dollars for a million tokens, https://platform.openai.com/docs/pricing (embeddings), read in November 2026.
MODELS = {
    "text-embedding-3-small": KnownModel(0.02, range(1, 1537)),
    "text-embedding-3-large": KnownModel(0.13, range(1, 3073)),
    "text-embedding-ada-002": KnownModel(0.10, (1536,)),
}


class OpenAiEmbedder(RemoteEmbedder):
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
        base_url = base_address(base_url)
        super().__init__(
            openai_provider(base_url), model, dimensions, price or PROVIDER.price_of(model), counter=counter,
            limits=limits, texts_per_request=texts_per_request,
        )  # fmt: skip
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

    @contextmanager
    def asking(self, role: Role, seconds: float) -> Iterator[Ask]:
        """Yield the function that sends one request."""
        from movie_assets.embeddings import openai_call, openai_endpoint  # noqa: PLC0415  # takes half a second

        model = self.request_model(role)
        with self._client().with_options(timeout=seconds) as client:
            endpoint = openai_endpoint.Endpoint(client)
            yield lambda texts, parameters: openai_call.ask(endpoint, model, texts, parameters)

    def _client(self) -> "OpenAI":
        import openai  # noqa: PLC0415  # takes half a second

        # By default the library waits 600 s for a response and retries when the quota is used up.
        return openai.OpenAI(
            api_key=self._api_key.get_secret_value(),
            base_url=self._base_url,
            max_retries=0,
            timeout=SECONDS_PER_REQUEST,
            http_client=openai.DefaultHttpxClient(follow_redirects=False),
        )


def base_address(address: str) -> str:
    """Return a server's address without slashes at its end, and without the path of requests for vectors."""
    return address.rstrip("/").removesuffix("/embeddings").rstrip("/")


def openai_provider(base_url: str) -> str:
    """Return `openai`, or `openai@host:port/path` for another service with OpenAI's API."""
    return service_name("openai", OPENAI_HOST, base_url)


def guess(model: str) -> KnownModel:
    """Return what the name of another server's model says of it: its prefixes."""
    return KnownModel(roles=known_roles(model))


def make(settings: Settings, model: str, dimensions: int) -> OpenAiEmbedder:
    """Return the embedder of a model. Raises EmbedderError without a key."""
    key = settings.openai_api_key
    if key is None and httpx.URL(settings.openai_base_url).host != OPENAI_HOST:
        key = NO_KEY
    key = required_key("openai", "OPENAI_API_KEY", key)
    return OpenAiEmbedder(
        model, dimensions, key, settings.openai_base_url,
        price=PROVIDER.price_of(model, settings.dollars_per_million_tokens),
        counter=counter_for(model, settings.tiktoken_cache), limits=PROVIDER.known(model).limits,
        texts_per_request=settings.embedding_texts_per_request,
    )  # fmt: skip


PROVIDER = Provider("openai", OPENAI_MODEL, MODELS, make, ("OPENAI_API_KEY",), "OPENAI_BASE_URL", guess)
