"""What broke, got worse and recovered between two looks: pure functions of what is seen and what was open.

Looking is observations.py and machinery.py; the tables are book.py.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

Kind = Literal["check", "job", "backfill", "freshness", "sensor", "schedule", "daemon"]
Severity = Literal["WARN", "ERROR"]

SENSOR_TICKS = 3  # failed in a row: a minute and a half, which a restart of the database does not take
STANDSTILL = timedelta(minutes=10)  # or ten intervals of the sensor
GAP = timedelta(minutes=5)  # since the last look; after a longer one nobody may be blamed for standing still


class Subject(NamedTuple):
    """Something that can break; `place` is the asset of a check, and empty for the others."""

    kind: Kind
    place: str
    name: str


@dataclass(frozen=True)
class ErrorClass:
    """A subject that is broken, as it is seen now."""

    subject: Subject
    severity: Severity
    says: str
    began_at: datetime
    link: str
    evidence: str = ""  # id of the event or run that said it
    expected: str = ""
    figures: Mapping[str, float | str] = field(default_factory=dict)
    parts: Collection[str] = ()  # of a check of many things: those that are broken; each has a figure of its name


@dataclass(frozen=True)
class Open:
    """A subject that was broken at the last look."""

    alert_id: int
    evidence: str
    figures: Collection[str] = ()  # their names

    def lacks(self, error_class: ErrorClass) -> bool:
        """Whether something is broken now that was not part of it."""
        return error_class.severity == "ERROR" and not set(error_class.parts) <= set(self.figures)


@dataclass(frozen=True)
class Observations:
    """What one look saw: what is broken and what is well. Of the rest of `known` there is no news."""

    broken: Sequence[ErrorClass]
    well: Collection[Subject]
    known: Callable[[Subject], bool]


@dataclass(frozen=True)
class Changes:
    """What to write down after a look."""

    begun: Sequence[ErrorClass]
    renewed: Sequence[tuple[int, ErrorClass]]
    recovered: Sequence[int]
    gone: Sequence[int]
    grown: Sequence[int] = ()  # of the renewed: those of which more is broken than was told


def changes(look: Observations, before: Mapping[Subject, Open]) -> Changes:
    """Compare a look with what was open before it.

    No news is no recovery: only a subject that was seen well has recovered, and one that no longer exists is gone.
    """
    broken = {error_class.subject: error_class for error_class in look.broken}
    left = {subject: known for subject, known in before.items() if subject not in broken}
    renewed = [
        (before[subject], error_class)
        for subject, error_class in broken.items()
        if subject in before and error_class.evidence != before[subject].evidence
    ]
    return Changes(
        begun=[error_class for subject, error_class in broken.items() if subject not in before],
        renewed=[(known.alert_id, error_class) for known, error_class in renewed],
        grown=[known.alert_id for known, error_class in renewed if known.lacks(error_class)],
        recovered=[known.alert_id for subject, known in left.items() if subject in look.well],
        gone=[
            known.alert_id for subject, known in left.items() if subject not in look.well and not look.known(subject)
        ],
    )


@dataclass(frozen=True)
class EndedRun:
    """A run that ended by itself, well or not; with the batches that it worked on, if it worked on batches."""

    run_id: str
    name: str
    assets: frozenset[str]
    batches: frozenset[str]
    ended_at: datetime
    failed: bool
    root_id: str = ""


def broken_runs(runs: Iterable[EndedRun]) -> tuple[dict[str, tuple[EndedRun, datetime]], set[str]]:
    """Names of which a run failed that nothing made up for; and names that are well.

    With each, the last such run and the time of the first failure in a row. Runs of one name over other batches are
    apart: the half of a backlog that succeeds says nothing of the half that failed. A failure is over when the same is
    run again with success, when a repetition of it succeeds, or when later runs that succeeded had each of its assets
    on all of its batches, under whatever name.
    """
    ordered = sorted(runs, key=lambda run: run.ended_at)
    last: dict[tuple[str, frozenset[str]], EndedRun] = {}
    since: dict[tuple[str, frozenset[str]], datetime] = {}
    for run in ordered:
        part = run.name, run.batches
        last[part] = run
        if run.failed:
            since.setdefault(part, run.ended_at)
        else:
            ended = [known for known in since if known[0] == run.name and known[1] <= run.batches]
            for known in ended:
                del since[known]
    broken: dict[str, tuple[EndedRun, datetime]] = {}
    for part, run in sorted(last.items(), key=lambda item: item[1].ended_at):
        if run.failed and not _is_made_up_for(run, ordered):
            _, first = broken.get(run.name, (run, since[part]))
            broken[run.name] = run, min(first, since[part])
    return broken, {name for name, _ in last} - set(broken)


def _is_made_up_for(failure: EndedRun, runs: Sequence[EndedRun]) -> bool:
    later = [run for run in runs if not run.failed and run.ended_at > failure.ended_at]
    if any(run.root_id == (failure.root_id or failure.run_id) for run in later):
        return True
    if not failure.assets:
        return _are_done(failure.batches, [run for run in later if run.name == failure.name])
    return all(_are_done(failure.batches, [run for run in later if asset in run.assets]) for asset in failure.assets)


def _are_done(batches: frozenset[str], runs: Sequence[EndedRun]) -> bool:
    return bool(runs) and batches <= frozenset().union(*(run.batches for run in runs))


@dataclass(frozen=True)
class Instigator:
    """A sensor or schedule as the daemon knows it; its last ticks, the newest first."""

    subject: Subject
    is_on: bool
    failed: Sequence[bool]
    ticked_at: datetime | None
    error: str = ""
    interval: timedelta | None = None  # of a sensor; a schedule has none
    done_at: datetime | None = (
        None  # of a schedule: when the last run of its job that succeeded began, whoever launched it
    )


def instigator_error(instigator: Instigator, steady_since: datetime, now: datetime) -> tuple[Severity, str] | None:
    """Why a sensor or schedule does not do its work, if it does not.

    `steady_since` is the moment from which the daemon has been ticking without a gap: what stood still before is
    no fault of the sensor's.
    """
    if not instigator.is_on:
        return "WARN", f"the {instigator.subject.kind} was switched off; nothing launches what it launches"
    ticks = SENSOR_TICKS if instigator.interval else 1
    if instigator.done_at and instigator.ticked_at and instigator.done_at > instigator.ticked_at:
        return None  # what the tick was to launch was launched by hand; the next tick may be a month away
    if len(instigator.failed) >= ticks and all(instigator.failed[:ticks]):
        return "ERROR", f"its last {'tick' if ticks == 1 else f'{ticks} ticks'} failed: {instigator.error}"
    if instigator.interval and instigator.ticked_at:
        retry_policy = max(STANDSTILL, 10 * instigator.interval)
        if now - max(instigator.ticked_at, steady_since) > retry_policy:
            return "ERROR", f"it is on and has not ticked since {instigator.ticked_at:%Y-%m-%d %H:%M} UTC"
    return None


def is_still(beat_at: datetime, steady_since: datetime, now: datetime) -> bool:
    """Whether a part of the daemon stands still, while the part that runs sensors does not."""
    return now - max(beat_at, steady_since) > STANDSTILL


def steady_since(before: datetime | None, looked_at: datetime | None, now: datetime) -> datetime:
    """From when on looks have followed one another without a gap."""
    return before if before and looked_at and now - looked_at <= GAP else now
