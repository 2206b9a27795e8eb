"""The executor of every run: Dagster's in-process executor, in which the outputs of a failed step remain usable.

A step over several batches emits its output and then fails if one of its batches failed (`runs.batch_runs`). By
default Dagster would not run the following steps. With `require_upstream_step_success: false` they continue with the
good batches, the run fails nevertheless, and a re-execution from failure repeats the failed step and the following
steps. `orchestration.pools` waits for pools.
"""

from collections.abc import Iterator

import dagster as dg

from movie_assets.orchestration.pools import PoolExecutor
from movie_assets.runs.dagster_compat import (
    DagsterEvent,
    ExecutionPlan,
    InProcessExecutor,
    PastExecutionState,
    PlanOrchestrationContext,
    RetryMode,
    StepDependencyConfig,
    StepInput,
    StepOutputHandle,
)


class BatchExecutor(InProcessExecutor):
    """Runs a step when its inputs were emitted, whether or not the steps before it succeeded."""

    def execute(self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan) -> Iterator[DagsterEvent]:
        """Run the plan; yield Dagster's events."""
        config = StepDependencyConfig(require_upstream_step_success=not _has_every_output(execution_plan))
        return PoolExecutor(self.retries, config).execute(plan_context, execution_plan)


def _has_every_output(plan: ExecutionPlan) -> bool:
    """Return whether every output that a step needs will be emitted; otherwise Dagster would wait for ever.

    Outputs may be missing of steps that are not repeated and did not emit them in earlier runs, and of blocking checks
    that an asset may omit.
    """
    emitted = _emitted_before(plan.known_state.parent_state)
    steps = set(plan.step_keys_to_execute)
    needed = {
        handle
        for key in steps
        for step_input in plan.get_step_by_key(key).step_inputs
        if isinstance(
            step_input, StepInput
        )  # the other classes are of dynamic outputs, which this project does not have
        for handle in step_input.get_step_output_handle_dependencies()
    }
    return all(_is_certain(plan, handle) if handle.step_key in steps else handle in emitted for handle in needed)


def _is_certain(plan: ExecutionPlan, handle: StepOutputHandle) -> bool:
    output = plan.get_step_output(handle)
    return output.properties.is_required or output.properties.asset_check_key is None


def _emitted_before(state: PastExecutionState | None) -> set[StepOutputHandle]:
    if state is None:
        return set()
    parent = state.parent_state
    return state.produced_outputs | _emitted_before(parent if isinstance(parent, PastExecutionState) else None)


@dg.executor(name="in_process")
def in_process_executor(_: dg.InitExecutorContext) -> BatchExecutor:
    """Run all steps in one process."""
    return BatchExecutor(RetryMode.ENABLED)
