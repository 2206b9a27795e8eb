"""One call to an OpenAI-compatible embeddings endpoint, its response told as data.

Nothing is repeated here: what an error means is `embeddings.service_errors`, what follows from it is decided in
`embeddings.refusals` and done in `openai_queue`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import httpx
import openai

from movie_assets.embeddings.refusals import Refusal, refusal_of, refusal_of_vectors
from movie_assets.embeddings.server_limits import Parameters
from movie_assets.embeddings.service_errors import without_secrets, words_of_error
from movie_assets.embeddings.vectors import Sorted, UnusableVectorsError, by_index

ATTEMPTS_AT_NO_JSON = 3  # a captive portal, a cut body: it passes or it does not
WITHOUT_DIMENSIONS = ("text-embedding-ada-002",)  # OpenAI's model of the second generation refuses the parameter
BAD_REQUEST, MIN_STATUS, MAX_STATUS = 400, 400, 599


@dataclass(frozen=True)
class Model:
    """What is asked for."""

    name: str
    dimensions: int

    def request(self, texts: Sequence[str] | str, parameters: Parameters) -> dict[str, Any]:
        """Return the body of a request."""
        body: dict[str, Any] = {"input": texts, "model": self.name}
        if parameters.dimensions and self.name not in WITHOUT_DIMENSIONS:
            body["dimensions"] = self.dimensions
        if parameters.encoding_format is not None:
            body["encoding_format"] = parameters.encoding_format
        return body


@dataclass(frozen=True)
class Reply:
    """Vectors or a refusal, the tokens that the service charged, and the headers (names in lower case)."""

    outcome: Sorted | Refusal
    tokens: int | None = 0  # None: charged, and the service does not tell how many
    headers: Mapping[str, str] = field(default_factory=dict)
    model: str | None = None  # the name that answered


def ask(client: openai.OpenAI, model: Model, texts: Sequence[str], parameters: Parameters) -> Reply:
    """Ask for the vectors of texts, once."""
    try:
        # The body is made and read here: the library would put base64 in place of a format that is left out, and
        # build an object for every number, which takes longer than the service.
        answer = client.post("/embeddings", cast_to=httpx.Response, body=model.request(list(texts), parameters))
        headers, content = {name.lower(): value for name, value in answer.headers.items()}, answer.content
    except openai.APIStatusError as error:
        return Reply(refusal_in(error, (client.api_key,)), 0, headers_of(error))
    except openai.APIConnectionError as error:
        return Reply(Refusal("again", f"no answer ({without_secrets(str(error), (client.api_key,))})"))
    try:
        body = json.loads(content)
    except ValueError as error:
        return Reply(Refusal("again", f"the answer is not JSON ({error})", attempts=ATTEMPTS_AT_NO_JSON))
    outcome, tokens = read(body, model, len(texts), (client.api_key,)), tokens_of(body)
    return Reply(outcome, 0 if tokens is None and isinstance(outcome, Refusal) else tokens, headers, model_of(body))


def refusal_in(error: openai.APIStatusError, secrets: tuple[str, ...] = ()) -> Refusal:
    """What an error answer means, in the service's own words."""
    code, message = words_of_error(error.response.content, secrets)
    message = message or error.response.reason_phrase
    return refusal_of(error.status_code, code, message, headers_of(error), datetime.now(UTC))


def headers_of(error: openai.APIStatusError) -> dict[str, str]:
    """Headers of an error answer, names in lower case."""
    return {name.lower(): value for name, value in error.response.headers.items()}


def read(body: Any, model: Model, count: int, secrets: tuple[str, ...] = ()) -> Sorted | Refusal:
    """The vectors of an answer's body, checked."""
    if not isinstance(body, dict):
        return Refusal("again", f"the answer does not hold vectors: {body!r:.200}", attempts=ATTEMPTS_AT_NO_JSON)
    if not body.get("data") and (body.get("error") or body.get("errors") or body.get("detail")):
        # Routers answer 200 with the error of the provider behind them.
        code, message = words_of_error(body, secrets)
        return refusal_of(_status_in(body["error"]) if "error" in body else BAD_REQUEST, code, message, {},
                          datetime.now(UTC))  # fmt: skip
    try:
        return by_index(body.get("data") or (), count, model.dimensions)
    except UnusableVectorsError as error:
        return refusal_of_vectors(error)


def tokens_of(body: Any) -> int | None:
    """Tokens that an answer says were charged, None when it does not."""
    usage = body.get("usage") if isinstance(body, dict) else None
    if not isinstance(usage, dict):
        return None
    counts = (usage.get(name) for name in ("total_tokens", "prompt_tokens"))
    return next((n for n in counts if isinstance(n, int) and not isinstance(n, bool) and n >= 0), None)


def model_of(body: Any) -> str | None:
    """The name of the model that an answer gives, bounded."""
    name = body.get("model") if isinstance(body, dict) else None
    return name[:200] if isinstance(name, str) and name else None


def _status_in(error: Any) -> int:
    """The status that an error inside of an answer names."""
    codes = (error.get(key) for key in ("code", "status", "status_code")) if isinstance(error, dict) else ()
    for code in codes:
        status = int(code) if isinstance(code, str) and code.isdecimal() else code
        if isinstance(status, int) and MIN_STATUS <= status <= MAX_STATUS:
            return status
    return BAD_REQUEST
