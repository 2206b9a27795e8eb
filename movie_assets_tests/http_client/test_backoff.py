"""How long to wait: what a Retry-After header asks for, and how waits grow without one."""

import random
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest

from movie_assets.http_client.backoff import FIRST_WAIT, LONGEST_WAIT, MAX_RETRY_SECONDS, backoff, seconds_asked_for

NOW = datetime(2026, 11, 19, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("7", 7.0), (" 7 ", 7.0), ("0", 0.0), ("0.0", 0.0), ("1.5", 1.5), ("2.", 2.0), ("86400", 86400.0)],
)
def test_seconds_are_taken_as_they_are(header: str, seconds: float) -> None:
    assert seconds_asked_for(header, NOW) == seconds


def test_a_date_is_the_time_until_then() -> None:
    assert seconds_asked_for(format_datetime(NOW + timedelta(seconds=42), usegmt=True), NOW) == 42.0


@pytest.mark.parametrize("zone", ["+0000", "-0000", "GMT"])
def test_a_date_counts_in_its_time_zone(zone: str) -> None:
    assert seconds_asked_for(f"Thu, 19 Nov 2026 12:00:30 {zone}", NOW) == 30.0


def test_a_date_in_the_past_is_still_a_pause() -> None:
    assert seconds_asked_for(format_datetime(NOW - timedelta(hours=1), usegmt=True), NOW) == FIRST_WAIT


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        " ",
        "soon",
        "-1",
        "-0.5",
        "+5",
        "1,5",
        ".5",
        "1e3",
        "nan",
        "inf",
        "Thu, 99 Nov 2026 99:99:99 GMT",
        "7 seconds",
    ],
)
def test_a_header_that_tells_nothing_asks_for_nothing(header: str | None) -> None:
    assert seconds_asked_for(header, NOW) is None


@pytest.mark.parametrize("header", ["\u00b2", "Thu, 19 Nov 2026 12:00:00 +9999999999999999", "9" * 400])
def test_no_header_is_an_error(header: str) -> None:
    asked = seconds_asked_for(header, NOW)
    assert asked is None or asked > MAX_RETRY_SECONDS


def test_random_headers_are_no_errors() -> None:
    dice = random.Random(1)  # noqa: S311  # repeatable, not secret
    letters = "0123456789 +-:,.GMThuNov²"
    for _ in range(2000):
        header = "".join(dice.choices(letters, k=dice.randrange(1, 30)))
        asked = seconds_asked_for(header, NOW)
        assert asked is None or asked >= 0


def test_waits_double_up_to_the_longest() -> None:
    assert [backoff(attempt, lambda: 1.0) for attempt in range(1, 8)] == [1, 2, 4, 8, 16, LONGEST_WAIT, LONGEST_WAIT]


def test_waits_grow_no_further_after_many_failures() -> None:
    assert backoff(100_000, lambda: 1.0) == LONGEST_WAIT


@pytest.mark.parametrize("header", [None, "0", "0.0", "0.01", "-1", "soon", "Thu, 19 Nov 2020 12:00:00 GMT"])
def test_no_header_makes_a_wait_shorter(header: str | None) -> None:
    for attempt in range(1, 12):
        asked = seconds_asked_for(header, NOW)
        assert backoff(attempt, lambda: 0.7, asked) >= backoff(attempt, lambda: 0.7)


def test_a_longer_pause_that_is_asked_for_counts() -> None:
    assert backoff(1, lambda: 1.0, 7.0) == 7.0


def test_a_wait_is_a_share_of_its_ceiling() -> None:
    assert backoff(3, lambda: 0.5) == 2.0


def test_an_unlucky_draw_still_waits() -> None:
    assert backoff(1, lambda: 0.0) == pytest.approx(0.1)
