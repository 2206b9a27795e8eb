"""Dagster's log files of steps, written by helper processes that ignore Ctrl-C.

A terminal sends Ctrl-C to every process of a command. Dagster's helpers (two that show a step's output, and two that
watch them) end with the step anyway. Ctrl-C would end them with tracebacks, before the last output of the step.
dagster.yaml names this class.
"""

import os
import signal
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from typing import Self

from movie_assets.orchestration.startup import DAGSTER_FILES, prepare_for_dagster
from movie_assets.runs.dagster_compat import CapturedLogContext, ConfigurableClassData, LocalComputeLogManager


class StepLogs(LocalComputeLogManager):
    """Dagster's local log files. The helpers inherit a mask that blocks SIGINT, and end by SIGTERM."""

    @classmethod
    def config_type(cls) -> dict[str, object]:
        """Return the keys of the configuration: none."""
        return {}

    @classmethod
    def from_config_value(cls, inst_data: ConfigurableClassData | None, config_value: Mapping[str, object]) -> Self:  # noqa: ARG003
        """Use the folder in the settings (section `compute_logs` of dagster.yaml)."""
        prepare_for_dagster()
        return cls(base_dir=os.environ[DAGSTER_FILES], inst_data=inst_data)

    @contextmanager
    def capture_logs(self, log_key: Sequence[str]) -> Iterator[CapturedLogContext]:
        """Write the output of the `with` block to files, and show it as well."""
        with ExitStack() as stack:
            before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
            try:
                context = stack.enter_context(super().capture_logs(log_key))
            finally:
                signal.pthread_sigmask(signal.SIG_SETMASK, before)
            yield context
