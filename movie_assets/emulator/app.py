"""The emulator's routes, and what is laid around each of them.

A TMDB request passes credentials, rate limit, the handler, conditional answers and faults, in that order,
and is counted by what is sent in the end. The handlers are in `tmdb`, `export`, `embeddings` and `control`.
"""

import asyncio
import hashlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.routing import Route

from movie_assets.emulator import batches, control, embeddings, imdb, tmdb
from movie_assets.emulator.answers import RefusedError, Reply, ServedResponse, openai_error, tmdb_error
from movie_assets.emulator.export import export
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.service import Service
from movie_assets.emulator.world import World

Handler = Callable[[Service, Request], ServedResponse]
MAX_AGE = 28_800


@dataclass(frozen=True)
class Endpoint:
    """A TMDB path, the name it is counted under and its handler; `slow` handlers run in a thread."""

    path: str
    name: str
    handler: Handler
    slow: bool = False


# In order: the first path that fits answers.
TMDB_ENDPOINTS = (
    Endpoint("/3/movie/changes", "changes", tmdb.changes, slow=True),
    Endpoint("/3/movie/popular", "popular", tmdb.chart, slow=True),
    Endpoint("/3/movie/now_playing", "now_playing", tmdb.chart, slow=True),
    Endpoint("/3/movie/upcoming", "upcoming", tmdb.chart, slow=True),
    Endpoint("/3/movie/top_rated", "top_rated", tmdb.chart, slow=True),
    Endpoint("/3/trending/movie/{span}", "trending", tmdb.trending, slow=True),
    Endpoint("/3/discover/movie", "discover", tmdb.discover, slow=True),
    Endpoint("/3/search/movie", "search", tmdb.search, slow=True),
    Endpoint("/3/find/{external_id}", "find", tmdb.find),
    Endpoint("/3/configuration", "configuration", tmdb.configuration),
    Endpoint("/3/genre/movie/list", "genres", tmdb.genres),
    Endpoint("/3/movie/{movie_id}", "movie", tmdb.movie),
    Endpoint("/3/movie/{movie_id}/{part:path}", "movie_part", tmdb.movie_part),
    Endpoint("/3/{rest:path}", "unknown", tmdb.nothing),
)


def create_app(world: World, options: EmulatorOptions, service: Service | None = None) -> Starlette:
    """Application that serves one world; pass a service to keep a hand on its state."""
    state = service or Service(world, options)
    routes = [Route(endpoint.path, _tmdb_route(state, endpoint)) for endpoint in TMDB_ENDPOINTS]
    routes += [
        Route("/p/exports/{file}", _export_route(state)),
        Route("/imdb/title.ratings.tsv.gz", _imdb_route(state)),
        Route("/v1/embeddings", _embeddings_route(state), methods=["POST"]),
        Route("/v1/models", _models_route(state)),
        *(Route(path, _bulk_route(state, name, handler), methods=[method]) for method, path, name, handler in BULK),
        Route("/stand-in/state", _control_route(state), methods=["GET", "PUT"]),
    ]
    return Starlette(routes=routes)


BulkHandler = Callable[[Service, Request, bytes], ServedResponse]
BULK: tuple[tuple[str, str, str, BulkHandler], ...] = (
    ("POST", "/v1/files", "files", batches.upload),
    ("GET", "/v1/files/{file_id}/content", "file_content", batches.file_content),
    ("DELETE", "/v1/files/{file_id}", "delete_file", batches.delete_file),
    ("POST", "/v1/batches", "batches", batches.create),
    ("GET", "/v1/batches", "list_batches", batches.listed),
    ("GET", "/v1/batches/{batch_id}", "batch", batches.state),
)
AsyncEndpoint = Callable[[Request], Any]


def _tmdb_route(service: Service, endpoint: Endpoint) -> AsyncEndpoint:
    async def route(request: Request) -> Reply:
        within = service.within_rate()
        if not _admitted(request, service.options.token):
            answer = tmdb_error(7)
        elif not within:
            answer = tmdb_error(25, {"Retry-After": "1"})
        else:
            if endpoint.slow:
                answer = await run_in_threadpool(_handled, service, endpoint, request)
            else:
                answer = _handled(service, endpoint, request)
            answer = _conditional(answer, request.headers.get("if-none-match"))
            if endpoint.name == "movie" and answer.status == 200:  # noqa: PLR2004
                answer = service.spoilt(answer, "details", _subject(request))
            answer = service.spoilt(answer, "tmdb")
        return _sent(service, endpoint.name, request, answer)

    return route


def _handled(service: Service, endpoint: Endpoint, request: Request) -> ServedResponse:
    try:
        return endpoint.handler(service, request)
    except RefusedError as refused:
        return refused.answer


def _conditional(answer: ServedResponse, known: str | None) -> ServedResponse:
    """Give a weak ETag; answer 304 to a client that holds the same body."""
    if answer.status != 200:  # noqa: PLR2004
        return answer
    etag = f'W/"{hashlib.blake2b(answer.body, digest_size=16).hexdigest()}"'
    headers = {**answer.headers, "ETag": etag, "Cache-Control": f"public, max-age={MAX_AGE}"}
    if known is not None and etag in {tag.strip() for tag in known.split(",")}:
        del headers["Content-Type"]
        return ServedResponse(304, b"", headers)
    return replace(answer, headers=headers)


def _export_route(service: Service) -> AsyncEndpoint:
    async def route(request: Request) -> Reply:
        answer = export(service, request)
        if answer.status == 200:  # noqa: PLR2004
            answer = service.spoilt(answer, "export")
        return _sent(service, "export", request, answer)

    return route


def _imdb_route(service: Service) -> AsyncEndpoint:
    async def route(request: Request) -> Reply:
        answer = await run_in_threadpool(imdb.title_ratings, service, request)
        return _sent(service, "imdb_ratings", request, answer)

    return route


def _embeddings_route(service: Service) -> AsyncEndpoint:
    async def route(request: Request) -> Reply:
        body = await request.body()
        if not _admitted(request, None):
            answer = openai_error(401, "You didn't provide an API key.", None)
        else:
            try:
                answer = await run_in_threadpool(embeddings.embeddings, service, body)
            except RefusedError as refused:
                answer = refused.answer
            await asyncio.sleep(service.options.embedding_seconds)
            answer = service.spoilt(answer, "embeddings")
        service.count_embedded(int(answer.headers.get("X-Embedded-Inputs", "0")))
        return _sent(service, "embeddings", request, answer)

    return route


def _bulk_route(service: Service, name: str, handler: BulkHandler) -> AsyncEndpoint:
    async def route(request: Request) -> Reply:
        body = await request.body()
        if not _admitted(request, None):
            answer = openai_error(401, "You didn't provide an API key.", None)
        else:
            try:
                answer = await run_in_threadpool(handler, service, request, body)
            except RefusedError as refused:
                answer = refused.answer
            answer = service.spoilt(answer, "embeddings")
            if name == "batches":
                answer = service.spoilt(answer, "batch_made")
        return _sent(service, name, request, answer)

    return route


def _models_route(service: Service) -> AsyncEndpoint:
    async def route(request: Request) -> Reply:
        admitted = _admitted(request, None)
        answer = embeddings.models() if admitted else openai_error(401, "You didn't provide an API key.", None)
        return _sent(service, "models", request, answer)

    return route


def _control_route(service: Service) -> AsyncEndpoint:
    async def route(request: Request) -> Reply:
        if request.method == "PUT":
            return _reply(service, request, control.changed(service, await request.body()))
        return _reply(service, request, control.shown(service))

    return route


def _sent(service: Service, name: str, request: Request, answer: ServedResponse) -> Reply:
    service.count(name, answer.status)
    return _reply(service, request, answer)


def _reply(service: Service, request: Request, answer: ServedResponse) -> Reply:
    accepts = "gzip" in request.headers.get("accept-encoding", "")
    return Reply(answer, accepts_gzip=accepts, stall_seconds=service.options.stall_seconds)


def _admitted(request: Request, token: str | None) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and bool(given.strip()) and (token is None or given.strip() == token)


def _subject(request: Request) -> int:
    text = request.path_params["movie_id"].removeprefix("tt")
    return int(text) if text.isdecimal() else 0
