"""One call to an OpenAI-compatible embeddings endpoint, its answer told as data.

Nothing is repeated here: what follows from an answer is decided in `openai_stream`, what it means in `core.refusals`.
"""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import openai

from movie_assets.core.refusals import Refusal, refusal_of, refusal_of_vectors
from movie_assets.core.vectors import Sorted, UnusableVectorsError, by_index

ATTEMPTS_AT_NO_JSON = 3  # a captive portal, a cut body: it passes or it does not


@dataclass(frozen=True)
class Model:
    """What is asked for."""

    name: str
    dimensions: int

    @property
    def width_asked(self) -> int | openai.Omit:
        """The parameter `dimensions`: only the models of the third generation take it."""
        return self.dimensions if self.name.startswith("text-embedding-3") else openai.omit


@dataclass(frozen=True)
class Reply:
    """Vectors or a refusal, the tokens that the service charged, and the headers (names in lower case)."""

    outcome: Sorted | Refusal
    tokens: int | None = 0  # None: charged, and the service does not tell how many
    headers: Mapping[str, str] = field(default_factory=dict)


def ask(client: openai.OpenAI, model: Model, texts: Sequence[str]) -> Reply:
    """Ask for the vectors of texts, once."""
    try:
        # "float" because some servers ignore base64. The body is read here: the library would build an object for
        # every number, which takes longer than the service.
        answer = client.embeddings.with_raw_response.create(
            model=model.name, input=list(texts), dimensions=model.width_asked, encoding_format="float"
        )
        headers, content = dict(answer.headers), answer.content
    except openai.APIStatusError as error:
        headers = {name.lower(): value for name, value in error.response.headers.items()}
        told = error.body.get("message") if isinstance(error.body, dict) else None
        message = told if isinstance(told, str) else error.message
        return Reply(refusal_of(error.status_code, error.code, message, headers, datetime.now(UTC)), 0, headers)
    except openai.APIConnectionError as error:
        return Reply(Refusal("again", f"no answer ({error})"))
    try:
        body = json.loads(content)
    except ValueError as error:
        return Reply(Refusal("again", f"the answer is not JSON ({error})", attempts=ATTEMPTS_AT_NO_JSON))
    outcome, tokens = read(body, model, len(texts)), tokens_of(body)
    return Reply(outcome, 0 if tokens is None and isinstance(outcome, Refusal) else tokens, headers)


def read(body: Any, model: Model, count: int) -> Sorted | Refusal:
    """The vectors of an answer's body, checked."""
    if not isinstance(body, dict):
        return Refusal("again", f"the answer does not hold vectors: {body!r:.200}", attempts=ATTEMPTS_AT_NO_JSON)
    named = body.get("model")
    if isinstance(named, str) and named and not named.startswith(model.name):
        return Refusal("stop", f"{model.name} was asked for and {named:.80} answered; check OPENAI_BASE_URL")
    try:
        return by_index(body.get("data") or (), count, model.dimensions)
    except UnusableVectorsError as error:
        return refusal_of_vectors(error)


def tokens_of(body: Any) -> int | None:
    """Tokens that an answer says were charged, None when it does not."""
    usage = body.get("usage") if isinstance(body, dict) else None
    total = usage.get("total_tokens") if isinstance(usage, dict) else None
    return total if isinstance(total, int) and total >= 0 else None
