"""Cohere over HTTP: what it does differently from other services."""

from datetime import UTC, datetime

import pytest

from movie_assets.embeddings.embedder import EmbedderError
from movie_assets.embeddings.refusals import refusal_of
from movie_assets.embeddings.registry import providers
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.embeddings.test_native_services import TEXTS, embedder_of, service, streamed

__all__ = ["service"]  # the fixture
V3 = {"MOVIE_ASSETS_EMBEDDING_MODEL": "embed-english-v3.0", "MOVIE_ASSETS_EMBEDDING_DIMENSIONS": "1024"}


def test_the_tokens_that_are_billed_are_the_cost(service: TmdbEmulator) -> None:
    outcome = streamed(embedder_of(service, "cohere"), ["four letters a token"])
    assert outcome.tokens == 5
    assert outcome.dollars == pytest.approx(5 * 0.12 / 1e6)


def test_a_model_of_one_width_is_not_asked_for_it_and_its_long_texts_are_cut(service: TmdbEmulator) -> None:
    embedder = embedder_of(service, "cohere", **V3)
    outcome = streamed(embedder, [*TEXTS[:30], "a long story of a ship " * 200, *TEXTS[30:40]])
    assert (len(outcome.vectors), outcome.cut, outcome.rejected) == (41, {30}, {})
    assert outcome.vectors[0].shape == (1024,)
    with pytest.raises(EmbedderError, match="makes vectors of 1024 dimensions, not of 512"):
        embedder_of(service, "cohere", **V3 | {"MOVIE_ASSETS_EMBEDDING_DIMENSIONS": "512"})


@pytest.mark.parametrize(("limit", "action"), [("40 API calls / minute", "pause"), ("1000 API calls / month", "stop")])
def test_a_trial_keys_limit_a_month_ends_the_run_at_once(service: TmdbEmulator, limit: str, action: str) -> None:
    errors = embedder_of(service, "cohere").errors
    message = f"You are using a Trial key, which is limited to {limit}."
    assert refusal_of(429, "", message, {}, datetime.now(UTC), errors).action == action


def test_dimensions_and_the_usual_model_are_declared() -> None:
    provider = providers()["cohere"]
    assert provider.known(provider.default_model).dimensions == (256, 512, 1024, 1536)
    assert provider.known("embed-v5.0").roles.parameter == "input_type"
