"""What an embeddings service's error means: which of the four things to do about it, in a sentence for people.

Doing it is for the client. OpenAI's codes: https://platform.openai.com/docs/guides/error-codes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from movie_assets.core.rate_limits import pause_told_by
from movie_assets.core.retry import MOST_PATIENCE, NUMBER, seconds_asked_for
from movie_assets.core.vectors import UnusableVectorsError

# stop: nothing can get better by asking again. pause: nobody asks for a while. again: the same once more.
# split: something in the request is to blame, halves tell what. doubt: once more, then split.
Remedy = Literal["stop", "pause", "again", "split", "doubt"]
ATTEMPTS = 5  # at one request
MOST_PAUSES = 10  # 429s in a row

REFUSED_KEY = (401, 403)
TOO_MANY = 429
LEAST_SERVER_ERROR = 500
WORTH_REPEATING = (408, 409)
NO_MONEY = ("insufficient_quota", "billing_hard_limit_reached", "billing_not_active")
TOO_MUCH = ("context_length_exceeded", "max_tokens_per_request", "string_above_max_length", "array_above_max_length")
TOO_MUCH_SAYS = ("maximum context length", "maximum input length", "too many tokens", "too large", "too long")
INPUT_SAYS = ("$.input", "'input'", "input is invalid", "invalid input")


@dataclass(frozen=True)
class Refusal:
    """An answer without vectors."""

    remedy: Remedy
    problem: str
    reason: str = ""  # the reject's reason when one text is to blame
    seconds: float | None = None  # the pause that is asked for
    attempts: int = ATTEMPTS  # in all, for `again` …
    then: Literal["split", "stop"] = "stop"  # … and what to do after them


def refusal_of(status: int, code: str | None, message: str, headers: Mapping[str, str], now: datetime) -> Refusal:
    """What an error answer means."""
    problem = f"HTTP {status} {code or ''} {message}"[:400]
    says = message.lower()
    if status in REFUSED_KEY:
        refusal = Refusal("stop", f"the embeddings service refused the key ({problem}); check OPENAI_API_KEY")
    elif code in NO_MONEY:
        refusal = Refusal(
            "stop",
            f"the account's quota is used up ({problem}); raise it and run again: what was embedded is kept",
        )
    elif code in TOO_MUCH or any(words in says for words in TOO_MUCH_SAYS):
        refusal = Refusal("split", problem, "too_long")
    elif status == TOO_MANY:
        refusal = _too_many(problem, headers, now)
    elif status >= LEAST_SERVER_ERROR or status in WORTH_REPEATING:
        asked = seconds_asked_for(headers.get("retry-after"), now)
        refusal = _too_patient(asked) or Refusal("again", problem, seconds=asked, then="split")
    elif any(words in says for words in INPUT_SAYS):
        refusal = Refusal("split", problem, "refused_input")
    else:
        refusal = Refusal("stop", f"the embeddings service refused the request ({problem})")
    return refusal


def refusal_of_vectors(error: UnusableVectorsError) -> Refusal:
    """What vectors that cannot be used mean."""
    if error.flaw == "count":
        return Refusal("doubt", str(error), "no_vector")
    if error.flaw == "stuck":
        return Refusal("again", str(error), attempts=2)
    return Refusal("stop", str(error))


def _too_many(problem: str, headers: Mapping[str, str], now: datetime) -> Refusal:
    # The most exact header that asks for a pause counts; one that says zero asks for none.
    asked = (
        _seconds_of_milliseconds(headers.get("retry-after-ms", ""))
        or seconds_asked_for(headers.get("retry-after"), now)
        or pause_told_by(headers)
    )
    return _too_patient(asked) or Refusal("pause", problem, seconds=asked)


def _seconds_of_milliseconds(header: str) -> float | None:
    return float(header) / 1e3 if NUMBER.fullmatch(header.strip()) else None


def _too_patient(asked: float | None) -> Refusal | None:
    if asked is None or asked <= MOST_PATIENCE:
        return None
    return Refusal("stop", f"the embeddings service asks to wait {asked:,.0f} s; run again after that")
