"""Servers that take one input a request, as a text, or that answer a list with one vector: every text is embedded."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import pytest
from pydantic import SecretStr

from movie_assets.embeddings import request_queue
from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets.embeddings.providers.openai import OpenAiEmbedder

TEXTS = [f"story number {number} about ship {number * 7}" for number in range(20)]
WIDTH = 64


@contextmanager
def serving(kind: str) -> Iterator[tuple[str, list[Any]]]:
    """Serve on a free port; yields the address and a list that gets each request's input."""
    inputs: list[Any] = []

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            given = json.loads(self.rfile.read(int(self.headers["content-length"])))["input"]
            inputs.append(given)
            texts = [given] if isinstance(given, str) else given
            status: int = 200
            content: dict[str, Any] = {"data": [{"embedding": hashed_vectors(texts[:1], WIDTH)[0].tolist()}]}
            if kind == "texts only" and isinstance(given, list):
                status, content = 400, {"error": "input must be a string"}
            body = json.dumps(content).encode()
            self.send_response(status)
            self.send_header("content-length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Keep requests out of the output of the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/v1//", inputs
    finally:
        server.shutdown()
        server.server_close()


@pytest.mark.parametrize("kind", ["texts only", "the first of a list"])
def test_every_text_is_embedded(kind: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_queue, "backoff", lambda *_: 0.002)
    with serving(kind) as (address, inputs):
        client = OpenAiEmbedder("films-embed", WIDTH, SecretStr("a-key"), address)
        assert client.embed(TEXTS).vectors == pytest.approx(hashed_vectors(TEXTS, WIDTH), abs=1e-6)
        assert client.server.max_texts == 1
        before = len(inputs)
        client.embed(TEXTS[:3])
        assert len(inputs) == before + 3


def test_a_probe_and_a_single_text_are_sent_as_a_text() -> None:
    with serving("texts only") as (address, inputs):
        client = OpenAiEmbedder("films-embed", WIDTH, SecretStr("a-key"), address)
        client.probe()
        assert client.embed(TEXTS[:1]).vectors == pytest.approx(hashed_vectors(TEXTS[:1], WIDTH), abs=1e-6)
    assert [type(given) for given in inputs] == [list, str, str]
