"""Stage 3: the details of the titles that are due, fetched batch by batch, evaluated and stored.

`movie_details` and `series_details` are one asset for two media types. sql/catalog/due.sql decides which ids are due,
and `catalog.eligibility` reads a response.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from typing import NamedTuple

import dagster as dg
from pydantic import Field

from movie_assets.catalog.broadcasts import episodes_in
from movie_assets.catalog.detail_checks import evaluate
from movie_assets.catalog.detail_store import DetailStore
from movie_assets.catalog.media_assets import MediaAssets
from movie_assets.catalog.successors import find_successors, ids_without_successor
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.database.interrupts import run_until_done
from movie_assets.runs.batch_runs import NO_VALUE, BatchRun, ForceConfig, what_is_done
from movie_assets.runs.evaluations import evaluation_of
from movie_assets.runs.partitions import batches, newest_day
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import is_by_hand, run_time_of, went_on_since
from movie_assets.tmdb.client import Tmdb, TmdbClient
from movie_assets.tmdb.responses import Failed, Fetched, TmdbError, TmdbResponse
from movie_assets.tmdb.season_plan import NOTHING_KNOWN

CHUNK = 100  # titles in one transaction: the most that a killed run fetches again
MAX_EPISODES = 5000  # of a chunk, which ends with the title that has one more; a response may have ten thousand alone
KNOWN_AT_ONCE = 1000  # series whose seasons are read from the database before they are fetched
FORCED = "forced"  # the reason of a film that is fetched although it is not due
MAX_FAILURES = 0.01  # share of a batch's films without a usable response, above which the batch fails …
FAILURES_ALWAYS_ALLOWED = 2  # … but never for single films of a small batch


class DetailsConfig(ForceConfig):
    """Which films to fetch."""

    reasons: list[str] = Field(
        default=[],
        description="Only films that are due for one of these reasons: requested, six months, changed, unlisted, "
        "never fetched, schema, failed, stale. An empty list means all reasons.",
    )


class WantedFilm(NamedTuple):
    """A film to fetch, and the reason; `is_deferred` is true when the limit of the day leaves it to another day."""

    title_id: int
    batch: int
    reason: str
    is_deferred: bool


class RoomToday(NamedTuple):
    """The number of films that may still be fetched on a day; None without a limit."""

    films: int | None


def details_asset(of: MediaAssets) -> dg.AssetsDefinition:
    """Return the asset of the details of a media type."""
    media = of.media

    @dg.asset(
        name=of.details,
        description=of.description,
        group_name="catalogue",
        kinds={"python", "postgres"},
        partitions_def=batches,
        backfill_policy=dg.BackfillPolicy.single_run(),
        deps=[dg.AssetDep(name, partition_mapping=newest_day) for name in (of.ids, of.changes, of.discoveries)],
        dagster_type=NO_VALUE,
        pool="tmdb",
    )
    @logged("checked", "skipped", "fetched", "changed", "failed", "gone")
    def details(
        context: dg.AssetExecutionContext,
        config: DetailsConfig,
        database: dg.ResourceParam[Database],
        tmdb: dg.ResourceParam[Tmdb],
        settings: dg.ResourceParam[Settings],
    ) -> Iterator[dg.AssetCheckEvaluation | dg.Output[None]]:
        as_of = run_time_of(context.run)
        store = DetailStore(
            database, settings.profiles_for(media.name), as_of, context.run.run_id, media, settings.regions
        )
        run = BatchRun(context, media.noun, store.contents)
        with database.batch_locks(run.batches, store.step) as ours:
            run.exclude_locked(ours)
            store.evaluate()
            store.derive_stored_responses(ours)
            due, deferred = _films_to_fetch(context, config, run, sorted(ours), settings.daily_films, store)
            store.plan(ours, len(due), deferred)
            run.plan(film.batch for film in due)
            batch_of = {media.tmdb_id(film.title_id): film.batch for film in due}
            try:
                run_until_done(_work(tmdb, store, run, batch_of, is_known=not config.force))
            except TmdbError as error:
                context.log.warning(str(error))
                run.fail_unfinished(str(error))
        context.log.info(store.summary())
        for result in evaluate(database, as_of, media, store.counts.figures):
            yield evaluation_of(context, result)
        yield from run.end()

    return details


def _films_to_fetch(
    context: dg.AssetExecutionContext,
    config: DetailsConfig,
    run: BatchRun,
    batch_numbers: list[int],
    daily_films: int,
    store: DetailStore,
) -> tuple[list[WantedFilm], int]:
    """Return the films that a run fetches, and the number of films that the day's limit defers; log both."""
    as_of, database, noun = store.as_of, store.database, store.media.noun
    room = database.fetch_one(RoomToday, "room_today", as_of=as_of, daily_films=daily_films)
    wanted = database.fetch(
        WantedFilm,
        "films_to_fetch",
        media=store.media.name,
        as_of=as_of,
        batches=batch_numbers,
        by_hand=is_by_hand(context.run),
        reasons=config.reasons,
        room=room.films,
        force=config.force,
        forced_since=went_on_since(context.instance, context.run),
    )
    due = [film for film in wanted if not film.is_deferred]
    forced = sum(film.reason == FORCED for film in due)
    context.log.info(what_is_done("fetching", noun, len(due) - forced, forced if config.force else None))
    deferred = Counter(film.reason for film in wanted if film.is_deferred)
    if deferred:
        counts = ", ".join(f"{reason} {films:,}" for reason, films in deferred.most_common())
        context.log.info(f"deferred until tomorrow by MOVIE_ASSETS_DAILY_FILMS={daily_films}: {counts}")
    for film in wanted:
        if film.is_deferred and film.reason == FORCED:  # it is not due, so no run of tomorrow would fetch it
            run.fail(film.batch, "MOVIE_ASSETS_DAILY_FILMS leaves films of it out; repeat the run tomorrow")
    return due, deferred.total()


async def _work(tmdb: Tmdb, store: DetailStore, run: BatchRun, batch_of: dict[int, int], *, is_known: bool) -> None:
    """Fetch the films that are due, then the successors of deleted ids. Without either, no session is opened."""
    if not batch_of and not ids_without_successor(store.database, store.media):
        return
    async with tmdb.session(store.run_id) as client:
        store.counts.calls = client.calls
        if batch_of:
            await _fetch(client, store, run, batch_of, is_known=is_known)
        store.counts.successors = await find_successors(client, store.database, store.as_of, store.media)


async def _responses(
    client: TmdbClient, store: DetailStore, tmdb_ids: Sequence[int], *, is_known: bool
) -> AsyncIterator[TmdbResponse]:
    """Yield the responses for titles. Of series, what is known is read for a thousand at a time."""
    step = KNOWN_AT_ONCE if store.media.has_seasons else len(tmdb_ids)
    for start in range(0, len(tmdb_ids), step):
        some = tmdb_ids[start : start + step]
        known = await asyncio.to_thread(store.known, some) if is_known else NOTHING_KNOWN
        async for response in client.details(some, store.media, known):
            yield response


async def _fetch(
    client: TmdbClient, store: DetailStore, run: BatchRun, batch_of: dict[int, int], *, is_known: bool
) -> None:
    """Fetch films and store them in chunks; the next chunk is fetched while one is written."""
    sizes = Counter(batch_of.values())
    failures: dict[int, list[Failed]] = defaultdict(list)

    async def write(chunk: Sequence[TmdbResponse]) -> None:
        for failed in await asyncio.to_thread(store.store, chunk):
            batch = batch_of[failed.tmdb_id]
            failures[batch].append(failed)
            too_many = len(failures[batch]) > max(FAILURES_ALWAYS_ALLOWED, MAX_FAILURES * sizes[batch])
            if too_many or store.counts.failed == len(batch_of):
                run.fail(batch, _problem(failures[batch], sizes[batch], store.media.noun))
        run.advance(batch_of[response.tmdb_id] for response in chunk)

    chunk: list[TmdbResponse] = []
    episodes = 0
    async with _one_at_a_time(write) as start:
        try:
            async for response in _responses(client, store, list(batch_of), is_known=is_known):
                chunk.append(response)
                episodes += episodes_in(response.body) if isinstance(response, Fetched) else 0
                if len(chunk) == CHUNK or episodes > MAX_EPISODES:
                    await start(chunk)
                    chunk, episodes = [], 0
        except TmdbError:
            # TMDB failed, not these films: they stay due as they were.
            chunk = [response for response in chunk if not isinstance(response, Failed)]
            raise
        finally:
            await start(chunk)


@asynccontextmanager
async def _one_at_a_time(
    work: Callable[[Sequence[TmdbResponse]], Coroutine[object, None, None]],
) -> AsyncIterator[Callable[[Sequence[TmdbResponse]], Awaitable[None]]]:
    """Yield a function that starts work in the background once the work before it has ended.

    At the end of the block, the last work is awaited.
    """
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


def _problem(failures: Sequence[Failed], titles: int, noun: str) -> str:
    """Return the reason why a batch of so many titles failed: its failures by their reasons, and the last id."""
    reasons = ", ".join(f"{reason} {count}x" for reason, count in Counter(f.reason for f in failures).most_common(3))
    last = failures[-1].tmdb_id
    return f"{len(failures)} or more of its {titles} {noun} had no usable response ({reasons}; the last was {last})"
