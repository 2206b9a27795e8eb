"""The process that keeps the embedded server up between commands. It locks a file with its process id and the port."""

import fcntl
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

KEEPER = "postgres.keeper"
SECONDS_TO_STOP = 60.0


@contextmanager
def locked(path: Path, how: int) -> Iterator[IO[str]]:
    """Hold a lock on a file, which is created if it is missing; the kernel releases it however the process ends."""
    with path.open("a") as file:
        fcntl.flock(file, how)
        yield file


@contextmanager
def keeping_up(home: Path, port: int | None) -> Iterator[None]:
    """Record for other processes that this one keeps the server under `home` up, on this TCP port if it has one."""
    with locked(home / KEEPER, fcntl.LOCK_EX) as file:
        file.truncate(0)
        file.write(f"{os.getpid()} {port or ''}")
        file.flush()
        yield
        file.truncate(0)


def kept_up_by(home: Path) -> int | None:
    """Return the id of the process that keeps the server under `home` up; None if there is none."""
    words = _of_keeper(home)
    return int(words[0]) if words else None


def kept_port(home: Path) -> int | None:
    """Return the port of the kept server, which a restarted server uses again; None without a port."""
    words = _of_keeper(home)
    return int(words[1]) if len(words) > 1 else None


def _of_keeper(home: Path) -> list[str]:
    keeper = home.absolute() / KEEPER
    if not keeper.exists():
        return []
    with keeper.open() as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return file.read().split()
    return []  # no process holds the lock: the one that wrote the file was killed


def stop_keeping_up(home: Path) -> bool:
    """End the process that keeps the server under `home` up, and wait for its end; return False if there is none."""
    process = kept_up_by(home)
    if process is None:
        return False
    os.kill(process, signal.SIGTERM)
    end = time.monotonic() + SECONDS_TO_STOP
    while kept_up_by(home) is not None and time.monotonic() < end:
        time.sleep(0.05)
    return True
