"""TMDB over HTTP: a session and its calls, paced, bounded, made again and counted in this one layer.

One request is `tmdb_call`; the lists, `tmdb_lists`; the export's file, `tmdb_export`. What an answer means for a
film is for `tmdb.movies`; what is fetched when, for the assets.
"""

import asyncio
import json
import random
import sys
from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from typing import Any

import httpx

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.http_client.backoff import MAX_RETRY_SECONDS, backoff, seconds_asked_for
from movie_assets.http_client.connections import Connections, connections
from movie_assets.http_client.rate_limiter import RateLimiter, shared_limiter
from movie_assets.tmdb.call import NO_HTTP, SECONDS_PER_CALL, TOO_LARGE, Reply, call
from movie_assets.tmdb.export import downloaded, is_published
from movie_assets.tmdb.export_lines import file_name
from movie_assets.tmdb.movies import UnusableResponseError
from movie_assets.tmdb.responses import (
    CallCounts,
    CredentialRefusedError,
    Export,
    Failed,
    Fetched,
    NotFound,
    RequestRefusedError,
    TmdbResponse,
    TmdbUnavailableError,
)

APPENDED = "credits,keywords,release_dates,external_ids,videos,watch/providers,translations,alternative_titles"
CONCURRENCY = 20  # TMDB allows 20 connections from one address
ATTEMPTS = 5
ATTEMPTS_AT_NONSENSE = 3  # a captive portal or a broken proxy does not get better by asking again
ATTEMPTS_AT_NO_HTTP = 2  # nor does a redirect, another protocol or a body without end
FAILURES_IN_A_ROW = 40  # two for each connection: nothing got through any more
UNREACHED = ("ConnectError", "ConnectTimeout")  # no name, no route, nobody listening: not a matter of the film
PAUSES_IN_A_ROW = 10
GONE = (34, 6)  # TMDB's own words for 404; a proxy's or a wrong address's 404 deletes nothing


class Tmdb:
    """Where TMDB is and how it may be called; `session` opens connections to it."""

    def __init__(
        self, settings: Settings, database: Database, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.settings = settings
        self.database = database
        self.transport = transport

    @asynccontextmanager
    async def session(self, run_id: str | None) -> AsyncIterator["TmdbClient"]:
        """Open a client inside the running event loop; its calls are logged under the run's id, if there is one."""
        token = self.settings.tmdb_api_token
        if token is None:
            raise CredentialRefusedError("TMDB_API_TOKEN is not set; put TMDB's API read access token there")
        headers = {
            "Authorization": f"Bearer {token.get_secret_value()}",
            "Accept": "application/json",
            "Accept-Encoding": "gzip",
        }
        timeout = httpx.Timeout(SECONDS_PER_CALL, connect=5)
        async with (
            shared_limiter(self.database, "tmdb", self.settings.tmdb_rate) as limiter,
            connections(CONCURRENCY, headers, timeout, self.transport) as opened,
        ):
            client = TmdbClient(opened, limiter, self.settings.tmdb_api_url, self.settings.tmdb_export_url)
            try:
                yield client
            finally:
                self._log(client.calls, run_id)

    async def publishes(self, day: date) -> bool:
        """Whether TMDB has a day's export by now. Raises TmdbUnavailableError when it cannot be asked."""
        async with httpx.AsyncClient(timeout=SECONDS_PER_CALL, transport=self.transport) as http:
            return await is_published(http, f"{self.settings.tmdb_export_url}/{file_name(day)}")

    def _log(self, calls: CallCounts, run_id: str | None) -> None:
        """Keep what the session's calls came to; so short a statement that the event loop can wait for it."""
        if run_id is None or not calls.kinds:
            return
        ended_by = sys.exc_info()[1]
        try:
            self.database.execute(
                "record_calls", run_id=run_id, started_at=calls.started_at, kinds=json.dumps(calls.table())
            )
        except Exception as error:
            if ended_by is None:
                raise
            ended_by.add_note(f"its calls could not be logged either ({type(error).__name__})")


class TmdbClient:
    """An open session with TMDB."""

    def __init__(self, opened: Connections, limiter: RateLimiter, api_url: str, export_url: str) -> None:
        self.calls = CallCounts()
        self._connections = opened
        self._limiter = limiter
        self._api_url = api_url
        self._export_url = export_url
        self._pause_began = 0.0  # on the event loop's clock, as is
        self._resume_at = 0.0  # until when all workers pause
        self._pauses_in_a_row = 0
        self._seconds_in_a_row = 0.0
        self._failures_in_a_row = 0

    async def details(self, tmdb_ids: Sequence[int]) -> AsyncIterator[TmdbResponse]:
        """Fetch films concurrently; answers come in about the order of the ids, each id exactly once.

        The first call goes alone, so that a wrong token costs one request. Raises CredentialRefusedError,
        RequestRefusedError or TmdbUnavailableError when going on is pointless.
        """
        if not tmdb_ids:
            return
        yield await self._detail(tmdb_ids[0])
        waiting = iter(tmdb_ids[1:])
        answers: asyncio.Queue[TmdbResponse | BaseException] = asyncio.Queue(maxsize=4 * CONCURRENCY)

        async def work() -> None:
            try:
                for tmdb_id in waiting:
                    await answers.put(await self._detail(tmdb_id))
            except asyncio.CancelledError:
                raise
            except BaseException as error:  # noqa: BLE001  # whatever ends a worker must reach the one who waits
                await answers.put(error)

        workers = [asyncio.create_task(work()) for _ in range(CONCURRENCY)]
        try:
            for _ in tmdb_ids[1:]:
                answer = await answers.get()
                if isinstance(answer, BaseException):
                    raise answer
                yield answer
        finally:
            for worker in workers:
                worker.cancel()
            await asyncio.gather(*workers, return_exceptions=True)

    @asynccontextmanager
    async def export(self, day: date) -> AsyncIterator[Export]:
        """A day's export in a temporary file. Raises ExportMissingError, ExportDamagedError, TmdbUnavailableError."""
        url = f"{self._export_url}/{file_name(day)}"
        async with self._connections.one() as http, downloaded(http, url, self.calls) as export:
            yield export

    async def _detail(self, tmdb_id: int) -> TmdbResponse:
        try:
            body = await self.json(f"/movie/{tmdb_id}", {"append_to_response": APPENDED})
        except UnusableResponseError as error:
            return Failed(tmdb_id, error.reason, str(error)[:500])
        return NotFound(tmdb_id) if body is None else Fetched(tmdb_id, body)

    async def json(self, path: str, parameters: dict[str, str | int]) -> Any:
        """An object that TMDB answers with, or None for 404.

        Raises UnusableResponseError when the attempts at this call are used up, TmdbError when no call can succeed.
        """
        loop = asyncio.get_running_loop()
        failures = Counter[int]()  # by the attempts that are worth while
        while True:
            asked = loop.time()
            await self._turn()
            began = loop.time()
            async with self._connections.one() as http:
                reply = await call(http, self._api_url + path, parameters)
            kind = self.calls.count(
                _endpoint(path), reply.status, loop.time() - began, reply.size, waited=began - asked
            )
            if _is_answer(reply) or _is_gone(reply):
                self._failures_in_a_row = self._pauses_in_a_row = 0
                self._seconds_in_a_row = 0.0
                return reply.body if _is_answer(reply) else None
            _raise_if_permanent(reply)
            if reply.status == "429":
                kind.retries += 1
                await self._pause(reply.headers, began)
                continue
            most = _attempts_at(reply.status)
            failures[most] += 1
            self._failures_in_a_row += 1
            is_last = failures[most] >= most or failures.total() >= ATTEMPTS
            self._raise_if_down(path, reply, is_last=is_last)
            if is_last:
                reason, came = reply.failure
                raise UnusableResponseError(reason, f"{path}: {failures.total()} attempts, the last: {came}")
            kind.retries += 1
            pause = backoff(failures.total(), random.random)
            kind.seconds_waited += pause
            await asyncio.sleep(pause)

    async def _turn(self) -> None:
        """Wait until no pause is on, and then for this call's place in the shared pace."""
        loop = asyncio.get_running_loop()
        while True:
            while (pause := self._resume_at - loop.time()) > 0:  # noqa: ASYNC110  # another pause can begin meanwhile
                await asyncio.sleep(pause)
            await self._limiter.turn()
            if self._resume_at <= loop.time():
                return

    async def _pause(self, headers: httpx.Headers, began: float) -> None:
        """Stop all workers for as long as a 429 asks, also those of other processes that share the pace."""
        loop = asyncio.get_running_loop()
        asked = seconds_asked_for(headers.get("retry-after"), datetime.now(UTC))
        if asked is not None and asked > MAX_RETRY_SECONDS:
            raise TmdbUnavailableError(f"TMDB asks to wait {asked:,.0f} s before the next call; run again after that")
        now = loop.time()
        if began >= self._pause_began:  # else it was under way when another 429 began the pause
            self._pause_began = now
            self._pauses_in_a_row += 1
            pause = backoff(self._pauses_in_a_row, random.random, asked)
            self._seconds_in_a_row += pause
            if self._pauses_in_a_row > PAUSES_IN_A_ROW or self._seconds_in_a_row > MAX_RETRY_SECONDS:
                raise TmdbUnavailableError(
                    "TMDB answers nothing but 429; lower MOVIE_ASSETS_TMDB_RATE or run again later"
                )
        elif asked is None:
            return
        else:
            pause = asked
        if now + pause > self._resume_at:
            self._resume_at = now + pause
            await self._limiter.pause(pause)

    def _raise_if_down(self, path: str, reply: Reply, *, is_last: bool) -> None:
        """Raise when it is TMDB that fails, not this film: nothing gets through, or it cannot even be asked."""
        is_unreached = is_last and reply.status in UNREACHED and self._failures_in_a_row >= ATTEMPTS
        if is_unreached or self._failures_in_a_row >= FAILURES_IN_A_ROW:
            raise TmdbUnavailableError(
                f"{self._failures_in_a_row} calls in a row failed, the last ({self._api_url}{path}) with "
                f"{reply.status} ({str(reply.body)[:200]}); what was fetched is kept, run again when TMDB is back"
            )


def _is_answer(reply: Reply) -> bool:
    return reply.status == "200" and isinstance(reply.body, dict) and reply.body.get("success") is not False


def _is_gone(reply: Reply) -> bool:
    return reply.status == "404" and isinstance(reply.body, dict) and reply.body.get("status_code") in GONE


def _attempts_at(status: str) -> int:
    if status == "200":
        return ATTEMPTS_AT_NONSENSE
    if status in (NO_HTTP, TOO_LARGE) or status.startswith("3"):
        return ATTEMPTS_AT_NO_HTTP
    return ATTEMPTS


def _raise_if_permanent(reply: Reply) -> None:
    status = reply.status
    says = reply.body.get("status_message", "") if isinstance(reply.body, dict) else ""
    if status in ("401", "403"):
        raise CredentialRefusedError(f"TMDB refused the credential (HTTP {status}: {says}); check TMDB_API_TOKEN")
    if status in ("400", "405", "406", "422"):
        raise RequestRefusedError(f"TMDB refused the request (HTTP {status}: {says})")


def _endpoint(path: str) -> str:
    """What a path is counted as: movie, changes, discover, find."""
    first, second = path.split("/")[1:3]
    return second if second == "changes" else first
