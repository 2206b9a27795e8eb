"""Rerank endpoints: Cohere's `POST /v2/rerank`, which Jina, vLLM and LiteLLM serve as `/v1/rerank`, too, and others.

Voyage's answer has `data` in place of `results`; Text Embeddings Inference takes `texts` in place of `documents` and
answers with a list of `index` and `score`. A document is as relevant as its hashed vector is near to the question's.

Sources: https://docs.cohere.com/reference/rerank, https://jina.ai/reranker,
https://docs.vllm.ai/en/latest/serving/openai_compatible_server.html (re-rank API),
https://docs.voyageai.com/reference/reranker-api, https://huggingface.github.io/text-embeddings-inference.
"""

from typing import Any

from starlette.requests import Request

from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets.emulator.apis import Api, tokens_of
from movie_assets.emulator.cohere import COHERE
from movie_assets.emulator.faulty_rankings import Ranking
from movie_assets.emulator.responses import ServedResponse, json_response
from movie_assets.emulator.service import Service
from movie_assets.emulator.voyage import VOYAGE

WIDTH = 1024
TEI = Api(
    "tei", "", lambda _status, message, _: {"error": message, "error_type": "Validation"},
    errors={
        "key": (401, "unauthorized"), "forbidden": (403, "forbidden"), "rate": (429, "Model is overloaded"),
        "down": (424, "Inference failed"), "unavailable": (503, "unhealthy"),
    },
)  # fmt: skip
MAX_DOCUMENTS = 1000
TAKEN_BY_VOYAGE = {"query", "documents", "model", "top_k", "return_documents", "truncation"}


def cohere(service: Service, _: Request, content: dict[str, Any]) -> ServedResponse:
    """Return the results of Cohere's endpoint. Raises RefusedError."""
    if not content.get("model"):
        raise COHERE.refusal("invalid request: model is required")
    results = _ranked(service, COHERE, content, "documents")[: content.get("top_n")]
    billed = {"api_version": {"version": "2"}, "billed_units": {"search_units": 1}}
    return json_response({"id": "emulator", "results": results, "meta": billed})


def voyage(service: Service, _: Request, content: dict[str, Any]) -> ServedResponse:
    """Return the results of Voyage's endpoint. Raises RefusedError."""
    for parameter in content.keys() - TAKEN_BY_VOYAGE:
        raise VOYAGE.refusal(f"Argument '{parameter}' is not supported by our API. Please refer to our documentation.")
    results = _ranked(service, VOYAGE, content, "documents")[: content.get("top_k")]
    tokens = sum(map(tokens_of, content["documents"]))
    return json_response(
        {"object": "list", "data": results, "model": content.get("model"), "usage": {"total_tokens": tokens}}
    )


def text_embeddings_inference(service: Service, _: Request, content: dict[str, Any]) -> ServedResponse:
    """Return the results of Text Embeddings Inference. Raises RefusedError."""
    results = _ranked(service, TEI, content, "texts")
    return json_response([{"index": result["index"], "score": result["relevance_score"]} for result in results])


def _ranked(service: Service, api: Api, content: dict[str, Any], name: str) -> Ranking:
    query, documents = content.get("query"), api.texts(content.get(name), name)
    if not isinstance(query, str) or not query.strip():
        raise api.refusal("invalid request: query must not be empty or be only whitespace")
    if len(documents) > MAX_DOCUMENTS:
        raise api.refusal(f"invalid request: at most {MAX_DOCUMENTS} documents are allowed, got {len(documents)}")
    question, *rows = hashed_vectors([query, *documents], WIDTH)
    scores = [round(max(0.0, float(row @ question)), 6) for row in rows]
    order = sorted(range(len(scores)), key=lambda n: -scores[n])
    results = [{"index": n, "relevance_score": scores[n]} for n in order]
    return service.with_fault(results, "ranking")
