"""A session with TMDB over HTTP. This layer alone limits the rate of calls, repeats and counts them.

`tmdb.call` sends one request, `tmdb.lists` reads the lists, `tmdb.export` downloads the export, `tmdb.details`
decides which calls bring a title. The assets decide what is fetched when.
"""

import asyncio
import json
import random
import sys
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import UTC, date, datetime
from functools import partial

import httpx

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.http_client.backoff import MAX_RETRY_SECONDS, backoff, seconds_asked_for
from movie_assets.http_client.connections import Connections, certificates, connections
from movie_assets.http_client.rate_limiter import RateLimiter, shared_limiter
from movie_assets.http_client.retries import HttpRetries, PausedError, RetryableError
from movie_assets.tmdb.call import NO_HTTP, SECONDS_PER_CALL, TOO_LARGE, ApiResponse, call
from movie_assets.tmdb.concurrent_calls import CONCURRENCY, responses
from movie_assets.tmdb.details import fetch_details
from movie_assets.tmdb.export import downloaded, is_published
from movie_assets.tmdb.json_values import JsonObject, UnusableResponseError
from movie_assets.tmdb.media import MOVIES, MediaType
from movie_assets.tmdb.responses import (
    CallCounts,
    CredentialRefusedError,
    Export,
    RequestRefusedError,
    TmdbResponse,
    TmdbUnavailableError,
    endpoint_of,
)
from movie_assets.tmdb.season_plan import NOTHING_KNOWN, KnownCatalogue

ATTEMPTS = 5
ATTEMPTS_AT_NONSENSE = 3  # more attempts do not help against a captive portal or a broken proxy
ATTEMPTS_AT_NO_HTTP = 2  # nor against a redirect, another protocol or an endless body
FAILURES_IN_A_ROW = 40  # two for each connection: no call succeeds any more
UNREACHED = ("ConnectError", "ConnectTimeout")  # no name, no route, no listener: not a fault of one movie
PAUSES_IN_A_ROW = 10
NOT_FOUND_CODES = (34, 6)  # of TMDB's own 404; the 404 of a proxy or of a wrong address deletes nothing


class FailedCallError(RetryableError):
    """A call failed in a way that may pass."""

    def __init__(self, response: ApiResponse, on_retry: Callable[[float], None]) -> None:
        super().__init__(response.status, _attempts_at(response.status), on_retry=on_retry)
        self.response = response


class Tmdb:
    """The address of TMDB and the rate of calls; `session` opens connections to it."""

    def __init__(
        self, settings: Settings, database: Database, transport: httpx.AsyncBaseTransport | None = None
    ) -> None:
        self.settings = settings
        self.database = database
        self.transport = transport

    @asynccontextmanager
    async def session(self, run_id: str | None) -> AsyncIterator["TmdbClient"]:
        """Open a client inside the running event loop. Its calls are logged under the run's id, if there is one.

        Raises CredentialRefusedError without a token.
        """
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
                self._record_calls(client.calls, run_id)

    async def publishes(self, day: date, media: MediaType = MOVIES) -> bool:
        """Return whether TMDB has published a day's export. Raises TmdbUnavailableError when the request fails."""
        async with httpx.AsyncClient(timeout=SECONDS_PER_CALL, transport=self.transport, verify=certificates()) as http:
            return await is_published(http, f"{self.settings.tmdb_export_url}/{media.export_file(day)}")

    def _record_calls(self, calls: CallCounts, run_id: str | None) -> None:
        """Store the counts of the session's calls. The event loop waits for this one short statement."""
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
        self._pause_began = 0.0  # by the event loop's clock, as the next one
        self._resume_at = 0.0  # until when all workers pause
        self._pauses_in_a_row = 0
        self._seconds_in_a_row = 0.0
        self._failures_in_a_row = 0

    def details(
        self, tmdb_ids: Sequence[int], media: MediaType = MOVIES, known: KnownCatalogue = NOTHING_KNOWN
    ) -> AsyncIterator[TmdbResponse]:
        """Fetch the details of titles, as `concurrent_calls.responses` does."""
        return responses(tmdb_ids, partial(fetch_details, self.json, media, known=known))

    @asynccontextmanager
    async def export(self, day: date, media: MediaType = MOVIES) -> AsyncIterator[Export]:
        """Download a day's export to a temporary file.

        Raises ExportMissingError, ExportDamagedError or TmdbUnavailableError.
        """
        url = f"{self._export_url}/{media.export_file(day)}"
        async with self._connections.one() as http, downloaded(http, url, self.calls) as export:
            yield export

    async def json(self, path: str, parameters: Mapping[str, str | int]) -> JsonObject | None:
        """Return the JSON object of a response, or None for TMDB's own 404.

        Raises UnusableResponseError when the attempts at this call are used up, TmdbError when no call can succeed.
        """
        retries = HttpRetries(ATTEMPTS)
        try:
            return await retries.policy.run_async(lambda: self._try(path, parameters))
        except FailedCallError as error:
            if error.response.status in UNREACHED and self._failures_in_a_row >= ATTEMPTS:
                raise self._unavailable(path, error.response) from None
            reason, description = error.response.failure
            message = f"{path}: {retries.failures} attempts, the last: {description}"
            raise UnusableResponseError(reason, message) from None

    async def _try(self, path: str, parameters: Mapping[str, str | int]) -> JsonObject | None:
        """Make one call. Raises FailedCallError or PausedError when it may be made again, TmdbError as `json` does."""
        loop = asyncio.get_running_loop()
        asked = loop.time()
        await self._wait_for_permit()
        began = loop.time()
        async with self._connections.one() as http:
            response = await call(http, self._api_url + path, parameters)
        kind = self.calls.count(
            endpoint_of(path), response.status, loop.time() - began, response.size, waited=began - asked
        )
        body = _object_in(response)
        if body is not None or _is_not_found(response):
            self._failures_in_a_row = self._pauses_in_a_row = 0
            self._seconds_in_a_row = 0.0
            return body
        _raise_if_permanent(response)
        if response.status == "429":
            kind.record_retry(0.0)
            await self._pause(response.headers, began)
            raise PausedError
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= FAILURES_IN_A_ROW:
            raise self._unavailable(path, response)
        raise FailedCallError(response, kind.record_retry)

    async def _wait_for_permit(self) -> None:
        """Wait until no pause is in force, then for a permit of the shared rate limiter.

        This is no retry: nothing has failed. A pause that begins while the call waits is waited for as well.
        """
        loop = asyncio.get_running_loop()
        may_call = False
        while not may_call:
            if (pause := self._resume_at - loop.time()) > 0:
                await asyncio.sleep(pause)
            else:
                await self._limiter.acquire()
                may_call = self._resume_at <= loop.time()

    async def _pause(self, headers: httpx.Headers, began: float) -> None:
        """Stop all workers for as long as a 429 asks, also those of other processes that share the rate limiter."""
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

    def _unavailable(self, path: str, response: ApiResponse) -> TmdbUnavailableError:
        """Return the error for calls of which all fail, or for a TMDB that cannot be reached."""
        return TmdbUnavailableError(
            f"{self._failures_in_a_row} calls in a row failed, the last ({self._api_url}{path}) with "
            f"{response.status} ({str(response.body)[:200]}); what was fetched is kept, run again when TMDB is back"
        )


def _object_in(response: ApiResponse) -> JsonObject | None:
    """Return the JSON object of a successful response; None for any other."""
    body = response.body
    return body if response.status == "200" and isinstance(body, dict) and body.get("success") is not False else None


def _is_not_found(response: ApiResponse) -> bool:
    body = response.body
    return response.status == "404" and isinstance(body, dict) and body.get("status_code") in NOT_FOUND_CODES


def _attempts_at(status: str) -> int:
    if status == "200":
        return ATTEMPTS_AT_NONSENSE
    if status in (NO_HTTP, TOO_LARGE) or status.startswith("3"):
        return ATTEMPTS_AT_NO_HTTP
    return ATTEMPTS


def _raise_if_permanent(response: ApiResponse) -> None:
    status, body = response.status, response.body
    message = body.get("status_message", "") if isinstance(body, dict) else ""
    if status in ("401", "403"):
        raise CredentialRefusedError(f"TMDB refused the credential (HTTP {status}: {message}); check TMDB_API_TOKEN")
    if status in ("400", "405", "406", "422"):
        raise RequestRefusedError(f"TMDB refused the request (HTTP {status}: {message})")
