"""Running a coroutine that Ctrl-C and SIGTERM end at any point, and deferring signals.

An exception that a signal handler raises inside the event loop can appear in any task or callback and be lost there.
Here the loop handles the signal and cancels the coroutine. After the end of the loop the signal is raised again, so
that the previous handlers, such as Dagster's, receive it.
"""

import asyncio
import signal
import threading
from collections.abc import Coroutine, Iterator
from contextlib import contextmanager
from types import FrameType
from typing import TypeVar

T = TypeVar("T")
SIGNALS = (signal.SIGINT, signal.SIGTERM)


def run_until_done(work: Coroutine[object, None, T]) -> T:
    """Run a coroutine like `asyncio.run`; a signal cancels it and then reaches the previous handler."""
    if threading.current_thread() is not threading.main_thread():
        return asyncio.run(work)  # signals go to the main thread
    received: list[int] = []
    before = {number: signal.getsignal(number) for number in SIGNALS}

    async def guarded() -> T:
        loop, task = asyncio.get_running_loop(), asyncio.current_task()

        def stop(number: int) -> None:
            received.append(number)
            if task is not None:
                task.cancel()

        for number in SIGNALS:
            loop.add_signal_handler(number, stop, number)
        return await work

    try:
        return asyncio.run(guarded())
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if received:
            signal.raise_signal(received[0])


@contextmanager
def signals_deferred() -> Iterator[None]:
    """Let the block run to its end; a signal that arrives meanwhile reaches its handler after the block."""
    if threading.current_thread() is not threading.main_thread():
        yield  # signals go to the main thread
        return
    received: list[int] = []

    def remember(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the signature of a handler
        received.append(number)

    before = {number: signal.signal(number, remember) for number in SIGNALS}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
        if received:
            signal.raise_signal(received[0])
