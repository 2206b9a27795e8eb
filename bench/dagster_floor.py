"""Dagster's own floor: jobs with assets of the same shape that do nothing.

The same jobs, assets, partitions, pools and checks on the same instance, and an event for each of the 64 batches, as
the real assets have: what is left is the price of Dagster's records. incremental_ours.py takes `hollow_job` for its two
jobs. As a script, which full_build.py starts in the environment of `movie-assets refresh`, it runs all jobs of a
refresh and prints their seconds. Usage: dagster_floor.py DAY
"""

import sys
import time
from collections.abc import Iterator
from typing import Any

import dagster as dg

from movie_assets.config.paths import CHECKOUT
from movie_assets.config.settings import Settings
from movie_assets.orchestration import jobs
from movie_assets.orchestration.console import CONSOLE, console
from movie_assets.orchestration.sensors import ALL_BATCHES
from movie_assets.orchestration.startup import everything_for
from movie_assets.runs.batch_runs import DATA_VERSION_TAGS
from movie_assets.runs.partitions import batches, days

sys.path.insert(0, str(CHECKOUT))  # where the tests are
from movie_assets_tests.support.definitions import defs

NAMES = ("read_the_day", "fetch_details", "embed_texts", "publish", "recommend")
BY_NAME = {job.name: job for job in jobs.jobs(jobs.MOVIES_ONLY)}
OF_A_REFRESH = tuple(BY_NAME[name] for name in NAMES)


def main(day: str) -> None:
    """Run every job once."""
    hollow = [hollow_job(job, defs) for job in OF_A_REFRESH]
    with everything_for(Settings.from_env()), dg.DagsterInstance.get() as instance:
        began = time.monotonic()
        for job in hollow:
            job.execute_in_process(
                instance=instance, run_config=CONSOLE,
                tags=ALL_BATCHES if job.partitions_def == batches else {},
                partition_key=day if job.partitions_def == days else None,
            )  # fmt: skip
        print(time.monotonic() - began)


def hollow_job(job: Any, real: dg.Definitions) -> dg.JobDefinition:
    """A job of real definitions, its assets and checks without their work."""
    keys = job.selection.resolve(real.resolve_asset_graph())
    assets = [
        _hollow_asset(each) for each in real.assets or () if isinstance(each, dg.AssetsDefinition) and each.key in keys
    ]
    checks = [
        _hollow_check(spec) for each in real.asset_checks or () for spec in each.check_specs if spec.asset_key in keys
    ]
    made = dg.define_asset_job(job.name, selection=dg.AssetSelection.all())
    return dg.Definitions(
        assets, asset_checks=checks, jobs=[made], executor=dg.in_process_executor, loggers={"console": console}
    ).resolve_job_def(job.name)


def _hollow_asset(real: dg.AssetsDefinition) -> dg.AssetsDefinition:
    by_batches = real.partitions_def == batches

    @dg.asset(
        key=real.key, partitions_def=real.partitions_def, backfill_policy=real.backfill_policy,
        check_specs=list(real.check_specs), output_required=not by_batches, pool=real.op.pool,
    )  # fmt: skip
    def nothing(context: dg.AssetExecutionContext) -> Iterator[Any]:
        if by_batches:
            for partition in context.partition_keys:
                tags = dict.fromkeys(DATA_VERSION_TAGS, "true")
                context.log_event(dg.AssetMaterialization(context.asset_key, partition=partition, tags=tags))
        yield from (dg.AssetCheckResult(passed=True, check_name=spec.name) for spec in real.check_specs)
        if not by_batches:
            yield dg.MaterializeResult()

    return nothing


def _hollow_check(spec: dg.AssetCheckSpec) -> dg.AssetChecksDefinition:
    @dg.asset_check(asset=spec.asset_key, name=spec.name)
    def nothing() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    return nothing


if __name__ == "__main__":
    main(sys.argv[1])
