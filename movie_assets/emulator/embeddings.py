"""The OpenAI-compatible part: `/v1/embeddings` and `/v1/models`.

Vectors come from the project's own hashing embedder; limits and errors are OpenAI's, or those of another make of
server that the options name.
"""

import json
from dataclasses import replace
from typing import Any, Literal

import numpy as np

from movie_assets.embeddings.hashing import hashed_vectors
from movie_assets.emulator.embedding_response import EmbeddingResponse
from movie_assets.emulator.faults import CURSE
from movie_assets.emulator.responses import JSON_TYPE, RefusedError, ServedResponse, json_response, openai_error
from movie_assets.emulator.server_makes import MAKES, Limit, Make
from movie_assets.emulator.service import Service

MAX_INPUTS = 2048
MAX_TOKENS = 300_000
MAX_TOKENS_OF_AN_INPUT = 8192
LETTERS_PER_TOKEN = 4
WIDTHS = {"text-embedding-ada-002": 1536, "text-embedding-3-small": 1536, "text-embedding-3-large": 3072}
DEFAULT_WIDTH = 1536
WIDEST = 4096


def embeddings(service: Service, body: bytes) -> ServedResponse:
    """Return one vector for each input: `/v1/embeddings`."""
    request = _parsed(body)
    model, texts = _checked(service, request)
    limits = service.account.take(sum(map(tokens_of, texts)))
    response = _sender(service, request, model, texts)
    inputs = {"X-Embedded-Inputs": str(len(response.indices))}
    return ServedResponse(200, response.rendered(), {"Content-Type": JSON_TYPE, **inputs, **limits})


def embed(service: Service, request: dict[str, Any]) -> EmbeddingResponse:
    """Return the response to a line of a batch, to which the account's limits do not apply."""
    return _sender(service, request, *_checked(service, request))


def _checked(service: Service, request: dict[str, Any]) -> tuple[str, list[str]]:
    model = request.get("model")
    if not isinstance(model, str) or not model:
        raise _bad_request("you must provide a model parameter")
    texts = service.with_fault(_texts(request.get("input")), "inputs")
    tokens = [tokens_of(text) for text in texts]
    if make := _make(service):
        _check_make(make, request, tokens)
        if make.loading and service.count_loading() <= make.loading.most:
            raise RefusedError(make.refusal(make.loading, 0))
    _check_limits(tokens)
    return model, texts


def _sender(service: Service, request: dict[str, Any], model: str, texts: list[str]) -> EmbeddingResponse:
    make = _make(service)
    dimensions = request.get("dimensions")
    width = make.width if make and make.width and (dimensions is None or make.dimensions != "taken") else None
    response = EmbeddingResponse(
        vectors=hashed_vectors(texts, width or _width(model, dimensions)),
        indices=tuple(range(len(texts))),
        model=model,
        encoding=_encoding(request.get("encoding_format", "float")),
        tokens=sum(map(tokens_of, texts)),
        cursed=tuple(n for n, text in enumerate(texts) if CURSE in text),
    )
    return service.with_fault(_as_made(make, response) if make else response, "vectors")


def _make(service: Service) -> Make | None:
    name = service.options.embeddings_like
    return None if name is None else MAKES[name]


def _check_make(make: Make, request: dict[str, Any], tokens: list[int]) -> None:
    """Refuse what a server of this make does not take, in its order: parameters, inputs, lengths."""
    if make.required and make.required not in request:
        raise RefusedError(make.error_response(400, f"'{make.required}' parameter is required"))
    for parameter, taken in (("dimensions", make.dimensions), ("encoding_format", make.encoding)):
        if isinstance(taken, Limit) and request.get(parameter) is not None:
            raise RefusedError(make.refusal(taken, 0))
    for given, limit in ((len(tokens), make.inputs), (sum(tokens), make.tokens), (max(tokens), make.length)):
        if limit is not None and given > limit.most:
            raise RefusedError(make.refusal(limit, given))


def _as_made(make: Make, response: EmbeddingResponse) -> EmbeddingResponse:
    return replace(
        response,
        vectors=response.vectors * np.float32(make.length_of_vectors),
        model=make.model or response.model,
        encoding=response.encoding
        if make.encoding == "as asked" or isinstance(make.encoding, Limit)
        else make.encoding,
        index=make.index,
        usage=make.usage,
    )


def tokens_of(text: str) -> int:
    """Return the number of tokens that the emulator counts for a text."""
    return -(-len(text) // LETTERS_PER_TOKEN)


def models() -> ServedResponse:
    """Return the models: `/v1/models`."""
    data = [{"id": name, "object": "model", "created": 0, "owned_by": "stand-in"} for name in WIDTHS]
    return json_response({"object": "list", "data": data})


def _parsed(body: bytes) -> dict[str, Any]:
    try:
        request = json.loads(body)
    except ValueError:
        raise _bad_request("We could not parse the JSON body of your request.") from None
    if not isinstance(request, dict):
        raise _bad_request("The body of your request must be a JSON object.")
    return request


def _texts(given: object) -> list[str]:
    texts = [given] if isinstance(given, str) else given
    if not isinstance(texts, list) or not texts or not all(isinstance(text, str) for text in texts):
        raise _bad_request("'$.input' is invalid. The emulator takes a string or a list of strings.")
    if not all(texts):
        raise _bad_request("'$.input' is invalid. An input cannot be an empty string.")
    if len(texts) > MAX_INPUTS:
        raise _bad_request(f"'$.input' is invalid. At most {MAX_INPUTS} inputs are allowed, got {len(texts)}.")
    return texts


def _check_limits(tokens: list[int]) -> None:
    if max(tokens) > MAX_TOKENS_OF_AN_INPUT:
        raise RefusedError(
            openai_error(
                400,
                f"This model's maximum context length is {MAX_TOKENS_OF_AN_INPUT} tokens, however you"
                f" requested {max(tokens)} tokens. Please reduce your prompt.",
                "context_length_exceeded",
            )
        )
    if sum(tokens) > MAX_TOKENS:
        raise RefusedError(
            openai_error(
                400,
                f"Requested {sum(tokens)} tokens, max {MAX_TOKENS} tokens per request",
                "max_tokens_per_request",
                "max_tokens_per_request",
            )
        )


def _width(model: str, dimensions: object) -> int:
    width = WIDTHS.get(model, DEFAULT_WIDTH)
    if dimensions is None:
        return width
    if model == "text-embedding-ada-002":
        raise _bad_request("This model does not support specifying dimensions.")
    most = WIDTHS.get(model, WIDEST)
    if isinstance(dimensions, bool) or not isinstance(dimensions, int) or not 1 <= dimensions <= most:
        raise _bad_request(f"Invalid value for 'dimensions': expected an integer from 1 to {most}.")
    return dimensions


def _encoding(given: object) -> Literal["float", "base64"]:
    if given == "float":
        return "float"
    if given == "base64":
        return "base64"
    raise _bad_request("Invalid value for 'encoding_format': expected 'float' or 'base64'.")


def _bad_request(message: str) -> RefusedError:
    return RefusedError(openai_error(400, message, None))
