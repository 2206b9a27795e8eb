"""Both embedders: the local one, and the OpenAI client against a service that misbehaves in every known way."""

import json
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from movie_assets.core.hashing import hashed_vectors
from movie_assets.resources import embedder as module
from movie_assets.resources.embedder import (
    ATTEMPTS,
    TEXTS_PER_REQUEST,
    EmbedderError,
    LocalEmbedder,
    OpenAiEmbedder,
    embedder_for,
    embedder_from,
)
from movie_assets.settings import Settings, SettingsError
from movie_assets.standin.options import StandInOptions
from movie_assets.standin.server import StandIn
from movie_assets_tests.conftest import DAY

WIDTH = 64
KEY = "sk-canary-of-a-key"
MODEL = "text-embedding-3-small"
TEXTS = ["a hacker in a simulation", "a bookseller in London", "an alien on a spaceship"]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits as long as production does."""
    monkeypatch.setattr(module, "backoff", lambda attempt, _dice: 0.002 * attempt)


@pytest.fixture
def service() -> Iterator[StandIn]:
    """The embeddings service; one a test, as a call that a test gave up may still arrive after its end."""
    with StandIn(StandInOptions(movies=1, today=DAY, rate_limit=0, stall_seconds=2)) as stand_in:
        yield stand_in


Make = Callable[..., OpenAiEmbedder]


@pytest.fixture
def embedder(service: StandIn) -> Make:
    """Make clients of the service."""

    def make(model: str = MODEL, dimensions: int = WIDTH, key: str = KEY, url: str = service.openai_url) -> Any:
        return OpenAiEmbedder(model, dimensions, SecretStr(key), url)

    return make


def requests_to(service: StandIn) -> dict[int, int]:
    return service.requests.get("embeddings", {})


# The OpenAI client


def test_each_text_gets_its_vector_of_length_one(embedder: Make) -> None:
    embedded = embedder().embed(TEXTS)
    assert embedded.vectors == pytest.approx(hashed_vectors(TEXTS, WIDTH), abs=1e-6)
    assert np.linalg.norm(embedded.vectors, axis=1) == pytest.approx(1)


def test_tokens_and_their_price_are_told(embedder: Make) -> None:
    embedded = embedder().embed(TEXTS)
    assert embedded.tokens > 0
    assert embedded.dollars == pytest.approx(embedded.tokens * 0.02 / 1e6)


def test_no_texts_cost_no_request(service: StandIn, embedder: Make) -> None:
    embedded = embedder().embed([])
    assert (embedded.vectors.shape, embedded.tokens, embedded.dollars) == ((0, WIDTH), 0, 0)
    assert requests_to(service) == {}


def test_vectors_out_of_order_find_their_texts(service: StandIn, embedder: Make) -> None:
    straight = embedder().embed(TEXTS).vectors
    service.faults = {"oa_shuffled": 1.0}
    assert (embedder().embed(TEXTS).vectors == straight).all()


@pytest.mark.parametrize("fault", ["oa_short", "oa_duplicate_index", "oa_nan", "oa_zero", "oa_500", "oa_429rate"])
def test_a_failure_that_passes_is_survived(
    service: StandIn, embedder: Make, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    waits: list[float] = []

    def wait(seconds: float) -> None:
        waits.append(seconds)
        if len(waits) == 3:
            service.faults = {}

    monkeypatch.setattr("movie_assets.resources.embedder.time.sleep", wait)
    service.faults = {fault: 1.0}
    assert embedder().embed(TEXTS).vectors == pytest.approx(hashed_vectors(TEXTS, WIDTH), abs=1e-6)
    assert sum(requests_to(service).values()) == 4


@pytest.mark.parametrize("fault", ["oa_short", "oa_duplicate_index", "oa_nan", "oa_zero", "oa_500", "oa_429rate"])
def test_a_service_that_stays_unusable_is_given_up(service: StandIn, embedder: Make, fault: str) -> None:
    service.faults = {fault: 1.0}
    with pytest.raises(EmbedderError, match=f"{ATTEMPTS} attempts to embed 3 texts failed"):
        embedder().embed(TEXTS)
    assert sum(requests_to(service).values()) == ATTEMPTS


def test_vectors_of_another_width_stop_at_once_and_name_the_setting(service: StandIn, embedder: Make) -> None:
    service.faults = {"oa_wrong_width": 1.0}
    with pytest.raises(EmbedderError, match=r"16 dimensions and 64 .* MOVIE_ASSETS_EMBEDDING_DIMENSIONS"):
        embedder().embed(TEXTS)
    assert requests_to(service) == {200: 1}


def test_vectors_of_another_model_are_refused(service: StandIn, embedder: Make) -> None:
    service.faults = {"oa_wrong_model": 1.0}
    with pytest.raises(EmbedderError, match="another-model"):
        embedder().embed(TEXTS)


@pytest.mark.parametrize(("fault", "words"), [("oa_429quota", "quota is used up"), ("oa_401", "check OPENAI_API_KEY")])
def test_what_cannot_get_better_costs_one_request(service: StandIn, embedder: Make, fault: str, words: str) -> None:
    service.faults = {fault: 1.0}
    with pytest.raises(EmbedderError, match=words) as refused:
        embedder().embed(TEXTS)
    assert sum(requests_to(service).values()) == 1
    assert KEY not in str(refused.value)


def test_a_request_that_is_refused_is_not_made_again(service: StandIn, embedder: Make) -> None:
    with pytest.raises(EmbedderError, match="HTTP 400"):
        embedder().embed(["one text", ""])
    assert requests_to(service) == {400: 1}


def test_a_service_that_hangs_is_given_up(service: StandIn, embedder: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "SECONDS_PER_REQUEST", 0.1)
    service.faults = {"oa_timeout": 1.0}
    with pytest.raises(EmbedderError, match="no answer"):
        embedder().embed(TEXTS)


def test_a_service_that_is_down_is_given_up(embedder: Make) -> None:
    with pytest.raises(EmbedderError, match="no answer"):
        embedder(url="http://127.0.0.1:1/v1").embed(TEXTS)


def test_the_last_failure_is_not_waited_after(
    service: StandIn, embedder: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    waits: list[float] = []
    monkeypatch.setattr("movie_assets.resources.embedder.time.sleep", waits.append)
    service.faults = {"oa_500": 1.0}
    with pytest.raises(EmbedderError):
        embedder().embed(TEXTS)
    assert len(waits) == ATTEMPTS - 1


def test_many_texts_go_in_few_requests_and_keep_their_order(service: StandIn, embedder: Make) -> None:
    texts = [f"story number {number}" for number in range(2 * TEXTS_PER_REQUEST + 1)]
    embedded = embedder().embed(texts)
    assert requests_to(service) == {200: 3}
    assert embedded.vectors == pytest.approx(hashed_vectors(texts, WIDTH), abs=1e-6)


def test_long_texts_are_packed_by_what_a_request_may_hold(service: StandIn, embedder: Make) -> None:
    texts = [f"{number} " + "word " * 5000 for number in range(60)]
    assert len(embedder().embed(texts).vectors) == 60
    assert requests_to(service) == {200: 4}


def test_the_width_is_only_sent_to_models_that_take_it(service: StandIn, embedder: Make) -> None:
    assert embedder("text-embedding-ada-002", 1536).embed(TEXTS).vectors.shape == (3, 1536)
    assert embedder("text-embedding-3-large", 256).embed(TEXTS).vectors.shape == (3, 256)
    assert requests_to(service) == {200: 2}


def test_a_model_whose_price_is_not_known_costs_nothing(embedder: Make) -> None:
    assert embedder("my-own-model", 1536).embed(TEXTS).dollars == 0


@pytest.mark.parametrize("key", [f"{KEY}\nrest", f"{KEY}…"])
def test_a_key_that_no_header_can_hold_is_told_without_showing_it(key: str) -> None:
    with pytest.raises(SettingsError, match="OPENAI_API_KEY") as refused:
        Settings.from_env({"OPENAI_API_KEY": key})
    assert KEY not in str(refused.value)


# A service of another make

GOOD: dict[str, Any] = {
    "object": "list",
    "model": MODEL,
    "data": [{"object": "embedding", "index": n, "embedding": [float(n == m) for m in range(8)]} for n in range(2)],
    "usage": {"prompt_tokens": 2, "total_tokens": 2},
}


def with_data(*items: Any) -> bytes:
    return json.dumps(GOOD | {"data": list(items)}).encode()


@pytest.fixture(scope="module")
def canned() -> Iterator[ThreadingHTTPServer]:
    """A server that answers every POST with its attribute `reply`: content type and body."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:  # the library's name
            self.rfile.read(int(self.headers["Content-Length"]))
            kind, body = self.server.reply  # type: ignore[attr-defined]
            self.send_response(200)
            self.send_header("Content-Type", kind)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield server
        server.shutdown()


def test_a_service_without_usage_is_good_enough(canned: ThreadingHTTPServer, embedder: Make) -> None:
    canned.reply = ("application/json", json.dumps({**GOOD, "usage": None}).encode())  # type: ignore[attr-defined]
    client = embedder(dimensions=8, url=f"http://127.0.0.1:{canned.server_port}/v1")
    assert len(client.embed(["a", "b"]).vectors) == 2


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("text/html", b"<html>Sign in</html>"),
        ("application/json", b""),
        ("application/json", b"null"),
        ("application/json", b"[]"),
        ("application/json", json.dumps(GOOD).encode()[:80]),
        ("application/json", json.dumps(GOOD | {"data": None}).encode()),
        ("application/json", with_data({"embedding": [1.0] * 8}, {"embedding": [2.0] * 8})),
        ("application/json", with_data({"index": 0}, {"index": 1})),
        ("application/json", with_data({"index": 0, "embedding": ["a"] * 8}, {"index": 1, "embedding": ["b"] * 8})),
        ("application/json", with_data({"index": 0, "embedding": [None] * 8}, {"index": 1, "embedding": [1.0] * 8})),
        ("application/json", with_data({"index": 0, "embedding": "AAAA"}, {"index": 1, "embedding": "AAAA"})),
        ("application/json", with_data({"index": 0, "embedding": [1.0] * 8}, {"index": 1, "embedding": [1.0] * 8})),
    ],
    ids=[
        "html", "empty", "null", "array", "cut", "no data", "no index", "no embedding", "words", "null numbers",
        "base64", "one vector for all",
    ],
)  # fmt: skip
def test_an_answer_of_another_shape_is_an_embedder_error(
    canned: ThreadingHTTPServer, embedder: Make, kind: str, body: bytes
) -> None:
    canned.reply = (kind, body)  # type: ignore[attr-defined]
    client = embedder(dimensions=8, url=f"http://127.0.0.1:{canned.server_port}/v1")
    with pytest.raises(EmbedderError):
        client.embed(["a", "b"])


# The local embedder


def test_the_local_embedder_hashes_and_costs_nothing() -> None:
    embedded = LocalEmbedder("hashing-v1", WIDTH).embed(TEXTS)
    assert (embedded.vectors == hashed_vectors(TEXTS, WIDTH)).all()
    assert (embedded.tokens, embedded.dollars) == (6, 0)


def test_the_local_embedder_takes_no_texts() -> None:
    assert LocalEmbedder("hashing-v1", WIDTH).embed([]).vectors.shape == (0, WIDTH)


def test_the_local_embedder_has_one_model() -> None:
    with pytest.raises(EmbedderError, match="hashing-v1, not text-embedding-3-small"):
        LocalEmbedder("text-embedding-3-small", WIDTH)


# Which one


def test_without_a_key_the_embedder_is_local() -> None:
    chosen = embedder_from(Settings.from_env({}))
    assert (chosen.provider, chosen.model, chosen.dimensions) == ("local", "hashing-v1", 1536)


def test_with_a_key_the_embedder_is_openais() -> None:
    chosen = embedder_from(Settings.from_env({"OPENAI_API_KEY": KEY, "MOVIE_ASSETS_EMBEDDING_DIMENSIONS": "512"}))
    assert (chosen.provider, chosen.model, chosen.dimensions) == ("openai", MODEL, 512)


def test_openai_without_a_key_is_told_in_a_sentence() -> None:
    with pytest.raises(EmbedderError, match=r"OPENAI_API_KEY is not set; set it, or .* MOVIE_ASSETS_EMBEDDER=local"):
        embedder_from(Settings.from_env({"MOVIE_ASSETS_EMBEDDER": "openai"}))


def test_an_older_sets_embedder_can_be_had() -> None:
    chosen = embedder_for(Settings.from_env({"OPENAI_API_KEY": KEY}), "local", "hashing-v1", 128)
    assert (chosen.provider, chosen.dimensions) == ("local", 128)


def test_the_key_is_not_shown_by_an_embedder(embedder: Make) -> None:
    assert KEY not in repr(vars(embedder()))
