"""Compares what is broken now with the open alerts: pure functions.

`observations`, `backfills` and `processes` read Dagster's records; `history` stores the changes.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Literal, NamedTuple

Kind = Literal["check", "job", "backfill", "freshness", "sensor", "schedule", "daemon"]
Severity = Literal["WARN", "ERROR"]

SENSOR_TICKS = 3  # that failed in a row: a minute and a half, longer than a restart of the database takes
STALLED_AFTER = timedelta(minutes=10)  # or ten intervals of the sensor
MAX_GAP = timedelta(minutes=5)  # between ticks; after a longer one nothing counts as stalled at once


class Subject(NamedTuple):
    """Something that can break; `place` is the asset of a check, and empty for other kinds."""

    kind: Kind
    place: str
    name: str


@dataclass(frozen=True)
class Problem:
    """A subject that is broken now.

    `evidence` is the id of the event or run that shows it. A check of several things has the names of the broken ones
    in `parts`, and a figure with each of these names.
    """

    subject: Subject
    severity: Severity
    message: str
    began_at: datetime
    link: str
    evidence: str = ""
    expected: str = ""
    figures: Mapping[str, float | str] = field(default_factory=dict)
    parts: Collection[str] = ()


@dataclass(frozen=True)
class OpenAlert:
    """A subject that was broken at the last tick; `figures` has the names of its figures."""

    alert_id: int
    evidence: str
    figures: Collection[str] = ()

    def lacks_part_of(self, problem: Problem) -> bool:
        """Return whether an error has a part that was not broken when the alert was last stored."""
        return problem.severity == "ERROR" and not set(problem.parts) <= set(self.figures)


@dataclass(frozen=True)
class Observations:
    """What a tick observed: problems and healthy subjects.

    A subject that is in neither could not be evaluated; `exists` returns whether it is still defined.
    """

    problems: Sequence[Problem]
    healthy: Collection[Subject]
    exists: Callable[[Subject], bool]


@dataclass(frozen=True)
class Changes:
    """What to store after a tick; `worsened` are the renewed alerts that are to be sent again."""

    begun: Sequence[Problem]
    renewed: Sequence[tuple[int, Problem]]
    recovered: Sequence[int]
    removed: Sequence[int]
    worsened: Sequence[int] = ()


def changes(observations: Observations, before: Mapping[Subject, OpenAlert]) -> Changes:
    """Compare the observations with the alerts that were open before them.

    A subject recovers only when it was observed to be healthy. An alert is removed when its subject no longer exists.
    """
    problems = {problem.subject: problem for problem in observations.problems}
    unseen = {subject: alert for subject, alert in before.items() if subject not in problems}
    renewed = [
        (before[subject], problem)
        for subject, problem in problems.items()
        if subject in before and problem.evidence != before[subject].evidence
    ]
    return Changes(
        begun=[problem for subject, problem in problems.items() if subject not in before],
        renewed=[(alert.alert_id, problem) for alert, problem in renewed],
        worsened=[alert.alert_id for alert, problem in renewed if alert.lacks_part_of(problem)],
        recovered=[alert.alert_id for subject, alert in unseen.items() if subject in observations.healthy],
        removed=[
            alert.alert_id
            for subject, alert in unseen.items()
            if subject not in observations.healthy and not observations.exists(subject)
        ],
    )


@dataclass(frozen=True)
class EndedRun:
    """A run that succeeded or failed; `batches` is empty for a run that did not work on batches.

    `root_id` is the id of the run that it is a retry of, if it is one.
    """

    run_id: str
    name: str
    assets: frozenset[str]
    batches: frozenset[str]
    ended_at: datetime
    failed: bool
    root_id: str = ""


def unresolved_failures(runs: Iterable[EndedRun]) -> tuple[dict[str, tuple[EndedRun, datetime]], set[str]]:
    """Return the names with an unresolved failure, and the healthy names.

    Each name with a failure has its last failed run and the time of the first failure in a row. Runs with one name on
    different batches are evaluated separately, as a success on half of the batches does not resolve a failure on the
    other half. A failure is resolved when the same work succeeds later, when a retry of the run succeeds, or when later
    runs of any name succeeded with each of its assets on all of its batches.
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
            resolved = [failed for failed in since if failed[0] == run.name and failed[1] <= run.batches]
            for failed in resolved:
                del since[failed]
    failures: dict[str, tuple[EndedRun, datetime]] = {}
    for part, run in sorted(last.items(), key=lambda item: item[1].ended_at):
        if run.failed and not _is_resolved(run, ordered):
            _, first = failures.get(run.name, (run, since[part]))
            failures[run.name] = run, min(first, since[part])
    return failures, {name for name, _ in last} - set(failures)


def _is_resolved(failure: EndedRun, runs: Sequence[EndedRun]) -> bool:
    later = [run for run in runs if not run.failed and run.ended_at > failure.ended_at]
    if any(run.root_id == (failure.root_id or failure.run_id) for run in later):
        return True
    if not failure.assets:
        return _cover(failure.batches, [run for run in later if run.name == failure.name])
    return all(_cover(failure.batches, [run for run in later if asset in run.assets]) for asset in failure.assets)


def _cover(batches: frozenset[str], runs: Sequence[EndedRun]) -> bool:
    """Return whether there are runs that together worked on all of the batches."""
    return bool(runs) and batches <= frozenset().union(*(run.batches for run in runs))


@dataclass(frozen=True)
class Instigator:
    """A sensor or schedule in Dagster's records.

    `tick_failures` has for each of the last ticks, the newest first, whether it failed. `interval` is that of a sensor;
    a schedule has none. `job_succeeded_at` is when the last successful run of a schedule's job began, however it was
    launched.
    """

    subject: Subject
    is_on: bool
    tick_failures: Sequence[bool]
    ticked_at: datetime | None
    error: str = ""
    interval: timedelta | None = None
    job_succeeded_at: datetime | None = None


def instigator_problem(instigator: Instigator, steady_since: datetime, now: datetime) -> tuple[Severity, str] | None:
    """Return the severity and description of what is wrong with a sensor or schedule; None when nothing is.

    The daemon has ticked without a gap since `steady_since`; a standstill before that time does not count.
    """
    if not instigator.is_on:
        return "WARN", f"the {instigator.subject.kind} was switched off; nothing launches what it launches"
    ticks = SENSOR_TICKS if instigator.interval else 1
    if instigator.job_succeeded_at and instigator.ticked_at and instigator.job_succeeded_at > instigator.ticked_at:
        return None  # the job was launched by hand after the failed tick; the next tick may be a month later
    if len(instigator.tick_failures) >= ticks and all(instigator.tick_failures[:ticks]):
        return "ERROR", f"its last {'tick' if ticks == 1 else f'{ticks} ticks'} failed: {instigator.error}"
    if instigator.interval and instigator.ticked_at:
        allowed = max(STALLED_AFTER, 10 * instigator.interval)
        if now - max(instigator.ticked_at, steady_since) > allowed:
            return "ERROR", f"it is on and has not ticked since {instigator.ticked_at:%Y-%m-%d %H:%M} UTC"
    return None


def is_stalled(beat_at: datetime, steady_since: datetime, now: datetime) -> bool:
    """Return whether a part of the daemon has stalled while the part that runs sensors has not."""
    return now - max(beat_at, steady_since) > STALLED_AFTER


def steady_since(before: datetime | None, last_tick: datetime | None, now: datetime) -> datetime:
    """Return the time since which ticks have followed one another without a gap.

    `before` is the result at the last tick.
    """
    return before if before and last_tick and now - last_tick <= MAX_GAP else now
