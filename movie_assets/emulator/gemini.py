"""Gemini's API: `POST /v1beta/models/{model}:batchEmbedContents`.

Sources: https://ai.google.dev/api/embeddings (request and response), https://ai.google.dev/gemini-api/docs/embeddings
(task types, dimensions, lengths of vectors). Messages are those that users of the API quote.
"""

from typing import Any

import numpy as np
from starlette.requests import Request

from movie_assets.emulator.apis import Api, tokens_of
from movie_assets.emulator.embedding_response import written
from movie_assets.emulator.native_vectors import Role, native_vectors
from movie_assets.emulator.responses import JSON_TYPE, ServedResponse
from movie_assets.emulator.service import Service

MAX_REQUESTS = 100
NARROWEST, WIDEST = 128, 3072
SHRINKING = 0.7  # vectors of fewer than 3,072 dimensions are not of length 1
MODELS = {"gemini-embedding-001": 2048, "gemini-embedding-2": 8192}  # tokens of a text
OF_LENGTH_ONE = "gemini-embedding-2"
ROLES: dict[str, Role | None] = {"RETRIEVAL_QUERY": "query", "RETRIEVAL_DOCUMENT": "document"}
TASKS = {
    *ROLES, "SEMANTIC_SIMILARITY", "CLASSIFICATION", "CLUSTERING", "QUESTION_ANSWERING", "FACT_VERIFICATION",
    "CODE_RETRIEVAL_QUERY",
}  # fmt: skip
METHOD = ":batchEmbedContents"
STATUSES = {400: "INVALID_ARGUMENT", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED",
            500: "INTERNAL", 503: "UNAVAILABLE"}  # fmt: skip
TYPES = "type.googleapis.com/google.rpc"


def _form(status: int, message: str, retry_after: int | None) -> object:
    details: list[dict[str, object]] = []
    if "API key not valid" in message:
        details.append({"@type": f"{TYPES}.ErrorInfo", "reason": "API_KEY_INVALID", "domain": "googleapis.com"})
    if retry_after is not None:
        details.append({"@type": f"{TYPES}.RetryInfo", "retryDelay": f"{retry_after}s"})
    error = {"code": status, "message": message, "status": STATUSES[status], "details": details}
    return {"error": {key: value for key, value in error.items() if value != []}}


GEMINI = Api(
    "gemini", "x-goog-api-key", _form, has_retry_after=False,
    errors={
        "key": (400, "API key not valid. Please pass a valid API key."),
        "forbidden": (403, "Permission denied: Consumer has been suspended."),
        "rate": (429, "You exceeded your current quota, please check your plan and billing details."),
        "down": (500, "An internal error has occurred. Please retry."),
        "unavailable": (503, "The model is overloaded. Please try again later."),
    },
)  # fmt: skip


def batch_embed_contents(service: Service, request: Request, content: dict[str, Any]) -> ServedResponse:
    """Return one vector for each request of a batch. Raises RefusedError."""
    model = str(request.path_params["call"]).removesuffix(METHOD)
    if model not in MODELS or not request.url.path.endswith(METHOD):
        raise GEMINI.refusal(
            f"models/{model} is not found for API version v1beta, or is not supported for embedContent. Call "
            "ListModels to see the list of available models and their supported methods.",
            404,
        )
    requests = content.get("requests")
    if not isinstance(requests, list) or not requests or not all(isinstance(one, dict) for one in requests):
        raise GEMINI.refusal("* BatchEmbedContentsRequest.requests: contents is not specified\n")
    if len(requests) > MAX_REQUESTS:
        raise GEMINI.refusal(
            f"* BatchEmbedContentsRequest.requests: at most {MAX_REQUESTS} requests can be in one batch\n"
        )
    texts = [_text(one, model) for one in requests]
    width, task = _width(requests[0]), requests[0].get("taskType")
    if task is not None and task not in TASKS:
        raise GEMINI.refusal(f"Invalid value at 'requests[0].task_type' (TaskType), \"{task}\"")
    role = None if model == OF_LENGTH_ONE else ROLES.get(str(task))
    embedded = native_vectors(service, model, texts, width, role)
    scale = np.float32(SHRINKING if width < WIDEST and model != OF_LENGTH_ONE else 1.0)
    values = ",".join(f'{{"values":{written(row * scale)}}}' for row in embedded.vectors)
    inputs = {"X-Embedded-Inputs": str(len(embedded.indices))}
    return ServedResponse(200, f'{{"embeddings":[{values}]}}'.encode(), {"Content-Type": JSON_TYPE, **inputs})


def _text(one: dict[str, Any], model: str) -> str:
    if one.get("model") != f"models/{model}":
        raise GEMINI.refusal("* BatchEmbedContentsRequest.requests[0].model: unexpected model name format\n")
    try:
        text = "".join(part["text"] for part in one["content"]["parts"])
    except (KeyError, TypeError):
        raise GEMINI.refusal("* EmbedContentRequest.content: contents is not specified\n") from None
    if not text:
        raise GEMINI.refusal("* EmbedContentRequest.content contains an empty Part.\n")
    if (tokens := tokens_of(text)) > MODELS[model]:
        raise GEMINI.refusal(
            f"The input token count ({tokens}) exceeds the maximum number of tokens allowed ({MODELS[model]})."
        )
    return text


def _width(one: dict[str, Any]) -> int:
    width = one.get("outputDimensionality", WIDEST)
    if isinstance(width, bool) or not isinstance(width, int) or not NARROWEST <= width <= WIDEST:
        raise GEMINI.refusal(f"* EmbedContentRequest.output_dimensionality: must be between {NARROWEST} and {WIDEST}\n")
    return width
