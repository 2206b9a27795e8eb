"""When a trigger launches a run: pure functions of the work there is and of what was tried before."""

import json
from collections.abc import Callable, Collection, Mapping
from dataclasses import asdict, dataclass, replace
from datetime import datetime, time, timedelta
from typing import Self

FIRST_WAIT = timedelta(minutes=5)
MAX_TRIES = 8  # … the last of them ten and a half hours after the first
WAIT_UNTIL = time(12, 30)  # UTC: so long a late export is waited for
MIN_OBSERVATIONS = timedelta(minutes=2)  # a run takes its lock again within that time after Postgres was restarted


@dataclass(frozen=True)
class Memory:
    """What a sensor remembers between ticks: its last launch and how often that work was tried in vain."""

    work: int = 0
    tries: int = 0
    launched_at: str = ""
    first_id: int | None = None  # the lowest id of that work, where it is counted in films

    @classmethod
    def read(cls, cursor: str | None) -> Self:
        """From a sensor's cursor; nothing is remembered where there is none."""
        return cls(**json.loads(cursor)) if cursor else cls()

    def write(self) -> str:
        """As a sensor's cursor."""
        return json.dumps(asdict(self))

    @property
    def launched(self) -> datetime | None:
        """When a run was last launched."""
        return datetime.fromisoformat(self.launched_at) if self.launched_at else None

    def was_left(self, work: int, first_id: int | None) -> bool:
        """Whether a run that did not fail left this work: no less than there was, and its first film is the same.

        With another film first, that run did its work and this is new; without ids, only the amounts tell.
        """
        is_new = None not in (first_id, self.first_id) and first_id != self.first_id
        return work >= self.work and not is_new


@dataclass(frozen=True)
class Past:
    """What Dagster's records say of a trigger's job."""

    in_flight: bool = False
    waits_for: str | None = None  # a job in flight that makes or unmakes its work
    failed_at: datetime | None = None  # the end of the last launch, where a run of it failed or was cancelled
    read_at: datetime | None = None  # when a day of TMDB's was last read well


@dataclass(frozen=True)
class Decision:
    """Whether to launch, why (not), and what to remember."""

    launch: bool
    reason: str
    memory: Memory
    gave_up: bool = False


def decide(work: int, past: Past, memory: Memory, now: datetime, first_id: int | None = None) -> Decision:
    """Launch when there is work that nobody is doing; `first_id` is its lowest id, where it is counted in films.

    After a run that failed, was cancelled, or left its work, the next try comes 5, 10, 20 … minutes after the last: a
    failure is neither hammered nor forgotten. A run in vain that is not remembered, as a person's, is the first try.
    After eight tries the trigger gives up; from then on it tries once after each day that was read, as that shows that
    the world has moved on.
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
    # A run that took an hour before it failed or was cancelled is not followed by another at once.
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
    """The runs of what is to be done once, as a day's reading or a week's recount."""

    in_flight: bool = False
    done: int = 0
    done_at: datetime | None = None  # when the last good one was created
    in_vain: int = 0
    last_in_vain: datetime | None = None  # its end


def decide_day(now: datetime, runs: Runs, *, is_loaded: bool, missing: Callable[[], str | None]) -> Decision:
    """Read a day once its export is there; from 12:30 on with whatever is there.

    `missing` asks TMDB why the export cannot be had, and is asked only when the answer decides. A run that failed,
    or took an older export as the day's was damaged, is followed by others 5, 10, 20 … minutes after it, eight at most.
    """
    latest = datetime.combine(now.date(), WAIT_UNTIL, now.tzinfo)
    if runs.done_at is not None and (is_loaded or runs.done_at >= latest):
        return Decision(False, "the day was read", Memory())
    last = max(filter(None, (runs.done_at, runs.last_in_vain)), default=None)
    memory = Memory(1, runs.done + runs.in_vain, last.isoformat() if last else "")
    if waiting := _wait(now, memory, is_in_flight=runs.in_flight):
        return waiting
    if now < latest and (why := missing()):
        return Decision(False, f"{why}; waiting until {WAIT_UNTIL:%H:%M} UTC", memory)
    return Decision(True, f"reading the day, try {memory.tries + 1}", Memory(1, memory.tries + 1, now.isoformat()))


def decide_once(now: datetime, since: datetime, runs: Runs) -> Decision:
    """Do once what has been due since a moment; `runs` are those since then. Failures are followed as a day's are."""
    if runs.done_at is not None:
        return Decision(False, f"done since {since:%d %b %H:%M} UTC", Memory())
    memory = Memory(1, runs.in_vain, runs.last_in_vain.isoformat() if runs.last_in_vain else "")
    if waiting := _wait(now, memory, is_in_flight=runs.in_flight):
        return waiting
    tries = memory.tries + 1
    return Decision(True, f"due since {since:%d %b %H:%M} UTC, try {tries}", Memory(1, tries, now.isoformat()))


def _wait(now: datetime, memory: Memory, *, is_in_flight: bool) -> Decision | None:
    """Why not to try now what was tried before, if there is a reason."""
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


def daily(look: datetime) -> datetime:
    """Since when a day's ratings are due: half past ten."""
    return look.replace(hour=10, minute=30, second=0, microsecond=0)


def weekly(look: datetime) -> datetime:
    """Since when a week's recount is due: Sunday at four."""
    sunday = look - timedelta(days=look.isoweekday() % 7)
    return sunday.replace(hour=4, minute=0, second=0, microsecond=0)


def monthly(look: datetime) -> datetime:
    """Since when a month's clean-up is due: the first at three."""
    return look.replace(day=1, hour=3, minute=0, second=0, microsecond=0)


def orphans(
    unheld: Collection[str], seen: Mapping[str, str], now: datetime, proof: timedelta = MIN_OBSERVATIONS
) -> tuple[set[str], dict[str, str]]:
    """Which runs have no process any more, and what to remember of the others whose lock nobody holds now.

    `unheld` are started runs without a lock, `seen` what was remembered at the look before: since when. A run is dead
    when looks so far apart (two minutes), and all between them, found no lock.
    """
    first_seen = {run_id: seen.get(run_id, now.isoformat()) for run_id in unheld}
    dead = {run_id for run_id, since in first_seen.items() if now - datetime.fromisoformat(since) >= proof}
    return dead, {run_id: since for run_id, since in first_seen.items() if run_id not in dead}
