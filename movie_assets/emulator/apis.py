"""What services with an API of their own share: keys, the forms of their errors, and how they count tokens.

`gemini`, `cohere`, `voyage` and `rerank` serve them; `faults` has the errors that they send on demand.
"""

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

from movie_assets.emulator.responses import RefusedError, ServedResponse, json_response

LETTERS_PER_TOKEN = 4
FORBIDDEN, TOO_MANY, DOWN, UNAVAILABLE = 403, 429, 500, 503
Kind = Literal["key", "forbidden", "rate", "down", "unavailable"]


@dataclass(frozen=True)
class Api:
    """The API of a service: the header of its key, the form of its errors, and those that any request can get.

    `form` takes status, message and the seconds of the pause that the error asks for, and returns the JSON.
    """

    name: str
    key_header: str  # empty: no key is needed
    form: Callable[[int, str, int | None], object]
    errors: Mapping[Kind, tuple[int, str]]
    has_retry_after: bool = True  # asks for a pause in the header; else only in the JSON

    def admits(self, headers: Mapping[str, str]) -> bool:
        """Whether a request has a key, if one is needed; any key does."""
        if not self.key_header:
            return True
        key = headers.get(self.key_header, "")
        if self.key_header == "authorization":
            scheme, _, key = key.partition(" ")
            return scheme.lower() == "bearer" and bool(key.strip())
        return bool(key.strip())

    def error(self, status: int, message: str, retry_after: int | None = None) -> ServedResponse:
        """Return an error in the form of the service."""
        is_sent = retry_after is not None and self.has_retry_after
        headers = {"Retry-After": str(retry_after)} if is_sent else None
        return json_response(self.form(status, message, retry_after), status, headers)

    def error_of(self, kind: Kind, retry_after: int | None = None) -> ServedResponse:
        """Return one of the errors that any request can get."""
        return self.error(*self.errors[kind], retry_after)

    def refusal(self, message: str, status: int = 400) -> RefusedError:
        """Return the exception that refuses a request."""
        return RefusedError(self.error(status, message))

    def parsed(self, body: bytes) -> dict[str, Any]:
        """Return the JSON object of a request. Raises RefusedError."""
        try:
            request = json.loads(body)
        except ValueError:
            request = None
        if not isinstance(request, dict):
            raise self.refusal("invalid request: the body must be a JSON object")
        return request

    def texts(self, given: object, name: str) -> list[str]:
        """Return the texts of a request. Raises RefusedError unless they are a list of texts that are not empty."""
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list) or not texts or not all(isinstance(text, str) and text for text in texts):
            raise self.refusal(f"invalid request: {name} must be a list of strings that are not empty")
        return texts


@dataclass(frozen=True)
class Exchange:
    """A response, and the API in whose form an error can take its place."""

    api: Api
    response: ServedResponse


def refused(kind: Kind, *, with_pause: bool = False) -> Callable[[Exchange, int], Exchange]:
    """Return the function that replaces a response by an error; it takes the seconds of the pause to ask for."""

    def replaced(exchange: Exchange, retry_after: int) -> Exchange:
        return replace(exchange, response=exchange.api.error_of(kind, retry_after if with_pause else None))

    return replaced


def tokens_of(text: str) -> int:
    """Return the tokens that are counted for a text: one for four letters of ASCII, one for each other letter."""
    plain = len(text.encode("ascii", errors="ignore"))
    return -(-plain // LETTERS_PER_TOKEN) + len(text) - plain


def shortened(texts: Sequence[str], most: int) -> list[str]:
    """Return texts as a service that truncates reads them."""
    sizes = [most * LETTERS_PER_TOKEN if text.isascii() else most for text in texts]
    return [text if tokens_of(text) <= most else text[:size] for text, size in zip(texts, sizes, strict=True)]
