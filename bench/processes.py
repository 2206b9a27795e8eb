"""What processes use, from /proc (Linux): CPU seconds and megabytes of a process with its children, told apart.

Memory is the proportional set size, in which a page that several processes share counts once: the sum over Postgres'
processes has its shared buffers once. It is looked at every half second, so that a peak in between is missed.
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
    """What a tree of processes has used."""

    cpu_seconds: float = 0.0
    peak_megabytes: float = 0.0

    def see(self, root: int) -> None:
        """Look at a process and what descends from it; one that has ended leaves what was seen before."""
        tree = list(descendants(root))
        self.cpu_seconds = max(self.cpu_seconds, cpu_seconds(tree))
        self.peak_megabytes = max(self.peak_megabytes, sum(map(_megabytes, tree)))


class Watch:
    """Looks at a process and at the Postgres server under a data folder until the `with` block ends."""

    def __init__(self, process: int, home: Path) -> None:
        self.process, self.postgres = Used(), Used()
        self._root, self._pid_file = process, home / "postgres" / "postmaster.pid"
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._look)

    def __enter__(self) -> Self:
        """Begin to look."""
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        """Look no more."""
        self._ended.set()
        self._thread.join()

    def _look(self) -> None:
        while not self._ended.wait(SECONDS_BETWEEN_POLLS):
            self.process.see(self._root)
            if self._pid_file.exists() and (lines := self._pid_file.read_text().split()):
                self.postgres.see(int(lines[0]))


def descendants(root: int) -> Iterator[int]:
    """A process and what it started, and what those started."""
    children: dict[int, list[int]] = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        if columns := _stat(int(path.parent.name)):
            children.setdefault(int(columns[PARENT]), []).append(int(path.parent.name))
    found = [root]
    while found:
        process = found.pop()
        yield process
        found += children.get(process, [])


def cpu_seconds(processes: Sequence[int]) -> float:
    """CPU of processes, with that of their children that have ended."""
    of_all = [columns for process in processes if (columns := _stat(process))]
    return sum(int(n) for columns in of_all for n in (*columns[OWN_CPU], *columns[CPU_OF_ENDED_CHILDREN])) / TICKS


def in_a_process(work: Callable[..., T], *arguments: Any) -> T:
    """What a function comes to in a process of its own, which has imported nothing but what it needs."""
    with ProcessPoolExecutor(1, multiprocessing.get_context("spawn")) as one:
        return one.submit(work, *arguments).result()


def peak_megabytes() -> float:
    """The most that was resident in this process since its program began, where getrusage may tell its parent's."""
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
