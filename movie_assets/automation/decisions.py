"""When a sensor launches a run: a pure function of the work there is and of what was tried before."""

import json
from dataclasses import asdict, dataclass
from datetime import datetime, timedelta
from typing import Self

FIRST_WAIT = timedelta(minutes=5)
LONGEST_WAIT = timedelta(hours=6)


@dataclass(frozen=True)
class Memory:
    """What a sensor remembers between ticks: its last launch and how often that work was tried in vain."""

    work: int = 0
    tries: int = 0
    launched_at: str = ""

    @classmethod
    def read(cls, cursor: str | None) -> Self:
        """From a sensor's cursor; nothing is remembered where there is none."""
        return cls(**json.loads(cursor)) if cursor else cls()

    def write(self) -> str:
        """As a sensor's cursor."""
        return json.dumps(asdict(self))


@dataclass(frozen=True)
class Decision:
    """Whether to launch, why (not), and what to remember."""

    launch: bool
    reason: str
    memory: Memory


def decide(work: int, in_flight: bool, memory: Memory, now: datetime, *, last_failed: bool = False) -> Decision:
    """Launch when there is work that nobody is doing.

    After a run that failed, or that did not make the work less, the next try comes 5, 10, 20 … minutes after
    the last, six hours at most: a failure is neither hammered nor forgotten.
    """
    if work == 0:
        return Decision(False, "nothing to do", Memory())
    if in_flight:
        return Decision(False, "a run is working on it", memory)
    if memory.launched_at and (last_failed or work >= memory.work):
        wait = min(LONGEST_WAIT, FIRST_WAIT * 2 ** min(memory.tries - 1, 10))
        due = datetime.fromisoformat(memory.launched_at) + wait
        if now < due:
            return Decision(False, f"{work:,} were left by the last run; next try at {due:%H:%M} UTC", memory)
        tries = memory.tries + 1
    else:
        tries = 1
    return Decision(True, f"{work:,} to do", Memory(work, tries, now.isoformat()))
