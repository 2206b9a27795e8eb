"""Limits in any wording, with any status, over HTTP: every text is embedded, and the limit is learned."""

from collections.abc import Iterator
from dataclasses import replace

import numpy as np
import pytest
from pydantic import SecretStr

from movie_assets.embeddings import request_queue
from movie_assets.embeddings.embedder import UnlimitedBudget
from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.emulator.server_makes import MAKES, Limit, Make
from movie_assets_tests.conftest import DAY

MOST, LONGEST = 10, 128  # inputs of a request, tokens of an input
TEXTS = [f"story number {number} about ship {number * 7}" for number in range(60)]
LONG = "a very long story about a ship and its crew " * 30  # 1,320 letters, 330 tokens of the emulator
STATUSES = (400, 413, 422, 500)
INPUTS = (
    "batch size {given} > maximum allowed batch size {limit}",
    "too many inputs",
    "array too long",
    "Batch too large",
    "Maximum {limit} texts per call",
    "list exceeds its maximum length",
    "You may embed no more than {limit} documents at once; you sent {given}.",
    "输入数组最大不得超过{limit}条",
)
LENGTHS = (
    "the input length exceeds the context length",
    "input exceeds token limit of {limit}",
    "Input is too long for requested model.",
    "text is longer than the {limit} token limit ({given})",
    "maximum context length is {limit} tokens, however you requested {given}",
    "Token indices sequence length is longer than the specified maximum ({given} > {limit})",
    "input长度不能超过{limit}个token",
)


@pytest.fixture(scope="module")
def service() -> Iterator[TmdbEmulator]:
    with TmdbEmulator(EmulatorOptions(movies=1, today=DAY, rate_limit=0)) as emulator:
        yield emulator


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits as long as production does."""
    monkeypatch.setattr(request_queue, "backoff", lambda *_: 0.002)


def playing(
    service: TmdbEmulator, monkeypatch: pytest.MonkeyPatch, inputs: Limit | None = None, length: Limit | None = None
) -> OpenAiEmbedder:
    """Have the emulator refuse requests beyond limits, and return a client that knows nothing of them."""
    monkeypatch.setitem(
        MAKES, "worded", Make(lambda _, message: {"error": {"message": message}}, inputs, length=length)
    )
    service.service.options = replace(service.service.options, embeddings_like="worded")
    return OpenAiEmbedder("films-embed", 64, SecretStr("a-key"), service.openai_url)


def embedded(client: OpenAiEmbedder, texts: list[str]) -> tuple[dict[int, np.ndarray], set[int]]:
    vectors: dict[int, np.ndarray] = {}
    cut: set[int] = set()
    for chunk in client.stream(texts, UnlimitedBudget()):
        assert chunk.rejected == ()
        vectors |= dict(zip(chunk.positions, chunk.vectors, strict=True))
        cut |= set(chunk.cut)
    return vectors, cut


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("words", INPUTS)
def test_a_limit_of_inputs_is_met_and_remembered(
    service: TmdbEmulator, monkeypatch: pytest.MonkeyPatch, words: str, status: int
) -> None:
    client = playing(service, monkeypatch, inputs=Limit(MOST, status, words))
    vectors, cut = embedded(client, TEXTS)
    assert np.array([vectors[n] for n in range(len(TEXTS))]) == pytest.approx(hashed_vectors(TEXTS, 64), abs=1e-6)
    assert cut == set()
    assert client.server.max_texts == (MOST if "{limit}" in words else 7)  # 60, 30, 15, 7
    before = service.requests["embeddings"].get(status, 0)
    embedded(client, TEXTS)
    assert service.requests["embeddings"].get(status, 0) == before


@pytest.mark.parametrize("status", STATUSES)
@pytest.mark.parametrize("words", LENGTHS)
def test_a_text_that_is_too_long_is_found_and_cut(
    service: TmdbEmulator, monkeypatch: pytest.MonkeyPatch, words: str, status: int
) -> None:
    texts = [*TEXTS[:30], LONG, *TEXTS[30:]]
    vectors, cut = embedded(playing(service, monkeypatch, length=Limit(LONGEST, status, words)), texts)
    assert (len(vectors), cut) == (len(texts), {30})
    others = [n for n in range(len(texts)) if n != 30]
    assert np.array([vectors[n] for n in others]) == pytest.approx(
        hashed_vectors([texts[n] for n in others], 64), abs=1e-6
    )


@pytest.mark.parametrize("status", STATUSES)
def test_words_that_say_nothing_are_found_out_by_trying(
    service: TmdbEmulator, monkeypatch: pytest.MonkeyPatch, status: int
) -> None:
    client = playing(service, monkeypatch, inputs=Limit(MOST, status, "something went wrong"))
    assert len(embedded(client, TEXTS)[0]) == len(TEXTS)
    server = client.server
    assert server.max_texts <= MOST or (status == 413 and server.max_tokens < 1000)  # 413 alone speaks of the size
