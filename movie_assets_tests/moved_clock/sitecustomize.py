"""Move the clock of every Python process of `movie_assets_tests.refresh.seven_days` as far as a file says."""

import os
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import time_machine

SECONDS_BETWEEN_POLLS = 0.5


def _moved() -> float:
    try:
        return float(Path(os.environ["MOVED_CLOCK"]).read_text())
    except (OSError, ValueError):  # just being written, or the week is over
        return float("nan")


def _follow(clock: time_machine.Traveller, moved: float) -> None:
    while True:
        time.sleep(SECONDS_BETWEEN_POLLS)
        if (now := _moved()) > moved:
            clock.shift(now - moved)
            moved = now


def _begin() -> None:
    moved = _moved()
    clock = time_machine.travel(datetime.now(UTC) + timedelta(seconds=moved), tick=True).start()
    moved_time, real_time = time.time, time_machine.escape_hatch.time.time

    def for_the_caller() -> float:
        # gRPC hands deadlines to its own library, which knows the real time only.
        is_grpc = sys._getframe(1).f_globals.get("__name__", "").startswith("grpc")
        return float(real_time() if is_grpc else moved_time())

    time.time = for_the_caller
    threading.Thread(target=_follow, args=(clock, moved), name="moved-clock", daemon=True).start()


if "MOVED_CLOCK" in os.environ:
    _begin()
