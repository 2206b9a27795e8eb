"""The interface of embedders, and of the providers that make them.

Providers are in `embeddings.providers`; `embeddings.registry` chooses the one that the settings name. The asset decides
which texts are embedded; `embeddings.vectors` decides which vectors may be stored.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

import numpy as np
from pydantic import SecretStr

from movie_assets.config.embedding_limits import TOKENS_PER_REQUEST
from movie_assets.config.prices import Price
from movie_assets.embeddings.roles import NO_ROLES, Role, Roles
from movie_assets.embeddings.tokens import MAX_TOKENS_OF_A_TEXT, USUAL_BYTES_PER_TOKEN, TokenCounter
from movie_assets.embeddings.vectors import Matrix

if TYPE_CHECKING:
    from movie_assets.config.settings import Settings
    from movie_assets.embeddings.openai_bulk import BulkApi


WORD = "film"  # what a probe asks for


class EmbedderError(Exception):
    """Texts cannot be embedded; the message says why and what to do."""


class ServiceBusyError(EmbedderError):
    """The service makes no vectors now, and may later; the message says why."""


@dataclass(frozen=True)
class ProbeResult:
    """What one request showed of a service.

    `texts` were embedded within `seconds`; `tokens` were charged (None: not reported). `model` is the name in the
    response, `left_out` has the parameters that the service refuses, and the limits of the account are those that the
    response names.
    """

    texts: int = 0
    seconds: float = 0.0
    tokens: int | None = 0
    model: str | None = None
    left_out: tuple[str, ...] = ()
    tokens_per_minute: int | None = None
    requests_per_minute: int | None = None


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
    """Makes vectors of one set, which provider, model, dimensions and the mark of documents name.

    Vectors of one set may be compared with one another. `roles` says what marks documents and queries; the registry
    sets it.
    """

    provider: str
    model: str
    dimensions: int
    price: Price
    counter: TokenCounter
    roles: Roles

    def embed(self, texts: Sequence[str], role: Role = "document") -> Embedded:
        """Embed a few texts at once. Raises EmbedderError when one of them gets no vector."""

    def stream(
        self,
        texts: Sequence[str],
        budget: BudgetAccount,
        bytes_per_token: float = USUAL_BYTES_PER_TOKEN,
        role: Role = "document",
    ) -> Iterator[ResultChunk]:
        """Embed many texts, and yield result chunks in no particular order; a text is in at most one chunk.

        `bytes_per_token` is the usual size of a token: it estimates the tokens where a service does not report them.
        Raises EmbedderError, after the chunks that were charged, when it cannot go on. Nothing is known of texts that
        are in no chunk, and they can be sent again.
        """

    def probe(self, texts: Sequence[str] = (WORD,), role: Role = "document") -> ProbeResult:
        """Request the vectors of a few short texts, once and within seconds, and return what that showed.

        Raises EmbedderError when the service returns none, ServiceBusyError if it may do so later.
        """

    @property
    def bulk_api(self) -> "BulkApi | None":
        """Return the service's API for bulk jobs, or None if it has none."""


@dataclass(frozen=True)
class Limits:
    """What a service accepts: inputs and tokens of a request, tokens of one input."""

    inputs: int = 2048  # OpenAI's; MOVIE_ASSETS_EMBEDDING_TEXTS_PER_REQUEST may be smaller
    tokens: int = TOKENS_PER_REQUEST
    longest: int = MAX_TOKENS_OF_A_TEXT


@dataclass(frozen=True)
class KnownModel:
    """What a provider's documentation says of a model.

    The price is in US dollars for a million tokens; None: not known. `dimensions` are those that it can make; empty:
    not known. `usual_dimensions` are asked for when the settings name none.
    """

    dollars_per_million_tokens: float | None = None
    dimensions: Sequence[int] = ()
    usual_dimensions: int = 1536
    limits: Limits = field(default_factory=Limits)
    roles: Roles = NO_ROLES


@dataclass(frozen=True)
class Provider:
    """A provider of vectors, as its module in `embeddings.providers` declares it.

    `make` returns the embedder of a model and a number of dimensions. It raises EmbedderError when a setting that the
    provider needs (`needs`) is not set. `guess` returns what can be said of a model that is not in `models`.
    `address` is the setting with the service's address, if it has one.
    """

    name: str
    default_model: str
    models: Mapping[str, KnownModel]
    make: "Callable[[Settings, str, int], Embedder]"
    needs: tuple[str, ...] = ()
    address: str = ""
    guess: Callable[[str], KnownModel] = lambda _model: KnownModel()

    def known(self, model: str) -> KnownModel:
        """Return what is known of a model."""
        return self.models.get(model) or self.guess(model)

    def price_of(self, model: str, configured: float | None = None) -> Price:
        """Return a model's price: the one in the settings, else the published one."""
        return Price(self.known(model).dollars_per_million_tokens if configured is None else configured)


def required_key(provider: str, setting: str, key: SecretStr | None) -> SecretStr:
    """Return a provider's key. Raises EmbedderError when its setting is not set."""
    if key is None:
        raise EmbedderError(
            f"vectors come from {provider} and {setting} is not set; set it, or embed with the local embedder: "
            "MOVIE_ASSETS_EMBEDDER=local movie-assets refresh"
        )
    return key


def no_vectors(dimensions: int) -> Matrix:
    """Return an empty matrix, (0, dimensions)."""
    return np.zeros((0, dimensions), np.float32)


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
        "template": embedder.roles.template,
    }
