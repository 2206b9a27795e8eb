"""An OpenAI-compatible server over real HTTP whose every response a test writes: status, headers, body."""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import MappingProxyType
from typing import Any, NamedTuple

import numpy as np
from pydantic import SecretStr

from movie_assets.embeddings.embedder import EmbedderError, UnlimitedBudget
from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets.embeddings.providers.openai import OpenAiEmbedder

WIDTH = 64
TEXTS = [f"story number {number} about ship {number * 7}" for number in range(60)]


@dataclass(frozen=True)
class Asked:
    """A request: its JSON, its path, and its number (1, 2, …)."""

    body: dict[str, Any]
    path: str
    number: int

    @property
    def texts(self) -> list[str]:
        given = self.body["input"]
        return [given] if isinstance(given, str) else given


class Answer(NamedTuple):
    """A response. Of a cut one only the first bytes are sent, then the connection is closed."""

    status: int
    content: Any
    headers: Mapping[str, str] = MappingProxyType({})
    is_cut: bool = False


def entries(texts: list[str]) -> list[dict[str, Any]]:
    """What a server that does everything right has in `data`."""
    return [{"index": n, "embedding": row.tolist()} for n, row in enumerate(hashed_vectors(texts, WIDTH))]


def with_vectors(asked: Asked) -> Answer:
    return Answer(200, {"data": entries(asked.texts)})


def refused(status: int, message: str) -> Answer:
    return Answer(status, {"error": {"message": message}})


@dataclass
class OddServer:
    """The server's address and the requests that it got."""

    address: str
    asked: list[Asked] = field(default_factory=list)

    def client(self, path: str = "/v1") -> OpenAiEmbedder:
        return OpenAiEmbedder("films-embed", WIDTH, SecretStr("a-key"), f"{self.address}{path}")


@contextmanager
def answering(answer: Callable[[Asked], Answer]) -> Iterator[OddServer]:
    """Serve on a free port."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            asked = Asked(body, self.path, len(running.asked) + 1)
            running.asked.append(asked)
            status, content, headers, is_cut = answer(asked)
            sent = content if isinstance(content, bytes) else json.dumps(content).encode()
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(sent))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(sent[:50] if is_cut else sent)

        def log_message(self, *_: object) -> None:
            """Keep requests out of the output of the tests."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    running = OddServer(f"http://127.0.0.1:{server.server_port}")
    Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
    try:
        yield running
    finally:
        server.shutdown()
        server.server_close()


@dataclass
class Result:
    """What became of texts: vectors by position, cut and rejected positions, and the error that ended the run."""

    vectors: dict[int, np.ndarray] = field(default_factory=dict)
    cut: set[int] = field(default_factory=set)
    rejected: dict[int, str] = field(default_factory=dict)
    error: str = ""


def embedded(client: OpenAiEmbedder, texts: list[str]) -> Result:
    """Embed texts, and compare the vectors of whole ones with what they have to be."""
    result = Result()
    try:
        for chunk in client.stream(texts, UnlimitedBudget()):
            result.vectors |= dict(zip(chunk.positions, chunk.vectors, strict=True))
            result.cut |= set(chunk.cut)
            result.rejected |= {each.position: each.reason for each in chunk.rejected}
    except EmbedderError as error:
        result.error = str(error)
    whole = sorted(result.vectors.keys() - result.cut)
    if whole:
        got = np.array([result.vectors[n] for n in whole])
        assert np.allclose(got, hashed_vectors([texts[n] for n in whole], WIDTH), atol=2e-3)
    return result
