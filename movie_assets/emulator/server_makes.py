"""How embeddings servers of other makes behave: their limits, the texts and shapes of their errors, their vectors.

Each entry is behaviour that was observed or is documented. `embeddings` imitates it.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

from movie_assets.emulator.responses import ServedResponse, json_response

Body = Callable[[int, str], object]  # status and message to the body of an error: JSON, or a text


@dataclass(frozen=True)
class Limit:
    """A limit and the error of a request beyond it; the message may have {limit} and {given}."""

    most: int
    status: int
    message: str


@dataclass(frozen=True)
class Make:
    """The behaviour of a server; None is OpenAI's own behaviour."""

    error: Body
    inputs: Limit | None = None
    tokens: Limit | None = None  # of a request
    length: Limit | None = None  # tokens of one input
    width: int | None = None  # of its model; None: as requested
    dimensions: Literal["taken", "ignored"] | Limit = "taken"  # or the error for the parameter
    encoding: Literal["as asked", "float", "base64", "half", "text"] | Limit = "as asked"
    index: Literal["given", "left out", "left out where 0", "from 1"] = "given"
    model: str | None = None  # the name in its responses; None: as requested
    usage: Literal["full", "left out", "null", "total only"] = "full"
    length_of_vectors: float = 1.0
    loading: Limit | None = None  # requests that are refused at first
    required: str | None = None  # a parameter without which it refuses a request
    serves: str = "films-embed"  # the model that clients ask for
    error_status: int | None = None  # the status that errors are sent with, whatever they are

    def refusal(self, limit: Limit, given: int) -> ServedResponse:
        """Return the error of a request beyond a limit."""
        message = limit.message.format(limit=limit.most, given=given)
        return self.error_response(limit.status, message)

    def error_response(self, status: int, message: str) -> ServedResponse:
        """Return an error in the shape of the server."""
        body = self.error(status, message)
        sent = self.error_status or status
        if isinstance(body, str):
            kind = "text/html" if body.startswith("<") else "text/plain"
            return ServedResponse(sent, body.encode(), {"Content-Type": f"{kind}; charset=utf-8"})
        return json_response(body, sent)


def _openai(status: int, message: str) -> object:
    return {"error": {"message": message, "type": "api_error", "param": None, "code": str(status)}}


def _text(_: int, message: str) -> object:
    return {"error": message}


def _detail(_: int, message: str) -> object:
    return {"detail": message}


def _message(status: int, message: str) -> object:
    return {"code": status, "message": message, "data": None}


def _fastapi(_: int, message: str) -> object:
    place, words = message.split(": ", 1)
    return {"detail": [{"type": "value_error", "loc": ["body", place], "msg": words, "input": "…"}]}


def _google(status: int, message: str) -> object:
    return [{"error": {"code": status, "message": message, "status": "INVALID_ARGUMENT"}}]


def _page(status: int, message: str) -> object:
    return f"<html><head><title>{status} {message}</title></head><body><h1>{message}</h1></body></html>"


def _plain(_: int, message: str) -> object:
    return message


def _router(status: int, message: str) -> object:
    behind = f'{{"error":{{"message":"{message}"}}}}'
    return {"error": {"message": "Provider returned error", "code": status, "metadata": {"raw": behind}}}


MAKES: dict[str, Make] = {
    "ollama": Make(
        _openai, length=Limit(512, 400, "the input length exceeds the context length"), width=768,
        dimensions="ignored", encoding="float",
    ),
    "vllm": Make(
        _message, width=1024, model="/models/bge-m3",
        length=Limit(
            512, 400, "This model's maximum context length is {limit} tokens. However, you requested {given} tokens in "
            "the input for embedding generation. Please reduce the length of the input."
        ),
        dimensions=Limit(
            0, 400, 'Model "bge-m3" does not support matryoshka representation, changing output dimensions will lead '
            "to poor results."
        ),
    ),
    "tei": Make(
        _message, inputs=Limit(32, 422, "batch size {given} > maximum allowed batch size {limit}"),
        length=Limit(
            512, 413, "Input validation error: `inputs` must have less than {limit} tokens. Given: {given}"
        ),
    ),
    "lmstudio": Make(
        _text, model="text-embedding-nomic-embed-text-v1.5", width=768, dimensions="ignored", usage="null",
        length=Limit(
            512, 400, "Trying to keep the first {given} tokens when context the overflows. However, the model is "
            "loaded with context length of only {limit} tokens, which is not enough."
        ),
    ),
    "litellm": Make(
        _openai, model="azure/films-embed", usage="total only",
        encoding=Limit(0, 400, "litellm.UnsupportedParamsError: the model does not support parameters: "
                       "{{'encoding_format': 'float'}}"),
    ),
    "openrouter": Make(
        _router, model="openai/text-embedding-3-small", error_status=200,
        inputs=Limit(64, 400, "Invalid 'input': array too long. Expected an array with maximum length {limit}, but got "
                     "an array with length {given} instead."),
    ),
    "dashscope": Make(
        _openai, inputs=Limit(10, 400, "Value error, batch size is invalid, it should not be larger than {limit}.: "
                              "input.contents"),
        length=Limit(512, 400, "<400> InternalError.Algo.InvalidParameter: Range of input length should be "
                     "[1, {limit}]"),
    ),
    "siliconflow": Make(
        _message, inputs=Limit(32, 413, "input batch size {given} > maximum allowed batch size {limit}"),
        length=Limit(512, 413, "input must have less than {limit} tokens"), usage="left out",
    ),
    "gemini": Make(
        _google, inputs=Limit(100, 400, "* BatchEmbedContentsRequest.requests: at most {limit} requests can be in one "
                              "batch\n"),
        index="left out where 0", length_of_vectors=0.7, usage="left out",
    ),
    "azure": Make(
        _openai, model="text-embedding-3-small",
        inputs=Limit(16, 400, "Too many inputs. The max number of inputs is {limit}.  We hope to increase the number "
                     "of inputs per request soon."),
    ),
    "voyage": Make(
        _detail, inputs=Limit(128, 400, "The batch size limit is {limit}. Your batch size is {given}."),
        tokens=Limit(2000, 400, "The max allowed tokens per submitted batch is {limit}. Your batch has {given} tokens "
                     "after truncation. Please lower the number of tokens in the batch."),
        encoding=Limit(0, 400, "Argument 'encoding_format' must be one of [base64] or null."),
    ),
    "mistral": Make(
        _message, tokens=Limit(2000, 400, "Too many tokens overall, split into more batches."),
        length=Limit(512, 400, "Input id 0 has {given} tokens, exceeding max {limit} tokens."),
    ),
    "fastapi": Make(
        _fastapi, inputs=Limit(25, 422, "input: List should have at most {limit} items after validation, not {given}"),
        dimensions=Limit(0, 422, "dimensions: Extra inputs are not permitted"), index="left out",
        width=768, usage="left out",
    ),
    "llama.cpp": Make(
        _openai, dimensions="ignored", width=384,
        length=Limit(
            512, 500, "input ({given} tokens) is too large to process. increase the physical batch size (current batch "
            "size: {limit})"
        ),
    ),
    "infinity": Make(
        _fastapi, inputs=Limit(32, 422, "input: List should have at most {limit} items after validation, not {given}"),
        width=384, dimensions="ignored", usage="total only",
    ),
    "nim": Make(
        _text, inputs=Limit(64, 422, "Input array length ({given}) exceeds the allowed {limit}"), width=1024,
        length=Limit(512, 400, "Input length {given} exceeds maximum allowed token size {limit}"),
        dimensions=Limit(0, 400, "This model does not support dimensions."), required="input_type",
        serves="nvidia/nv-embedqa-e5-v5",
    ),
    "proxy": Make(_page, tokens=Limit(2000, 413, "Request Entity Too Large"), encoding="base64"),
    "unknown limit": Make(_plain, inputs=Limit(10, 400, "Bad Request")),
    "vague 429": Make(_text, inputs=Limit(10, 429, "Request rejected")),
    "loading": Make(_text, loading=Limit(3, 503, "Model films-embed is currently loading")),
    "loading, 404": Make(_openai, loading=Limit(3, 404, "model films-embed is not ready yet")),
    "counts from 1": Make(_detail, index="from 1", usage="null"),
    "vectors as text": Make(_detail, encoding="text"),
    "half precision": Make(_detail, encoding="half"),
    "unknown format": Make(_plain, encoding=Limit(0, 500, "Internal Server Error")),
    "unknown width": Make(_plain, dimensions=Limit(0, 400, "Bad Request"), width=768),
}  # fmt: skip
