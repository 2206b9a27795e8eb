"""Embeddings servers of other makes, played by the emulator over HTTP: every text gets its vector, or a reason."""

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from pydantic import SecretStr

from movie_assets.embeddings import request_queue
from movie_assets.embeddings.embedder import EmbedderError, UnlimitedBudget
from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets.embeddings.roles import known_roles
from movie_assets.embeddings.shortening import Texts
from movie_assets.embeddings.tokens import ByteCounter
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.emulator.server_makes import MAKES, Limit, Make
from movie_assets_tests.conftest import DAY

PAGE = Path(__file__).parents[2] / "docs" / "embedding_servers.md"
KEY = "sk-canary-of-a-key"
ENCODINGS = {
    "float": "float only", "base64": "base64 only", "half": "base64 of half precision", "text": "JSON in a text",
}  # fmt: skip
LONG = 7  # position of the text that is too long
TEXTS = [f"story number {number} about ship {number * 7}" for number in range(140)]
TEXTS[LONG] = "a very long story about a ship and its crew " * 120  # 5,280 letters, 1,320 tokens of the emulator


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits as long as production does."""
    monkeypatch.setattr(request_queue, "backoff", lambda *_: 0.002)


@dataclass
class Outcome:
    """What became of texts."""

    vectors: dict[int, np.ndarray]
    cut: set[int]
    reasons: dict[int, str]


def serving(make: str) -> TmdbEmulator:
    return TmdbEmulator(EmulatorOptions(movies=1, today=DAY, rate_limit=0, stall_seconds=2, embeddings_like=make))


def client_of(service: TmdbEmulator, dimensions: int, texts_per_request: int = 256) -> OpenAiEmbedder:
    model = MAKES[service.options.embeddings_like or ""].serves
    client = OpenAiEmbedder(
        model, dimensions, SecretStr(KEY), service.openai_url, texts_per_request=texts_per_request
    )  # fmt: skip
    client.roles = known_roles(model)
    return client


def embedded(client: OpenAiEmbedder, texts: list[str]) -> Outcome:
    told = Outcome({}, set(), {})
    for part in client.stream(texts, UnlimitedBudget()):
        told.vectors |= dict(zip(part.positions, part.vectors, strict=True))
        told.cut |= set(part.cut)
        told.reasons |= {rejected_input.position: rejected_input.reason for rejected_input in part.rejected}
    return told


def width_of(make: Make) -> int:
    return make.width or 64


@pytest.mark.parametrize("name", MAKES)
def test_every_text_gets_its_own_vector_and_the_page_says_how(name: str) -> None:
    make = MAKES[name]
    with serving(name) as service:
        client = client_of(service, width_of(make))
        told = embedded(client, TEXTS)
    assert told.reasons == {}
    assert sorted(told.vectors) == list(range(len(TEXTS)))
    whole = [n for n in range(len(TEXTS)) if n not in told.cut]
    assert np.array([told.vectors[n] for n in whole]) == pytest.approx(
        hashed_vectors([TEXTS[n] for n in whole], width_of(make)), abs=1e-3 if make.encoding == "half" else 1e-6
    )
    assert np.linalg.norm(np.array(list(told.vectors.values())), axis=1) == pytest.approx(1)
    assert told.cut == ({LONG} if make.length else set())
    assert f"\n{row_of(name, client)}\n" in PAGE.read_text(encoding="utf-8"), row_of(name, client)


def test_the_page_has_no_other_servers() -> None:
    _, table = PAGE.read_text(encoding="utf-8").split("| server | limits |")
    assert re.findall(r"^\| ([^|]*) \|", table, re.MULTILINE) == list(MAKES)


def row_of(name: str, client: OpenAiEmbedder) -> str:
    """What the emulator does as this server and what the client learned of it, as a row of the page."""
    make, server = MAKES[name], client.server
    limits = [
        f"{limit.most:,} {what}, HTTP {make.error_status or limit.status}"
        for limit, what in ((make.inputs, "inputs"), (make.tokens, "tokens a request"), (make.length, "tokens a text"))
        if limit
    ]
    oddities = [
        *(["`dimensions` refused"] if isinstance(make.dimensions, Limit) else []),
        *(["`dimensions` ignored"] if make.dimensions == "ignored" else []),
        *(["`encoding_format` refused"] if isinstance(make.encoding, Limit) else []),
        *([] if make.encoding == "as asked" or isinstance(make.encoding, Limit) else [ENCODINGS[make.encoding]]),
        *([f"refuses {make.loading.most} requests with HTTP {make.loading.status}"] if make.loading else []),
        *([f"`{make.required}` needed"] if make.required else []),
        *([f"`index` {make.index}"] if make.index != "given" else []),
        *([f"answers as `{make.model}`"] if make.model else []),
        *([f"`usage` {make.usage}"] if make.usage != "full" else []),
        *(["vectors not of length 1"] if make.length_of_vectors != 1.0 else []),
    ]
    sent = server.parameters
    does = [
        *([f"at most {server.max_texts} texts a request"] if make.inputs else []),
        *(["smaller requests"] if make.tokens else []),
        *(["the long text cut"] if make.length else []),
        *([] if sent.dimensions else ["without `dimensions`"]),
        *([] if sent.encoding_format else ["without `encoding_format`"]),
        *([f"`{client.roles.parameter}` sent"] if client.roles.parameter else []),
        *(["waits"] if make.loading else []),
        *(["model recorded"] if make.model and server.models == [make.model] else []),
        *(["tokens estimated"] if make.usage in ("left out", "null") else []),
        *(["vectors brought to length 1"] if make.length_of_vectors != 1.0 else []),
    ]
    return f"| {name} | {'; '.join(limits) or '-'} | {'; '.join(oddities) or '-'} | {'; '.join(does) or '-'} |"


def test_a_limit_of_inputs_is_learned_once_and_kept() -> None:
    with serving("dashscope") as service:
        client = client_of(service, 64)
        embedded(client, TEXTS[10:])
        assert service.requests["embeddings"] == {400: 1, 200: 13}
        embedded(client, TEXTS[10:30])
        assert service.requests["embeddings"] == {400: 1, 200: 15}


def test_with_the_right_number_of_texts_no_request_is_refused() -> None:
    with serving("dashscope") as service:
        embedded(client_of(service, 64, texts_per_request=10), TEXTS[10:])
        assert service.requests["embeddings"] == {200: 13}


def test_a_limit_that_nothing_names_is_found_by_halving() -> None:
    with serving("unknown limit") as service:
        client = client_of(service, 64)
        embedded(client, TEXTS[10:])
        assert client.server.max_texts == 8
        assert service.requests["embeddings"][400] <= 6


def test_a_refused_parameter_costs_one_request() -> None:
    with serving("vllm") as service:
        embedded(client_of(service, 1024), TEXTS[10:])
        assert service.requests["embeddings"] == {400: 1, 200: 1}


@pytest.mark.parametrize(("make", "says"), [("ollama", ""), ("vllm", "does not support matryoshka")])
def test_dimensions_that_the_server_does_not_make_are_told_with_the_setting(make: str, says: str) -> None:
    width = MAKES[make].width
    with serving(make) as service, pytest.raises(EmbedderError) as refused:
        client_of(service, 512).embed(TEXTS[:3])
    assert f"the vectors have {width} dimensions and 512 were asked for" in str(refused.value)
    assert f"MOVIE_ASSETS_EMBEDDING_DIMENSIONS={width}" in str(refused.value)
    assert says in str(refused.value)


@pytest.mark.parametrize("make", ["ollama", "vllm"])
def test_the_probe_and_a_single_text_go_the_same_way(make: str) -> None:
    with serving(make) as service:
        client_of(service, width_of(MAKES[make])).probe()
        assert client_of(service, width_of(MAKES[make])).embed([TEXTS[LONG]]).vectors.shape == (
            1,
            width_of(MAKES[make]),
        )


@pytest.mark.parametrize("make", ["ollama", "tei", "mistral", "dashscope"])
def test_many_texts_that_are_too_long_do_not_stop_the_others(make: str) -> None:
    """Half of the texts are too long, some of them only a little."""
    texts = [f"{n} " + "word " * (20 * (n % 40)) for n in range(200)]
    with serving(make) as service:
        told = embedded(client_of(service, width_of(MAKES[make])), texts)
    assert (len(told.vectors), told.reasons) == (200, {})
    assert told.cut >= {n for n, text in enumerate(texts) if len(text) > 4 * 512}
    assert all(n in told.vectors for n in range(200))


def test_a_text_that_stays_too_long_is_rejected_with_the_reason() -> None:
    """The emulator refuses a word whatever the length of its text is, as a server with a limit of nothing would."""
    with serving("ollama") as service:
        service.faults = {"oa_cursed_400": 1.0}
        told = embedded(client_of(service, 768), [*TEXTS[10:20], "unembeddable"])
    assert told.reasons == {10: "too_long"}
    assert len(told.vectors) == 10


def test_a_text_among_short_ones_keeps_as_much_as_it_may() -> None:
    texts = Texts(["a short one", "word " * 1000, "word " * 1200], ByteCounter())
    texts.accepted([0])
    texts.shorten(1, None)
    assert texts.bytes[1] == 2500
    texts.prepare([2])
    assert texts.bytes[2] == 6000  # a short text that was accepted tells nothing of it
    texts.accepted([1])
    texts.prepare([2])
    assert texts.bytes[2] == 2500


def test_the_limit_that_the_server_names_is_better_than_half() -> None:
    texts = Texts(["word " * 1000], ByteCounter())
    texts.learn(512)
    texts.shorten(0, 512)
    assert texts.bytes[0] == 3 * 512


def test_cutting_ends_and_never_grows() -> None:
    texts = Texts(["word " * 10_000], ByteCounter())
    sizes = [texts.bytes[0]]
    while texts.shorten(0, 1):
        sizes.append(texts.bytes[0])
    assert sizes == sorted(sizes, reverse=True)
    assert texts.is_cut(0)


@pytest.mark.parametrize("name", MAKES)
def test_no_message_shows_the_key(name: str) -> None:
    with serving(name) as service:
        service.faults = {"oa_401": 1.0}
        with pytest.raises(EmbedderError, match="Incorrect API key provided") as refused:
            client_of(service, 64).embed(["a"])
    assert KEY not in str(refused.value)
