"""What an account may still send, by the headers of the answers it got; plain arithmetic, `now` is passed in.

Source of the headers: OpenAI, "Rate limits", section "Rate limits in headers". Sending is for the client.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["requests", "tokens"]
KINDS: tuple[Kind, ...] = ("requests", "tokens")
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)")
SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
LONGEST_RESET = 600.0  # a service whose limit resets later is asked again after ten minutes


def seconds_of(duration: str | None) -> float | None:
    """Seconds of a duration as Go writes it ("1s", "6m0s", "12ms", "1h2m3.5s") or of a bare number, else None."""
    text = (duration or "").strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", text, re.ASCII):
        return float(text)
    parts = DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * SECONDS[unit] for number, unit in parts)


@dataclass(frozen=True)
class Remaining:
    """What one answer said of one limit."""

    limit: int
    remaining: int
    reset_seconds: float


def limits_of(headers: Mapping[str, str]) -> dict[Kind, Remaining]:
    """The limits that an answer's headers tell (names in lower case); those that are told in full only."""
    found: dict[Kind, Remaining] = {}
    for kind in KINDS:
        limit, remaining = (headers.get(f"x-ratelimit-{what}-{kind}", "") for what in ("limit", "remaining"))
        reset = seconds_of(headers.get(f"x-ratelimit-reset-{kind}"))
        if limit.isdecimal() and remaining.isdecimal() and reset is not None and int(limit) > 0:
            found[kind] = Remaining(int(limit), int(remaining), min(reset, LONGEST_RESET))
    return found


def pause_told_by(headers: Mapping[str, str]) -> float | None:
    """Seconds until the limit that is used up is whole again, or None when no header tells."""
    waits = [told.reset_seconds for told in limits_of(headers).values() if told.remaining == 0]
    return max(waits, default=None)


class Allowance:
    """One limit: what the newest answer left, minus what is on its way.

    Answers overtake one another. An older request's answer may lower what is left, never raise it, so that one
    request is never spent twice. When a limit is whole again, all of it may be used but for what is in flight.
    """

    def __init__(self) -> None:
        self.limit: int | None = None  # None: nobody told
        self._left = 0
        self._whole_at = 0.0
        self._told_by = -1
        self._in_flight: dict[int, int] = {}

    def seconds_to_wait(self, amount: int, now: float) -> float:
        """How long until so much may be sent: 0 is now; an answer that comes earlier may change it."""
        if self.limit is None:
            return 0.0
        left = (self.limit if now >= self._whole_at else self._left) - sum(self._in_flight.values())
        if left >= min(amount, self.limit):
            return 0.0
        return max(self._whole_at - now, 0.0) or float("inf")

    def sent(self, number: int, amount: int) -> None:
        """Count the request of this number (1, 2, … in the order of sending) as on its way."""
        self._in_flight[number] = amount

    def answered(self, number: int, told: Remaining | None, now: float) -> None:
        """Take a request off the way, and believe what its answer says."""
        amount = self._in_flight.pop(number, 0)
        if told is None:
            self._left -= amount
        elif number > self._told_by:
            self.limit, self._left, self._told_by = told.limit, told.remaining, number
            self._whole_at = now + told.reset_seconds
        else:
            self._left = min(self._left, told.remaining)


class RateLimits:
    """Requests and tokens of an account together."""

    def __init__(self) -> None:
        self._allowances: dict[Kind, Allowance] = {kind: Allowance() for kind in KINDS}
        self._number = 0

    @property
    def most_tokens(self) -> int | None:
        """Tokens that the account may send in one go, if the service told."""
        return self._allowances["tokens"].limit

    def seconds_to_wait(self, tokens: int, now: float) -> float:
        """How long until a request of so many tokens may be sent."""
        amounts: dict[Kind, int] = {"requests": 1, "tokens": tokens}
        return max(self._allowances[kind].seconds_to_wait(amount, now) for kind, amount in amounts.items())

    def sent(self, tokens: int) -> int:
        """Count a request as on its way; the number stands for it in `answered`."""
        self._number += 1
        self._allowances["requests"].sent(self._number, 1)
        self._allowances["tokens"].sent(self._number, tokens)
        return self._number

    def answered(self, number: int, headers: Mapping[str, str], now: float) -> None:
        """Believe an answer's headers; none when no answer came."""
        told = limits_of(headers)
        for kind, allowance in self._allowances.items():
            allowance.answered(number, told.get(kind), now)
