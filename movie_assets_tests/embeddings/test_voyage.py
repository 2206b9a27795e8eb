"""Voyage over HTTP: what it does differently from other services."""

import pytest

from movie_assets.embeddings.embedder import Limits
from movie_assets.embeddings.registry import embedder_from, providers
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.embeddings.test_native_services import (
    TEXTS,
    embedder_of,
    service,
    settings_of,
    streamed,
)

__all__ = ["service"]  # the fixture


def test_the_models_name_and_the_tokens_are_in_the_response(service: TmdbEmulator) -> None:
    embedder = embedder_of(service, "voyage", MOVIE_ASSETS_EMBEDDING_MODEL="voyage-4-lite")
    outcome = streamed(embedder, ["four letters a token"])
    assert outcome.tokens == 5
    assert outcome.dollars == pytest.approx(5 * 0.02 / 1e6)
    assert embedder.server.models == ["voyage-4-lite"]


def test_tokens_of_a_request_are_bounded_by_the_model(service: TmdbEmulator) -> None:
    """A byte counts as a token, so that no request is too large."""
    texts = [f"{n} " + "a long story of a ship " * 100 for n in range(120)]  # 276,000 bytes
    outcome = streamed(embedder_of(service, "voyage", MOVIE_ASSETS_EMBEDDING_MODEL="voyage-4-large"), texts)
    assert len(outcome.vectors) == 120
    assert service.requests["voyage"] == {200: 3}


def test_a_limit_of_tokens_that_changed_is_learned(service: TmdbEmulator) -> None:
    embedder = embedder_of(service, "voyage", MOVIE_ASSETS_EMBEDDING_MODEL="voyage-4-large")
    embedder.server.max_tokens = 10_000_000
    outcome = streamed(embedder, [f"{n} " + "語" * 1000 for n in range(200)])  # 200,000 tokens in one request
    assert (len(outcome.vectors), outcome.rejected) == (200, {})
    assert service.requests["voyage"][400] == 1


def test_a_text_that_is_too_long_is_found_and_cut(service: TmdbEmulator) -> None:
    embedder = embedder_of(service, "voyage")
    embedder.limits = Limits(longest=1_000_000)  # a model whose limit is not known
    outcome = streamed(embedder, [*TEXTS[:30], "語" * 32_500, *TEXTS[30:40]])
    assert (len(outcome.vectors), outcome.cut, outcome.rejected) == (41, {30}, {})
    assert service.requests["voyage"][400] > 0


def test_its_usual_width_is_1024(service: TmdbEmulator) -> None:
    assert embedder_from(settings_of(service, "voyage", MOVIE_ASSETS_EMBEDDING_DIMENSIONS="")).dimensions == 1024
    assert providers()["voyage"].known("voyage-9").usual_dimensions == 1024
