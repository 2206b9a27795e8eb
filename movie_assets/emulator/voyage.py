"""Voyage's API: `POST /v1/embeddings`, which the emulator serves under `/voyage`, as OpenAI's has the same path.

Sources: https://docs.voyageai.com/reference/embeddings-api (request, response, limits, prompts),
https://docs.voyageai.com/docs/embeddings (models), https://docs.voyageai.com/docs/error-codes. Messages are those that
users of the API quote.
"""

from dataclasses import dataclass, replace
from typing import Any

from starlette.requests import Request

from movie_assets.emulator.apis import Api, shortened, tokens_of
from movie_assets.emulator.native_vectors import Role, native_vectors
from movie_assets.emulator.responses import JSON_TYPE, ServedResponse
from movie_assets.emulator.service import Service

MAX_TEXTS = 1000
WIDTHS = (256, 512, 1024, 2048)
ROLES: dict[str | None, Role | None] = {"query": "query", "document": "document", None: None}
TAKEN = {"input", "model", "input_type", "truncation", "output_dimension", "output_dtype", "encoding_format"}


@dataclass(frozen=True)
class _Model:
    tokens: int  # of a request
    context: int = 32_000  # tokens of a text
    widths: tuple[int, ...] = WIDTHS


MODELS = {
    "voyage-4-large": _Model(120_000),
    "voyage-4": _Model(320_000),
    "voyage-4-lite": _Model(1_000_000),
    "voyage-3.5": _Model(320_000),
    "voyage-3.5-lite": _Model(1_000_000),
    "voyage-2": _Model(320_000, 4_000, (1024,)),
}
VOYAGE = Api(
    "voyage", "authorization", lambda _status, message, _: {"detail": message},
    errors={
        "key": (401, "Provided API key is invalid."),
        "forbidden": (403, "Requests from this IP address are forbidden."),
        "rate": (429, "You have exceeded the rate limits of your account; please pace your requests."),
        "down": (500, "An unexpected error occurred on our servers."),
        "unavailable": (503, "Our servers are currently experiencing high traffic."),
    },
)  # fmt: skip


def embeddings(service: Service, _: Request, content: dict[str, Any]) -> ServedResponse:
    """Return the vectors of texts. Raises RefusedError."""
    model = MODELS.get(name := str(content.get("model")))
    if model is None:
        raise VOYAGE.refusal(f"Model {name} is not supported. Supported models are {sorted(MODELS)}.")
    for parameter in content.keys() - TAKEN:
        raise VOYAGE.refusal(f"Argument '{parameter}' is not supported by our API. Please refer to our documentation.")
    texts = VOYAGE.texts(content.get("input"), "input")
    if len(texts) > MAX_TEXTS:
        raise VOYAGE.refusal(f"The batch size limit is {MAX_TEXTS}. Your batch size is {len(texts)}.")
    input_type, truncation = content.get("input_type"), content.get("truncation", True)
    if input_type not in ROLES:
        raise VOYAGE.refusal("Argument 'input_type' must be one of [query, document] or null.")
    read = shortened(texts, model.context)
    if not truncation and read != texts:
        index = next(n for n, text in enumerate(texts) if read[n] != text)
        raise VOYAGE.refusal(
            f"Request to model '{name}' failed. The example at index {index} in your batch has too many tokens and "
            f"does not fit into the model's context window of {model.context} tokens. Please lower the number of "
            "tokens in the listed example(s) or use truncation."
        )
    if (tokens := sum(map(tokens_of, read))) > model.tokens:
        raise VOYAGE.refusal(
            f"Request to model '{name}' failed. The max allowed tokens per submitted batch is {model.tokens}. Your "
            f"batch has {tokens} tokens after truncation. Please lower the number of tokens in the batch."
        )
    embedded = native_vectors(service, name, read, _width(model, content), ROLES[input_type])
    inputs = {"X-Embedded-Inputs": str(len(embedded.indices))}
    body = replace(embedded, usage="total only").rendered()
    return ServedResponse(200, body, {"Content-Type": JSON_TYPE, **inputs})


def _width(model: _Model, content: dict[str, Any]) -> int:
    width = content.get("output_dimension") or 1024
    if width not in model.widths:
        raise VOYAGE.refusal(f"Argument 'output_dimension' must be one of {list(model.widths)} or null.")
    return int(width)
