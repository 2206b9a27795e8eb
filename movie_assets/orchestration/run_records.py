"""Reading Dagster's run records for triggers: runs in flight, the last failure, the number of tries."""

from collections.abc import Collection, Sequence
from datetime import UTC, date, datetime, timedelta

import dagster as dg

from movie_assets.orchestration.jobs import MOVIES_ONLY, assets_of
from movie_assets.orchestration.launch_decisions import Past, Runs

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
IN_VAIN = (dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED)
READING = "read_the_day"
LAUNCH = "movie_assets/launch"  # a tag that runs launched together share; so does Dagster's repetition of one


def past_of(
    instance: dg.DagsterInstance,
    jobs: Sequence[str],
    assets: Sequence[str],
    after: Sequence[str] = (),
    media_types: Collection[str] = MOVIES_ONLY,
) -> Past:
    """Return the earlier runs of the first of the jobs, which all do the same work; `after` are jobs to wait for.

    A day was read when a run read it for all of the media types.
    """
    at_work = unfinished(instance)
    read = dg.RunsFilter(job_name=READING, statuses=[dg.DagsterRunStatus.SUCCESS])
    of_day = assets_of(READING, media_types)
    return Past(
        in_flight=is_in_flight(at_work, jobs, *assets),
        waits_for=next((run.job_name for run in at_work if run.job_name in after), None),
        failed_at=_failed_at(instance, jobs[0]),
        read_at=next(
            (r.create_timestamp for r in instance.get_run_records(read, limit=50) if _is_whole(r, of_day)), None
        ),
    )


def _is_whole(record: dg.RunRecord, assets: Sequence[str]) -> bool:
    """Return whether a run materializes all of these assets: it was not launched on some of them or on checks alone."""
    run = record.dagster_run
    if run.asset_selection:
        return {dg.AssetKey(asset) for asset in assets} <= run.asset_selection
    return not run.asset_check_selection


def _failed_at(instance: dg.DagsterInstance, job: str) -> datetime | None:
    """Return the end of a job's last launch if one of its runs failed or was cancelled, with its repetitions."""
    runs = instance.get_run_records(dg.RunsFilter(job_name=job), limit=1)
    if runs and (launch := runs[0].dagster_run.tags.get(LAUNCH)):
        runs = instance.get_run_records(dg.RunsFilter(job_name=job, tags={LAUNCH: launch}))
    last_tries: dict[str, dg.RunRecord] = {}
    for record in runs:  # the newest first
        run = record.dagster_run
        last_tries.setdefault(run.root_run_id or run.run_id, record)
    return max((_ended(last) for last in last_tries.values() if last.dagster_run.status in IN_VAIN), default=None)


def just_ended(instance: dg.DagsterInstance, jobs: Sequence[str], now: datetime, within: timedelta) -> str | None:
    """Return one of the jobs with a run that succeeded `within` that time before now; None without one."""
    recent = dg.RunsFilter(statuses=[dg.DagsterRunStatus.SUCCESS], updated_after=now - within, updated_before=now)
    return next((run.job_name for run in instance.get_runs(recent) if run.job_name in jobs), None)


def _ended(record: dg.RunRecord) -> datetime:
    # A run that was cancelled before it began has no end of its own.
    return datetime.fromtimestamp(record.end_time, UTC) if record.end_time else record.update_timestamp.astimezone(UTC)


def unfinished(instance: dg.DagsterInstance) -> Sequence[dg.DagsterRun]:
    """Return the runs of all jobs that have not ended."""
    return instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))


def is_in_flight(at_work: Sequence[dg.DagsterRun], jobs: Sequence[str], *assets: str) -> bool:
    """Return whether a run of the jobs, or one that a person launched on one of the assets, has not ended."""
    keys = {dg.AssetKey(asset) for asset in assets}
    return any(run.job_name in jobs or keys & (run.asset_selection or frozenset()) for run in at_work)


def runs_of_day(instance: dg.DagsterInstance, day: date, assets: Sequence[str]) -> Runs:
    """Return the runs that read a day, whoever launched them: those of all the `assets`, which are the job's."""
    wanted = dg.RunsFilter(job_name=READING, tags={"dagster/partition": day.isoformat()})
    return _runs(instance, wanted, READING, *assets)


def runs_since(instance: dg.DagsterInstance, job: str, assets: Sequence[str], since: datetime) -> Runs:
    """Return the runs of a job since a time, whoever launched them: those of all these assets."""
    return _runs(instance, dg.RunsFilter(job_name=job, created_after=since), job, *assets)


def _runs(instance: dg.DagsterInstance, wanted: dg.RunsFilter, job: str, *assets: str) -> Runs:
    records = [record for record in instance.get_run_records(wanted) if _is_whole(record, assets)]
    good = [r.create_timestamp.astimezone(UTC) for r in records if r.dagster_run.status == dg.DagsterRunStatus.SUCCESS]
    in_vain = [_ended(record) for record in records if record.dagster_run.status in IN_VAIN]
    in_flight = is_in_flight(unfinished(instance), [job], *assets)
    return Runs(in_flight, len(good), max(good, default=None), len(in_vain), max(in_vain, default=None))
