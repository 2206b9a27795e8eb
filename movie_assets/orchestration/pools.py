"""Dagster's in-process executor with another way of waiting for a pool.

Dagster's own wait polls without a pause (100 % CPU), logs nothing, ignores signals and has no limit. Here a waiting run
logs the run that holds the pool, checks whether that run's process lives (`orchestration.orphaned_runs`), pauses
between polls, ends on a signal, and fails after `MOVIE_ASSETS_POOL_WAIT_MINUTES`.
"""

import os
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import dagster as dg

from movie_assets.config.settings import Settings
from movie_assets.orchestration.orphaned_runs import free_pool
from movie_assets.runs.dagster_compat import (
    DagsterExecutionInterruptedError,
    EngineEventData,
    ExecuteRunWithPlanIterable,
    ExecutionPlan,
    InProcessExecutor,
    InstanceConcurrencyContext,
    PlanExecutionContext,
    PlanExecutionContextManager,
    PlanOrchestrationContext,
    inner_plan_execution_iterator,
    pop_captured_interrupt,
)
from movie_assets.runs.run_time import launcher_of

SECONDS_BETWEEN_CLAIMS = 1.0  # also the delay of a signal
SECONDS_BETWEEN_POLLS = 5.0  # of the run that holds the pool
SECONDS_BETWEEN_MESSAGES = 300.0


class PoolWaitError(Exception):
    """A pool was full for as long as a run may wait. The message names the run that holds it."""


class PoolClaims(InstanceConcurrencyContext):
    """The claims of one run on pools."""

    def __init__(self, context: PlanExecutionContext) -> None:
        super().__init__(context.instance, context.dagster_run)
        self._context = context
        self._limit = timedelta(minutes=Settings.from_env().pool_wait_minutes)
        self._waits: dict[str, _Wait] = {}

    def claim(self, concurrency_key: str, step_key: str, step_priority: int = 0) -> bool:
        """Claim a slot of a pool for a step; return whether it was free.

        Raises DagsterExecutionInterruptedError after a signal, PoolWaitError when the step has waited too long.
        """
        if pop_captured_interrupt():
            raise DagsterExecutionInterruptedError("a signal came while the run waited for a pool")
        is_claimed = super().claim(concurrency_key, step_key, step_priority)
        if is_claimed:
            wait = self._waits.pop(step_key, None)
            if wait is not None:
                self._context.log.info(f"the pool {concurrency_key} is free after {wait.seconds:.0f} s")
        else:
            wait = self._waits.setdefault(step_key, _Wait(concurrency_key, self._context, self._limit))
            if wait.poll():
                self._pending_timeouts[step_key] = 0.0  # claim again at once
        return is_claimed

    def interval_to_next_pending_claim_check(self) -> float:
        """Return the seconds until the next claim; Dagster's own are never above 0, so that it never pauses."""
        return SECONDS_BETWEEN_CLAIMS if self._pending_claims else 0.0


class _Wait:
    """The wait of one step for one pool."""

    def __init__(self, pool: str, context: PlanExecutionContext, limit: timedelta) -> None:
        self._pool = pool
        self._context = context
        self._limit = limit
        self._began = self._polled_at = time.monotonic()
        self._logged_at = float("-inf")
        self._unheld: dict[str, str] = {}  # since when the lock of a holder has been free

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._began

    def poll(self) -> bool:
        """Free slots of dead runs, log the holder of the pool, and return whether a slot was freed.

        Raises PoolWaitError after the limit.
        """
        now = time.monotonic()
        if now < self._polled_at + SECONDS_BETWEEN_POLLS and self._logged_at > float("-inf"):
            return False
        self._polled_at = now
        database = self._context.scoped_resources_builder.build({"database"}).database
        instance = self._context.instance
        freed, self._unheld = free_pool(instance, database, self._pool, self._unheld, datetime.now(UTC))
        for run_id in freed:
            self._context.log.info(f"the pool {self._pool} was held by the run {run_id[:8]}, whose process has ended")
        if freed:
            return True
        if self.seconds > self._limit.total_seconds():
            raise PoolWaitError(
                f"gave up after {self.seconds / 60:.0f} min of waiting for the {self._holder()}; "
                "MOVIE_ASSETS_POOL_WAIT_MINUTES sets the limit"
            )
        if now > self._logged_at + SECONDS_BETWEEN_MESSAGES:
            self._logged_at = now
            minutes = self._limit.total_seconds() / 60
            self._context.log.info(f"waiting for the {self._holder()}; at most {minutes:.0f} min")
        return False

    def _holder(self) -> str:
        """Return a description of the pool and of the runs that hold it."""
        instance = self._context.instance
        info = instance.event_log_storage.get_concurrency_info(self._pool)
        run_ids = info.active_run_ids | info.assigned_run_ids
        records = [instance.get_run_record_by_id(run_id) for run_id in sorted(run_ids)]
        holders = [_described(record) for record in records if record is not None]
        return f"pool {self._pool}, held by {' and '.join(holders) or 'a run that nothing is known of'}"


def _described(record: dg.RunRecord) -> str:
    run = record.dagster_run
    since = datetime.fromtimestamp(record.start_time or record.create_timestamp.timestamp(), UTC)
    return f"the run {run.run_id[:8]} of {run.job_name} ({launcher_of(run.tags)}, {since:%Y-%m-%d %H:%M} UTC)"


def _steps(job_context: PlanExecutionContext, execution_plan: ExecutionPlan) -> Iterator[dg.DagsterEvent]:
    with PoolClaims(job_context) as claims:
        yield from inner_plan_execution_iterator(job_context, execution_plan, claims)


class PoolExecutor(InProcessExecutor):
    """Executes the steps of a run one after the other in its process."""

    def execute(
        self, plan_context: PlanOrchestrationContext, execution_plan: ExecutionPlan
    ) -> Iterator[dg.DagsterEvent]:
        """Execute a plan like Dagster's in-process executor, with PoolClaims for the claims on pools."""
        data = EngineEventData.in_process(os.getpid(), execution_plan.step_keys_to_execute)
        message = f"Executing steps in process (pid: {os.getpid()})"
        yield dg.DagsterEvent.engine_event(plan_context, message, event_specific_data=data)
        yield from ExecuteRunWithPlanIterable(
            execution_plan=plan_context.execution_plan,
            iterator=_steps,
            execution_context_manager=PlanExecutionContextManager(
                job=plan_context.job,
                retry_mode=plan_context.retry_mode,
                execution_plan=plan_context.execution_plan,
                run_config=plan_context.run_config,
                dagster_run=plan_context.dagster_run,
                instance=plan_context.instance,
                raise_on_error=plan_context.raise_on_error,
                output_capture=plan_context.output_capture,
                step_dependency_config=self.step_dependency_config,
            ),
        )
        message = f"Finished steps in process (pid: {os.getpid()})"
        yield dg.DagsterEvent.engine_event(plan_context, message, event_specific_data=data)
