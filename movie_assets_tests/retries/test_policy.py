"""Work that is repeated by a policy: how often, after which waits, and what passes through."""

import asyncio
import itertools
import logging
import signal
import time
from collections.abc import Awaitable, Callable, Iterator
from types import FrameType

import pytest

from movie_assets.retries.policy import RetryPolicy

Run = Callable[[RetryPolicy, Callable[[], str]], str]


class Work:
    """Work that raises these errors first, one an attempt, and notes when each attempt began."""

    def __init__(self, *errors: BaseException) -> None:
        self.errors = list(errors)
        self.began: list[float] = []

    def __call__(self) -> str:
        self.began.append(time.monotonic())
        if self.errors:
            raise self.errors.pop(0)
        return "done"

    @property
    def waits(self) -> list[float]:
        return [later - earlier for earlier, later in itertools.pairwise(self.began)]


def run(policy: RetryPolicy, work: Callable[[], str]) -> str:
    return policy.run(work)


def run_async(policy: RetryPolicy, work: Callable[[], str]) -> str:
    async def attempt() -> str:
        return work()

    async def all_attempts() -> str:
        return await policy.run_async(attempt)

    return asyncio.run(all_attempts())


def run_tries(policy: RetryPolicy, work: Callable[[], str]) -> str:
    def generator() -> Iterator[str]:
        for attempt in policy.tries():
            with attempt:
                yield work()
                return

    (result,) = generator()
    return result


@pytest.fixture(params=[run, run_async, run_tries])
def way(request: pytest.FixtureRequest) -> Run:
    chosen: Run = request.param
    return chosen


def test_work_is_repeated_after_the_errors_that_are_named_and_no_others(way: Run) -> None:
    work = Work(KeyError(), ValueError())
    assert way(RetryPolicy((KeyError, ValueError)), work) == "done"
    assert len(work.began) == 3
    work = Work(KeyError("first"), ValueError("second"))
    with pytest.raises(ValueError, match="second"):
        way(RetryPolicy((KeyError,)), work)
    assert len(work.began) == 2


def test_a_function_decides_on_the_wait_and_on_what_is_permanent(way: Run) -> None:
    waits = {KeyError: 0.05, ValueError: 0.0}
    work = Work(KeyError(), ValueError(), ZeroDivisionError("permanent"))
    with pytest.raises(ZeroDivisionError, match="permanent"):
        way(RetryPolicy(lambda error: waits.get(type(error))), work)
    assert work.waits[0] >= 0.05 > work.waits[1]
    assert len(work.began) == 3


def test_an_error_of_the_function_ends_the_work(way: Run) -> None:
    def give_up(error: Exception) -> float | None:
        raise LookupError(f"given up after {error}")

    with pytest.raises(LookupError, match="given up after no"):
        way(RetryPolicy(give_up), Work(ValueError("no")))


def test_the_last_error_is_raised_after_the_attempts(way: Run) -> None:
    work = Work(*(ValueError(f"attempt {number}") for number in range(1, 9)))
    with pytest.raises(ValueError, match="attempt 4"):
        way(RetryPolicy((ValueError,), attempts=4), work)
    assert len(work.began) == 4


def test_waits_double_up_to_the_longest(way: Run) -> None:
    work = Work(*[ValueError()] * 4)
    assert way(RetryPolicy((ValueError,), first_wait=0.03, longest_wait=0.06), work) == "done"
    assert all(wait >= least for wait, least in zip(work.waits, [0.03, 0.06, 0.06, 0.06], strict=True))
    assert work.waits[0] < 0.06


def test_no_attempt_follows_one_that_fails_too_late(way: Run) -> None:
    work = Work(*[ValueError()] * 99)
    with pytest.raises(ValueError):  # noqa: PT011  # it has no message
        way(RetryPolicy((ValueError,), seconds=0.1, first_wait=0.04, longest_wait=0.04), work)
    assert 3 <= len(work.began) <= 4


@pytest.mark.parametrize("error", [KeyboardInterrupt, SystemExit, GeneratorExit, asyncio.CancelledError])
@pytest.mark.parametrize("on", [(Exception,), lambda _: 0.0])
def test_what_is_no_error_passes_through(
    error: type[BaseException], on: tuple[type[Exception], ...] | Callable[[Exception], float]
) -> None:
    work = Work(error())
    with pytest.raises(error):
        RetryPolicy(on).run(work)
    assert len(work.began) == 1


def test_a_signal_ends_a_wait() -> None:
    def interrupt(_number: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.1)
    began = time.monotonic()
    try:
        with pytest.raises(KeyboardInterrupt):
            RetryPolicy(lambda _: 30.0).run(Work(ValueError()))
    finally:
        signal.signal(signal.SIGALRM, before)
    assert time.monotonic() - began < 10


def test_a_cancelled_task_ends_during_a_wait() -> None:
    async def cancelled(work: Callable[[], Awaitable[str]]) -> None:
        async with asyncio.timeout(0.1):
            await RetryPolicy(lambda _: 30.0).run_async(work)

    async def failing() -> str:
        raise ValueError

    began = time.monotonic()
    with pytest.raises(TimeoutError):
        asyncio.run(cancelled(failing))
    assert time.monotonic() - began < 10


def test_a_generator_that_is_closed_makes_no_further_attempt() -> None:
    began: list[int] = []

    def numbers() -> Iterator[int]:
        for attempt in RetryPolicy((Exception,)).tries():
            with attempt:
                began.append(1)
                yield from range(9)

    generator = numbers()
    assert next(generator) == 0
    generator.close()  # type: ignore[attr-defined]
    assert began == [1]


def test_no_error_is_printed_or_logged_with_what_may_be_secret(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    with caplog.at_level(logging.DEBUG):
        RetryPolicy((ValueError,)).run(Work(ValueError("postgresql://u:canary@host")))
    printed = capfd.readouterr()
    assert "canary" not in caplog.text + printed.out + printed.err
    assert printed.out == ""
