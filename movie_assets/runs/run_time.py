"""What a run's tags say: its moment (now, or that of a simulated day), and who launched it."""

from collections.abc import Mapping
from datetime import UTC, datetime, time
from typing import Literal

import dagster as dg

AS_OF_TAG = "movie_assets/as_of"
LAUNCHED_BY_TAG = "movie_assets/launched_by"
Trigger = Literal["schedule", "sensor", "person", "command line"]


# Tags of runs that a person launched in the web UI, or that repeat or backfill others.
BY_HAND_TAGS = {"dagster/from_ui", "dagster/backfill", "dagster/parent_run_id"}
REPEATED_BY_DAGSTER = "dagster/retry_number"  # after the process of the run before was lost
# Tags of runs that go on with the work of an earlier run; a re-execution of all steps begins anew.
GOES_ON_TAGS = {REPEATED_BY_DAGSTER, "dagster/is_resume_retry", "dagster/is_asset_resume_retry"}


def is_by_hand(run: dg.DagsterRun) -> bool:
    """Whether a person asked for this run, rather than a sensor, a schedule or a refresh."""
    return not BY_HAND_TAGS.isdisjoint(run.tags) and REPEATED_BY_DAGSTER not in run.tags


def is_made_by_a_command(run: dg.DagsterRun) -> bool:
    """Whether a command of ours made and executes this run; a repetition of it from the web UI keeps the tag."""
    return LAUNCHED_BY_TAG in run.tags and BY_HAND_TAGS.isdisjoint(run.tags)


def launcher_of(tags: Mapping[str, str]) -> str:
    """Who launched a run, in words for a message."""
    trigger, name = trigger_of(tags)
    return f"launched by {name or 'a person'}" if trigger in ("person", "command line") else f"{trigger} {name}"


def trigger_of(tags: Mapping[str, str]) -> tuple[Trigger, str | None]:
    """Who launched a run, and the name of the schedule, sensor or command.

    What a person repeats keeps the tags of the run before it, so a person is looked for first.
    """
    if not BY_HAND_TAGS.isdisjoint(tags) and REPEATED_BY_DAGSTER not in tags:
        return "person", tags.get("dagster/user")
    if schedule := tags.get("dagster/schedule_name"):
        return "schedule", schedule
    if sensor := tags.get("dagster/sensor_name"):
        return "sensor", sensor
    if command := tags.get(LAUNCHED_BY_TAG):
        return "command line", command
    return "person", None


def run_time_of(run: dg.DagsterRun) -> datetime:
    """The run's moment, in UTC: its tag `movie_assets/as_of` (ISO 8601), else the clock's."""
    return run_time_in(run.tags)


def run_time_in(tags: Mapping[str, str]) -> datetime:
    """The moment of a run with these tags."""
    as_of = tags.get(AS_OF_TAG)
    return datetime.fromisoformat(as_of).astimezone(UTC) if as_of else datetime.now(UTC)


def went_on_since(instance: dg.DagsterInstance, run: dg.DagsterRun) -> datetime | None:
    """Return the moment at which the work began that a run goes on with, or None for a run that begins anew."""
    if run.root_run_id is None or GOES_ON_TAGS.isdisjoint(run.tags):
        return None
    first = instance.get_run_record_by_id(run.root_run_id)
    if first is None:
        return None
    return run_time_of(first.dagster_run) if AS_OF_TAG in first.dagster_run.tags else first.create_timestamp


def noon_of(day: str) -> str:
    """The tag's value for a simulated day: its noon in UTC, when TMDB's export has been out for hours."""
    return datetime.combine(datetime.fromisoformat(day).date(), time(12), UTC).isoformat()
