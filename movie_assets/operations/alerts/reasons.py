"""Why a run failed, in one line, as Dagster's records say it."""

from typing import Any

import dagster as dg

LONGEST_REASON = 500


def reason_of_run(instance: dg.DagsterInstance, run_id: str) -> str:
    """Return what the first step that failed said, or the run, in one line."""
    kinds = {dg.DagsterEventType.STEP_FAILURE, dg.DagsterEventType.RUN_FAILURE}
    for record in instance.get_records_for_run(run_id, of_type=kinds, limit=1).records:
        event: Any = record.event_log_entry.dagster_event
        data = event.event_specific_data
        told = getattr(data, "user_failure_data", None)
        said = (told.description if told else None) or innermost(getattr(data, "error", None)) or event.message or ""
        return f"{event.step_key or 'the run'}: {' '.join(said.split())}"[:LONGEST_REASON]
    return "no reason was recorded"


def innermost(error: Any) -> str:
    """Return the message of the error that caused the others; nothing where there is no error."""
    while error is not None and error.cause is not None:
        error = error.cause
    return error.message if error is not None else ""
