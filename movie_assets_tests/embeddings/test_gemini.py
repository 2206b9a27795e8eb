"""Gemini over HTTP: what it does differently from other services."""

import numpy as np
import pytest

from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets.embeddings.registry import providers
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.embeddings.test_native_services import TEXTS, embedder_of, rows, service, streamed

__all__ = ["service"]  # the fixture


@pytest.mark.parametrize(("width", "length"), [(768, 0.7), (3072, 1.0)])
def test_shorter_vectors_are_brought_to_length_one(service: TmdbEmulator, width: int, length: float) -> None:
    embedder = embedder_of(service, "gemini", MOVIE_ASSETS_EMBEDDING_DIMENSIONS=str(width))
    with embedder.asking("document", 10) as ask:
        assert ask(["a ship"], embedder.server.parameters).tokens is None  # it reports none
    vectors = rows(streamed(embedder, TEXTS[:3]))
    assert vectors.shape == (3, width)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    assert length <= 1


def test_a_newer_model_takes_prefixes_in_place_of_a_task_type(service: TmdbEmulator) -> None:
    embedder = embedder_of(service, "gemini", MOVIE_ASSETS_EMBEDDING_MODEL="gemini-embedding-2")
    assert embedder.roles.template == 'film-v1 prefix="title: none | text: "'
    question = embedder.embed(["a ship"], role="query").vectors
    assert question == pytest.approx(hashed_vectors(["task: search result | query: a ship"], 256), abs=1e-6)
    assert providers()["gemini"].known("gemini-embedding-2-next").roles == embedder.roles
    assert providers()["gemini"].known("gemini-embedding-3").roles.parameter == "taskType"


def test_a_text_that_is_too_long_is_found_and_cut(service: TmdbEmulator) -> None:
    outcome = streamed(embedder_of(service, "gemini"), [*TEXTS[:30], "語" * 2700, *TEXTS[30:40]])
    assert (len(outcome.vectors), outcome.cut, outcome.rejected) == (41, {30}, {})


def test_the_dimensions_prices_and_usual_model_are_declared() -> None:
    provider = providers()["gemini"]
    assert provider.default_model in provider.models
    assert provider.price_of("gemini-embedding-001").per_million_tokens == 0.15
    assert set(provider.known("gemini-embedding-001").dimensions) == set(range(128, 3073))
