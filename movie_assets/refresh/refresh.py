"""A day's work without the web UI: the same Dagster jobs, one after the other, in this process.

If there is much to fetch, a second process embeds meanwhile (`overlap`). Schedules and sensors launch the same jobs.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from datetime import UTC, date, datetime

import dagster as dg
import sqlalchemy as sa

from movie_assets.catalog.media_assets import MediaAssets, assets_for
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.orchestration.jobs import only_requested
from movie_assets.orchestration.orphaned_runs import fail_orphaned_runs
from movie_assets.orchestration.sensors import ALL_BATCHES
from movie_assets.refresh.in_process import run_job
from movie_assets.refresh.outcome import DayOutcome, RefreshError
from movie_assets.refresh.overlap import embedding_meanwhile, has_enough_to_overlap
from movie_assets.runs.partitions import batch_of, days, range_tags
from movie_assets.runs.run_time import AS_OF_TAG, LAUNCHED_BY_TAG, noon_of

REFRESH_LOCK = 0x6D61_7266
LAUNCHED_BY = {LAUNCHED_BY_TAG: "movie-assets refresh"}
LAUNCHED_BY_FETCH = "movie-assets fetch"


def refresh(
    database: Database,
    day: date,
    *,
    accept_unlike: bool = False,
    say: Callable[[str], None] = lambda _: None,
) -> DayOutcome:
    """Do a day's work: read the day, fetch what is due, read ratings that settings name, embed, publish, recommend.

    A day that is not today is worked on as of its noon (UTC). The jobs after the first continue with the available
    data when an earlier one failed in part. When the day has no usable export, the ids of the last one are used, and
    TMDB's lists are read. Raises RefreshError when another refresh is running, or for a day outside the catalogue.
    """
    if day.isoformat() not in set(days.get_partition_keys()):
        raise RefreshError(f"{day} is no day of the catalogue: days go from {days.start:%Y-%m-%d} to today (UTC)")
    outcome = DayOutcome(day)
    started = datetime.now(UTC)
    tags = dict(LAUNCHED_BY)
    if day != started.date():
        tags[AS_OF_TAG] = noon_of(day.isoformat())
    of_batches = tags | ALL_BATCHES
    settings = Settings.from_env()
    on = assets_for(settings.media_types)
    config = {"ops": {of.export: {"config": {"accept_unlike": accept_unlike}} for of in on}}
    with _only_refresh(database), dg.DagsterInstance.get() as instance:
        fail_orphaned_runs(instance, database, datetime.now(UTC))
        of_day = {**tags, "dagster/partition": day.isoformat()}
        run_job(instance, database, outcome, "read_the_day", of_day, say, config)
        without_export = _without_export(database, outcome, on)
        is_without_export = bool(without_export)
        if is_without_export:
            lists = [of.discoveries for of in without_export]
            run_job(instance, database, outcome, "read_the_lists", of_day, say, assets=lists)
        if is_without_export or not outcome.failed_jobs:
            if settings.list_pages:  # before the fetch, which has the titles that lists have and the catalogue lacks
                run_job(instance, database, outcome, "read_list_snapshots", of_day, say)
            overlaps = has_enough_to_overlap(database, settings, of_batches)
            with embedding_meanwhile(outcome, of_batches, say) if overlaps else nullcontext():
                run_job(instance, database, outcome, "fetch_details", of_batches, say)
                if rating_assets := settings.rating_assets:
                    run_job(instance, database, outcome, "read_ratings", tags, say, assets=rating_assets)
            fail_orphaned_runs(instance, database, datetime.now(UTC))  # also if the other process was killed
            run_job(instance, database, outcome, "embed_texts", of_batches, say)
            run_job(instance, database, outcome, "publish", tags, say)
            run_job(instance, database, outcome, "recommend", tags, say)
            if settings.images:
                run_job(instance, database, outcome, "read_images", tags, say)
    outcome.seconds = (datetime.now(UTC) - started).total_seconds()
    return outcome


def fetch(
    database: Database, title_ids: Sequence[int], *, keep: bool, say: Callable[[str], None] = lambda _: None
) -> DayOutcome:
    """Fetch films now, even if they are not due: details, vectors, publication.

    With `keep`, they are accepted whatever their votes and age. Raises RefreshError when a refresh is running.
    """
    started = datetime.now(UTC)
    outcome = DayOutcome(started.date())
    in_batches = [batch_of(title_id) for title_id in title_ids]
    launched_by = {LAUNCHED_BY_TAG: LAUNCHED_BY_FETCH}
    tags = launched_by | range_tags(min(in_batches), max(in_batches))
    only_these = only_requested(Settings.from_env().media_types)
    with _only_refresh(database), dg.DagsterInstance.get() as instance:
        fail_orphaned_runs(instance, database, datetime.now(UTC))
        database.execute("fetch_again", title_ids=list(title_ids), as_of=started)
        database.execute("request_ids", title_ids=list(title_ids), keep=keep, requested_by=LAUNCHED_BY_FETCH)
        run_job(instance, database, outcome, "fetch_details", tags, say, only_these)
        run_job(instance, database, outcome, "embed_texts", tags, say)
        run_job(instance, database, outcome, "publish", launched_by, say)
        run_job(instance, database, outcome, "recommend", launched_by, say, assets=["watch_histories"])
    outcome.seconds = (datetime.now(UTC) - started).total_seconds()
    return outcome


def _without_export(database: Database, outcome: DayOutcome, on: Sequence[MediaAssets]) -> list[MediaAssets]:
    """Return the media types whose export failed, with ids of an earlier one; none when any other step failed, too."""
    if outcome.failed_steps - {name for of in on for name in (of.export, of.ids)}:
        return []
    failed = [of for of in on if outcome.failed_steps & {of.export, of.ids}]
    has_ids = all(database.fetch_value(bool, "has_ids", media=of.media.name) for of in failed)
    return failed if has_ids else []


@contextmanager
def _only_refresh(database: Database) -> Iterator[None]:
    """Hold the lock that lets one refresh work on a catalogue; it is released however the process ends.

    Raises RefreshError when another refresh holds it.
    """
    with database.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not connection.scalar(sa.select(sa.func.pg_try_advisory_lock(REFRESH_LOCK))):
            raise RefreshError("another refresh is working on this catalogue; wait for it or stop it")
        try:
            yield
        finally:
            connection.execute(sa.select(sa.func.pg_advisory_unlock(REFRESH_LOCK)))
