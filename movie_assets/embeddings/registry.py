"""The providers of embeddings by name, and the embedder that the settings name.

A provider is a module of `embeddings.providers`. It is found by its file, so that no list has to name it.
"""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from movie_assets.config.settings import Settings
from movie_assets.embeddings import providers as package
from movie_assets.embeddings.embedder import Embedder, EmbedderError, Provider, former_provider


@cache
def providers() -> Mapping[str, Provider]:
    """Return all providers by name."""
    names = sorted(module.name for module in pkgutil.iter_modules(package.__path__))
    declared: list[Provider] = [importlib.import_module(f"{package.__name__}.{name}").PROVIDER for name in names]
    return {provider.name: provider for provider in declared}


def published_prices() -> dict[str, float]:
    """Return the published prices of all providers' models, in US dollars for a million tokens."""
    return {
        model: dollars
        for provider in providers().values()
        for model, dollars in provider.dollars_per_million_tokens.items()
    }


def embedder_for(settings: Settings, provider: str, model: str | None, dimensions: int) -> Embedder:
    """Return the embedder of a provider, also for a set that was made with other settings than the current ones.

    `provider` is the name of a provider or of one of its services, such as `openai@host/path`. Raises EmbedderError
    when there is no such provider, when it lacks a setting, or when the settings name another service than the set's.
    """
    name = provider.partition("@")[0]
    if name not in providers():
        raise EmbedderError(f"the catalogue was embedded by {provider}, which is no provider of this release")
    chosen = providers()[name]
    embedder = chosen.make(settings, model or chosen.default_model, dimensions)
    if provider not in (name, embedder.provider, former_provider(embedder.provider)):
        raise EmbedderError(
            f"the catalogue was embedded by {provider}; point OPENAI_BASE_URL there, or refresh with the service that "
            "it names now"
        )
    return embedder


def embedder_from(settings: Settings) -> Embedder:
    """Return the embedder that the settings name. Raises EmbedderError without a key."""
    return embedder_for(settings, settings.embedder_in_use, settings.embedding_model, settings.embedding_dimensions)
