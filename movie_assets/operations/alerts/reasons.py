"""The reason of a failed run, in one line, from Dagster's records."""

from typing import Protocol

import dagster as dg

MAX_REASON_LENGTH = 500  # characters


class ErrorInfo(Protocol):
    """An error as Dagster stores it."""

    @property
    def message(self) -> str:
        """The error's class and message."""

    @property
    def cause(self) -> "ErrorInfo | None":
        """The error that caused this one."""


def reason_of_run(instance: dg.DagsterInstance, run_id: str) -> str:
    """Return the error of the first step that failed, or of the run, in one line."""
    kinds = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    for record in instance.get_records_for_run(run_id, of_type=kinds, limit=1).records:
        event = record.event_log_entry.dagster_event
        if event is None:
            continue
        failure = getattr(event.event_specific_data, "user_failure_data", None)
        error = getattr(event.event_specific_data, "error", None)
        reason = (failure.description if failure else None) or innermost_message(error) or event.message or ""
        return f"{event.step_key or 'the run'}: {' '.join(reason.split())}"[:MAX_REASON_LENGTH]
    return "no reason was recorded"


def innermost_message(error: ErrorInfo | None) -> str:
    """Return the message of the error that caused the others; an empty text without an error."""
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message if error is not None else ""
