"""Cohere's API: `POST /v2/embed`. `rerank` has `POST /v2/rerank`.

Sources: https://docs.cohere.com/reference/embed (request and response), https://docs.cohere.com/reference/errors
(messages), https://docs.cohere.com/docs/cohere-embed (models, dimensions).
"""

from dataclasses import dataclass
from typing import Any

from starlette.requests import Request

from movie_assets.emulator.apis import Api, shortened, tokens_of
from movie_assets.emulator.embedding_response import written
from movie_assets.emulator.native_vectors import Role, native_vectors
from movie_assets.emulator.responses import JSON_TYPE, ServedResponse
from movie_assets.emulator.service import Service

MAX_TEXTS = 96
ROLES: dict[str, Role | None] = {
    "search_query": "query", "search_document": "document", "classification": None, "clustering": None,
}  # fmt: skip


@dataclass(frozen=True)
class _Model:
    width: int
    tokens: int  # of a text
    widths: tuple[int, ...] = ()  # that output_dimension can ask for


MODELS = {
    "embed-v4.0": _Model(1536, 128_000, (256, 512, 1024, 1536)),
    "embed-english-v3.0": _Model(1024, 512),
    "embed-multilingual-v3.0": _Model(1024, 512),
}
COHERE = Api(
    "cohere", "authorization", lambda _status, message, _: {"id": "emulator", "message": message},
    errors={
        "key": (401, "invalid api token"),
        "forbidden": (403, "Your account has been blocked; contact support."),
        "rate": (429, "You are past the per minute request limit, please wait and try again later."),
        "down": (500, "internal server error, this has been reported to our developers"),
        "unavailable": (503, "service unavailable"),
    },
)  # fmt: skip


def embed(service: Service, _: Request, content: dict[str, Any]) -> ServedResponse:
    """Return the vectors of texts. Raises RefusedError."""
    model = MODELS.get(name := str(content.get("model")))
    if model is None:
        raise COHERE.refusal(f"model '{name}' not found, make sure the correct model ID was used", 404)
    texts = COHERE.texts(content.get("texts"), "texts")
    if len(texts) > MAX_TEXTS:
        raise COHERE.refusal(
            f"invalid request: total number of texts must be at most {MAX_TEXTS} - received {len(texts)}"
        )
    if content.get("input_type") not in ROLES:
        raise COHERE.refusal("invalid request: valid input_type must be provided with the provided model")
    if content.get("embedding_types") != ["float"]:
        raise COHERE.refusal("invalid request: the emulator has the embedding_types [float]")
    longest = max(map(tokens_of, texts))
    if longest > model.tokens and content.get("truncate") == "NONE":
        raise COHERE.refusal(
            f"too many tokens: size limit exceeded by {longest - model.tokens} tokens. Try using shorter or fewer "
            f"inputs. The limit for this model is {model.tokens} tokens."
        )
    read = shortened(texts, model.tokens)
    embedded = native_vectors(service, name, read, _width(model, content), ROLES[content["input_type"]])
    rows = ",".join(map(written, embedded.vectors))
    body = (
        f'{{"id":"emulator","embeddings":{{"float":[{rows}]}},"response_type":"embeddings_by_type","meta":'
        f'{{"api_version":{{"version":"2"}},"billed_units":{{"input_tokens":{embedded.tokens}}}}}}}'
    )
    inputs = {"X-Embedded-Inputs": str(len(embedded.indices))}
    return ServedResponse(200, body.encode(), {"Content-Type": JSON_TYPE, **inputs})


def _width(model: _Model, content: dict[str, Any]) -> int:
    asked = content.get("output_dimension")
    if asked is None:
        return model.width
    if not model.widths:
        raise COHERE.refusal("invalid request: output_dimension is not supported by the provided model")
    if asked not in model.widths:
        raise COHERE.refusal(f"invalid request: output_dimension must be one of {list(model.widths)}")
    return int(asked)
