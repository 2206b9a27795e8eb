"""How much an account may still send, by the headers of responses: plain arithmetic, with `now` passed in.

Source of the headers: OpenAI, "Rate limits", section "Rate limits in headers". The client sends the requests.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

Kind = Literal["requests", "tokens"]
KINDS: tuple[Kind, ...] = ("requests", "tokens")
DURATION = re.compile(r"(\d+(?:\.\d+)?)(ms|us|µs|ns|d|h|m|s)")
SECONDS = {"d": 86_400.0, "h": 3_600.0, "m": 60.0, "s": 1.0, "ms": 1e-3, "us": 1e-6, "µs": 1e-6, "ns": 1e-9}
LONGEST_RESET = 600.0  # when a limit resets later, the client tries again after ten minutes


def seconds_of(duration: str | None) -> float | None:
    """Return the seconds of a duration in Go's notation ("1s", "6m0s", "12ms", "1h2m3.5s") or of a bare number.

    None for any other text.
    """
    text = (duration or "").strip()
    if re.fullmatch(r"\d+(?:\.\d+)?", text, re.ASCII):
        return float(text)
    parts = DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        return None
    return sum(float(number) * SECONDS[unit] for number, unit in parts)


@dataclass(frozen=True)
class LimitState:
    """One limit in the headers of a response: the limit, the rest of it, and the seconds until it resets."""

    limit: int
    remaining: int
    reset_seconds: float


def limits_of(headers: Mapping[str, str]) -> dict[Kind, LimitState]:
    """Return the limits in a response's headers (names in lower case) for which all three headers are there."""
    limits: dict[Kind, LimitState] = {}
    for kind in KINDS:
        limit, remaining = (headers.get(f"x-ratelimit-{name}-{kind}", "") for name in ("limit", "remaining"))
        reset = seconds_of(headers.get(f"x-ratelimit-reset-{kind}"))
        if limit.isdecimal() and remaining.isdecimal() and reset is not None and int(limit) > 0:
            limits[kind] = LimitState(int(limit), int(remaining), min(reset, LONGEST_RESET))
    return limits


def seconds_to_reset(headers: Mapping[str, str]) -> float | None:
    """Return the seconds until a limit that is used up resets; None when the headers name no such limit."""
    waits = [state.reset_seconds for state in limits_of(headers).values() if state.remaining == 0]
    return max(waits, default=None)


class Allowance:
    """One limit: the rest according to the newest response, minus the requests in flight.

    Responses overtake one another. The response to an older request may lower the rest and never raises it, so that no
    request is counted as available twice. After a reset, the whole limit is available but for the requests in flight.
    """

    def __init__(self) -> None:
        self.limit: int | None = None  # None: not known yet
        self._left = 0
        self._resets_at = 0.0
        self._newest = -1  # number of the newest request with a response
        self._in_flight: dict[int, int] = {}

    def seconds_to_wait(self, amount: int, now: float) -> float:
        """Return the seconds until `amount` may be sent; 0 is now. A response that arrives earlier may change it."""
        if self.limit is None:
            return 0.0
        left = (self.limit if now >= self._resets_at else self._left) - sum(self._in_flight.values())
        if left >= min(amount, self.limit):
            return 0.0
        return max(self._resets_at - now, 0.0) or float("inf")

    def record_request(self, number: int, amount: int) -> None:
        """Count a request as in flight; `number` is its place in the order of sending (1, 2, …)."""
        self._in_flight[number] = amount

    def record_response(self, number: int, state: LimitState | None, now: float) -> None:
        """End a request, and take over the limit in its response, if there is one."""
        amount = self._in_flight.pop(number, 0)
        if state is None:
            self._left -= amount
        elif number > self._newest:
            self.limit, self._left, self._newest = state.limit, state.remaining, number
            self._resets_at = now + state.reset_seconds
        else:
            self._left = min(self._left, state.remaining)


class RateLimits:
    """The limits of an account: requests and tokens."""

    def __init__(self) -> None:
        self._allowances: dict[Kind, Allowance] = {kind: Allowance() for kind in KINDS}
        self._number = 0

    @property
    def max_tokens(self) -> int | None:
        """The limit of tokens; None when the service has not named it."""
        return self._allowances["tokens"].limit

    def seconds_to_wait(self, tokens: int, now: float) -> float:
        """Return the seconds until a request of so many tokens may be sent."""
        amounts: dict[Kind, int] = {"requests": 1, "tokens": tokens}
        return max(self._allowances[kind].seconds_to_wait(amount, now) for kind, amount in amounts.items())

    def record_request(self, tokens: int) -> int:
        """Count a request as in flight; return its number for `record_response`."""
        self._number += 1
        self._allowances["requests"].record_request(self._number, 1)
        self._allowances["tokens"].record_request(self._number, tokens)
        return self._number

    def record_response(self, number: int, headers: Mapping[str, str], now: float) -> None:
        """End a request and take over the limits in its response's headers; they are empty without a response."""
        states = limits_of(headers)
        for kind, allowance in self._allowances.items():
            allowance.record_response(number, states.get(kind), now)
