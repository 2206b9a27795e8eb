"""Servers that take one input a request, as a text, or that answer a list with one vector: every text is embedded."""

from collections.abc import Callable

import pytest

from movie_assets.embeddings import request_queue
from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets_tests.embeddings.odd_server import TEXTS, WIDTH, Answer, Asked, answering, entries, refused


def texts_only(asked: Asked) -> Answer:
    if isinstance(asked.body["input"], list):
        return refused(400, "input must be a string")
    return the_first_of_a_list(asked)


def the_first_of_a_list(asked: Asked) -> Answer:
    return Answer(200, {"data": entries(asked.texts[:1])})


@pytest.mark.parametrize("answer", [texts_only, the_first_of_a_list])
def test_every_text_is_embedded(answer: Callable[[Asked], Answer], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_queue, "backoff", lambda *_: 0.002)
    with answering(answer) as server:
        client = server.client("/v1//")
        assert client.embed(TEXTS).vectors == pytest.approx(hashed_vectors(TEXTS, WIDTH), abs=1e-6)
        assert client.server.max_texts == 1
        before = len(server.asked)
        client.embed(TEXTS[:3])
        assert len(server.asked) == before + 3


def test_a_probe_and_a_single_text_are_sent_as_a_text() -> None:
    with answering(texts_only) as server:
        client = server.client()
        client.probe()
        assert client.embed(TEXTS[:1]).vectors == pytest.approx(hashed_vectors(TEXTS[:1], WIDTH), abs=1e-6)
    assert [type(asked.body["input"]) for asked in server.asked] == [list, str, str]
