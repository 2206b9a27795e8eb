"""Calls for many titles at once."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from movie_assets.tmdb.json_values import JsonObject, UnusableResponseError
from movie_assets.tmdb.responses import Failed, Fetched, NotFound, TmdbResponse

CONCURRENCY = 20  # TMDB allows 20 connections from one address
Fetch = Callable[[int], Awaitable[JsonObject | None]]  # returns the body for an id, None if TMDB has none


async def responses(tmdb_ids: Sequence[int], fetch: Fetch) -> AsyncIterator[TmdbResponse]:
    """Fetch something of titles concurrently; yield one response for each id, in about the order of the ids.

    The first call is made alone, so that a wrong token costs one request. Raises CredentialRefusedError,
    RequestRefusedError or TmdbUnavailableError when no further call can succeed.
    """
    if not tmdb_ids:
        return
    yield await _response(tmdb_ids[0], fetch)
    waiting = iter(tmdb_ids[1:])
    fetched: asyncio.Queue[TmdbResponse | BaseException] = asyncio.Queue(maxsize=4 * CONCURRENCY)

    async def work() -> None:
        try:
            for tmdb_id in waiting:
                await fetched.put(await _response(tmdb_id, fetch))
        except asyncio.CancelledError:
            raise
        except BaseException as error:  # noqa: BLE001  # an error that ends a worker must reach the consumer
            await fetched.put(error)

    workers = [asyncio.create_task(work()) for _ in range(CONCURRENCY)]
    try:
        for _ in tmdb_ids[1:]:
            response = await fetched.get()
            if isinstance(response, BaseException):
                raise response
            yield response
    finally:
        for worker in workers:
            worker.cancel()
        await asyncio.gather(*workers, return_exceptions=True)


async def _response(tmdb_id: int, fetch: Fetch) -> TmdbResponse:
    try:
        body = await fetch(tmdb_id)
    except UnusableResponseError as error:
        return Failed(tmdb_id, error.reason, str(error)[:500])
    return NotFound(tmdb_id) if body is None else Fetched(tmdb_id, body)
