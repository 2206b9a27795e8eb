"""The log of a run on the console: this project's messages with the asset's name, without Dagster's events."""

import logging
import sys

import dagster as dg


class _MessageFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        meta = getattr(record, "dagster_meta", {})
        where = meta.get("step_key") or meta.get("job_name") or ""
        return f"  {where:<18} {meta.get('orig_message', record.getMessage())}"


def _is_own_message(record: logging.LogRecord) -> bool:
    """Return whether a record is no event of Dagster's; the web UI shows those, and the command reports failures."""
    return getattr(record, "dagster_meta", {}).get("dagster_event") is None


def _to_standard_error(_: dg.InitLoggerContext) -> logging.Logger:
    # Not from the registry: a second run in this process would get the first one's handlers as well.
    logger = logging.Logger("movie_assets", logging.INFO)  # noqa: LOG001
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_MessageFormatter())
    handler.addFilter(_is_own_message)
    logger.addHandler(handler)
    return logger


console = dg.LoggerDefinition(_to_standard_error, description="One line for each message of the pipeline")

# The run config with which a run uses this logger.
CONSOLE: dict[str, object] = {"loggers": {"console": {}}}
