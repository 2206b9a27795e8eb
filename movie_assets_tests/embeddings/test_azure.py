"""Azure OpenAI over HTTP: deployments, versions, its key's header, its sentences, and the name of its sets."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from movie_assets.config.settings import Settings, SettingsError
from movie_assets.embeddings import request_queue
from movie_assets.embeddings.embedder import EmbedderError, UnlimitedBudget
from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets.embeddings.registry import embedder_for, embedder_from
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.conftest import DAY

KEY = "a1b2c3d4e5f6-canary-of-a-key"
TEXTS = [f"story number {number} about ship {number * 7}" for number in range(300)]


@pytest.fixture
def service() -> Iterator[TmdbEmulator]:
    with TmdbEmulator(EmulatorOptions(movies=1, today=DAY, rate_limit=0)) as emulator:
        yield emulator


def settings_of(service: TmdbEmulator | None, **values: str) -> Settings:
    return Settings.from_env({
        "MOVIE_ASSETS_EMBEDDER": "azure", "AZURE_OPENAI_API_KEY": KEY, "MOVIE_ASSETS_EMBEDDING_MODEL": "films-embed",
        "AZURE_OPENAI_ENDPOINT": service.url if service else "https://films.openai.azure.com",
        "MOVIE_ASSETS_EMBEDDING_DIMENSIONS": "64", **values,
    })  # fmt: skip


def test_a_deployment_embeds_texts_and_its_models_name_is_recorded(service: TmdbEmulator) -> None:
    embedder: Any = embedder_from(settings_of(service))
    vectors = np.zeros((len(TEXTS), 64), np.float32)
    for chunk in embedder.stream(TEXTS, UnlimitedBudget()):
        vectors[list(chunk.positions)] = chunk.vectors
    assert vectors == pytest.approx(hashed_vectors(TEXTS, 64), abs=1e-6)
    assert embedder.server.models == ["text-embedding-3-small"]
    assert service.requests["azure"] == {200: 2}
    assert embedder.bulk_api is None


def test_a_resource_is_a_provider_of_its_own() -> None:
    embedder = embedder_from(settings_of(None))
    assert (embedder.provider, embedder.model) == ("azure@films.openai.azure.com", "films-embed")
    with pytest.raises(EmbedderError, match="point AZURE_OPENAI_ENDPOINT there"):
        embedder_for(settings_of(None), "azure@other.openai.azure.com", "films-embed", 64)


@pytest.mark.parametrize(("deployment", "dollars"), [("text-embedding-3-large", 0.13), ("films-embed", None)])
def test_a_deployment_that_is_named_like_its_model_has_its_price(deployment: str, dollars: float | None) -> None:
    embedder = embedder_from(settings_of(None, MOVIE_ASSETS_EMBEDDING_MODEL=deployment))
    assert embedder.price.per_million_tokens == dollars


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ({"MOVIE_ASSETS_EMBEDDING_MODEL": "no-such"}, r"deployment for this resource does not exist.*the deployment's"),
        ({"OPENAI_API_VERSION": "2024-10-21", "AZURE_OPENAI_ENDPOINT": "{url}/tenant"}, "check AZURE_OPENAI_ENDPOINT"),
    ],
)
def test_what_is_wrong_is_told_in_azures_words_with_the_setting(
    service: TmdbEmulator, values: dict[str, str], says: str
) -> None:
    values = {name: value.replace("{url}", service.url) for name, value in values.items()}
    with pytest.raises(EmbedderError, match=says):
        embedder_from(settings_of(service, **values)).embed(["a"])
    assert sum(service.requests.get("azure", {}).values()) <= 1


def test_a_refused_key_is_told_after_one_request(service: TmdbEmulator) -> None:
    service.faults = {"api_key": 1.0}
    with pytest.raises(EmbedderError, match=r"invalid subscription key.*check AZURE_OPENAI_API_KEY") as refused:
        embedder_from(settings_of(service)).embed(TEXTS)
    assert KEY not in str(refused.value)
    assert service.requests["azure"] == {401: 1}


def test_the_pause_that_a_rate_limit_asks_for_is_kept(service: TmdbEmulator, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[float | None] = []

    def backoff(_attempt: int, _dice: object, seconds: float | None = None) -> float:
        asked.append(seconds)
        service.faults = {}
        return 0.001

    monkeypatch.setattr(request_queue, "backoff", backoff)
    service.faults = {"api_429none": 1.0}  # the pause is in the sentence only
    assert embedder_from(settings_of(service)).embed(["a"]).vectors.shape == (1, 64)
    assert asked == [1.0]


def test_what_is_not_set_is_named() -> None:
    environ = {"MOVIE_ASSETS_EMBEDDER": "azure"}
    with pytest.raises(EmbedderError, match="AZURE_OPENAI_API_KEY is not set"):
        embedder_from(Settings.from_env(environ))
    with pytest.raises(EmbedderError, match="AZURE_OPENAI_ENDPOINT is not set"):
        embedder_from(Settings.from_env({**environ, "AZURE_OPENAI_API_KEY": KEY}))
    with pytest.raises(SettingsError, match="OPENAI_API_VERSION: a version is a date"):
        Settings.from_env({**environ, "OPENAI_API_VERSION": "newest"})


def test_a_key_of_azure_alone_chooses_nothing() -> None:
    assert embedder_from(Settings.from_env({"AZURE_OPENAI_API_KEY": KEY})).provider == "local"
