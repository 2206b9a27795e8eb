"""TMDB over HTTP: one call at a time as `TmdbClient`, paced, bounded, retried and counted in this one layer.

Its lists are in `tmdb_lists`; what an answer means for a film, `core.films`; what is fetched when, for the assets.
"""

import asyncio
import gzip
import json
import random
import tempfile
import zlib
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import IO, Any

import httpx

from movie_assets.core.export import file_name
from movie_assets.core.films import UnusableAnswerError, read_json
from movie_assets.core.retry import MOST_PATIENCE, backoff, seconds_asked_for
from movie_assets.resources.pace import Slot, shared_pace
from movie_assets.resources.postgres import Database
from movie_assets.resources.tmdb_answers import (
    Answer,
    CallCounts,
    CredentialRefusedError,
    Export,
    ExportDamagedError,
    ExportMissingError,
    Failed,
    Fetched,
    NotFound,
    RequestRefusedError,
    TmdbUnavailableError,
)
from movie_assets.settings import Settings

APPENDED = "credits,keywords,release_dates,external_ids,videos,watch/providers,translations,alternative_titles"
CONCURRENCY = 20  # TMDB allows 20 connections from one address
ATTEMPTS = 5
ATTEMPTS_AT_NONSENSE = 3  # a captive portal or a broken proxy does not get better by asking again
FAILURES_IN_A_ROW = 40  # two for each connection: nothing got through any more
SECONDS_PER_CALL = 15.0
SECONDS_PER_EXPORT = 900.0
LARGEST_BODY = 10 * 2**20
LARGEST_EXPORT = 200 * 2**20
GONE = (34, 6)  # TMDB's own words for 404; a proxy's or a wrong address's 404 deletes nothing
STAND_IN = "movie-assets-stand-in"


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
        headers = {"Authorization": f"Bearer {token.get_secret_value()}", "Accept": "application/json"}
        limits = httpx.Limits(max_connections=CONCURRENCY, max_keepalive_connections=CONCURRENCY)
        timeout = httpx.Timeout(SECONDS_PER_CALL, connect=5)
        async with (
            shared_pace(self.database, "tmdb", self.settings.tmdb_rate) as slot,
            httpx.AsyncClient(headers=headers, limits=limits, timeout=timeout, transport=self.transport) as http,
        ):
            client = TmdbClient(http, slot, self.settings.tmdb_api_url, self.settings.tmdb_export_url)
            try:
                yield client
            finally:
                self._log(client.calls, run_id)

    def _log(self, calls: CallCounts, run_id: str | None) -> None:
        """Keep what the session's calls came to; so short a statement that the event loop can wait for it."""
        if run_id is not None and calls.kinds:
            self.database.execute("record_calls", run_id=run_id, kinds=json.dumps(calls.table()))


class TmdbClient:
    """An open session with TMDB."""

    def __init__(self, http: httpx.AsyncClient, slot: Slot, api_url: str, export_url: str) -> None:
        self.calls = CallCounts()
        self._http = http
        self._slot = slot
        self._api_url = api_url
        self._export_url = export_url
        self._resume_at = 0.0  # on the event loop's clock; all workers pause until then
        self._failures_in_a_row = 0

    async def details(self, tmdb_ids: Sequence[int]) -> AsyncIterator[Answer]:
        """Fetch films concurrently; answers come in about the order of the ids, each id exactly once.

        The first call goes alone, so that a wrong token costs one request. Raises CredentialRefusedError,
        RequestRefusedError or TmdbUnavailableError when going on is pointless.
        """
        if not tmdb_ids:
            return
        yield await self._detail(tmdb_ids[0])
        waiting = iter(tmdb_ids[1:])
        answers: asyncio.Queue[Answer | BaseException] = asyncio.Queue(maxsize=4 * CONCURRENCY)

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
        """Download a day's export to a temporary file, whole and undamaged.

        Raises ExportMissingError when TMDB has none, ExportDamagedError when it is cut each time.
        """
        url = f"{self._export_url}/{file_name(day)}"
        with tempfile.TemporaryFile() as file:
            for attempt in range(1, ATTEMPTS_AT_NONSENSE + 1):
                response = await self._download(url, file)
                if _is_whole(file):
                    yield Export(url, _source(response.headers), file)
                    return
                await asyncio.sleep(backoff(attempt, random.random))
        raise ExportDamagedError(f"{url} arrived damaged {ATTEMPTS_AT_NONSENSE} times; nothing was changed")

    async def _download(self, url: str, file: IO[bytes]) -> httpx.Response:
        for attempt in range(1, ATTEMPTS + 1):
            file.seek(0)
            file.truncate()
            began = asyncio.get_running_loop().time()
            # No token for a public file, and the file's own gzip must reach us as it is.
            request = self._http.build_request("GET", url, headers={"Accept-Encoding": "identity"})
            request.headers.pop("Authorization", None)
            with _network_failures_as_status() as failure:
                async with asyncio.timeout(SECONDS_PER_EXPORT):
                    response = await self._http.send(request, stream=True)
                    try:
                        if response.status_code == httpx.codes.OK:
                            async for chunk in response.aiter_raw():
                                file.write(chunk)
                                if file.tell() > LARGEST_EXPORT:
                                    raise ExportDamagedError(f"{url} is larger than {LARGEST_EXPORT:,} bytes")
                            self._count_export("200", began, file)
                            return response
                    finally:
                        await response.aclose()
                    failure.status = str(response.status_code)
            self._count_export(failure.status, began, file)
            if failure.status in ("403", "404"):
                raise ExportMissingError(f"TMDB has no export of that day ({url}: HTTP {failure.status})")
            await asyncio.sleep(backoff(attempt, random.random))
        raise TmdbUnavailableError(f"{url} could not be fetched in {ATTEMPTS} attempts ({failure.status})")

    def _count_export(self, status: str, began: float, file: IO[bytes]) -> None:
        self.calls.count("export", status, asyncio.get_running_loop().time() - began, file.tell(), 0.0)

    async def _detail(self, tmdb_id: int) -> Answer:
        try:
            body = await self.json(f"/movie/{tmdb_id}", {"append_to_response": APPENDED})
        except UnusableAnswerError as error:
            return Failed(tmdb_id, error.reason, str(error)[:500])
        return NotFound(tmdb_id) if body is None else Fetched(tmdb_id, body)

    async def json(self, path: str, parameters: dict[str, str | int]) -> Any:
        """An object that TMDB answers with, or None for 404.

        Raises UnusableAnswerError when the attempts at this call are used up, TmdbError when no call can succeed.
        """
        loop = asyncio.get_running_loop()
        failures = 0
        nonsense = 0
        while True:
            asked = loop.time()
            await self._turn()
            began = loop.time()
            status, body, headers, size = await self._call(path, parameters)
            kind = self.calls.count(_endpoint(path), status, loop.time() - began, size, began - asked)
            if status == "200" and isinstance(body, dict):
                self._failures_in_a_row = 0
                return body
            if status == "404" and isinstance(body, dict) and body.get("status_code") in GONE:
                self._failures_in_a_row = 0
                return None
            _raise_if_permanent(status, body)
            if status == "429":
                kind.retries += 1
                self._pause(headers)
                continue
            failures += 1
            nonsense += status == "200"
            self._count_failure(path, status)
            if failures >= ATTEMPTS or nonsense >= ATTEMPTS_AT_NONSENSE:
                raise UnusableAnswerError(
                    "no_json" if status == "200" else f"http_{status}",
                    f"{path}: {failures} attempts, the last: {status} {str(body)[:300]}",
                )
            kind.retries += 1
            pause = backoff(failures, random.random)
            kind.seconds_waited += pause
            await asyncio.sleep(pause)

    async def _call(self, path: str, parameters: dict[str, str | int]) -> tuple[str, Any, httpx.Headers, int]:
        """One request within its deadline: HTTP status or the failure's name, JSON or text, headers, bytes."""
        headers = httpx.Headers()
        content = bytearray()
        with _network_failures_as_status() as failure:
            async with (
                asyncio.timeout(SECONDS_PER_CALL),
                self._http.stream("GET", self._api_url + path, params=parameters) as response,
            ):
                headers = response.headers
                async for chunk in response.aiter_bytes():
                    content += chunk
                    if len(content) > LARGEST_BODY:
                        return "too_large", f"more than {LARGEST_BODY:,} bytes", headers, len(content)
                failure.status = str(response.status_code)
        if failure.status.isdigit():
            try:
                return failure.status, read_json(bytes(content)), headers, len(content)
            except UnusableAnswerError as error:
                return failure.status, str(error), headers, len(content)
        return failure.status, failure.message, headers, len(content)

    async def _turn(self) -> None:
        """Wait until no pause is on, and then for this call's place in the shared pace."""
        loop = asyncio.get_running_loop()
        while (pause := self._resume_at - loop.time()) > 0:  # noqa: ASYNC110  # another pause can begin meanwhile
            await asyncio.sleep(pause)
        await self._slot()

    def _pause(self, headers: httpx.Headers) -> None:
        """Stop all workers of this session for as long as a 429 asks."""
        asked = seconds_asked_for(headers.get("retry-after"), datetime.now(UTC))
        if asked is not None and asked > MOST_PATIENCE:
            raise TmdbUnavailableError(f"TMDB asks to wait {asked:,.0f} s before the next call; run again after that")
        self._failures_in_a_row += 1
        pause = backoff(min(self._failures_in_a_row, 6), random.random) if asked is None else asked
        if self._failures_in_a_row >= FAILURES_IN_A_ROW:
            raise TmdbUnavailableError("TMDB answers nothing but 429; lower MOVIE_ASSETS_TMDB_RATE or run again later")
        self._resume_at = max(self._resume_at, asyncio.get_running_loop().time() + pause)

    def _count_failure(self, path: str, status: str) -> None:
        self._failures_in_a_row += 1
        if self._failures_in_a_row >= FAILURES_IN_A_ROW:
            raise TmdbUnavailableError(
                f"{self._failures_in_a_row} calls in a row failed, the last ({self._api_url}{path}) with {status}; "
                "what was fetched is kept, run again when TMDB is back"
            )


@dataclass
class _Failure:
    status: str = ""
    message: str = ""


@contextmanager
def _network_failures_as_status() -> Iterator[_Failure]:
    """Turn what the network does into a status; the reply's own status is put there when one came."""
    failure = _Failure()
    try:
        yield failure
    except TimeoutError:
        failure.status, failure.message = "timeout", "no whole answer within the deadline"
    except (httpx.TransportError, httpx.DecodingError, httpx.TooManyRedirects) as error:
        failure.status, failure.message = type(error).__name__, str(error)


def _raise_if_permanent(status: str, body: Any) -> None:
    says = body.get("status_message", "") if isinstance(body, dict) else ""
    if status in ("401", "403"):
        raise CredentialRefusedError(f"TMDB refused the credential (HTTP {status}: {says}); check TMDB_API_TOKEN")
    if status in ("400", "405", "406", "422"):
        raise RequestRefusedError(f"TMDB refused the request (HTTP {status}: {says})")


def _endpoint(path: str) -> str:
    """What a path is counted as: movie, changes, discover, find."""
    first, second = path.split("/")[1:3]
    return second if second == "changes" else first


def _source(headers: httpx.Headers) -> str:
    if headers.get("server") != STAND_IN:
        return "tmdb"
    return f"stand-in {headers.get('x-stand-in-world', '')}".strip()


def _is_whole(file: IO[bytes]) -> bool:
    """Whether a file is gzip from its first to its last byte (a cut body can come with status 200)."""
    file.seek(0)
    try:
        with gzip.open(file) as unpacked:
            while unpacked.read(2**20):
                pass
    except (EOFError, gzip.BadGzipFile, zlib.error):
        return False
    return True
