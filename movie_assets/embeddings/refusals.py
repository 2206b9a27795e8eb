"""Decides what to do about an embeddings service's error, by its class, and words the message for people.

`embeddings.service_errors` classifies errors; the client carries the action out.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, NamedTuple

from movie_assets.embeddings.error_messages import without_secrets
from movie_assets.embeddings.service_errors import ErrorClass, ServiceError, service_error, speaks_of_time
from movie_assets.embeddings.vectors import Flaw, UnusableVectorsError
from movie_assets.http_client.backoff import MAX_RETRY_SECONDS, NUMBER, seconds_asked_for
from movie_assets.http_client.rate_limits import seconds_to_reset

# stop: another request cannot succeed. pause: send nothing for a while. retry: send the same request again. split: an
# input of the request is to blame; send halves to find it. retry_then_split: once more, then split. reduce: send
# smaller requests from now on. shorten: find the text that is too long, and cut it. omit: send the request without the
# parameter that the server refuses. diagnose: the parameters, the number of inputs or one input may be to blame.
Action = Literal["stop", "pause", "retry", "split", "retry_then_split", "reduce", "shorten", "omit", "diagnose"]
PAUSE = re.compile(r"(?:retry|try again|wait)\D{0,12}?(\d+(?:\.\d+)?) ?s(?:ec|\b)", re.IGNORECASE)
ATTEMPTS = 5  # at one request
MAX_PAUSES = 10  # 429s in a row
MAX_LOADING_PAUSES = 20  # five minutes on average: a large model is read from a slow disk
# Pauses of one request after which what it holds may be to blame: some servers send 429 for limits of a request, too.
FRUITLESS_PAUSES, FRUITLESS_PAUSES_IF_VAGUE = 5, 2
ATTEMPTS_WITHIN_TIME = 2  # at a request that the service does not finish in time
NEVER_CONNECTED = ("ConnectError", "ConnectTimeout", "UnsupportedProtocol")  # names of httpx' errors

REDIRECTS = range(300, 400)

ACTIONS: dict[ErrorClass, Action] = {
    "key": "stop",
    "quota": "stop",
    "model": "stop",
    "address": "stop",
    "rate": "pause",
    "too_many_inputs": "reduce",
    "too_many_tokens": "reduce",
    "too_long": "shorten",
    "dimensions": "omit",
    "encoding_format": "omit",
    "input": "split",
    "transient": "retry",
    "loading": "pause",
    "no_response": "retry",
    "unknown": "diagnose",
}
REASONS: dict[ErrorClass, str] = {
    "too_many_inputs": "too_long",  # of a text that is alone in its request
    "too_many_tokens": "too_long",
    "too_long": "too_long",
    "input": "refused_input",
    "unknown": "refused_input",
}
MESSAGES: dict[ErrorClass, str] = {
    "key": "the embeddings service refused the key ({}); check {settings.key}",
    "quota": "the account's quota is used up ({}); raise it and run again: what was embedded is kept",
    "model": "the embeddings service does not serve the model ({}); check {settings.model}",
    "address": "the embeddings service has no such path ({}); check {settings.address}, to which the client adds the "
    "last part of the path: the addresses of most OpenAI-compatible servers end in /v1",
    "loading": "the embeddings service is not ready ({})",
    "unknown": "the embeddings service refused the request ({})",
}


class ErrorWording(NamedTuple):
    """How a service's errors read: the settings that messages name, and the service's own sentences by their class.

    The patterns are tried, without regard to case, before those that all services share
    (`embeddings.service_errors`).
    """

    key: str
    address: str
    patterns: tuple[tuple[ErrorClass, str], ...] = ()
    model: str = "MOVIE_ASSETS_EMBEDDING_MODEL"


REASONS_OF_FLAWS: dict[Flaw, str] = {
    "count": "no_vector", "zero": "vector_is_zero", "not_finite": "vector_not_finite",
}  # fmt: skip
OPENAI_ERRORS = ErrorWording("OPENAI_API_KEY", "OPENAI_BASE_URL")


@dataclass(frozen=True)
class Refusal:
    """A response without vectors, and what to do about it."""

    action: Action
    problem: str
    reason: str = ""  # of the reject, when one text is to blame
    seconds: float | None = None  # the pause that the service asks for
    attempts: int = ATTEMPTS  # in all, for `retry` and `pause` …
    then: Literal["diagnose", "stop"] = "stop"  # … and the action of `retry` after them
    error_class: ErrorClass = "transient"
    limit: int | None = None  # of inputs or of tokens, if the service names it


def refusal_of(
    status: int, code: str | None, message: str, headers: Mapping[str, str], now: datetime,
    wording: ErrorWording = OPENAI_ERRORS,
) -> Refusal:  # fmt: skip
    """Return the refusal of an error response; the names of the headers are in lower case."""
    error = service_error(status, code or "", message, wording.patterns)
    problem = f"HTTP {status} {code or ''} {message}"[:400]
    error_class = error.error_class
    if status in REDIRECTS:
        address = without_secrets(headers.get("location", "")) or "no address"
        return Refusal(
            "stop", f"the embeddings service redirects to {address} (HTTP {status}); check {wording.address}"
        )
    if error_class == "rate":
        return _rate_limited(problem, message, headers, now)
    if error_class == "loading":
        asked = seconds_asked_for(headers.get("retry-after"), now)
        problem = MESSAGES["loading"].format(problem)
        return _stop_for_long_pause(asked, problem) or Refusal("pause", problem, seconds=asked, error_class="loading")
    if error_class == "transient":
        asked = seconds_asked_for(headers.get("retry-after"), now)
        return _stop_for_long_pause(asked, problem) or Refusal("retry", problem, seconds=asked, then="diagnose")
    return _of_class(error, MESSAGES.get(error_class, "{}").format(problem, settings=wording))


def refusal_without_response(error: Exception, wording: ErrorWording, secrets: tuple[str, ...] = ()) -> Refusal:
    """Return the refusal of a request that got no response; the message names the reason and the setting."""
    cause = error.__cause__ or error
    name = type(cause).__name__
    reason = without_secrets(str(cause) or name, secrets)
    problem = f"no response ({reason}); check {wording.address} and the network"
    if name in NEVER_CONNECTED:
        return Refusal("retry", problem)
    return unfinished(problem, ATTEMPTS_WITHIN_TIME if "Timeout" in name else ATTEMPTS)


def unfinished(problem: str, attempts: int = ATTEMPTS_WITHIN_TIME) -> Refusal:
    """Return the refusal of a request that the service took and did not answer: it may be too much for it."""
    return Refusal("retry", problem, attempts=attempts, then="diagnose", error_class="no_response")


def refusal_of_vectors(error: UnusableVectorsError) -> Refusal:
    """Return the refusal of a response whose vectors cannot be used."""
    if error.flaw in REASONS_OF_FLAWS:
        return Refusal("retry_then_split", str(error), REASONS_OF_FLAWS[error.flaw])
    if error.flaw == "stuck":
        return Refusal("retry", str(error), attempts=2)
    return Refusal("stop", str(error), error_class="dimensions")


def _of_class(error: ServiceError, message: str) -> Refusal:
    reason = REASONS.get(error.error_class, "")
    return Refusal(ACTIONS[error.error_class], message, reason, error_class=error.error_class, limit=error.limit)


def _rate_limited(problem: str, message: str, headers: Mapping[str, str], now: datetime) -> Refusal:
    # The most exact header that asks for a pause counts; a header with zero asks for none.
    asked = (
        _seconds_of_milliseconds(headers.get("retry-after-ms", ""))
        or seconds_asked_for(headers.get("retry-after"), now)
        or seconds_to_reset(headers)
        or _seconds_in(problem)
    )
    is_vague = asked is None and not speaks_of_time(message)
    return _stop_for_long_pause(asked, problem) or Refusal(
        "pause", problem, "too_long", asked, FRUITLESS_PAUSES_IF_VAGUE if is_vague else FRUITLESS_PAUSES,
        error_class="rate",
    )  # fmt: skip


def _seconds_of_milliseconds(header: str) -> float | None:
    return float(header) / 1e3 if NUMBER.fullmatch(header.strip()) else None


def _seconds_in(message: str) -> float | None:
    """Return the pause that a message asks for: "Please retry after 6 seconds", "retry in 33.2s"."""
    match = PAUSE.search(message)
    return float(match[1]) if match else None


def _stop_for_long_pause(asked: float | None, problem: str) -> Refusal | None:
    """Return the refusal that stops the run if the service asks for a longer pause than a run waits, else None."""
    if asked is None or asked <= MAX_RETRY_SECONDS:
        return None
    return Refusal("stop", f"the embeddings service asks to wait {asked:,.0f} s; run again after that ({problem})")
