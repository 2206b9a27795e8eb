"""Runs over any selection of assets, with the executor that deployed runs have, and what Dagster recorded of them.

`execute_in_process` has an executor of its own, which abandons what follows a failed step.
"""

from collections import Counter
from dataclasses import dataclass
from typing import Any

import dagster as dg
from dagster._core.definitions.job_base import InMemoryJob
from dagster._core.execution.api import create_execution_plan, execute_run
from dagster._core.execution.plan.state import KnownExecutionState

from movie_assets.runs.partitions import range_tags
from movie_assets.runs.run_time import AS_OF_TAG, noon_of
from movie_assets_tests.conftest import Pipeline
from movie_assets_tests.support.definitions import defs

FROM_FAILURE = "dagster/is_resume_retry"


@dataclass(frozen=True)
class Ran:
    """A finished run and its records."""

    run: dg.DagsterRun
    records: list[dg.EventLogEntry]

    @property
    def status(self) -> str:
        """SUCCESS or FAILURE."""
        return self.run.status.value

    def steps(self, kind: str) -> set[str]:
        """The steps that have an event of a kind: STEP_SUCCESS, STEP_FAILURE, STEP_SKIPPED."""
        return {r.step_key or "" for r in self.records if r.dagster_event and r.dagster_event.event_type_value == kind}

    def materialized(self) -> dict[str, Counter[str | None]]:
        """How often each partition of each asset was materialized."""
        found: dict[str, Counter[str | None]] = {}
        for record in self.records:
            if made := record.asset_materialization:
                found.setdefault(made.asset_key.to_user_string(), Counter())[made.partition] += 1
        return found

    def data_version(self, asset: str, partition: str) -> str:
        """The data version that a partition was materialized with."""
        (tags,) = (
            record.asset_materialization.tags or {}
            for record in self.records
            if record.asset_materialization
            and record.asset_materialization.asset_key == dg.AssetKey(asset)
            and record.asset_materialization.partition == partition
        )
        return tags["dagster/data_version"]

    def checks(self) -> dict[str, bool]:
        """Whether each evaluated check passed."""
        evaluations = (r.asset_check_evaluation for r in self.records)
        return {each.check_name: each.passed for each in evaluations if each}

    def messages(self) -> list[str]:
        """What the steps logged, in order."""
        return [record.user_message for record in self.records if not record.is_dagster_event]


def launch(
    pipeline: Pipeline,
    *assets: str,
    partition: str | None = None,
    batches: tuple[str, str] | None = None,
    config: dict[str, Any] | None = None,
    checks: frozenset[dg.AssetCheckKey] | None = None,
) -> Ran:
    """Run some assets as the web UI does: for a partition, a range of batches, or none."""
    tags = {AS_OF_TAG: noon_of(pipeline.day.isoformat()), "dagster/from_ui": "true"}
    tags |= {"dagster/partition": partition} if partition else {}
    tags |= range_tags(*batches) if batches else {}
    keys = {dg.AssetKey(name) for name in assets}
    job = _job(pipeline).get_subset(asset_selection=keys, asset_check_selection=checks)
    run = pipeline.instance.create_run_for_job(
        job, run_config=_config(config), tags=tags, asset_selection=frozenset(keys)
    )
    return _execute(pipeline, job, run)


def execute_again(pipeline: Pipeline, ran: Ran, *steps: str) -> Ran:
    """Re-execute a run from its failure, or some of its steps, as the button does."""
    failed, state = KnownExecutionState.build_resume_retry_reexecution(pipeline.instance, ran.run)
    chosen = list(steps or failed)
    job = _job(pipeline).get_subset(asset_selection=ran.run.asset_selection)
    plan = create_execution_plan(
        InMemoryJob(job), ran.run.run_config, step_keys_to_execute=chosen, known_state=state,
        instance_ref=None, tags=ran.run.tags,
    )  # fmt: skip
    root, parent = ran.run.root_run_id or ran.run.run_id, ran.run.run_id
    run = pipeline.instance.create_run_for_job(
        job, execution_plan=plan, asset_selection=ran.run.asset_selection, run_config=ran.run.run_config,
        parent_run_id=parent, root_run_id=root,
        tags={**ran.run.tags, FROM_FAILURE: "true", "dagster/parent_run_id": parent, "dagster/root_run_id": root},
    )  # fmt: skip
    return _execute(pipeline, job, run)


def _config(config: dict[str, Any] | None) -> dict[str, Any]:
    return {"loggers": {"console": {}}, **(config or {})}


def _job(pipeline: Pipeline) -> dg.JobDefinition:
    ours = dg.Definitions(
        assets=defs.assets, asset_checks=defs.asset_checks, resources=pipeline.resources(), loggers=defs.loggers,
        executor=defs.executor,
    )  # fmt: skip
    return ours.resolve_implicit_global_asset_job_def()


def _execute(pipeline: Pipeline, job: dg.JobDefinition, run: dg.DagsterRun) -> Ran:
    execute_run(InMemoryJob(job), run, pipeline.instance)
    ended = pipeline.instance.get_run_by_id(run.run_id)
    assert ended is not None
    return Ran(ended, list(pipeline.instance.all_logs(run.run_id)))
