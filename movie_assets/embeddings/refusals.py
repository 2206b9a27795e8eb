"""What to do about an embeddings service's error, by its class, and the sentence for people.

What an error means is `embeddings.service_errors`; doing what follows is for the client.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from movie_assets.embeddings.service_errors import Kind, ServiceError, service_error
from movie_assets.embeddings.vectors import UnusableVectorsError
from movie_assets.http_client.backoff import MAX_RETRY_SECONDS, NUMBER, seconds_asked_for
from movie_assets.http_client.rate_limits import seconds_to_reset

# stop: asking again cannot help. pause: nobody asks for a while. again: the same once more. split: something in the
# request is to blame, halves tell what. doubt: once more, then split. fewer: smaller requests from now on. shorten:
# find the text that is too long and cut it. omit: without the parameter that the server does not take. suspect: the
# parameters, the number of inputs or one of them may be to blame.
Action = Literal["stop", "pause", "again", "split", "doubt", "fewer", "shorten", "omit", "suspect"]
ATTEMPTS = 5  # at one request
MAX_PAUSES = 10  # 429s in a row

REMEDIES: dict[Kind, Action] = {
    "key": "stop",
    "quota": "stop",
    "model": "stop",
    "address": "stop",
    "rate": "pause",
    "too_many_inputs": "fewer",
    "too_many_tokens": "fewer",
    "too_long": "shorten",
    "dimensions": "omit",
    "encoding_format": "omit",
    "input": "split",
    "transient": "again",
    "unknown": "suspect",
}
REASONS: dict[Kind, str] = {
    "too_many_inputs": "too_long",  # of a text that is alone in its request
    "too_many_tokens": "too_long",
    "too_long": "too_long",
    "input": "refused_input",
    "unknown": "refused_input",
}
SENTENCES: dict[Kind, str] = {
    "key": "the embeddings service refused the key ({}); check OPENAI_API_KEY",
    "quota": "the account's quota is used up ({}); raise it and run again: what was embedded is kept",
    "model": "the embeddings service does not serve the model ({}); check MOVIE_ASSETS_EMBEDDING_MODEL",
    "address": "the embeddings service has no such path ({}); check OPENAI_BASE_URL",
    "unknown": "the embeddings service refused the request ({})",
}


@dataclass(frozen=True)
class Refusal:
    """An answer without vectors."""

    action: Action
    problem: str
    reason: str = ""  # the reject's reason when one text is to blame
    seconds: float | None = None  # the pause that is asked for
    attempts: int = ATTEMPTS  # in all, for `again` …
    then: Literal["suspect", "stop"] = "stop"  # … and what to do after them
    kind: Kind = "transient"
    limit: int | None = None  # that the service names, of inputs or of tokens


def refusal_of(status: int, code: str | None, message: str, headers: Mapping[str, str], now: datetime) -> Refusal:
    """What an error answer means."""
    error = service_error(status, code or "", message)
    problem = f"HTTP {status} {code or ''} {message}"[:400]
    kind = error.kind
    if kind == "rate":
        return _too_many(problem, headers, now)
    if kind == "transient":
        asked = seconds_asked_for(headers.get("retry-after"), now)
        return _too_patient(asked) or Refusal("again", problem, seconds=asked, then="suspect")
    return _of_kind(error, SENTENCES.get(kind, "{}").format(problem))


def refusal_of_vectors(error: UnusableVectorsError) -> Refusal:
    """What vectors that cannot be used mean."""
    if error.flaw == "count":
        return Refusal("doubt", str(error), "no_vector")
    if error.flaw == "stuck":
        return Refusal("again", str(error), attempts=2)
    return Refusal("stop", str(error), kind="dimensions")


def _of_kind(error: ServiceError, sentence: str) -> Refusal:
    return Refusal(
        REMEDIES[error.kind], sentence, REASONS.get(error.kind, ""), kind=error.kind, limit=error.limit
    )  # fmt: skip


def _too_many(problem: str, headers: Mapping[str, str], now: datetime) -> Refusal:
    # The most exact header that asks for a pause counts; one that says zero asks for none.
    asked = (
        _seconds_of_milliseconds(headers.get("retry-after-ms", ""))
        or seconds_asked_for(headers.get("retry-after"), now)
        or seconds_to_reset(headers)
    )
    return _too_patient(asked) or Refusal("pause", problem, seconds=asked, kind="rate")


def _seconds_of_milliseconds(header: str) -> float | None:
    return float(header) / 1e3 if NUMBER.fullmatch(header.strip()) else None


def _too_patient(asked: float | None) -> Refusal | None:
    if asked is None or asked <= MAX_RETRY_SECONDS:
        return None
    return Refusal("stop", f"the embeddings service asks to wait {asked:,.0f} s; run again after that")
