"""Stage 3: details of the films that are due, fetched batch by batch, judged and stored.

Which ids are due is sql/functions/due.sql; what an answer means is `core.judgement`.
"""

import asyncio
from collections import Counter, defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import dagster as dg
from psycopg.types.json import Jsonb

from movie_assets.assets.batches import BatchContent, BatchRun
from movie_assets.assets.detail_checks import CHECKS, evaluate
from movie_assets.core.films import UnusableAnswerError
from movie_assets.core.filters import Thresholds
from movie_assets.core.judgement import Judged, judge, judge_name
from movie_assets.interrupts import run_until_done
from movie_assets.moment import is_by_hand, moment_of
from movie_assets.partitions import batches, newest_day
from movie_assets.resources.postgres import Database, copy_rows, execute, rows
from movie_assets.resources.tmdb import Tmdb
from movie_assets.resources.tmdb_answers import Answer, Failed, Fetched, NotFound, TmdbError

CHUNK = 100  # films in one transaction; what a kill can cost
MOST_FAILURES = 0.01  # share of a batch's films without a usable answer, beyond which the batch fails …
FAILURES_ALWAYS_BORNE = 2  # … but never for the odd film of a small batch
FILM_COLUMNS = {
    "tmdb_id": "int8", "imdb_id": "text", "title": "text", "original_title": "text", "original_language": "text",
    "release_date": "date", "runtime_minutes": "int2", "status": "text", "tagline": "text", "overview": "text",
    "genres": "text[]", "keywords": "text[]", "directors": "text[]", "leading_cast": "text[]", "countries": "text[]",
    "collection_id": "int8", "collection": "text", "certification": "text", "budget": "int8", "revenue": "int8",
    "poster_path": "text", "backdrop_path": "text", "popularity": "float8", "vote_average": "float8",
    "vote_count": "int4",
}  # fmt: skip
STAGED_COLUMNS = FILM_COLUMNS | {
    "body": "jsonb", "detail_reason": "text", "embedding_text": "text", "text_hash": "text",
}  # fmt: skip


@dataclass
class Counts:
    """What a run did, film by film."""

    due: int = 0
    fetched: int = 0
    accepted: int = 0
    rejected: int = 0
    added: int = 0
    changed: int = 0
    judged_again: int = 0
    gone: int = 0
    failed: int = 0
    repaired: int = 0
    calls: dict[str, int] = field(default_factory=dict)


@dg.asset(
    group_name="catalogue",
    kinds={"python", "postgres"},
    partitions_def=batches,
    backfill_policy=dg.BackfillPolicy.single_run(),
    deps=[
        dg.AssetDep("movie_ids", partition_mapping=newest_day),
        dg.AssetDep("tmdb_changes", partition_mapping=newest_day),
    ],
    check_specs=CHECKS,
    output_required=False,
    pool="tmdb",
)
def movie_details(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    tmdb: dg.ResourceParam[Tmdb],
    thresholds: dg.ResourceParam[Thresholds],
) -> Iterator[dg.AssetCheckResult]:
    """A film as TMDB describes it, fetched when it is due and judged by the rules of the detail stage.

    The raw answer is kept, so a change of rules or of the parser costs no call. Films are committed in chunks
    of 100: a run that is killed goes on where it stopped.
    """
    moment = moment_of(context.run)
    store = _Store(database, thresholds, moment, context.run.run_id)
    run = BatchRun(context, "films", store.content)
    with database.batch_locks(run.batches, "movie_details") as ours:
        run.exclude_locked(ours)
        store.judge_stored_answers(ours)
        due = database.rows("films_to_fetch", moment=moment, batches=sorted(ours), by_hand=is_by_hand(context.run))
        store.counts.due = len(due)
        run.plan(row.batch for row in due)
        try:
            run_until_done(_fetch(tmdb, store, run, {row.tmdb_id: row.batch for row in due}))
        except TmdbError as error:
            run.fail_unfinished(str(error))
    context.log.info(store.summary())
    yield from evaluate(database, moment, store.counts.__dict__)
    run.raise_if_failed()


async def _fetch(tmdb: Tmdb, store: "_Store", run: BatchRun, batch_of: dict[int, int]) -> None:
    """Fetch and store; while a chunk is written, the next one is already being fetched."""
    if not batch_of:
        return
    sizes = Counter(batch_of.values())
    failures: dict[int, list[Failed]] = defaultdict(list)

    async def write(chunk: Sequence[Answer]) -> None:
        for failed in await asyncio.to_thread(store.store, chunk):
            batch = batch_of[failed.tmdb_id]
            failures[batch].append(failed)
            too_many = len(failures[batch]) > max(FAILURES_ALWAYS_BORNE, MOST_FAILURES * sizes[batch])
            if too_many or store.counts.failed == len(batch_of):
                run.fail(batch, _told(failures[batch], sizes[batch]))
        run.advance(batch_of[answer.tmdb_id] for answer in chunk)

    chunk: list[Answer] = []
    async with tmdb.session() as client, _one_at_a_time() as start:
        store.counts.calls = client.calls.by_status
        try:
            async for answer in client.details(list(batch_of)):
                chunk.append(answer)
                if len(chunk) == CHUNK:
                    await start(write(chunk))
                    chunk = []
        except TmdbError:
            # It is TMDB that failed, not these films: they stay due as they were.
            chunk = [answer for answer in chunk if not isinstance(answer, Failed)]
            raise
        finally:
            await start(write(chunk))


@asynccontextmanager
async def _one_at_a_time() -> AsyncIterator[Callable[[Coroutine[Any, Any, None]], Awaitable[None]]]:
    """Start work in the background as soon as the work before it has ended; leaving waits for the last."""
    last: list[asyncio.Task[None]] = []

    async def start(work: Coroutine[Any, Any, None]) -> None:
        while last:
            await last.pop()
        last.append(asyncio.create_task(work))

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


class _Store:
    """Writes answers to the database, chunk by chunk, and counts what became of them."""

    def __init__(self, database: Database, thresholds: Thresholds, moment: datetime, run_id: str) -> None:
        self.counts = Counts()
        self._database = database
        self._thresholds = thresholds
        self._moment = moment
        self._run_id = run_id

    def store(self, answers: Sequence[Answer]) -> list[Failed]:
        """Store a chunk in one transaction; tells what had no usable answer."""
        films: list[tuple[Judged, Any]] = []
        gone: list[int] = []
        failed: list[Failed] = []
        for answer in answers:
            match answer:
                case NotFound(tmdb_id):
                    gone.append(tmdb_id)
                case Fetched(tmdb_id, body):
                    try:
                        films.append((judge(body, tmdb_id, self._thresholds), body))
                    except UnusableAnswerError as error:
                        failed.append(Failed(tmdb_id, error.reason, f"{error}: {body!s:.400}"))
                case Failed():
                    failed.append(answer)
        self._write(films, gone, failed)
        self.counts.fetched += len(films)
        self.counts.gone += len(gone)
        self.counts.failed += len(failed)
        return failed

    def judge_stored_answers(self, batch_numbers: set[int]) -> None:
        """Judge answers again that were judged by other rules, or whose film came back into the export."""
        name = judge_name(self._thresholds)
        while again := self._database.rows("answers_to_judge", batches=sorted(batch_numbers), judge=name):
            self._write([(judge(row.body, row.tmdb_id, self._thresholds), None) for row in again], [], [])
            self.counts.judged_again += len(again)

    def content(self, batch: int) -> BatchContent:
        """What a finished batch holds."""
        content = self._database.row("batch_content", batch=batch)
        return BatchContent(content.content, {"films": content.films})

    def summary(self) -> str:
        """The run in one line."""
        c = self.counts
        return (
            f"{c.due:,} films due: {c.fetched:,} fetched ({c.accepted:,} accepted, {c.rejected:,} rejected, "
            f"{c.added:,} new, {c.changed:,} changed), {c.gone:,} gone, {c.failed:,} failed; "
            f"{c.judged_again:,} judged again"
        )

    def _write(self, films: list[tuple[Judged, Any]], gone: list[int], failed: list[Failed]) -> None:
        with self._database.transaction() as connection:
            if films:
                execute(connection, "stage_films")
                copy_rows(connection, "incoming_films", STAGED_COLUMNS, (_staged(*film) for film in films))
                (stored,) = rows(connection, "store_details", moment=self._moment, judge=judge_name(self._thresholds))
            if gone:
                execute(connection, "mark_gone", tmdb_ids=gone, moment=self._moment)
            if failed:
                execute(
                    connection,
                    "record_failures",
                    tmdb_ids=[f.tmdb_id for f in failed],
                    reasons=[f.reason for f in failed],
                    samples=[f.sample for f in failed],
                    run_id=self._run_id,
                    moment=self._moment,
                )
        if films:
            self.counts.accepted += stored.accepted
            self.counts.rejected += stored.rejected
            self.counts.added += stored.added
            self.counts.changed += stored.changed
            self.counts.repaired += sum(bool(judged.film.repairs) for judged, _ in films)


def _staged(judged: Judged, body: Any) -> tuple[Any, ...]:
    facts = (getattr(judged.film, column) for column in FILM_COLUMNS)
    listed = (list(fact) if isinstance(fact, tuple) else fact for fact in facts)
    stored_body = None if body is None else Jsonb(body)
    return (*listed, stored_body, judged.reason, judged.text, judged.text_hash)
