"""Deciding when a trigger launches a run: pure functions of the work that is due and of earlier runs."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, time, timedelta
from typing import Self

FIRST_WAIT = timedelta(minutes=5)
MAX_TRIES = 8  # the last is ten and a half hours after the first
WAIT_UNTIL = time(12, 30)  # UTC: until then, a late export is awaited
MIN_OBSERVATIONS = timedelta(minutes=2)  # a run takes its lock again within that time after Postgres was restarted


@dataclass(frozen=True)
class Memory:
    """The state of a sensor between ticks: its last launch, and the number of tries at the same work."""

    work: int = 0
    tries: int = 0
    launched_at: str = ""
    first_id: int | None = None  # the lowest id of that work, where it is counted in films

    @classmethod
    def read(cls, cursor: str | None) -> Self:
        """Read the state from a sensor's cursor; an empty state without one."""
        return cls(**json.loads(cursor)) if cursor else cls()

    def write(self) -> str:
        """Return the state as a sensor's cursor."""
        return json.dumps(asdict(self))

    @property
    def launched(self) -> datetime | None:
        """The time of the last launch."""
        return datetime.fromisoformat(self.launched_at) if self.launched_at else None

    def was_left(self, work: int, first_id: int | None) -> bool:
        """Return whether a run that did not fail left this work: at least the same amount, with the same first film.

        With another first film, that run did its work and this work is new. Without ids, the amounts alone decide.
        """
        is_new = None not in (first_id, self.first_id) and first_id != self.first_id
        return work >= self.work and not is_new


@dataclass(frozen=True)
class Past:
    """The earlier runs of a trigger's job, by Dagster's records."""

    in_flight: bool = False
    waits_for: str | None = None  # a job in flight that changes the amount of its work
    failed_at: datetime | None = None  # the end of the last launch if a run of it failed or was cancelled
    read_at: datetime | None = None  # when a day of TMDB was last read successfully


@dataclass(frozen=True)
class Decision:
    """Whether to launch a run, the reason, and the new state of the trigger."""

    launch: bool
    reason: str
    memory: Memory
    gave_up: bool = False


def decide(work: int, past: Past, memory: Memory, now: datetime, first_id: int | None = None) -> Decision:
    """Launch a run if there is work that no run is doing; `first_id` is its lowest id, if it is counted in films.

    After a run that failed, was cancelled, or left its work, the next try is 5, 10, 20 … minutes later. A run in vain
    that is not in the state, such as one that a person launched, counts as the first try. After eight tries the trigger
    gives up; then it tries once after each day that was read, as the cause may be gone by then.
    """
    if work == 0:
        return Decision(False, "nothing to do", Memory())
    if past.in_flight:
        return Decision(False, "a run is working on it", memory)
    if past.waits_for:
        return Decision(False, f"{work:,} to do when {past.waits_for} has ended", memory)
    if memory.launched is None and past.failed_at is not None:
        memory = Memory(work, 1, past.failed_at.isoformat(), first_id)
    launch = Memory(work, 1, now.isoformat(), first_id)
    if memory.launched is None or not (past.failed_at or memory.was_left(work, first_id)):
        return Decision(True, f"{work:,} to do", launch)
    return _decide_again(past, memory, memory.launched, launch, now)


def _decide_again(past: Past, memory: Memory, launched: datetime, launch: Memory, now: datetime) -> Decision:
    work = launch.work
    # The wait begins at the end of a run that failed or was cancelled, which may have taken an hour.
    ended = max(launched, past.failed_at or launched)
    gave_up = memory.tries >= MAX_TRIES
    if gave_up and (past.read_at is None or past.read_at <= launched):
        return Decision(False, _given_up(work, memory), memory, gave_up=True)
    due = launched if gave_up else ended + FIRST_WAIT * 2 ** (memory.tries - 1)
    if now < due:
        return Decision(False, f"{work:,} were left by the last run; next try at {due:%H:%M} UTC", memory)
    tries = memory.tries + 1
    return Decision(True, f"{work:,} to do, try {tries}", replace(launch, tries=tries), gave_up)


def _given_up(work: int, memory: Memory) -> str:
    return (
        f"gave up: {work:,} are left after {memory.tries} runs in vain, the last at {memory.launched:%d %b %H:%M} UTC. "
        "Look at that run; launch the job by hand when the cause is gone, or wait for the next day's one try"
    )


@dataclass(frozen=True)
class Runs:
    """The runs of a task that is done once, such as the reading of a day or the reconciliation of a week."""

    in_flight: bool = False
    done: int = 0
    done_at: datetime | None = None  # when the last successful one was created
    in_vain: int = 0
    last_in_vain: datetime | None = None  # its end


def decide_day(now: datetime, runs: Runs, *, is_loaded: bool, missing: Callable[[], str | None]) -> Decision:
    """Read a day when its export is published; from 12:30 on without waiting for it.

    `missing` requests TMDB and returns why the export is not available; it is called only if the result decides. A run
    that failed, or used an older export as the day's was damaged, is followed by others 5, 10, 20 … minutes later, at
    most eight.
    """
    latest = datetime.combine(now.date(), WAIT_UNTIL, now.tzinfo)
    if runs.done_at is not None and (is_loaded or runs.done_at >= latest):
        return Decision(False, "the day was read", Memory())
    last = max(filter(None, (runs.done_at, runs.last_in_vain)), default=None)
    memory = Memory(1, runs.done + runs.in_vain, last.isoformat() if last else "")
    if waiting := _wait(now, memory, is_in_flight=runs.in_flight):
        return waiting
    if now < latest and (reason := missing()):
        return Decision(False, f"{reason}; waiting until {WAIT_UNTIL:%H:%M} UTC", memory)
    return Decision(True, f"reading the day, try {memory.tries + 1}", Memory(1, memory.tries + 1, now.isoformat()))


def decide_once(now: datetime, since: datetime, runs: Runs) -> Decision:
    """Do a task once that has been due `since` a time; `runs` are those since then. Failed ones are tried again."""
    if runs.done_at is not None:
        return Decision(False, f"done since {since:%d %b %H:%M} UTC", Memory())
    memory = Memory(1, runs.in_vain, runs.last_in_vain.isoformat() if runs.last_in_vain else "")
    if waiting := _wait(now, memory, is_in_flight=runs.in_flight):
        return waiting
    tries = memory.tries + 1
    return Decision(True, f"due since {since:%d %b %H:%M} UTC, try {tries}", Memory(1, tries, now.isoformat()))


def _wait(now: datetime, memory: Memory, *, is_in_flight: bool) -> Decision | None:
    """Return the decision not to try again now, if there is a reason; else None."""
    if is_in_flight:
        return Decision(False, "a run is working on it", memory)
    last, tries = memory.launched, memory.tries
    if last is None:
        return None
    if tries >= MAX_TRIES:
        return Decision(
            False, f"gave up: {tries} runs were in vain, the last at {last:%d %b %H:%M} UTC. Look at it, and launch "
            "the job by hand when the cause is gone, or wait until it is due anew", memory, gave_up=True,
        )  # fmt: skip
    if now < (due := last + FIRST_WAIT * 2 ** (tries - 1)):
        return Decision(False, f"the last run was in vain; next try at {due:%H:%M} UTC", memory)
    return None


def orphans(
    unheld: Collection[str], seen: Mapping[str, str], now: datetime, proof: timedelta = MIN_OBSERVATIONS
) -> tuple[set[str], dict[str, str]]:
    """Return the runs whose process has ended, and since when the locks of the other runs have been free.

    `unheld` are started runs without a lock; `seen` is what the previous call returned: since when each lock has been
    free. A run is dead when its lock was free in two calls that are `proof` apart, and in all calls between them.
    """
    first_seen = {run_id: seen.get(run_id, now.isoformat()) for run_id in unheld}
    dead = {run_id for run_id, since in first_seen.items() if now - datetime.fromisoformat(since) >= proof}
    return dead, {run_id: since for run_id, since in first_seen.items() if run_id not in dead}
