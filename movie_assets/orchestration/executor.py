"""The executor of every run: Dagster's own in one process, where a step's outputs outlive its failure.

A step over many batches emits its output and then fails when some of its batches failed (`assets/batches.py`). Dagster
would by default abandon the steps after it. With `require_upstream_step_success: false` they go on with the good
batches, the run ends red all the same, and a re-execution from failure repeats the failed step and the steps after it.
How a step waits for a pool is in `automation/pools.py`.
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
    """Runs a step when the outputs that it needs were emitted, whether or not the steps before it succeeded."""

    def execute(self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan) -> Iterator[DagsterEvent]:
        """Run the plan; yields Dagster's events."""
        config = StepDependencyConfig(require_upstream_step_success=not _has_every_output(execution_plan))
        return PoolExecutor(self.retries, config).execute(plan_context, execution_plan)


def _has_every_output(plan: ExecutionPlan) -> bool:
    """Return whether no step can wait for an output that never comes, as Dagster would then wait for ever.

    Such outputs are those of steps that are not repeated and did not emit them in the runs before, and those of
    blocking checks that an asset may leave out.
    """
    emitted = _emitted_before(plan.known_state.parent_state)
    steps = set(plan.step_keys_to_execute)
    needed = {
        handle
        for key in steps
        for step_input in plan.get_step_by_key(key).step_inputs
        if isinstance(step_input, StepInput)  # the others are of dynamic outputs, of which there are none
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
