"""Gemini, Cohere, Voyage and rerank endpoints as the emulator serves them: vectors, limits, errors, faults."""

from typing import Any

import httpx
import numpy as np
import pytest

from movie_assets.emulator.apis import tokens_of
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.emulator.conftest import NO_TLS

TEXTS = ["A heist in Antwerp.", "A dragon wakes in the mountains.", "Thieves plan a heist in a casino."]
GEMINI = "/v1beta/models/gemini-embedding-001:batchEmbedContents"
BODIES: dict[str, dict[str, Any]] = {
    "/v2/embed": {"model": "embed-v4.0", "input_type": "search_document", "embedding_types": ["float"]},
    "/voyage/v1/embeddings": {"model": "voyage-4", "input_type": "document", "truncation": False},
}


def post(emulator: TmdbEmulator, path: str, body: object, key: str | None = "canary") -> httpx.Response:
    headers = {"x-goog-api-key": key, "Authorization": f"Bearer {key}"} if key else {}
    return httpx.post(emulator.url + path, json=body, headers=headers, verify=NO_TLS, timeout=10)


def gemini(texts: list[str], **more: object) -> dict[str, Any]:
    model = "models/gemini-embedding-001"
    return {"requests": [{"model": model, "content": {"parts": [{"text": text}]}, **more} for text in texts]}


def body_of(path: str, texts: list[str], **more: object) -> dict[str, Any]:
    if path == GEMINI:
        return gemini(texts, **more)
    return {**BODIES[path], ("texts" if path == "/v2/embed" else "input"): texts, **more}


def vectors_of(path: str, response: httpx.Response) -> np.ndarray:
    body = response.json()
    if path == GEMINI:
        return np.array([entry["values"] for entry in body["embeddings"]])
    if path == "/v2/embed":
        return np.array(body["embeddings"]["float"])
    return np.array([entry["embedding"] for entry in body["data"]])


@pytest.mark.parametrize(
    ("path", "asked", "query"),
    [
        (GEMINI, {"outputDimensionality": 768, "taskType": "RETRIEVAL_DOCUMENT"}, {"taskType": "RETRIEVAL_QUERY"}),
        ("/v2/embed", {"output_dimension": 512}, {"input_type": "search_query"}),
        ("/voyage/v1/embeddings", {"output_dimension": 512}, {"input_type": "query"}),
    ],
)
def test_vectors_mean_something_and_depend_on_the_role(
    tmdb_emulator: TmdbEmulator, path: str, asked: dict[str, Any], query: dict[str, Any]
) -> None:
    documents = vectors_of(path, post(tmdb_emulator, path, body_of(path, TEXTS, **asked)))
    (question,) = vectors_of(path, post(tmdb_emulator, path, body_of(path, ["a heist"], **{**asked, **query})))
    assert documents.shape == (3, 768 if path == GEMINI else 512)
    lengths = np.linalg.norm(documents, axis=1)
    assert lengths == pytest.approx(0.7 if path == GEMINI else 1.0)
    similarities = documents @ question
    assert min(similarities[0], similarities[2]) > similarities[1] + 0.05
    (same,) = vectors_of(path, post(tmdb_emulator, path, body_of(path, ["a heist"], **asked)))
    assert not np.allclose(same, question)
    assert tmdb_emulator.embedded_inputs == 5


@pytest.mark.parametrize(
    ("path", "texts", "more", "message"),
    [
        (GEMINI, ["a"] * 101, {}, "at most 100 requests can be in one batch"),
        (GEMINI, ["語" * 2049], {}, "The input token count (2049) exceeds the maximum number of tokens allowed (2048)"),
        (GEMINI, ["a"], {"outputDimensionality": 64}, "must be between 128 and 3072"),
        (GEMINI, ["a"], {"taskType": "SEARCH"}, "Invalid value at 'requests[0].task_type'"),
        (GEMINI, [""], {}, "contains an empty Part"),
        ("/v2/embed", ["a"] * 97, {}, "total number of texts must be at most 96 - received 97"),
        ("/v2/embed", ["a"], {"input_type": None}, "valid input_type must be provided"),
        ("/v2/embed", ["a"], {"output_dimension": 768}, "output_dimension must be one of [256, 512, 1024, 1536]"),
        ("/v2/embed", ["語" * 513], {"model": "embed-english-v3.0", "truncate": "NONE"}, "too many tokens: size limit"),
        ("/v2/embed", [], {}, "must be a list of strings that are not empty"),
        ("/voyage/v1/embeddings", ["a"] * 1001, {}, "The batch size limit is 1000. Your batch size is 1001."),
        ("/voyage/v1/embeddings", ["語" * 400] * 801, {}, "The max allowed tokens per submitted batch is 320000."),
        ("/voyage/v1/embeddings", ["a", "語" * 32_001], {}, "The example at index 1 in your batch has too many tokens"),
        ("/voyage/v1/embeddings", ["a"], {"output_dimension": 768}, "must be one of [256, 512, 1024, 2048] or null"),
        ("/voyage/v1/embeddings", ["a"], {"dimensions": 512}, "Argument 'dimensions' is not supported"),
    ],
)  # fmt: skip
def test_what_is_beyond_a_limit_is_refused_in_the_services_words(
    tmdb_emulator: TmdbEmulator, path: str, texts: list[str], more: dict[str, Any], message: str
) -> None:
    response = post(tmdb_emulator, path, body_of(path, texts, **more))
    assert response.status_code == 400
    body = response.json()
    assert message in (
        body["error"]["message"] if path == GEMINI else body["message" if path == "/v2/embed" else "detail"]
    )


def test_a_long_text_is_cut_where_the_request_allows_it(tmdb_emulator: TmdbEmulator) -> None:
    long = "ship " * 500
    assert tokens_of(long) > 512
    body = body_of("/v2/embed", [long], model="embed-english-v3.0")
    assert post(tmdb_emulator, "/v2/embed", body).json()["meta"]["billed_units"]["input_tokens"] == 512


@pytest.mark.parametrize(
    ("path", "missing", "model"),
    [
        (GEMINI, 400, "/v1beta/models/none:batchEmbedContents"),
        ("/v2/embed", 401, None),
        ("/voyage/v1/embeddings", 401, None),
    ],
)
def test_a_missing_key_and_an_unknown_model_are_refused(
    tmdb_emulator: TmdbEmulator, path: str, missing: int, model: str | None
) -> None:
    assert post(tmdb_emulator, path, body_of(path, TEXTS), key=None).status_code == missing
    unknown = gemini(TEXTS) if path == GEMINI else body_of(path, TEXTS, model="none")
    assert post(tmdb_emulator, model or path, unknown).status_code in (400, 404)


@pytest.mark.parametrize("path", [GEMINI, *BODIES])
def test_errors_on_demand_have_the_form_of_the_service(tmdb_emulator: TmdbEmulator, path: str) -> None:
    statuses = {"api_key": {400, 401}, "api_forbidden": {403}, "api_429s": {429}, "api_500": {500}, "api_503": {503}}
    for fault, expected in statuses.items():
        tmdb_emulator.faults = {fault: 1.0}
        response = post(tmdb_emulator, path, body_of(path, TEXTS))
        assert response.status_code in expected
        assert response.json().keys() <= {"error", "id", "message", "detail"}


def test_a_pause_is_in_the_header_and_for_gemini_in_the_details(tmdb_emulator: TmdbEmulator) -> None:
    tmdb_emulator.faults = {"api_429s": 1.0}
    response = post(tmdb_emulator, GEMINI, gemini(TEXTS))
    assert "Retry-After" not in response.headers
    assert response.json()["error"]["details"][-1]["retryDelay"] == "1s"
    assert post(tmdb_emulator, "/v2/embed", body_of("/v2/embed", TEXTS)).headers["Retry-After"] == "1"
    tmdb_emulator.faults = {"api_429none": 1.0}
    assert "Retry-After" not in post(tmdb_emulator, "/v2/embed", body_of("/v2/embed", TEXTS)).headers
    assert "details" not in post(tmdb_emulator, GEMINI, gemini(TEXTS)).json()["error"]


@pytest.mark.parametrize(
    ("path", "name", "results", "score"),
    [
        ("/v2/rerank", "documents", "results", "relevance_score"),
        ("/v1/rerank", "documents", "results", "relevance_score"),
        ("/voyage/v1/rerank", "documents", "data", "relevance_score"),
        ("/rerank", "texts", None, "score"),
    ],
)
def test_a_reranker_ranks_all_documents_best_first(
    tmdb_emulator: TmdbEmulator, path: str, name: str, results: str | None, score: str
) -> None:
    body = {"query": "a dragon in the mountains", name: TEXTS, "model": "rerank-v3.5"}
    answered = post(tmdb_emulator, path, body).json()
    ranking = answered[results] if results else answered
    assert ranking[0]["index"] == 1
    assert {result["index"] for result in ranking} == {0, 1, 2}
    scores = [result[score] for result in ranking]
    assert scores == sorted(scores, reverse=True)
    assert scores[0] > scores[1]


def test_a_reranker_refuses_what_it_cannot_rank(tmdb_emulator: TmdbEmulator) -> None:
    assert post(tmdb_emulator, "/v2/rerank", {"query": " ", "documents": TEXTS, "model": "m"}).status_code == 400
    assert post(tmdb_emulator, "/v2/rerank", {"query": "a", "documents": []}).status_code == 400
    assert post(tmdb_emulator, "/voyage/v1/rerank", {"query": "a", "documents": TEXTS, "top_n": 1}).status_code == 400
    assert post(tmdb_emulator, "/v2/rerank", [1]).status_code == 400
    assert tmdb_emulator.requests["rerank"] == {400: 4}
