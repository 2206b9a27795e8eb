"""Measures CPU seconds and megabytes of a process and its children from /proc (Linux).

Memory is the proportional set size, in which a page that several processes share counts once: the sum over Postgres'
processes has its shared buffers once. It is read every half second, so that a peak in between is missed.
"""

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self, TypeVar

T = TypeVar("T")

SECONDS_BETWEEN_POLLS = 0.5
TICKS = os.sysconf("SC_CLK_TCK")
PARENT, OWN_CPU, CPU_OF_ENDED_CHILDREN = 1, slice(11, 13), slice(13, 15)  # columns of /proc/PID/stat after the name


@dataclass
class Used:
    """CPU seconds and peak memory of a tree of processes."""

    cpu_seconds: float = 0.0
    peak_megabytes: float = 0.0

    def measure(self, root: int) -> None:
        """Measure a process and its descendants; the figures of one that has ended stay."""
        tree = list(descendants(root))
        self.cpu_seconds = max(self.cpu_seconds, cpu_seconds(tree))
        self.peak_megabytes = max(self.peak_megabytes, sum(map(_megabytes, tree)))


class Watch:
    """Measures a process and the Postgres server of a data folder until the `with` block ends."""

    def __init__(self, process: int, home: Path) -> None:
        self.process, self.postgres = Used(), Used()
        self._root, self._pid_file = process, home / "postgres" / "postmaster.pid"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._poll)

    def __enter__(self) -> Self:
        """Start the thread that measures."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stop the thread."""
        self._ended.set()
        self._thread.join()

    def _poll(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_POLLS):
            self.process.measure(self._root)
            if self._pid_file.exists() and (lines := self._pid_file.read_text().split()):
                self.postgres.measure(int(lines[0]))


def descendants(root: int) -> Iterator[int]:
    """Yield a process and all its descendants."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        if columns := _stat(int(path.parent.name)):
            children.setdefault(int(columns[PARENT]), []).append(int(path.parent.name))
    waiting = [root]
    while waiting:
        process = waiting.pop()
        yield process
        waiting += children.get(process, [])


def cpu_seconds(processes: Sequence[int]) -> float:
    """Return the CPU seconds of processes, with those of their children that have ended."""
    of_all = [columns for process in processes if (columns := _stat(process))]
    return sum(int(n) for columns in of_all for n in (*columns[OWN_CPU], *columns[CPU_OF_ENDED_CHILDREN])) / TICKS


def run_in_process(work: Callable[..., T], *arguments: Any) -> T:
    """Call a function in a new process, which imports only what it needs, and return the result."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as one:
        return one.submit(work, *arguments).result()


def peak_megabytes() -> float:
    """Return the peak resident memory of this process; getrusage may return that of its parent."""
    status = Path("/proc/self/status").read_text()
    return int(status.partition("\nVmHWM:")[2].split()[0]) / 1024


def _stat(process: int) -> list[str]:
    try:
        return Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except (FileNotFoundError, ProcessLookupError):
        return []


def _megabytes(process: int) -> float:
    try:
        text = Path(f"/proc/{process}/smaps_rollup").read_text()
    except (FileNotFoundError, ProcessLookupError, PermissionError):
        return 0.0
    return int(text.partition("\nPss:")[2].split()[0]) / 1024 if "\nPss:" in text else 0.0
