"""What a run says on the console: our own sentences with the asset's name, not Dagster's hundred events."""

import logging
import sys
from typing import Any

import dagster as dg


class _Sentences(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        meta = getattr(record, "dagster_meta", {})
        where = meta.get("step_key") or meta.get("job_name") or ""
        return f"  {where:<18} {meta.get('orig_message', record.getMessage())}"


def _is_ours(record: logging.LogRecord) -> bool:
    """Whether it is a sentence; Dagster's events are told in the web UI, failures by whoever launched the run."""
    return getattr(record, "dagster_meta", {}).get("dagster_event") is None


def _to_standard_error(_: dg.InitLoggerContext) -> logging.Logger:
    # Not from the registry: a second run in this process would get the first one's handlers as well.
    logger = logging.Logger("movie_assets", logging.INFO)  # noqa: LOG001
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_Sentences())
    handler.addFilter(_is_ours)
    logger.addHandler(handler)
    return logger


console = dg.LoggerDefinition(
    _to_standard_error, description="One line for each thing that a person at a terminal wants to know"
)

# The run config with which a run speaks through it.
CONSOLE: dict[str, Any] = {"loggers": {"console": {}}}
