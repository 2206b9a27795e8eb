"""The local embedder, which embedder the settings name, and what services are called."""

import re
from collections.abc import Sequence

import numpy as np
import pytest
from pydantic import SecretStr

from movie_assets.config.embedding_settings import provider_names
from movie_assets.config.settings import Settings, SettingsError
from movie_assets.embeddings.embedder import Embedded, EmbedderError, UnlimitedBudget, former_provider
from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.embeddings.providers.openai import OpenAiEmbedder, openai_provider
from movie_assets.embeddings.registry import embedder_for, embedder_from, providers
from movie_assets.embeddings.roles import Role

WIDTH = 64
KEY = "sk-canary-of-a-key"
MODEL = "text-embedding-3-small"
TEXTS = ["a hacker in a simulation", "a bookseller in London", "an alien on a spaceship"]


# A service's name


@pytest.mark.parametrize(
    ("url", "name", "former"),
    [
        ("https://api.openai.com/v1", "openai", "openai"),
        ("https://api.openai.com:443/v1/", "openai", "openai"),
        ("https://eu.api.openai.com/v1", "openai@eu.api.openai.com/v1", "openai@eu.api.openai.com"),
        ("http://localhost:11434/v1", "openai@localhost:11434/v1", "openai@localhost"),
        ("http://LOCALHOST:11434//v1/", "openai@localhost:11434/v1", "openai@localhost"),
        ("http://localhost:8080/v1", "openai@localhost:8080/v1", "openai@localhost"),
        ("http://localhost:8080/a/v1", "openai@localhost:8080/a/v1", "openai@localhost"),
        ("http://localhost/v1", "openai@localhost:80/v1", "openai@localhost"),
        ("https://example.org", "openai@example.org", "openai@example.org"),
        ("https://example.org:443/", "openai@example.org", "openai@example.org"),
        ("http://[::1]:8080/v1", "openai@[::1]:8080/v1", "openai@::1"),
        ("https://user:secret@example.org/v1?key=secret#secret", "openai@example.org/v1", "openai@example.org"),
    ],
)
def test_a_service_is_named_by_its_address(url: str, name: str, former: str) -> None:
    assert openai_provider(url) == name
    assert former_provider(name) == former


@pytest.mark.parametrize(
    "secret", ["sk-short", "a1b2c3d4e5f6a7b8c9d0e1f2", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.x-_y"]
)
def test_what_could_be_a_key_in_an_address_is_not_in_the_name(secret: str) -> None:
    name, other = (openai_provider(f"https://example.org/{key}/v1") for key in (secret, secret + "0"))
    assert secret not in name
    assert re.fullmatch(r"openai@example\.org/[0-9a-f]{8}/v1", name)
    assert name != other


# The local embedder


def test_the_local_embedder_hashes_and_costs_nothing() -> None:
    embedded = LocalEmbedder("hashing-v1", WIDTH).embed(TEXTS)
    assert (embedded.vectors == hashed_vectors(TEXTS, WIDTH)).all()
    assert (embedded.tokens, embedded.dollars) == (6, 0)


def test_the_local_embedder_takes_no_texts() -> None:
    assert LocalEmbedder("hashing-v1", WIDTH).embed([]).vectors.shape == (0, WIDTH)


def test_the_local_embedder_streams_texts_in_their_order() -> None:
    texts = [f"story number {number}" for number in range(600)]
    parts = list(LocalEmbedder("hashing-v1", WIDTH).stream(texts, UnlimitedBudget()))
    assert [position for part in parts for position in part.positions] == list(range(600))
    assert (parts[1].vectors[0] == hashed_vectors([texts[512]], WIDTH)[0]).all()


def test_the_local_embedder_makes_the_same_vectors_in_a_stream_of_several_chunks() -> None:
    embedder = LocalEmbedder("hashing-v2", WIDTH)
    texts = [f"{text} {n % 7}" for n in range(500) for text in TEXTS]
    chunks = list(embedder.stream(texts, UnlimitedBudget()))
    assert len(chunks) > 2
    assert [position for chunk in chunks for position in chunk.positions] == list(range(len(texts)))
    assert (np.concatenate([chunk.vectors for chunk in chunks]) == embedder.embed(texts).vectors).all()
    assert (embedder.embed(texts).vectors == [embedder.embed([text]).vectors[0] for text in texts]).all()


def test_a_stream_that_is_left_early_makes_no_further_vectors(monkeypatch: pytest.MonkeyPatch) -> None:
    embedder = LocalEmbedder("hashing-v2", WIDTH)
    made: list[int] = []
    original = embedder.embed

    def counted(texts: Sequence[str], role: Role = "document") -> Embedded:
        made.append(len(texts))
        return original(texts, role)

    monkeypatch.setattr(embedder, "embed", counted)
    stream = embedder.stream(TEXTS * 2000, UnlimitedBudget())
    first = next(iter(stream))
    del stream
    assert len(made) <= 2 < len(TEXTS) * 2000 / len(first.positions)


def test_the_local_embedder_has_its_own_models() -> None:
    with pytest.raises(EmbedderError, match="use-multilingual-v3-titled, not text-embedding-3-small"):
        LocalEmbedder("text-embedding-3-small", WIDTH)


# Which one


def test_without_a_key_the_embedder_is_local() -> None:
    chosen = embedder_from(Settings.from_env({}))
    assert (chosen.provider, chosen.model, chosen.dimensions) == ("local", "hashing-v2", 4000)


def test_with_a_key_the_embedder_is_openais() -> None:
    chosen = embedder_from(Settings.from_env({"OPENAI_API_KEY": KEY, "MOVIE_ASSETS_EMBEDDING_DIMENSIONS": "512"}))
    assert (chosen.provider, chosen.model, chosen.dimensions) == ("openai", MODEL, 512)


def test_openai_without_a_key_is_told_in_a_sentence() -> None:
    with pytest.raises(EmbedderError, match=r"OPENAI_API_KEY is not set; set it, or .* MOVIE_ASSETS_EMBEDDER=local"):
        embedder_from(Settings.from_env({"MOVIE_ASSETS_EMBEDDER": "openai"}))


def test_an_older_sets_embedder_can_be_had() -> None:
    chosen = embedder_for(Settings.from_env({"OPENAI_API_KEY": KEY}), "local", "hashing-v1", 128)
    assert (chosen.provider, chosen.dimensions) == ("local", 128)


@pytest.mark.parametrize(("told", "dollars"), [({}, 0.02), ({"MOVIE_ASSETS_DOLLARS_PER_MILLION_TOKENS": "0.5"}, 0.5)])
def test_the_price_is_the_published_one_unless_the_settings_tell(told: dict[str, str], dollars: float) -> None:
    chosen = embedder_from(Settings.from_env({"OPENAI_API_KEY": KEY, **told}))
    assert chosen.price.of(1_000_000) == pytest.approx(dollars)
    assert chosen.price.of(1_000_000, in_bulk=True) == pytest.approx(dollars / 2)


def test_the_price_of_an_unknown_model_is_not_known() -> None:
    chosen = embedder_from(Settings.from_env({"OPENAI_API_KEY": KEY, "MOVIE_ASSETS_EMBEDDING_MODEL": "mine"}))
    assert chosen.price.per_million_tokens is None


def test_the_key_is_not_shown_by_an_embedder() -> None:
    assert KEY not in repr(vars(OpenAiEmbedder(MODEL, WIDTH, SecretStr(KEY), "http://127.0.0.1:1/v1")))


@pytest.mark.parametrize("key", [f"{KEY}\nrest", f"{KEY}…"])
def test_a_key_that_no_header_can_hold_is_told_without_showing_it(key: str) -> None:
    with pytest.raises(SettingsError, match="OPENAI_API_KEY") as refused:
        Settings.from_env({"OPENAI_API_KEY": key})
    assert KEY not in str(refused.value)


# Providers


def test_each_provider_has_a_setting_and_a_module() -> None:
    assert set(providers()) == set(provider_names())


def test_a_set_of_an_unknown_provider_is_refused() -> None:
    with pytest.raises(EmbedderError, match="word2vec@h, which is no provider"):
        embedder_for(Settings.from_env({"OPENAI_API_KEY": KEY}), "word2vec@h", None, WIDTH)


def test_an_unknown_embedder_is_refused_with_the_names_of_those_there_are() -> None:
    with pytest.raises(SettingsError, match=r"^MOVIE_ASSETS_EMBEDDER: Input should be 'local' or 'openai'"):
        Settings.from_env({"MOVIE_ASSETS_EMBEDDER": "word2vec"})
