"""Reading a run's tags: its time (now, or that of a simulated day), and its launcher."""

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
# Tags of runs that continue the work of an earlier run; a re-execution of all steps starts from the beginning.
GOES_ON_TAGS = {REPEATED_BY_DAGSTER, "dagster/is_resume_retry", "dagster/is_asset_resume_retry"}


def is_by_hand(run: dg.DagsterRun) -> bool:
    """Return whether a person launched this run, rather than a sensor, a schedule or a refresh."""
    return not BY_HAND_TAGS.isdisjoint(run.tags) and REPEATED_BY_DAGSTER not in run.tags


def is_made_by_a_command(run: dg.DagsterRun) -> bool:
    """Return whether a command of this project made and executes a run.

    A repetition of the run from the web UI keeps the tag, and was not made by the command.
    """
    return LAUNCHED_BY_TAG in run.tags and BY_HAND_TAGS.isdisjoint(run.tags)


def launcher_of(tags: Mapping[str, str]) -> str:
    """Return a description of a run's launcher for a message."""
    trigger, name = trigger_of(tags)
    return f"launched by {name or 'a person'}" if trigger in ("person", "command line") else f"{trigger} {name}"


def trigger_of(tags: Mapping[str, str]) -> tuple[Trigger, str | None]:
    """Return the kind of launcher of a run, and the name of the schedule, sensor, command or person.

    A run that a person repeats keeps the tags of the run before it, so tags of a person are checked first.
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
    """Return the run's time in UTC: that of its tag `movie_assets/as_of` (ISO 8601), else the current time."""
    return run_time_in(run.tags)


def run_time_in(tags: Mapping[str, str]) -> datetime:
    """Return the time in UTC of a run with these tags."""
    as_of = tags.get(AS_OF_TAG)
    return datetime.fromisoformat(as_of).astimezone(UTC) if as_of else datetime.now(UTC)


def went_on_since(instance: dg.DagsterInstance, run: dg.DagsterRun) -> datetime | None:
    """Return the time at which the work began that a run continues; None for a run that starts from the beginning."""
    if run.root_run_id is None or GOES_ON_TAGS.isdisjoint(run.tags):
        return None
    first = instance.get_run_record_by_id(run.root_run_id)
    if first is None:
        return None
    return run_time_of(first.dagster_run) if AS_OF_TAG in first.dagster_run.tags else first.create_timestamp


def noon_of(day: str) -> str:
    """Return the tag's value for a simulated day: noon in UTC, when TMDB's export has been available for hours."""
    return datetime.combine(datetime.fromisoformat(day).date(), time(12), UTC).isoformat()
