"""The OpenAI client against a service that misbehaves in every known way, over real HTTP."""

import json
import re
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import numpy as np
import pytest
from pydantic import SecretStr

from movie_assets.config.embedding_limits import IN_FLIGHT, TEXTS_PER_REQUEST
from movie_assets.embeddings import openai_call, remote, request_queue, request_stream
from movie_assets.embeddings.embedder import EmbedderError, UnlimitedBudget
from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets.embeddings.refusals import ATTEMPTS, MAX_PAUSES, Refusal
from movie_assets.embeddings.request_queue import MAX_FAILURES
from movie_assets.emulator.faults import FAULTS, Fault
from movie_assets.emulator.openai_errors import OVERLOADED
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.responses import ServedResponse
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.conftest import DAY

WIDTH = 64
KEY = "sk-canary-of-a-key"
MODEL = "text-embedding-3-small"
TEXTS = ["a hacker in a simulation", "a bookseller in London", "an alien on a spaceship"]
FLOOD = [f"story number {number} about ship {number * 7}" for number in range(10 * TEXTS_PER_REQUEST)]
CURSED = [*FLOOD[:400], "an unembeddable film", *FLOOD[400:700]]

Make = Callable[..., OpenAiEmbedder]


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits as long as production does."""
    monkeypatch.setattr(request_queue, "backoff", lambda attempt, _dice, asked=None: max(0.002 * attempt, asked or 0))


@pytest.fixture
def service() -> Iterator[TmdbEmulator]:
    """The embeddings service; one a test, as a call that a test gave up may still arrive after its end."""
    with serving() as tmdb_emulator:
        yield tmdb_emulator


def serving(**options: Any) -> TmdbEmulator:
    return TmdbEmulator(EmulatorOptions(movies=1, today=DAY, rate_limit=0, stall_seconds=2, **options))


@pytest.fixture
def embedder(service: TmdbEmulator) -> Make:
    """Make clients of the service."""

    def make(model: str = MODEL, dimensions: int = WIDTH, url: str = service.openai_url) -> OpenAiEmbedder:
        return client_of(url, model, dimensions)

    return make


def client_of(url: str, model: str = MODEL, dimensions: int = WIDTH) -> OpenAiEmbedder:
    return OpenAiEmbedder(model, dimensions, SecretStr(KEY), url)


def requests_to(service: TmdbEmulator) -> dict[int, int]:
    return service.requests.get("embeddings", {})


@dataclass
class Outcome:
    """What became of texts."""

    vectors: dict[int, Any] = field(default_factory=dict)
    rejected: dict[int, str] = field(default_factory=dict)
    tokens: int = 0
    error: str = ""


def outcome_of(client: OpenAiEmbedder, texts: list[str], after_a_part: Callable[[], None] = lambda: None) -> Outcome:
    """Stream texts; a text in two parts, or with the vector of another, fails the test."""
    told = Outcome()
    try:
        for part in client.stream(texts, UnlimitedBudget()):
            for position, vector in zip(part.positions, part.vectors, strict=True):
                assert position not in told.vectors
                told.vectors[position] = vector
            told.rejected |= {rejected_input.position: rejected_input.reason for rejected_input in part.rejected}
            told.tokens += part.tokens
            after_a_part()
    except EmbedderError as error:
        told.error = str(error)
    positions = sorted(told.vectors)
    if positions:
        wanted = hashed_vectors([texts[n] for n in positions], client.dimensions)
        assert np.array([told.vectors[n] for n in positions]) == pytest.approx(wanted, abs=1e-6)
    assert not told.vectors.keys() & told.rejected.keys()
    return told


# What is asked and what comes back


def test_each_text_gets_its_vector_of_length_one(embedder: Make) -> None:
    embedded = embedder().embed(TEXTS)
    assert embedded.vectors == pytest.approx(hashed_vectors(TEXTS, WIDTH), abs=1e-6)
    assert np.linalg.norm(embedded.vectors, axis=1) == pytest.approx(1)


def test_tokens_and_their_price_are_told(embedder: Make) -> None:
    embedded = embedder().embed(TEXTS)
    assert embedded.tokens > 0
    assert embedded.dollars == pytest.approx(embedded.tokens * 0.02 / 1e6)


def test_no_texts_cost_no_request(service: TmdbEmulator, embedder: Make) -> None:
    embedded = embedder().embed([])
    assert (embedded.vectors.shape, embedded.tokens, embedded.dollars) == ((0, WIDTH), 0, 0)
    assert requests_to(service) == {}


def test_a_model_whose_price_is_not_known_costs_nothing(embedder: Make) -> None:
    assert embedder("my-own-model", 1536).embed(TEXTS).dollars == 0


def test_the_width_is_only_sent_to_models_that_take_it(service: TmdbEmulator, embedder: Make) -> None:
    assert embedder("text-embedding-ada-002", 1536).embed(TEXTS).vectors.shape == (3, 1536)
    assert embedder("text-embedding-3-large", 256).embed(TEXTS).vectors.shape == (3, 256)
    assert requests_to(service) == {200: 2}


@pytest.mark.parametrize("model", [MODEL, "text-embedding-ada-002"])
def test_the_request_to_openai_is_the_documented_one(canned: ThreadingHTTPServer, model: str) -> None:
    canned.reply = ("application/json", json.dumps(GOOD).encode())  # type: ignore[attr-defined]
    client_of(f"http://127.0.0.1:{canned.server_port}/v1", model, 8).embed(["a", "b"])
    width = {} if model == "text-embedding-ada-002" else {"dimensions": 8}
    assert canned.asked == {  # type: ignore[attr-defined]
        "input": ["a", "b"], "model": model, "encoding_format": "float", **width,
    }  # fmt: skip


def test_many_texts_go_in_few_requests(service: TmdbEmulator, embedder: Make) -> None:
    assert len(outcome_of(embedder(), FLOOD[: 2 * TEXTS_PER_REQUEST + 1]).vectors) == 2 * TEXTS_PER_REQUEST + 1
    assert requests_to(service) == {200: 3}


def test_long_texts_are_packed_by_what_a_request_may_hold(service: TmdbEmulator, embedder: Make) -> None:
    texts = [f"{number} " + "word " * 1500 for number in range(90)]  # 7,500 bytes, so 39 or 40 a request
    assert len(outcome_of(embedder(), texts).vectors) == 90
    assert requests_to(service) == {200: 3}


def test_a_text_that_is_too_long_is_cut_before_it_is_sent(service: TmdbEmulator, embedder: Make) -> None:
    vectors = embedder().embed(["a " * 100_000, "映画 " * 20_000, TEXTS[1]]).vectors
    assert vectors.shape == (3, WIDTH)
    assert requests_to(service) == {200: 1}


def test_an_empty_text_is_a_culprit_without_a_call(service: TmdbEmulator, embedder: Make) -> None:
    told = outcome_of(embedder(), [TEXTS[0], " ", TEXTS[1]])
    assert (sorted(told.vectors), told.rejected) == ([0, 2], {1: "empty_text"})
    assert requests_to(service) == {200: 1}


def test_one_text_without_a_vector_is_an_error_for_a_search(embedder: Make) -> None:
    with pytest.raises(EmbedderError, match="gets no vector: it is empty"):
        embedder().embed([""])


# Faults F27-F31 and bad inputs B36-B42 while they last: what becomes of the texts, in how many requests


@dataclass(frozen=True)
class Case:
    fault: str
    texts: list[str]
    requests: Any  # exactly so many, or at most
    error: str = ""
    vectors: int = 0
    rejected: dict[int, str] = field(default_factory=dict)


LEFT = len(CURSED) - 1
BISECTED = 3 + 1 + 2 * 8  # three packs, one repeated, then two halves of 256, 128 … 2
CASES = {
    "F27 rate limit that stays": Case("oa_429rate", TEXTS, MAX_PAUSES + 1 + 4, "as too many"),
    "F28 no quota": Case("oa_429quota", FLOOD, 1, "quota is used up"),
    "F29 refused key": Case("oa_401", FLOOD, 1, "check OPENAI_API_KEY"),
    "F30 context length of one": Case("oa_cursed_400", CURSED, BISECTED - 1, "", LEFT, {400: "too_long"}),
    "F30 context length of all": Case("oa_400len", CURSED, MAX_FAILURES, "20 responses .* in a row"),
    "F31 internal error": Case("oa_500", TEXTS, ATTEMPTS + 6, "9 attempts to embed a text failed"),
    "F31 internal error of one": Case("oa_cursed_500", CURSED, BISECTED + 3, "", LEFT, {400: "no_answer"}),
    "B36 out of order": Case("oa_shuffled", CURSED, 3, "", LEFT + 1),
    "B37 one index for all": Case("oa_duplicate_index", TEXTS, 7, "", 3),  # one text a request: 4 fail
    "B38 fewer vectors": Case("oa_short", FLOOD, MAX_FAILURES, "20 responses .* in a row"),
    "B38 none for one": Case("oa_cursed_short", CURSED, BISECTED, "", LEFT, {400: "no_vector"}),
    "B39 more vectors": Case("oa_one_more", FLOOD, MAX_FAILURES, "20 responses .* in a row"),
    "B40 quarter width": Case("oa_wrong_width", FLOOD, 1, "16 dimensions and 64 .* MOVIE_ASSETS_EMBEDDING_DIMENSIONS"),
    "B41 NaN": Case("oa_cursed_nan", CURSED, 4, "", LEFT, {400: "vector_not_finite"}),
    "B41 zeros": Case("oa_cursed_zero", CURSED, 4, "", LEFT, {400: "vector_is_zero"}),
    "B41 the first of each answer": Case("oa_nan", TEXTS, 2, "", 2, {0: "vector_not_finite"}),
    "B41 not of length one": Case("oa_scaled", TEXTS, 1, "", 3),
    "B42 one vector for all": Case("oa_alike", FLOOD, 2, "one and the same vector"),
    "B42 another model": Case("oa_wrong_model", TEXTS, 1, "", 3),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_each_fault_ends_as_it_should(service: TmdbEmulator, embedder: Make, case: Case) -> None:
    service.faults = {case.fault: 1.0}
    told = outcome_of(embedder(), case.texts)
    assert bool(told.error) == bool(case.error), told.error
    assert re.search(case.error, told.error)
    assert len(told.vectors) == case.vectors
    assert told.rejected == case.rejected
    assert sum(requests_to(service).values()) == case.requests
    assert KEY not in told.error


PASSING = ["oa_short", "oa_duplicate_index", "oa_nan", "oa_zero", "oa_500", "oa_429rate", "oa_alike"]


@pytest.mark.parametrize("fault", PASSING)
def test_a_failure_that_passes_is_survived(
    service: TmdbEmulator, embedder: Make, monkeypatch: pytest.MonkeyPatch, fault: str
) -> None:
    asked = openai_call.ask

    def ask(*arguments: Any) -> Any:
        reply = asked(*arguments)
        service.faults = {}
        return reply

    monkeypatch.setattr(openai_call, "ask", ask)
    service.faults = {fault: 1.0}
    assert embedder().embed(TEXTS).vectors == pytest.approx(hashed_vectors(TEXTS, WIDTH), abs=1e-6)
    assert sum(requests_to(service).values()) == 2


def test_answers_that_were_charged_and_useless_are_paid_for(service: TmdbEmulator, embedder: Make) -> None:
    service.faults = {"oa_short": 1.0}
    told = outcome_of(embedder(), TEXTS)
    assert told.tokens > 2 * sum(len(text) // 4 for text in TEXTS)


def test_what_was_in_flight_is_received_before_the_flow_stops(service: TmdbEmulator, embedder: Make) -> None:
    told = outcome_of(embedder(), FLOOD, lambda: setattr(service, "faults", {"oa_401": 1.0}))
    assert "check OPENAI_API_KEY" in told.error
    assert len(told.vectors) == service.embedded_inputs
    assert sum(requests_to(service).values()) <= 1 + 2 * IN_FLIGHT


def test_a_service_that_hangs_is_given_up(
    service: TmdbEmulator, embedder: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "SECONDS_PER_REQUEST", 0.1)
    service.faults = {"oa_timeout": 1.0}
    with pytest.raises(EmbedderError, match=r"attempts to embed a text failed.*no response"):
        embedder().embed(TEXTS)


def test_a_call_that_drips_is_given_up_as_a_whole(
    service: TmdbEmulator, embedder: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(request_stream, "MAX_SECONDS_PER_CALL", 0.1)
    service.faults = {"oa_timeout": 1.0}
    with pytest.raises(EmbedderError, match="no response within"):
        embedder().embed(TEXTS)


def test_a_service_that_is_down_is_given_up(embedder: Make) -> None:
    with pytest.raises(EmbedderError, match=f"{ATTEMPTS} attempts.*no response"):
        embedder(url="http://127.0.0.1:1/v1").embed(TEXTS)


def test_an_outage_in_the_middle_ends_the_run_and_blames_no_text(service: TmdbEmulator, embedder: Make) -> None:
    told = outcome_of(embedder(), FLOOD, lambda: setattr(service, "faults", {"oa_500": 1.0}))
    assert re.search(f"{MAX_FAILURES} responses .* in a row", told.error)
    assert told.rejected == {}
    assert sum(requests_to(service).values()) < MAX_FAILURES + 3 * IN_FLIGHT


# How fast


def seconds_for(service: TmdbEmulator, texts: list[str]) -> float:
    began = time.monotonic()
    assert len(outcome_of(client_of(service.openai_url, dimensions=8), texts).vectors) == len(texts)
    return time.monotonic() - began


def test_requests_run_side_by_side() -> None:
    # One request alone, then eight at once, then one: 1.2 s; one after the other they would take 4 s.
    with serving(embedding_seconds=0.4) as service:
        assert seconds_for(service, FLOOD) < 2.8
        assert requests_to(service) == {200: 10}


def test_no_more_requests_are_in_flight_than_may_be(embedder: Make) -> None:
    most = max(
        sum(thread.name.startswith("embeddings-") for thread in threading.enumerate())
        for _ in embedder().stream(FLOOD, UnlimitedBudget())
    )
    assert most <= IN_FLIGHT


@pytest.mark.parametrize("options", [{"openai_tokens": 12_000}, {"openai_requests": 5}], ids=["tokens", "requests"])
def test_an_accounts_limits_are_kept_and_used(options: dict[str, int]) -> None:
    # 25,000 tokens in 10 requests against 12,000 tokens, or 5 requests, in 1.5 s; each request takes 0.05 s.
    with serving(openai_window=1.5, embedding_seconds=0.05, **options) as service:
        seconds = seconds_for(service, FLOOD)
        assert requests_to(service).get(429, 0) <= 1
        assert seconds < 8


def test_an_account_smaller_than_a_request_gets_smaller_requests() -> None:
    with serving(openai_tokens=2_000, openai_window=0.2) as service:
        assert len(outcome_of(client_of(service.openai_url), FLOOD[:600]).vectors) == 600
        assert requests_to(service)[429] <= 3


@pytest.mark.parametrize(("header", "value"), [("Retry-After", "1"), ("Retry-After-Ms", "1000")])
def test_a_429_pauses_all_requests_for_as_long_as_it_says(
    header: str, value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first request gets its vectors, then as many go at once as may; the last of these is told to wait."""
    busy = ServedResponse(429, OVERLOADED.body, {**OVERLOADED.headers, header: value})
    monkeypatch.setitem(FAULTS, "busy", Fault("embeddings", lambda _, __: busy, "429 with a header"))
    begun: list[float] = []
    told: list[float] = []
    asked = openai_call.ask
    with serving(embedding_seconds=0.2) as service:

        def ask(*arguments: Any) -> Any:
            begun.append(time.monotonic())
            service.faults = {"busy": 1.0} if len(begun) == 1 + IN_FLIGHT else {}
            reply = asked(*arguments)
            if isinstance(reply.outcome, Refusal):
                told.append(time.monotonic())
            return reply

        monkeypatch.setattr(openai_call, "ask", ask)
        assert len(outcome_of(client_of(service.openai_url), FLOOD).vectors) == len(FLOOD)
        assert len(told) == requests_to(service)[429]
    assert sum(as_of < told[0] for as_of in begun) == 1 + IN_FLIGHT
    assert min(as_of - told[0] for as_of in begun if as_of > told[0]) > 0.95


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
            self.server.asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))  # type: ignore[attr-defined]
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
        ("application/json", with_data({"index": 0}, {"index": 1})),
        ("application/json", with_data({"index": 0, "embedding": ["a"] * 8}, {"index": 1, "embedding": ["b"] * 8})),
        ("application/json", with_data({"index": 0, "embedding": [None] * 8}, {"index": 1, "embedding": [1.0] * 8})),
        ("application/json", with_data({"index": 0, "embedding": "AAAA"}, {"index": 1, "embedding": "AAAA"})),
        ("application/json", with_data({"index": 0, "embedding": [1.0] * 8}, {"index": 1, "embedding": [1.0] * 8})),
    ],
    ids=[
        "html", "empty", "null", "array", "cut", "no data", "no embedding", "words", "null numbers",
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
