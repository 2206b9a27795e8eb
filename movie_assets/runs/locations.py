"""Recognising runs of this code location: workspace.yaml may have others."""

import dagster as dg

LOCATION = "movie_assets"  # its name in workspace.yaml


def location_of(context: dg.SensorEvaluationContext) -> str:
    """Return the name of a sensor's code location."""
    origin = context.code_location_origin
    return origin.location_name if origin else LOCATION


def is_run_of(location: str, run: dg.DagsterRun) -> bool:
    """Return whether a run belongs to a location; one that was launched at a console names none, and does."""
    origin = run.remote_job_origin
    return origin is None or origin.location_name == location
