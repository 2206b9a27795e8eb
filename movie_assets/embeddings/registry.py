"""The providers of embeddings by name, and the embedder that the settings name.

A provider is a module of `embeddings.providers`. It is found by its file, so that no list has to name it.
"""

import importlib
import pkgutil
from collections.abc import Mapping, Sequence
from functools import cache

from movie_assets.config.embedding_settings import LOCAL
from movie_assets.config.settings import Settings
from movie_assets.embeddings import providers as package
from movie_assets.embeddings.embedder import Embedder, EmbedderError, KnownModel, Provider, former_provider
from movie_assets.embeddings.joined import JOINED, JoinedEmbedder
from movie_assets.embeddings.providers.local import HASHING, LOCAL_MODEL
from movie_assets.embeddings.roles import Roles, roles_of_template


@cache
def providers() -> Mapping[str, Provider]:
    """Return all providers by name."""
    return {name: _provider(name) for name in _names()}


@cache
def _names() -> list[str]:
    return sorted(module.name for module in pkgutil.iter_modules(package.__path__))


def _provider(name: str) -> Provider:
    """Import one provider: a search waits for the imports, and needs no other."""
    provider: Provider = importlib.import_module(f"{package.__name__}.{name}").PROVIDER
    return provider


def published_prices() -> dict[str, float]:
    """Return the published prices of all providers' models, in US dollars for a million tokens."""
    return {
        model: known.dollars_per_million_tokens
        for provider in providers().values()
        for model, known in provider.models.items()
        if known.dollars_per_million_tokens
    }


def embedder_for(
    settings: Settings, provider: str, model: str | None, dimensions: int | None, template: str | None = None
) -> Embedder:
    """Return the embedder of a provider, also for a set that was made with other settings than the current ones.

    `provider` is the name of a provider or of one of its services, such as `openai@host/path`; `template` is that of
    the set, None that of the settings. Raises EmbedderError when there is no such provider, when it lacks a setting,
    when the model cannot make the dimensions, or when the settings name another service than the set's.
    """
    if model and (joined := JOINED.fullmatch(model)):
        inner = embedder_for(settings, provider, joined["model"], int(joined["dimensions"]), template)
        return JoinedEmbedder(inner, float(joined["share"]))
    name = provider.partition("@")[0]
    if name not in _names():
        raise EmbedderError(f"the catalogue was embedded by {provider}, which is no provider of this release")
    chosen = _provider(name)
    model = model or chosen.default_model
    known = chosen.known(model)
    embedder = chosen.make(settings, model, _dimensions(model, known, dimensions))
    if provider not in (name, embedder.provider, former_provider(embedder.provider)):
        raise EmbedderError(
            f"the catalogue was embedded by {provider}; point {chosen.address} there, or refresh with the service that "
            "it names now"
        )
    roles = configured_roles(settings, known.roles)
    embedder.roles = roles if template is None else roles_of_template(template, roles, known.roles)
    return embedder


def embedder_from(settings: Settings) -> Embedder:
    """Return the embedder that the settings name. Raises EmbedderError without a key."""
    embedder = embedder_for(settings, settings.embedder_in_use, settings.embedding_model, settings.embedding_dimensions)
    share = settings.embedding_join_words
    if share is None or (embedder.provider == LOCAL and embedder.model in HASHING):
        return embedder
    return JoinedEmbedder(embedder, share)


def hashes_words(settings: Settings) -> bool:
    """Return whether the settings name vectors of hashed words, which cost next to no time."""
    return settings.embedder_in_use == LOCAL and (settings.embedding_model or LOCAL_MODEL) in HASHING


def _dimensions(model: str, known: KnownModel, wanted: int | None) -> int:
    """Return the wanted dimensions, or the model's usual ones. Raises EmbedderError if it cannot make them."""
    dimensions = wanted or known.usual_dimensions
    if known.dimensions and dimensions not in known.dimensions:
        raise EmbedderError(
            f"{model} makes vectors of {dimensions_text(known.dimensions)} dimensions, not of {dimensions}; set "
            "MOVIE_ASSETS_EMBEDDING_DIMENSIONS to one of these"
        )
    return dimensions


def dimensions_text(dimensions: Sequence[int]) -> str:
    """Return dimensions for people: a range, or each of them."""
    if isinstance(dimensions, range):
        return f"{dimensions[0]} to {dimensions[-1]}"
    return " or ".join(map(str, dimensions)) or "any"


def configured_roles(settings: Settings, usual: Roles) -> Roles:
    """Return a model's usual roles with the prefixes of the settings, which also switch off those it has."""
    if usual.parameter:
        return usual
    document, query = settings.embedding_document_prefix, settings.embedding_query_prefix
    return Roles(usual.document if document is None else document, usual.query if query is None else query)
