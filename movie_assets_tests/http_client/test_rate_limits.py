"""What an account may still send, by its headers; no clock runs here."""

import pytest

from movie_assets.http_client.rate_limits import (
    Allowance,
    LimitState,
    RateLimits,
    limits_of,
    seconds_of,
    seconds_to_reset,
)


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("1s", 1), ("6m0s", 360), ("12ms", 0.012), ("1h2m3.5s", 3723.5), ("1d", 86_400), ("0s", 0), ("350µs", 0.00035),
        ("2", 2), ("1.5", 1.5), ("", None), (None, None), ("soon", None), ("1s later", None), ("-1s", None),
        ("s", None), ("²", None),
    ],
)  # fmt: skip
def test_durations_are_read_as_go_writes_them(written: str | None, seconds: float | None) -> None:
    assert seconds_of(written) == (None if seconds is None else pytest.approx(seconds))


def headers(kind: str = "tokens", limit: str = "1000", remaining: str = "400", reset: str = "30s") -> dict[str, str]:
    values = {"limit": limit, "remaining": remaining, "reset": reset}
    return {f"x-ratelimit-{what}-{kind}": value for what, value in values.items()}


@pytest.mark.parametrize(
    "odd", [{"limit": ""}, {"limit": "0"}, {"remaining": "-1"}, {"reset": "tomorrow"}, {"limit": "many"}]
)
def test_a_limit_that_is_not_told_in_full_is_not_believed(odd: dict[str, str]) -> None:
    assert limits_of(headers(**odd)) == {}
    assert limits_of(headers()) == {"tokens": LimitState(1000, 400, 30)}


def test_the_pause_is_that_of_the_limit_that_is_used_up() -> None:
    both = headers(remaining="0", reset="6m0s") | headers("requests", remaining="3", reset="20m0s")
    assert seconds_to_reset(both) == 360
    assert seconds_to_reset(headers()) is None


def test_without_headers_there_is_no_limit() -> None:
    limits = RateLimits()
    for _ in range(50):
        assert limits.seconds_to_wait(10**9, 0) == 0
        limits.record_response(limits.record_request(10**9), {}, 0)


def record_headers(limits: RateLimits, now: float = 100, **more: str) -> None:
    limits.record_response(limits.record_request(100), headers(**more), now)


def test_no_more_is_sent_than_remains_before_the_reset() -> None:
    limits = RateLimits()
    record_headers(limits)
    assert limits.seconds_to_wait(400, 100) == 0
    assert limits.seconds_to_wait(401, 100) == 30
    assert limits.seconds_to_wait(401, 120) == 10
    assert limits.seconds_to_wait(1000, 130) == 0


def test_what_is_in_flight_is_counted() -> None:
    limits = RateLimits()
    record_headers(limits)
    limits.record_request(300)
    assert limits.seconds_to_wait(100, 100) == 0
    assert limits.seconds_to_wait(101, 100) == 30
    assert limits.seconds_to_wait(701, 130) == float("inf")  # only an answer can help
    assert limits.seconds_to_wait(700, 130) == 0


def test_requests_have_a_limit_of_their_own() -> None:
    limits = RateLimits()
    record_headers(limits, kind="requests", remaining="1")
    assert limits.seconds_to_wait(5, 100) == 0
    limits.record_request(5)
    assert limits.seconds_to_wait(5, 100) == 30


def test_a_request_beyond_the_limit_waits_for_all_of_it() -> None:
    limits = RateLimits()
    record_headers(limits)
    assert limits.seconds_to_wait(5000, 100) == 30
    assert limits.seconds_to_wait(5000, 130) == 0


def test_an_older_requests_answer_raises_nothing() -> None:
    allowance = Allowance()
    for number in (1, 2):
        allowance.record_request(number, 100)
    allowance.record_response(2, LimitState(1000, 700, 30), 100)
    allowance.record_response(1, LimitState(1000, 800, 20), 100)
    assert allowance.seconds_to_wait(700, 100) == 0
    assert allowance.seconds_to_wait(701, 100) == 30


def test_a_request_without_an_answer_is_counted_as_spent() -> None:
    limits = RateLimits()
    record_headers(limits)
    limits.record_response(limits.record_request(300), {}, 100)
    assert limits.seconds_to_wait(101, 100) == 30


@pytest.mark.parametrize("limit", [1000, 10_000])
def test_an_account_is_used_to_the_full_and_never_beyond(limit: int) -> None:
    # A service that refills evenly, 8 requests at once, each a tenth of the limit: an hour of it, second by second.
    limits, level, spent = RateLimits(), float(limit), 0
    flying: list[tuple[int, tuple[str, str]]] = []
    for now in range(3600):
        level = min(limit, level + limit / 60)
        for number, left in flying:
            limits.record_response(number, headers(limit=str(limit), remaining=left[0], reset=left[1]), now)
        flying = []
        while len(flying) < 8 and limits.seconds_to_wait(limit // 10, now) == 0:
            number = limits.record_request(limit // 10)
            level -= limit // 10
            spent += limit // 10
            assert level >= -1e-6 or limits.max_tokens is None
            flying.append((number, (str(int(level)), f"{(limit - level) * 60 / limit:.3f}s")))
    assert 0.9 < spent / (limit * 60) < 1.05
