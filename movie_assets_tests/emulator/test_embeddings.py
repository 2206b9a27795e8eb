import base64
import json
from collections.abc import Iterator
from dataclasses import replace

import httpx
import numpy as np
import openai
import pytest

from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.emulator.conftest import NO_TLS, get

MODEL = "text-embedding-3-small"


@pytest.fixture
def client(tmdb_emulator: TmdbEmulator) -> Iterator[httpx.Client]:
    with httpx.Client(
        verify=NO_TLS, base_url=tmdb_emulator.openai_url, headers={"Authorization": "Bearer canary"}
    ) as client:
        yield client


def embed(client: httpx.Client, texts: object, **more: object) -> httpx.Response:
    return client.post("/embeddings", json={"model": MODEL, "input": texts, **more})


def vectors_of(response: httpx.Response) -> list[list[float]]:
    return [entry["embedding"] for entry in response.json()["data"]]


def test_vectors_are_those_of_the_hashing_embedder_in_order(client: httpx.Client) -> None:
    texts = ["A heist in Antwerp.", "A dragon wakes."]
    response = embed(client, texts)
    body = response.json()
    assert body["object"] == "list"
    assert body["model"] == MODEL
    assert [entry["index"] for entry in body["data"]] == [0, 1]
    assert {entry["object"] for entry in body["data"]} == {"embedding"}
    assert np.array_equal(np.array(vectors_of(response), dtype=np.float32), hashed_vectors(texts, 1536))
    assert body["usage"] == {"prompt_tokens": 9, "total_tokens": 9}


def test_base64_carries_the_same_vectors(client: httpx.Client) -> None:
    texts = ["A heist in Antwerp."]
    (packed,) = (entry["embedding"] for entry in embed(client, texts, encoding_format="base64").json()["data"])
    assert np.array_equal(np.frombuffer(base64.b64decode(packed), dtype="<f4"), hashed_vectors(texts, 1536)[0])


def test_the_openai_client_reads_the_reply(tmdb_emulator: TmdbEmulator) -> None:
    with openai.OpenAI(base_url=tmdb_emulator.openai_url, api_key="canary", max_retries=0) as client:
        response = client.embeddings.create(model=MODEL, input=["one", "two"])
        assert [len(entry.embedding) for entry in response.data] == [1536, 1536]
        assert MODEL in {model.id for model in client.models.list()}


@pytest.mark.parametrize(
    ("model", "dimensions", "width"),
    [(MODEL, None, 1536), ("text-embedding-3-large", None, 3072), (MODEL, 256, 256), ("another", 384, 384)],
)
def test_the_width_is_the_models_or_the_one_asked_for(
    client: httpx.Client, model: str, dimensions: int | None, width: int
) -> None:
    more = {} if dimensions is None else {"dimensions": dimensions}
    response = client.post("/embeddings", json={"model": model, "input": "one text", **more})
    assert [len(vector) for vector in vectors_of(response)] == [width]


@pytest.mark.parametrize(
    "wrong",
    [
        {"input": ""},
        {"input": ["a", ""]},
        {"input": []},
        {"input": [[1, 2, 3]]},
        {"input": None},
        {"input": ["a"] * 2049},
        {"input": "a" * (8192 * 4 + 1)},
        {"input": ["a" * 32_000] * 38},
        {"dimensions": 0},
        {"dimensions": 5000},
        {"dimensions": "many"},
        {"encoding_format": "hex"},
        {"model": ""},
        {"model": "text-embedding-ada-002", "dimensions": 256},
    ],
    ids=",".join,
)
def test_a_request_outside_openais_limits_is_refused_in_openais_shape(
    client: httpx.Client, wrong: dict[str, object]
) -> None:
    response = client.post("/embeddings", json={"model": MODEL, "input": "text", **wrong})
    assert response.status_code == 400
    assert set(response.json()["error"]) == {"message", "type", "param", "code"}


def test_a_body_that_is_no_json_is_refused(client: httpx.Client) -> None:
    assert client.post("/embeddings", content=b"{").status_code == 400
    assert client.post("/embeddings", content=b"[]").status_code == 400


def test_too_long_an_input_is_named_as_such(client: httpx.Client) -> None:
    response = embed(client, "a" * 40_000)
    assert response.json()["error"]["code"] == "context_length_exceeded"


def test_without_a_key_the_answer_is_401_in_openais_shape(tmdb_emulator: TmdbEmulator) -> None:
    for response in (
        httpx.post(verify=NO_TLS, url=f"{tmdb_emulator.openai_url}/embeddings", json={"model": MODEL, "input": "a"}),
        get(f"{tmdb_emulator.openai_url}/models"),
    ):
        assert response.status_code == 401
        assert "API key" in response.json()["error"]["message"]


def test_only_inputs_that_got_a_vector_are_counted(client: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    embed(client, ["a", "b", "c"])
    embed(client, ["a", ""])
    tmdb_emulator.faults = {"oa_500": 1.0}
    embed(client, ["a"])
    assert tmdb_emulator.embedded_inputs == 3
    assert tmdb_emulator.requests["embeddings"] == {200: 1, 400: 1, 500: 1}


@pytest.mark.parametrize(
    ("fault", "status", "code"),
    [
        ("oa_429rate", 429, "rate_limit_exceeded"),
        ("oa_429quota", 429, "insufficient_quota"),
        ("oa_401", 401, "invalid_api_key"),
        ("oa_500", 500, None),
    ],
)
def test_errors_on_demand_have_openais_codes(
    client: httpx.Client, tmdb_emulator: TmdbEmulator, fault: str, status: int, code: str | None
) -> None:
    tmdb_emulator.faults = {fault: 1.0}
    response = embed(client, ["a"])
    assert (response.status_code, response.json()["error"]["code"]) == (status, code)


def test_a_hanging_endpoint_says_nothing(client: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"oa_timeout": 1.0}
    with pytest.raises(httpx.ReadTimeout):
        client.post("/embeddings", json={"model": MODEL, "input": "a"}, timeout=0.2)


def test_shuffled_vectors_still_carry_the_right_index(client: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"oa_shuffled": 1.0}
    texts = ["dragon", "heist", "robot"]
    response = embed(client, texts)
    assert [entry["index"] for entry in response.json()["data"]] == [2, 1, 0]
    expected = hashed_vectors(texts, 1536)[::-1]
    assert np.array_equal(np.array(vectors_of(response), dtype=np.float32), expected)


def test_a_short_reply_lacks_one_vector(client: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"oa_short": 1.0}
    assert len(vectors_of(embed(client, ["a", "b", "c"]))) == 2


def test_wrong_width_is_a_quarter(client: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"oa_wrong_width": 1.0}
    assert len(vectors_of(embed(client, ["a"]))[0]) == 384


@pytest.mark.parametrize("encoding", ["float", "base64"])
def test_nan_fills_the_first_vector(client: httpx.Client, tmdb_emulator: TmdbEmulator, encoding: str) -> None:
    tmdb_emulator.faults = {"oa_nan": 1.0}
    response = embed(client, ["a", "b"], encoding_format=encoding)
    first = response.json()["data"][0]["embedding"]
    values = first if encoding == "float" else np.frombuffer(base64.b64decode(first), dtype="<f4")
    assert np.isnan(values).all()


def test_zeros_fill_the_first_vector(client: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"oa_zero": 1.0}
    first, second = vectors_of(embed(client, ["a dragon", "a robot"]))
    assert not any(first)
    assert any(second)


def test_duplicate_indices_are_all_the_first(client: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"oa_duplicate_index": 1.0}
    assert [entry["index"] for entry in embed(client, ["a", "b"]).json()["data"]] == [0, 0]


def test_another_model_can_be_named(client: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"oa_wrong_model": 1.0}
    assert embed(client, ["a"]).json()["model"] == "another-model"


def test_a_batch_answers_each_line_once_and_is_found_by_its_metadata(tmdb_emulator: TmdbEmulator) -> None:
    lines = [
        {"custom_id": name, "method": "POST", "url": "/v1/embeddings", "body": {"model": MODEL, "input": text}}
        for name, text in (("a", "one story"), ("b", ""))
    ]
    tmdb_emulator.service.options = replace(tmdb_emulator.options, batch_seconds=0)
    with openai.OpenAI(base_url=tmdb_emulator.openai_url, api_key="canary", max_retries=0) as client:
        content = "".join(json.dumps(line) + "\n" for line in lines).encode()
        file = client.files.create(file=("lines.jsonl", content), purpose="batch")
        made = client.batches.create(
            input_file_id=file.id, endpoint="/v1/embeddings", completion_window="24h", metadata={"mine": "1"}
        )
        assert (made.status, made.id in {batch.id for batch in client.batches.list(limit=1)}) == ("in_progress", True)
        done = client.batches.retrieve(made.id)
        assert (done.status, done.metadata) == ("completed", {"mine": "1"})
        good, bad = (
            json.loads(client.files.content(str(each)).text) for each in (done.output_file_id, done.error_file_id)
        )
        assert (good["custom_id"], len(good["response"]["body"]["data"][0]["embedding"])) == ("a", 1536)
        assert (bad["custom_id"], bad["response"]["status_code"]) == ("b", 400)
        assert tmdb_emulator.embedded_inputs == 1
        client.files.delete(file.id)
        with pytest.raises(openai.BadRequestError):
            client.batches.create(input_file_id=file.id, endpoint="/v1/embeddings", completion_window="24h")


def test_limits_of_an_account_are_told_and_enforced() -> None:
    options = EmulatorOptions(movies=1, rate_limit=0, openai_tokens=10, openai_requests=5, openai_window=600)
    with (
        TmdbEmulator(options) as running,
        httpx.Client(verify=NO_TLS, base_url=running.openai_url, headers={"Authorization": "Bearer k"}) as client,
    ):
        passed, refused = (client.post("/embeddings", json={"model": MODEL, "input": "a" * 24}) for _ in range(2))
    assert (passed.status_code, refused.status_code) == (200, 429)
    assert refused.json()["error"]["code"] == "rate_limit_exceeded"
    assert passed.headers["x-ratelimit-limit-tokens"] == "10"
    assert passed.headers["x-ratelimit-remaining-tokens"] == "4"
    assert passed.headers["x-ratelimit-remaining-requests"] == "4"
    assert passed.headers["x-ratelimit-reset-tokens"].startswith("6m0")
