"""Stage 3: details of the films that are due, fetched batch by batch, judged and stored.

Which ids are due is sql/catalog/due.sql; what an answer means is `catalog.eligibility`.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import dagster as dg
import sqlalchemy as sa
from pydantic import Field

from movie_assets.catalog.detail_checks import evaluate
from movie_assets.catalog.detail_store import DetailStore
from movie_assets.catalog.successors import find_successors, gone_without_successor
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.database.interrupts import run_until_done
from movie_assets.runs.batch_runs import NO_VALUE, BatchRun, ForceConfig, what_is_done
from movie_assets.runs.evaluations import evaluation_of
from movie_assets.runs.partitions import batches, newest_day
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import is_by_hand, run_time_of, went_on_since
from movie_assets.tmdb.client import Tmdb, TmdbClient
from movie_assets.tmdb.responses import Failed, TmdbError, TmdbResponse

CHUNK = 100  # films in one transaction; what a kill can cost
FORCED = "forced"  # the reason of a film that is fetched although it is not due
MAX_FAILURES = 0.01  # share of a batch's films without a usable answer, beyond which the batch fails …
FAILURES_ALWAYS_BORNE = 2  # … but never for the odd film of a small batch


class DetailsConfig(ForceConfig):
    """Which films to fetch."""

    reasons: list[str] = Field(
        default=[],
        description="Only films that are due for one of these reasons: requested, six months, changed, unlisted, "
        "never fetched, schema, failed, stale. None named: all.",
    )


@dg.asset(
    group_name="catalogue",
    kinds={"python", "postgres"},
    partitions_def=batches,
    backfill_policy=dg.BackfillPolicy.single_run(),
    deps=[
        dg.AssetDep("movie_ids", partition_mapping=newest_day),
        dg.AssetDep("tmdb_changes", partition_mapping=newest_day),
        dg.AssetDep("tmdb_discoveries", partition_mapping=newest_day),
    ],
    dagster_type=NO_VALUE,
    pool="tmdb",
)
@logged("checked", "skipped", "fetched", "changed", "failed", "gone")
def movie_details(
    context: dg.AssetExecutionContext,
    config: DetailsConfig,
    database: dg.ResourceParam[Database],
    tmdb: dg.ResourceParam[Tmdb],
    settings: dg.ResourceParam[Settings],
) -> Iterator[dg.AssetCheckEvaluation | dg.Output[None]]:
    """A film as TMDB describes it, fetched when it is due and accepted or rejected by the filter profiles.

    TMDB's response is stored, so a change of profiles or of the parser costs no call. Films are committed in chunks
    of 100: a run that is killed goes on where it stopped. Launched with the config `force: true`, a run fetches
    every accepted film of its batches again.
    """
    as_of = run_time_of(context.run)
    store = DetailStore(database, settings.thresholds, as_of, context.run.run_id)
    run = BatchRun(context, "films", store.contents)
    with database.batch_locks(run.batches, "movie_details") as ours:
        run.exclude_locked(ours)
        store.evaluate()
        store.derive_stored_responses(ours)
        due, put_off = _films_to_fetch(context, config, run, sorted(ours), settings.daily_films, database)
        store.plan(ours, len(due), put_off)
        run.plan(row.batch for row in due)
        try:
            run_until_done(_work(tmdb, store, run, {row.tmdb_id: row.batch for row in due}))
        except TmdbError as error:
            context.log.warning(str(error))
            run.fail_unfinished(str(error))
    context.log.info(store.summary())
    for result in evaluate(database, as_of, store.counts.__dict__):
        yield evaluation_of(context, result)
    yield from run.end()


def _films_to_fetch(
    context: dg.AssetExecutionContext,
    config: DetailsConfig,
    run: BatchRun,
    batch_numbers: list[int],
    daily_films: int,
    database: Database,
) -> tuple[list[sa.Row[Any]], int]:
    """Return the films that a run fetches, and how many the day's limit leaves out; log what they are."""
    as_of = run_time_of(context.run)
    wanted = database.rows(
        "films_to_fetch",
        as_of=as_of,
        batches=batch_numbers,
        by_hand=is_by_hand(context.run),
        reasons=config.reasons,
        room=database.row("room_today", as_of=as_of, daily_films=daily_films).films,
        force=config.force,
        forced_since=went_on_since(context.instance, context.run),
    )
    due = [row for row in wanted if not row.is_put_off]
    forced = sum(row.reason == FORCED for row in due)
    context.log.info(what_is_done("fetching", "films", len(due) - forced, forced if config.force else None))
    put_off = Counter(row.reason for row in wanted if row.is_put_off)
    if put_off:
        told = ", ".join(f"{reason} {films:,}" for reason, films in put_off.most_common())
        context.log.info(f"put off until tomorrow by MOVIE_ASSETS_DAILY_FILMS={daily_films}: {told}")
    for row in wanted:
        if row.is_put_off and row.reason == FORCED:  # tomorrow nobody would know of it
            run.fail(row.batch, "MOVIE_ASSETS_DAILY_FILMS leaves films of it out; repeat the run tomorrow")
    return due, put_off.total()


async def _work(tmdb: Tmdb, store: DetailStore, run: BatchRun, batch_of: dict[int, int]) -> None:
    """Fetch what is due, then look where films went whose ids are gone."""
    if not batch_of and not gone_without_successor(store.database):
        return
    async with tmdb.session(store.run_id) as client:
        store.counts.calls = client.calls
        if batch_of:
            await _fetch(client, store, run, batch_of)
        store.counts.successors = await find_successors(client, store.database, store.as_of)


async def _fetch(client: TmdbClient, store: DetailStore, run: BatchRun, batch_of: dict[int, int]) -> None:
    """Fetch and store; while a chunk is written, the next one is already being fetched."""
    sizes = Counter(batch_of.values())
    failures: dict[int, list[Failed]] = defaultdict(list)

    async def write(chunk: Sequence[TmdbResponse]) -> None:
        for failed in await asyncio.to_thread(store.store, chunk):
            batch = batch_of[failed.tmdb_id]
            failures[batch].append(failed)
            too_many = len(failures[batch]) > max(FAILURES_ALWAYS_BORNE, MAX_FAILURES * sizes[batch])
            if too_many or store.counts.failed == len(batch_of):
                run.fail(batch, _told(failures[batch], sizes[batch]))
        run.advance(batch_of[answer.tmdb_id] for answer in chunk)

    chunk: list[TmdbResponse] = []
    async with _one_at_a_time(write) as start:
        try:
            async for answer in client.details(list(batch_of)):
                chunk.append(answer)
                if len(chunk) == CHUNK:
                    await start(chunk)
                    chunk = []
        except TmdbError:
            # It is TMDB that failed, not these films: they stay due as they were.
            chunk = [answer for answer in chunk if not isinstance(answer, Failed)]
            raise
        finally:
            await start(chunk)


@asynccontextmanager
async def _one_at_a_time(
    work: Callable[[Sequence[TmdbResponse]], Coroutine[Any, Any, None]],
) -> AsyncIterator[Callable[[Sequence[TmdbResponse]], Awaitable[None]]]:
    """Start work in the background as soon as the work before it has ended; leaving waits for the last."""
    last: list[asyncio.Task[None]] = []

    async def start(chunk: Sequence[TmdbResponse]) -> None:
        while last:
            await last.pop()
        last.append(asyncio.create_task(work(chunk)))

    try:
        yield start
    finally:
        while last:
            await last.pop()


def _told(failures: Sequence[Failed], films: int) -> str:
    reasons = Counter(failed.reason for failed in failures)
    said = ", ".join(f"{reason} {count}x" for reason, count in reasons.most_common(3))
    last = failures[-1].tmdb_id
    return f"{len(failures)} or more of its {films} films had no usable answer ({said}; the last was {last})"
