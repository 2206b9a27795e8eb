"""What launches the jobs besides the schedule: each sensor asks SQL how much work there is for its job."""

from dataclasses import dataclass
from datetime import UTC, datetime

import dagster as dg

from movie_assets.assets.movie_embeddings import embedding_set
from movie_assets.automation.console import CONSOLE
from movie_assets.automation.decisions import Memory, decide
from movie_assets.core.filters import Thresholds
from movie_assets.core.judgement import judge_name
from movie_assets.core.prices import Budgets
from movie_assets.core.tokens import MOST_TOKENS_OF_A_TEXT
from movie_assets.partitions import batches
from movie_assets.resources.embedder import Embedder
from movie_assets.resources.postgres import Database

UNFINISHED = [
    dg.DagsterRunStatus.QUEUED,
    dg.DagsterRunStatus.NOT_STARTED,
    dg.DagsterRunStatus.STARTING,
    dg.DagsterRunStatus.STARTED,
    dg.DagsterRunStatus.CANCELING,
]
ALL_BATCHES = {
    "dagster/asset_partition_range_start": batches.get_partition_keys()[0],
    "dagster/asset_partition_range_end": batches.get_partition_keys()[-1],
}


@dataclass(frozen=True)
class Trigger:
    """What launches one job: a query that counts its work."""

    sensor: str
    job: str
    asset: str
    query: str
    tags: dict[str, str]
    says: str
    same_work: tuple[str, ...] = ()  # other jobs that do it
    is_daily: bool = False  # the job works on a day: today's


TRIGGERS = (
    Trigger(
        "no_day_was_read_yet",
        "read_the_day",
        "tmdb_export",
        "count_unread",
        {},
        "The catalogue is empty: reads today's export now rather than at the scheduled time.",
        is_daily=True,
    ),
    Trigger(
        "details_are_due", "fetch_details", "movie_details", "count_due", ALL_BATCHES,
        "Films are due: asked for, changed, never fetched, failed before, or older than their age allows.",
    ),
    Trigger(
        "texts_are_not_embedded", "embed_texts", "movie_embeddings", "count_texts_to_embed", ALL_BATCHES,
        "Films have a text that is not the one that was embedded, or batches at the service are to be collected.",
        same_work=("embed_in_bulk",),
    ),
    Trigger(
        "the_catalogue_is_not_published", "publish", "movie_vectors", "count_unpublished", {},
        "What applications read is behind: vectors or words to add or remove, votes that moved since the last scores.",
    ),
    Trigger(
        "recommendations_are_due", "recommend", "recommendations", "count_recommendations_due", {},
        "Watch histories changed since people's lists of films were made, or the model of them is a week old.",
    ),
)  # fmt: skip


def work_sensors(status: dg.DefaultSensorStatus) -> list[dg.SensorDefinition]:
    """One sensor for each job."""
    return [_work_sensor(trigger, status) for trigger in TRIGGERS]


def _work_sensor(trigger: Trigger, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    @dg.sensor(
        name=trigger.sensor,
        job_name=trigger.job,
        description=trigger.says,
        minimum_interval_seconds=30,
        default_status=status,
    )
    def work_sensor(
        context: dg.SensorEvaluationContext,
        database: dg.ResourceParam[Database],
        embedder: dg.ResourceParam[Embedder],
        thresholds: dg.ResourceParam[Thresholds],
        daily_films: dg.ResourceParam[int],
        budgets: dg.ResourceParam[Budgets],
    ) -> dg.SensorResult:
        now = datetime.now(UTC)
        set_id, judge = embedding_set(database, embedder), judge_name(thresholds)
        found = database.row(
            trigger.query, moment=now, set_id=set_id, judge=judge, daily_films=daily_films,
            daily_dollars=budgets.daily_dollars, least_dollars=embedder.price.of(MOST_TOKENS_OF_A_TEXT),
        )  # fmt: skip
        if held_by := getattr(found, "held_by", None):
            return dg.SensorResult(skip_reason=held_by, cursor=context.cursor)
        decision = decide(
            found.work,
            _in_flight(context.instance, trigger),
            Memory.read(context.cursor),
            now,
            last_failed=_last_failed(context.instance, trigger),
        )
        if not decision.launch:
            return dg.SensorResult(skip_reason=decision.reason, cursor=decision.memory.write())
        # The moment makes each try a launch of its own: a run key that was used is never launched again.
        request = dg.RunRequest(
            run_key=f"{trigger.sensor}-{decision.memory.launched_at}",
            tags=trigger.tags,
            run_config=CONSOLE,
            partition_key=now.date().isoformat() if trigger.is_daily else None,
        )
        return dg.SensorResult(run_requests=[request], cursor=decision.memory.write())

    return work_sensor


def _in_flight(instance: dg.DagsterInstance, trigger: Trigger) -> bool:
    """Whether a run of the job, or one that a person launched on its asset, has not ended."""
    key = dg.AssetKey(trigger.asset)
    return any(
        run.job_name in (trigger.job, *trigger.same_work) or key in (run.asset_selection or ())
        for run in instance.get_runs(dg.RunsFilter(statuses=UNFINISHED))
    )


def _last_failed(instance: dg.DagsterInstance, trigger: Trigger) -> bool:
    last = instance.get_runs(dg.RunsFilter(job_name=trigger.job), limit=1)
    return bool(last) and last[0].status == dg.DagsterRunStatus.FAILURE
