"""What providers with an API of their own share, over HTTP: retries, limits, budgets, keys and roles."""

import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field

import numpy as np
import pytest

from movie_assets.config.settings import Settings
from movie_assets.embeddings import request_queue
from movie_assets.embeddings.embedder import BudgetAccount, EmbedderError, UnlimitedBudget
from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets.embeddings.native import NativeEmbedder
from movie_assets.embeddings.registry import embedder_for, embedder_from
from movie_assets.embeddings.roles import Role
from movie_assets.emulator.native_vectors import prompted
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.conftest import DAY

KEY = "canary-of-a-service-key"
PROVIDERS = ("gemini", "cohere", "voyage")
TEXTS = [f"story number {number} about ship {number * 7}" for number in range(250)]


@dataclass
class Outcome:
    """What became of texts."""

    vectors: dict[int, np.ndarray] = field(default_factory=dict)
    cut: set[int] = field(default_factory=set)
    rejected: dict[int, str] = field(default_factory=dict)
    tokens: int = 0
    dollars: float = 0.0


@pytest.fixture
def service() -> Iterator[TmdbEmulator]:
    with TmdbEmulator(EmulatorOptions(movies=1, today=DAY, rate_limit=0, stall_seconds=2)) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits longer than a service asks it to."""
    monkeypatch.setattr(request_queue, "backoff", lambda attempt, _, asked=None: max(0.002 * attempt, asked or 0))


def settings_of(service: TmdbEmulator, provider: str, **values: str) -> Settings:
    name = provider.upper()
    return Settings.from_env({
        "MOVIE_ASSETS_EMBEDDER": provider, "MOVIE_ASSETS_EMBEDDING_DIMENSIONS": "256",
        f"{name}_API_KEY": KEY, f"{name}_BASE_URL": getattr(service, f"{provider}_url"), **values,
    })  # fmt: skip


def embedder_of(service: TmdbEmulator, provider: str, **values: str) -> NativeEmbedder:
    embedder = embedder_from(settings_of(service, provider, **values))
    assert isinstance(embedder, NativeEmbedder)
    return embedder


def streamed(
    embedder: NativeEmbedder, texts: list[str], role: Role = "document", budget: BudgetAccount | None = None
) -> Outcome:
    outcome = Outcome()
    for chunk in embedder.stream(texts, budget or UnlimitedBudget(), role=role):
        outcome.vectors |= dict(zip(chunk.positions, chunk.vectors, strict=True))
        outcome.cut |= set(chunk.cut)
        outcome.rejected |= {rejected.position: rejected.reason for rejected in chunk.rejected}
        outcome.tokens += chunk.tokens
        outcome.dollars += chunk.dollars
    return outcome


def rows(outcome: Outcome) -> np.ndarray:
    return np.array([outcome.vectors[n] for n in sorted(outcome.vectors)])


@pytest.mark.parametrize("provider", PROVIDERS)
def test_documents_and_questions_get_vectors_of_length_one(service: TmdbEmulator, provider: str) -> None:
    embedder = embedder_of(service, provider)
    outcome = streamed(embedder, TEXTS)
    assert rows(outcome) == pytest.approx(hashed_vectors(prompted(TEXTS, "document"), 256), abs=1e-6)
    question = embedder.embed(["a ship"], role="query").vectors
    assert question == pytest.approx(hashed_vectors(prompted(["a ship"], "query"), 256), abs=1e-6)
    assert outcome.tokens > 0
    assert outcome.dollars == pytest.approx(embedder.price.of(outcome.tokens))
    per_request = min(256, embedder.limits.inputs)
    assert service.requests[provider] == {200: -(-len(TEXTS) // per_request) + 1}
    assert embedder.bulk_api is None


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_role_of_documents_is_part_of_the_sets_name_and_the_address_of_the_providers(
    service: TmdbEmulator, provider: str
) -> None:
    embedder = embedder_of(service, provider)
    assert "document" in embedder.roles.template.lower()
    assert embedder.provider.startswith(f"{provider}@127.0.0.1:")
    own = Settings.from_env({f"{provider.upper()}_API_KEY": KEY})
    assert embedder_for(own, provider, None, None).provider == provider
    with pytest.raises(EmbedderError, match=f"point {provider.upper()}_BASE_URL there"):
        embedder_for(own, embedder.provider, embedder.model, 256)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_missing_or_refused_key_is_one_sentence_after_one_request(service: TmdbEmulator, provider: str) -> None:
    name = f"{provider.upper()}_API_KEY"
    with pytest.raises(EmbedderError, match=f"{name} is not set"):
        embedder_from(Settings.from_env({"MOVIE_ASSETS_EMBEDDER": provider}))
    for fault in ("api_key", "api_forbidden"):
        service.faults = {fault: 1.0}
        service.reset_counts()
        with pytest.raises(EmbedderError, match=f"refused the key .* check {name}") as refused:
            streamed(embedder_of(service, provider), TEXTS)
        assert sum(service.requests[provider].values()) == 1
        assert KEY not in str(refused.value)
        with pytest.raises(EmbedderError, match=f"check {name}"):
            embedder_of(service, provider).probe()


@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("fault", ["api_429none", "api_500", "api_503", "api_cut", "api_html", "oa_short"])
def test_a_failure_that_passes_is_survived(service: TmdbEmulator, provider: str, fault: str) -> None:
    service.faults = {fault: 0.2}
    outcome = streamed(embedder_of(service, provider, MOVIE_ASSETS_EMBEDDING_TEXTS_PER_REQUEST="20"), TEXTS)
    assert (len(outcome.vectors), outcome.rejected) == (len(TEXTS), {})
    assert service.service.struck[fault] > 0


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_service_that_stays_down_ends_the_run_with_its_sentence(service: TmdbEmulator, provider: str) -> None:
    service.faults = {"api_503": 1.0}
    with pytest.raises(EmbedderError, match=r"(attempts|responses) .*the last: HTTP 503"):
        streamed(embedder_of(service, provider), TEXTS)


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_429_is_waited_for_as_long_as_it_says(service: TmdbEmulator, provider: str) -> None:
    service.faults = {"api_429s": 1.0}
    began, stream = time.monotonic(), embedder_of(service, provider).stream(TEXTS[:3], UnlimitedBudget())

    def until_asked() -> None:
        while service.service.struck["api_429s"] == 0:
            time.sleep(0.01)
        service.faults = {}

    threading.Thread(target=until_asked).start()
    assert len(next(stream).positions) == 3
    assert time.monotonic() - began >= 1
    assert service.requests[provider] == {429: 1, 200: 1}


@pytest.mark.parametrize("provider", PROVIDERS)
def test_too_many_inputs_are_learned_once(service: TmdbEmulator, provider: str) -> None:
    embedder = embedder_of(service, provider)
    limit, embedder.server.max_texts = embedder.limits.inputs, 3000
    outcome = streamed(embedder, TEXTS * 5)
    assert len(outcome.vectors) == 5 * len(TEXTS)
    assert embedder.server.max_texts == limit
    assert service.requests[provider][400] == 1


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_text_that_is_to_blame_or_empty_is_rejected_alone(service: TmdbEmulator, provider: str) -> None:
    service.faults = {"oa_cursed_nan": 1.0}
    outcome = streamed(embedder_of(service, provider), [*TEXTS[:10], "an unembeddable film", " ", "half a pair \ud83d"])
    assert outcome.rejected == {10: "vector_not_finite", 11: "empty_text"}
    assert sorted(outcome.vectors) == [*range(10), 12]


class SmallBudget(UnlimitedBudget):
    """A budget for a few texts."""

    def reserve(self, tokens: int, dollars: float) -> int | None:
        """Allow only small requests that cost something."""
        assert dollars > 0
        return 1 if tokens < 100 else None

    def exhausted_message(self) -> str:
        """Return what a run ends with."""
        return "MOVIE_ASSETS_RUN_DOLLARS is used up"


@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_budget_bounds_requests(service: TmdbEmulator, provider: str) -> None:
    with pytest.raises(EmbedderError, match="MOVIE_ASSETS_RUN_DOLLARS is used up"):
        streamed(embedder_of(service, provider), ["word " * 100], budget=SmallBudget())
    assert provider not in service.requests
    assert len(streamed(embedder_of(service, provider), TEXTS[:20], budget=SmallBudget()).vectors) == 20


@pytest.mark.parametrize("provider", PROVIDERS)
def test_dimensions_and_models_that_it_does_not_have_are_told(service: TmdbEmulator, provider: str) -> None:
    with pytest.raises(EmbedderError, match="set MOVIE_ASSETS_EMBEDDING_DIMENSIONS to one of these"):
        embedder_of(service, provider, MOVIE_ASSETS_EMBEDDING_DIMENSIONS="4000")
    unknown = embedder_of(service, provider, MOVIE_ASSETS_EMBEDDING_MODEL="none")
    with pytest.raises(EmbedderError, match="check MOVIE_ASSETS_EMBEDDING_MODEL"):
        unknown.probe()
