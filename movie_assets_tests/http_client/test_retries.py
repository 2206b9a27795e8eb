"""How often a request is sent again: by its kinds of failures, all of them together, and the pause asked for."""

import itertools
from collections.abc import Callable

import pytest

from movie_assets.http_client import retries as module
from movie_assets.http_client.backoff import MAX_RETRY_SECONDS
from movie_assets.http_client.retries import HttpRetries, PausedError, RetryableError

ATTEMPTS = 5


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "backoff", lambda attempt, _dice, asked=None: max(0.0001 * attempt, asked or 0.0))


def failing(*errors: Exception) -> Callable[[], None]:
    """A request that fails with these errors, in turn and for ever."""
    each = itertools.cycle(errors)

    def request() -> None:
        raise next(each)

    return request


@pytest.mark.parametrize(
    ("limits", "failures"),
    [
        ((ATTEMPTS,), ATTEMPTS),
        ((2,), 2),
        ((1,), 1),
        ((99,), ATTEMPTS),
        ((ATTEMPTS, 2), 4),  # the second one of the kind that allows two
        ((ATTEMPTS, ATTEMPTS, ATTEMPTS, 2), ATTEMPTS),
    ],
)
def test_a_request_is_sent_again_as_often_as_its_failures_allow(limits: tuple[int, ...], failures: int) -> None:
    retries = HttpRetries(ATTEMPTS)
    with pytest.raises(RetryableError, match="no answer"):
        retries.policy.run(failing(*(RetryableError("no answer", limit) for limit in limits)))
    assert retries.failures == failures


def test_another_error_is_raised_at_once() -> None:
    retries = HttpRetries(ATTEMPTS)
    with pytest.raises(LookupError):
        retries.policy.run(failing(RetryableError("no answer", ATTEMPTS), LookupError()))
    assert retries.failures == 1


def test_a_pause_of_the_service_counts_as_no_failure() -> None:
    retries = HttpRetries(2)
    with pytest.raises(RetryableError):
        retries.policy.run(failing(*[PausedError()] * 7, RetryableError("no answer", 2)))
    assert retries.failures == 2


@pytest.mark.parametrize(("asked", "failures"), [(None, 3), (0.0, 3), (0.002, 3), (MAX_RETRY_SECONDS + 1, 1)])
def test_the_waits_before_further_attempts_are_reported(asked: float | None, failures: int) -> None:
    waits: list[float] = []
    retries = HttpRetries(3)
    with pytest.raises(RetryableError):
        retries.policy.run(failing(RetryableError("busy", 3, asked, waits.append)))
    assert retries.failures == failures
    assert waits == [max(0.0001 * number, asked or 0.0) for number in range(1, failures)]
