"""One request to an OpenAI-compatible embeddings endpoint; its response, good or bad, is returned as data."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime

import openai

from movie_assets.embeddings.error_messages import message_of_error
from movie_assets.embeddings.openai_endpoint import Endpoint
from movie_assets.embeddings.openai_request import Model
from movie_assets.embeddings.refusals import (
    OPENAI_ERRORS,
    ErrorWording,
    Refusal,
    refusal_of,
    refusal_of_vectors,
    refusal_without_response,
)
from movie_assets.embeddings.server_limits import Parameters
from movie_assets.embeddings.service_call import ServiceResponse, with_lower_names, without_vectors
from movie_assets.embeddings.vectors import CheckedVectors, UnusableVectorsError, vectors_by_index

BAD_REQUEST, MIN_STATUS, MAX_STATUS = 400, 400, 599
INSTEAD_OF_VECTORS = ("error", "errors", "detail", "message", "msg", "error_msg", "errorMessage", "base_resp")
ENTRY_KEYS = ("data", "embeddings", "vectors", "predictions", "output", "result", "float")


def ask(endpoint: Endpoint, model: Model, texts: Sequence[str], parameters: Parameters) -> ServiceResponse:
    """Request the vectors of texts, once."""
    secrets = (endpoint.client.api_key,)
    try:
        response = endpoint.post(model.request(list(texts), parameters))
    except openai.APIStatusError as error:
        return ServiceResponse(refusal_in(error, secrets, model.errors), 0, with_lower_names(error.response.headers))
    except openai.APIConnectionError as error:
        return ServiceResponse(refusal_without_response(error, model.errors, secrets))
    try:
        content = json.loads(response.content)
    except ValueError:
        return ServiceResponse(without_vectors(response.content, secrets))
    outcome, tokens = outcome_of(content, model, len(texts), secrets), tokens_of(content)
    charged = 0 if tokens is None and isinstance(outcome, Refusal) else tokens
    return ServiceResponse(outcome, charged, with_lower_names(response.headers), model_of(content))


def refusal_in(
    error: openai.APIStatusError, secrets: tuple[str, ...] = (), wording: ErrorWording = OPENAI_ERRORS
) -> Refusal:
    """Return the refusal of an error response, with the service's own message."""
    code, message = message_of_error(error.response.content, secrets)
    message = message or error.response.reason_phrase
    headers = with_lower_names(error.response.headers)
    return refusal_of(error.status_code, code, message, headers, datetime.now(UTC), wording)


def outcome_of(content: object, model: Model, count: int, secrets: tuple[str, ...] = ()) -> CheckedVectors | Refusal:
    """Return the checked vectors of a response's JSON for `count` texts, or a refusal."""
    entries = entries_of(content)
    if not isinstance(content, dict) and not entries:
        return without_vectors(content, secrets)
    if isinstance(content, dict) and not entries and any(content.get(name) for name in INSTEAD_OF_VECTORS):
        # Routers return status 200 with the error of the provider behind them.
        code, message = message_of_error(content, secrets)
        status = _status_in(content["error"]) if "error" in content else BAD_REQUEST
        return refusal_of(status, code, message, {}, datetime.now(UTC), model.errors)
    try:
        return vectors_by_index(entries, count, model.dimensions)
    except UnusableVectorsError as error:
        return refusal_of_vectors(error)


def entries_of(content: object) -> object:
    """Return the entries of a response: of OpenAI's `data`, or of the shapes that other servers have.

    Those are a bare list, and the keys `embeddings`, `vectors` and `predictions`, at the top or within `data`, `output`
    or `result`.
    """
    if isinstance(content, dict):
        if "embedding" in content:
            return [content]
        return next((entries_of(content[name]) for name in ENTRY_KEYS if content.get(name)), [])
    return content if isinstance(content, list) else []


def tokens_of(content: object) -> int | None:
    """Return the tokens that were charged, None when the response does not report them."""
    usage = content.get("usage") if isinstance(content, dict) else None
    if not isinstance(usage, dict):
        return None
    counts = (usage.get(name) for name in ("total_tokens", "prompt_tokens"))
    return next((n for n in counts if isinstance(n, int) and not isinstance(n, bool) and n >= 0), None)


def model_of(content: object) -> str | None:
    """Return the model's name in a response, at most 200 characters of it."""
    name = content.get("model") if isinstance(content, dict) else None
    return name[:200] if isinstance(name, str) and name else None


def _status_in(error: object) -> int:
    """Return the HTTP status in the error of a response with status 200; 400 when it names none."""
    codes = (error.get(key) for key in ("code", "status", "status_code")) if isinstance(error, dict) else ()
    for code in codes:
        status = int(code) if isinstance(code, str) and code.isdecimal() else code
        if isinstance(status, int) and MIN_STATUS <= status <= MAX_STATUS:
            return status
    return BAD_REQUEST
