"""Which of the instance's records are this code location's own: workspace.yaml may name others beside it."""

import dagster as dg

LOCATION = "movie_assets"  # its name in workspace.yaml


def location_of(context: dg.SensorEvaluationContext) -> str:
    """The name of the code location that a sensor is in."""
    origin = context.code_location_origin
    return origin.location_name if origin else LOCATION


def is_run_of(location: str, run: dg.DagsterRun) -> bool:
    """Whether a run is of that location; one that was launched at a console names none, and counts."""
    origin = run.remote_job_origin
    return origin is None or origin.location_name == location
