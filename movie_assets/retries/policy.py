"""Repeating work after an error. Attempts are counted and waits are slept here alone, by the library stamina.

What an error means is decided where it is known: in `database.retry` for Postgres, in `http_client.retries` for HTTP.
"""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import cache
from typing import Protocol, TypeVar

T = TypeVar("T")
Attempt = AbstractContextManager[None]  # takes the error of its block; the iteration waits, or raises the error


class _Attempts(Protocol):
    def __iter__(self) -> Iterator[Attempt]: ...

    def __aiter__(self) -> AsyncIterator[Attempt]: ...


@dataclass(frozen=True)
class RetryPolicy:
    """Which errors are followed by another attempt, after how long a wait, and how often.

    `on` has the classes of these errors; the wait between attempts doubles from `first_wait` up to `longest_wait`. Or
    `on` is a function that returns the seconds to wait after an error, and None for a permanent one.

    The attempts end after `attempts` of them, or with the first that fails later than `seconds` after the beginning;
    None is no limit. Then the last error is raised, and a permanent one at once. Signals and everything else that is
    no Exception pass through, during a wait, too.
    """

    on: tuple[type[Exception], ...] | Callable[[Exception], float | None]
    attempts: int | None = None
    seconds: float | None = None
    first_wait: float = 0.0
    longest_wait: float = 0.0

    def run(self, work: Callable[[], T]) -> T:
        """Return the result of the first attempt at the work that succeeds."""
        for attempt in self.tries():
            with attempt:
                return work()
        raise AssertionError  # never reached: the iteration raises the last error

    async def run_async(self, work: Callable[[], Awaitable[T]]) -> T:
        """Return the result of the first attempt at the work that succeeds. Other tasks continue during the waits."""
        try:
            return await work()  # most first attempts succeed, and preparing others takes longer than a request
        except Exception as error:  # noqa: BLE001  # the first attempt below raises it
            first: Exception | None = error
        async for attempt in self._attempts():
            with attempt:
                if first is not None:
                    failed, first = first, None
                    raise failed
                return await work()
        raise AssertionError  # never reached: the iteration raises the last error

    def tries(self) -> Iterator[Attempt]:
        """Yield a context for each attempt, for work that is a generator: `for attempt in …: with attempt: …`."""
        return iter(self._attempts())

    def _attempts(self) -> _Attempts:
        _silence_stamina()
        from stamina import retry_context  # noqa: PLC0415  # what never connects, such as --help, does without it

        return retry_context(
            self.on if isinstance(self.on, tuple) else self._seconds_after,
            attempts=self.attempts,
            timeout=self.seconds,
            wait_initial=self.first_wait,
            wait_max=self.longest_wait,
            wait_jitter=0.0,
        )

    def _seconds_after(self, error: BaseException) -> float | bool:
        """Return the wait in stamina's form: False for a permanent error."""
        if isinstance(self.on, tuple) or not isinstance(error, Exception):
            return False
        seconds = self.on(error)
        return False if seconds is None else float(seconds)


@cache
def _silence_stamina() -> None:
    """Switch stamina's log lines off: they print errors as they are, with addresses, and to stdout by structlog."""
    from stamina.instrumentation import set_on_retry_hooks  # noqa: PLC0415  # as above

    set_on_retry_hooks(())
