"""Servers that answer otherwise than OpenAI's does, over real HTTP: every text is embedded, or the message says why."""

import base64
import gzip
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import numpy as np
import pytest

from movie_assets.config.settings import Settings
from movie_assets.embeddings import request_queue
from movie_assets.embeddings.embedder import ServiceBusyError
from movie_assets.embeddings.registry import embedder_from
from movie_assets_tests.embeddings.odd_server import (
    TEXTS,
    WIDTH,
    Answer,
    Asked,
    answering,
    embedded,
    entries,
    refused,
    with_vectors,
)

MOST = 10  # inputs of a request
LONG = "a very long story about a ship and its crew " * 30
LONG_AT = 30
WITH_LONG = [*TEXTS[:LONG_AT], LONG, *TEXTS[LONG_AT:]]
FIVE = (400, 413, 422, 429, 500)


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits as long as production does."""
    monkeypatch.setattr(request_queue, "backoff", lambda *_: 0.001)


def all_embedded(answer: Callable[[Asked], Answer], path: str = "/v1") -> int:
    """Return the number of requests after which all texts have their vectors."""
    with answering(answer) as server:
        result = embedded(server.client(path), TEXTS)
        assert (len(result.vectors), result.rejected, result.error) == (len(TEXTS), {}, "")
        return len(server.asked)


def error_of(answer: Callable[[Asked], Answer], most_requests: int) -> str:
    """Return the error that ends a run without a vector."""
    with answering(answer) as server:
        result = embedded(server.client(), TEXTS)
        assert (result.vectors, result.rejected) == ({}, {})
        assert len(server.asked) <= most_requests
    return result.error


@pytest.mark.parametrize("status", FIVE)
@pytest.mark.parametrize(
    "words",
    [
        "Limit reached", "too many requests", "Request too large", "Resource exhausted", "Reduce your request",
        "Zu viele Texte", "You sent 60 pieces of text, 10 is the ceiling", "",
    ],
)  # fmt: skip
def test_a_limit_of_inputs_in_vague_words_is_found_and_remembered(status: int, words: str) -> None:
    with answering(lambda asked: with_vectors(asked) if len(asked.texts) <= MOST else refused(status, words)) as server:
        client = server.client()
        assert len(embedded(client, TEXTS).vectors) == len(TEXTS)
        before = len(server.asked)
        assert len(embedded(client, TEXTS).vectors) == len(TEXTS)
        assert max(len(asked.texts) for asked in server.asked[before:]) <= MOST


@pytest.mark.parametrize("status", FIVE)
@pytest.mark.parametrize(
    "words", ["too large", "Bad Request", "Der Text ist zu lang", "it has 330 tokens, 150 are possible"]
)
def test_a_text_that_is_too_long_in_vague_words_is_cut(status: int, words: str) -> None:
    def answer(asked: Asked) -> Answer:
        return refused(status, words) if max(map(len, asked.texts)) > 600 else with_vectors(asked)

    with answering(answer) as server:
        result = embedded(server.client(), WITH_LONG)
    assert (len(result.vectors), result.cut, result.rejected) == (len(WITH_LONG), {LONG_AT}, {})


def test_a_text_that_is_refused_whatever_its_length_is_rejected() -> None:
    with answering(lambda asked: refused(400, "no") if "crew" in str(asked.body) else with_vectors(asked)) as server:
        result = embedded(
            server.client(), [*TEXTS, "the crew of a ship that is far from home and of its long way back"]
        )
    assert (len(result.vectors), result.rejected) == (len(TEXTS), {len(TEXTS): "refused_input"})


def test_an_account_that_is_slow_for_a_while_gets_whole_requests_again() -> None:
    """Ten refusals for the number of requests halve the requests; successes double them again."""
    with answering(lambda asked: refused(429, "slow down") if asked.number <= 10 else with_vectors(asked)) as server:
        client = server.client()
        for _ in range(4):
            assert len(embedded(client, TEXTS).vectors) == len(TEXTS)
        assert len(server.asked[-1].texts) >= len(TEXTS) // 3


LOADING = ["model not ready", "Model films-embed is currently loading", "model not found: it is being downloaded",
           "model films-embed is not loaded yet", "The model is still warming up", "Server is starting"]  # fmt: skip


@pytest.mark.parametrize("status", [404, 500, 503])
@pytest.mark.parametrize("words", LOADING)
def test_a_server_that_is_loading_is_waited_for(status: int, words: str) -> None:
    assert all_embedded(lambda asked: refused(status, words) if asked.number <= 12 else with_vectors(asked)) == 13


def test_a_server_that_loads_for_ever_ends_the_run_with_its_sentence() -> None:
    error = error_of(lambda _: refused(404, "model films-embed is not ready"), 21)
    assert "the embeddings service is not ready (HTTP 404  model films-embed is not ready)" in error


def test_a_probe_of_a_server_that_is_loading_says_that_it_may_work_later() -> None:
    with answering(lambda _: refused(503, "Loading model")) as server, pytest.raises(ServiceBusyError, match="Loading"):
        server.client().probe()


def in_base64(row: list[float], kind: str) -> str:
    return base64.b64encode(np.array(row, kind).tobytes()).decode()


VECTORS: dict[str, Callable[[list[float]], Any]] = {
    "JSON in a text": json.dumps,
    "numbers in a text": lambda row: " ".join(map(str, row)),
    "numbers as texts": lambda row: [str(number) for number in row],
    "base64 of half precision": lambda row: in_base64(row, "<f2"),
    "base64 of single precision": lambda row: in_base64(row, "<f4"),
    "base64 of double precision": lambda row: in_base64(row, "<f8"),
    "base64 with a prefix": lambda row: f"data:application/octet-stream;base64,{in_base64(row, '<f4')}",
    "an object": lambda row: {"float": row},
}


@pytest.mark.parametrize("name", VECTORS)
def test_a_vector_in_another_form_is_read(name: str) -> None:
    def answer(asked: Asked) -> Answer:
        return Answer(
            200, {"data": [each | {"embedding": VECTORS[name](each["embedding"])} for each in entries(asked.texts)]}
        )

    assert all_embedded(answer) == 1


INDICES: dict[str, Callable[[int], Any]] = {
    "from 1": lambda n: n + 1,
    "from 1 as text": lambda n: str(n + 1),
    "as text": lambda n: f" {n} ",
    "null": lambda _: None,
    "a float": float,
}


@pytest.mark.parametrize("name", INDICES)
def test_an_index_of_another_kind_is_read(name: str) -> None:
    def answer(asked: Asked) -> Answer:
        data = [each | {"index": INDICES[name](each["index"])} for each in entries(asked.texts)]
        return Answer(200, {"data": data if name == "null" else data[::-1]})

    assert all_embedded(answer) == 1


@pytest.mark.parametrize("index", [0, -1, "first"])
def test_an_index_that_means_nothing_costs_requests_and_no_vector(index: object) -> None:
    """Of several texts nothing is stored; a single one needs no index."""
    all_embedded(lambda asked: Answer(200, {"data": [each | {"index": index} for each in entries(asked.texts)]}))


def filled(number: float | None, only_above: int = 0) -> Callable[[Asked], Answer]:
    """A server whose vectors have this number everywhere, in responses of more than so many texts."""

    def answer(asked: Asked) -> Answer:
        is_filled = len(asked.texts) > only_above
        return Answer(200, {"data": [
            each | ({"embedding": [number] * WIDTH} if is_filled else {}) for each in entries(asked.texts)
        ]})  # fmt: skip

    return answer


@pytest.mark.parametrize(("number", "words"), [(0.0, "only zeros"), (float("nan"), "NaN"), (None, "NaN")])
def test_vectors_without_a_direction_are_one_error_and_no_rejected_texts(number: float | None, words: str) -> None:
    error = error_of(filled(number), 20)
    assert words in error


@pytest.mark.parametrize("number", [0.0, float("nan")])
def test_vectors_that_are_spoilt_in_large_requests_only_are_asked_for_in_small_ones(number: float) -> None:
    with answering(filled(number, only_above=8)) as server:
        client = server.client()
        assert len(embedded(client, TEXTS).vectors) == len(TEXTS)
        assert client.server.max_texts <= 8


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (b"", "it is empty"), (b"upstream is asleep", "upstream is asleep"),
        (b"<html><style>p{}</style><p>Please sign in</p></html>", "Please sign in"),
        ({"code": 500, "msg": "no workers", "data": None}, "no workers"),
        ({"data": {}, "detail": "no queue"}, "no queue"),
        ({"error": "no free lunch"}, "no free lunch"),
    ],
)  # fmt: skip
def test_a_sentence_in_place_of_vectors_is_the_error(content: object, words: str) -> None:
    assert words in error_of(lambda _: Answer(200, content), 20)


@pytest.mark.parametrize(
    ("status", "content", "words"),
    [
        (401, b"", "OPENAI_API_KEY"), (401, {"error": "bad key, sorry"}, "bad key, sorry"),
        (402, {"message": "pay up"}, "pay up"), (403, b"<h1>Sorry, you have been blocked</h1>", "have been blocked"),
        (404, {"error": 'model "x" not found, try pulling it first'}, "try pulling it first"),
        (404, b"404 page not found", "404 page not found"), (404, {"detail": "Not Found"}, "in /v1"),
        (502, b"<h1>502 Bad Gateway</h1>", "Bad Gateway"), (500, {"error": "disk on fire"}, "disk on fire"),
        (429, {"error": "too fast, my friend"}, "too fast, my friend"), (400, {"error": "wrong moon"}, "wrong moon"),
        (303, b"", "redirects to no address"),
    ],
)  # fmt: skip
def test_the_service_s_own_sentence_is_the_error(status: int, content: object, words: str) -> None:
    assert words in error_of(lambda _: Answer(status, content), 40)


def http_date(time: datetime) -> str:
    return format_datetime(time, usegmt=True)


@pytest.mark.parametrize("status", [429, 503])
@pytest.mark.parametrize("pause", ["0", "-5", "0.4", "", "abc", "inf", "a past date", "a date"])
def test_any_pause_that_a_server_asks_for_is_survived(status: int, pause: str) -> None:
    dates = {"a past date": datetime(2020, 1, 1, tzinfo=UTC), "a date": datetime.now(UTC) + timedelta(seconds=2)}
    asked_for = http_date(dates[pause]) if pause in dates else pause
    busy = Answer(status, {"error": "Rate limit reached"}, {"retry-after": asked_for})
    assert all_embedded(lambda asked: busy if asked.number <= 3 else with_vectors(asked)) == 4


def test_a_connection_that_breaks_twice_is_survived() -> None:
    assert all_embedded(lambda asked: with_vectors(asked)._replace(is_cut=asked.number <= 2)) == 3


def test_a_proxy_that_breaks_large_responses_gets_small_requests() -> None:
    all_embedded(lambda asked: with_vectors(asked)._replace(is_cut=len(asked.texts) > MOST))


def test_a_compressed_response_is_read() -> None:
    def answer(asked: Asked) -> Answer:
        content = json.dumps({"data": entries(asked.texts)}).encode()
        return Answer(200, gzip.compress(content), {"content-encoding": "gzip"})

    assert all_embedded(answer) == 1


@pytest.mark.parametrize("status", [301, 302, 307, 308])
@pytest.mark.parametrize("target", ["/new/v1/embeddings", "/v1/embeddings/"])
def test_a_redirect_within_the_host_is_followed_once_and_remembered(status: int, target: str) -> None:
    def answer(asked: Asked) -> Answer:
        return with_vectors(asked) if asked.path == target else Answer(status, b"moved", {"location": target})

    assert all_embedded(answer) == 2


@pytest.mark.parametrize("target", ["http://192.0.2.7/v1/embeddings", "/login"])
def test_a_redirect_elsewhere_is_an_error_with_the_address(target: str) -> None:
    """The key is not sent to another host."""
    error = error_of(lambda _: Answer(302, b"", {"location": target}), 1)
    assert f"redirects to {target} (HTTP 302); check OPENAI_BASE_URL" in error


def test_a_redirect_in_a_circle_ends() -> None:
    assert "redirects to /v1/embeddings" in error_of(lambda asked: Answer(307, b"", {"location": asked.path}), 4)


@pytest.mark.parametrize("path", ["", "/", "/v1", "/v1/", "/v1//", "/v1/embeddings", "/v1/embeddings/"])
def test_an_address_with_less_or_more_than_its_path_works(path: str) -> None:
    all_embedded(
        lambda asked: with_vectors(asked) if asked.path == "/v1/embeddings" else refused(404, "not here"), path
    )


def test_a_server_of_ones_own_needs_no_key() -> None:
    with answering(with_vectors) as server:
        address = f"{server.address}/v1"
        settings = Settings(
            OPENAI_BASE_URL=address, MOVIE_ASSETS_EMBEDDER="openai", MOVIE_ASSETS_EMBEDDING_DIMENSIONS=WIDTH
        )
        assert embedder_from(settings).embed(TEXTS[:2]).vectors.shape == (2, WIDTH)
