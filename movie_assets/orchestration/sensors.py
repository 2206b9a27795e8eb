"""The sensors that launch jobs: each runs a query that counts the work for its job."""

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import dagster as dg

from movie_assets.catalog.eligibility import derivation_names
from movie_assets.catalog.media_assets import assets_for
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.embeddings.bulk_policy import may_go_in_bulk
from movie_assets.embeddings.embedder import Embedder
from movie_assets.embeddings.sets import embedding_set
from movie_assets.embeddings.tokens import MAX_TOKENS_OF_A_TEXT
from movie_assets.histories.inbox import Inbox
from movie_assets.orchestration.console import CONSOLE
from movie_assets.orchestration.jobs import assets_of
from movie_assets.orchestration.launch_decisions import Decision, Memory, decide
from movie_assets.orchestration.run_records import LAUNCH, just_ended, past_of
from movie_assets.runs.partitions import range_tags, ranges

ALL_BATCHES = range_tags(*ranges(1)[0])
COPYING = timedelta(minutes=1)  # a file that changed since then may be incomplete
ALL_TICKED = timedelta(seconds=45)  # every sensor ticks once in that time
MIN_WORK_OF_A_RUN = 1000  # units; the overhead of a run (3-6 s) is then small


class DueWork(NamedTuple):
    """How much work there is for a job.

    `first_id` is the lowest id of that work, where it is counted in films; `held_by` says why no run may do it now.
    """

    work: int
    first_id: int | None
    held_by: str | None


@dataclass(frozen=True)
class Trigger:
    """The sensor of a job, with the query that counts the job's work."""

    sensor: str
    job: str
    query: str
    tags: dict[str, str]
    description: str
    same_work: tuple[str, ...] = ()  # other jobs that do this work
    after: tuple[str, ...] = ()  # jobs whose run in flight changes the amount of its work, and is waited for …
    overlaps: bool = False  # … unless there is enough work for both; such work is texts to embed
    is_last: bool = False  # the work that follows from these is done first
    is_daily: bool = False  # the job works on a day: today
    reads_inbox: bool = False  # files of the inbox are work, too


TRIGGERS = (
    Trigger(
        "no_day_was_read_yet",
        "read_the_day",
        "count_unread",
        {},
        "Launches read_the_day at once while the catalogue is empty, rather than at the scheduled time.",
        is_daily=True,
    ),
    Trigger(
        "lists_were_not_read", "read_the_lists", "count_unread_lists", {},
        "Launches read_the_lists once on a day whose export failed, so that TMDB's lists were not read after it.",
        after=("read_the_day",), is_daily=True,
    ),
    Trigger(
        "details_are_due", "fetch_details", "count_due", ALL_BATCHES,
        "Launches fetch_details when films are due: requested, changed, never fetched, failed before, or too old.",
        same_work=("fetch_missing",), after=("read_the_day",),
    ),
    Trigger(
        "texts_are_not_embedded", "embed_texts", "count_texts_to_embed", ALL_BATCHES,
        "Launches embed_texts when texts have no current vector, or results of the Batch API are to be collected.",
        same_work=("embed_in_bulk",), after=("fetch_details", "fetch_missing"), overlaps=True,
    ),
    Trigger(
        "the_catalogue_is_not_published", "publish", "count_unpublished", {},
        "Launches publish when vectors, search documents or rating scores are behind what was fetched and embedded.",
        after=("read_the_day", "fetch_details", "fetch_missing", "embed_texts"), is_last=True,
    ),
    Trigger(
        "recommendations_are_due", "recommend", "count_recommendations_due", {},
        "Launches recommend when files came into the inbox, names in watch histories may find their films now, "
        "histories changed since the lists were made, or the model is a week old.",
        after=("publish",), reads_inbox=True,
    ),
)  # fmt: skip


def work_sensors(status: dg.DefaultSensorStatus) -> list[dg.SensorDefinition]:
    """Return a sensor for each job; `status` is their default."""
    return [_work_sensor(trigger, status) for trigger in TRIGGERS]


def _work_sensor(trigger: Trigger, status: dg.DefaultSensorStatus) -> dg.SensorDefinition:
    @dg.sensor(
        name=trigger.sensor,
        job_name=trigger.job,
        description=trigger.description,
        minimum_interval_seconds=30,
        default_status=status,
    )
    def work_sensor(
        context: dg.SensorEvaluationContext,
        database: dg.ResourceParam[Database],
        embedder: dg.ResourceParam[Embedder],
        settings: dg.ResourceParam[Settings],
    ) -> dg.SensorResult:
        now = datetime.now(UTC)
        set_id, derivations = embedding_set(database, embedder), derivation_names(settings.media_types)
        due = database.fetch_one(
            DueWork, trigger.query, as_of=now, set_id=set_id, derivations=derivations,
            media=list(settings.media_types), rules=settings.rules_in_use, daily_films=settings.daily_films,
            daily_dollars=settings.daily_dollars,
            least_dollars=embedder.price.of(MAX_TOKENS_OF_A_TEXT), media_assets=_steps_of(settings),
        )  # fmt: skip
        work = due.work + int(trigger.reads_inbox and has_new_files(context.instance, Inbox(settings.inbox), now))
        memory = Memory.read(context.cursor)
        if due.held_by:
            decision = Decision(False, due.held_by, memory)
        elif work and trigger.is_last and (ended := just_ended(context.instance, trigger.after, now, ALL_TICKED)):
            decision = Decision(False, f"{work:,} to do when the work that follows {ended} has begun", memory)
        else:
            # Texts that come one after the other would be too few for the Batch API: they wait for the last of them.
            is_enough = work >= MIN_WORK_OF_A_RUN and not may_go_in_bulk(embedder, settings)
            after = () if trigger.overlaps and is_enough else trigger.after
            assets = assets_of(trigger.job, settings.media_types)
            past = past_of(context.instance, (trigger.job, *trigger.same_work), assets, after, settings.media_types)
            decision = decide(work, past, memory, now, due.first_id)
        record(database, trigger.sensor, trigger.job, decision, now)
        if not decision.launch:
            return dg.SensorResult(skip_reason=decision.reason, cursor=decision.memory.write())
        is_bulk = trigger.overlaps and may_go_in_bulk(embedder, settings) and settings.goes_in_bulk(work)
        parallel_runs = 1 if is_bulk else settings.parallel_runs
        requests = _requests(trigger, decision.memory, work, parallel_runs, now)
        return dg.SensorResult(run_requests=requests, cursor=decision.memory.write())

    return work_sensor


def _steps_of(settings: Settings) -> str:
    """Return the names of the steps that read exports and lists, for each media type in use, as JSON."""
    return json.dumps([
        {"media_type": of.media.name, "export": of.export, "ids": of.ids, "lists": of.discoveries}
        for of in assets_for(settings.media_types)
    ])  # fmt: skip


def has_new_files(instance: dg.DagsterInstance, inbox: Inbox, now: datetime) -> bool:
    """Return whether the inbox changed since it was last read, and no file is still being copied."""
    state = inbox.state()
    if state.signature is None or (state.touched_at and timedelta() <= now - state.touched_at < COPYING):
        return False
    event = instance.get_latest_materialization_event(dg.AssetKey("watch_histories"))
    known = event.asset_materialization.metadata.get("inbox") if event and event.asset_materialization else None
    return known is None or known.value != state.signature


def record(database: Database, name: str, job: str, decision: Decision, now: datetime) -> None:
    """Store the decision of a trigger in pipeline.triggers, for people and alerts."""
    memory = decision.memory
    database.execute(
        "record_trigger", name=name, job=job, work=memory.work, tries=memory.tries, launched_at=memory.launched,
        gave_up=decision.gave_up, says=decision.reason, as_of=now,
    )  # fmt: skip


def _requests(trigger: Trigger, memory: Memory, work: int, parallel_runs: int, now: datetime) -> list[dg.RunRequest]:
    """Return one run, or for a large backlog of batches as many as may run in parallel, each over a range."""
    parts = min(parallel_runs, max(1, work // MIN_WORK_OF_A_RUN)) if trigger.tags else 1
    # The time in the key makes each try a new launch: Dagster never launches a run key twice.
    launch = f"{trigger.sensor}-{memory.launched_at}"
    tags = [trigger.tags] if parts == 1 else [range_tags(*ends) | {LAUNCH: launch} for ends in ranges(parts)]
    return [
        dg.RunRequest(
            run_key=launch + (f"-{part}" if part else ""),
            tags=each,
            run_config=CONSOLE,
            partition_key=now.date().isoformat() if trigger.is_daily else None,
        )
        for part, each in enumerate(tags)
    ]
