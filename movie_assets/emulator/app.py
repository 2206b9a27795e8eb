"""The emulator's routes, and the steps that are common to all of them.

A TMDB request passes credentials, rate limit, the handler, conditional responses and faults, in that order.
It is counted under the status that is sent. The handlers are in `tmdb`, `tv`, `export`, `embeddings`, `control` and in
the modules of services with an API of their own (`apis`).
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

from movie_assets.emulator import azure, batches, cohere, control, embeddings, gemini, imdb, rerank, tmdb, tv, voyage
from movie_assets.emulator.apis import Api, Exchange
from movie_assets.emulator.export import export
from movie_assets.emulator.faults import Where
from movie_assets.emulator.omdb import title_at_omdb
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.responses import RefusedError, ResponseSender, ServedResponse, openai_error, tmdb_error
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


# The endpoints whose responses get the faults of details.
DETAILS = {"movie", "tv", "tv_season"}
# The first path that matches is used.
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
    Endpoint("/3/tv/changes", "tv_changes", tv.changes, slow=True),
    Endpoint("/3/tv/popular", "tv_popular", tv.chart, slow=True),
    Endpoint("/3/tv/top_rated", "tv_top_rated", tv.chart, slow=True),
    Endpoint("/3/tv/airing_today", "tv_airing_today", tv.chart, slow=True),
    Endpoint("/3/tv/on_the_air", "tv_on_the_air", tv.chart, slow=True),
    Endpoint("/3/trending/tv/{span}", "tv_trending", tv.trending, slow=True),
    Endpoint("/3/discover/tv", "tv_discover", tv.discover, slow=True),
    Endpoint("/3/search/tv", "tv_search", tv.search, slow=True),
    Endpoint("/3/genre/tv/list", "tv_genres", tv.genres),
    Endpoint("/3/tv/season/{tmdb_id}/changes", "tv_edits", tv.season_edits, slow=True),
    Endpoint("/3/tv/episode/{tmdb_id}/changes", "tv_edits", tv.episode_edits, slow=True),
    Endpoint("/3/tv/{tmdb_id}/changes", "tv_edits", tv.series_edits, slow=True),
    Endpoint("/3/tv/{tmdb_id}/season/{season}", "tv_season", tv.season, slow=True),
    Endpoint("/3/tv/{tmdb_id}/season/{season}/episode/{episode}", "tv_episode", tv.episode, slow=True),
    Endpoint("/3/tv/{tmdb_id}", "tv", tv.series, slow=True),
    Endpoint("/3/tv/{tmdb_id}/{part:path}", "tv_part", tv.series_part, slow=True),
    Endpoint("/3/{rest:path}", "unknown", tmdb.nothing),
)


def create_app(world: World, options: EmulatorOptions, service: Service | None = None) -> Starlette:
    """Return the application that serves one world; with `service` the caller can read and change its state."""
    state = service or Service(world, options)
    routes = [Route(endpoint.path, _tmdb_route(state, endpoint)) for endpoint in TMDB_ENDPOINTS]
    routes += [
        Route("/p/exports/{file}", _export_route(state)),
        Route("/imdb/title.ratings.tsv.gz", _imdb_route(state)),
        Route("/omdb/", _omdb_route(state)),
        Route("/v1/embeddings", _embeddings_route(state), methods=["POST"]),
        Route("/v1/models", _models_route(state)),
        *(Route(path, _bulk_route(state, name, handler), methods=[method]) for method, path, name, handler in BULK),
        *(
            Route(path, _service_route(state, name, api, handler), methods=["POST"])
            for path, name, api, handler in APIS
        ),
        *(Route(path, _control_route(state), methods=["GET", "PUT"]) for path in control.PATHS),
    ]
    return Starlette(routes=routes)


BulkHandler = Callable[[Service, Request, bytes], ServedResponse]
BULK: tuple[tuple[str, str, str, BulkHandler], ...] = (
    ("POST", "/v1/files", "files", batches.upload),
    ("GET", "/v1/files", "list_files", batches.list_files),
    ("GET", "/v1/files/{file_id}/content", "file_content", batches.file_content),
    ("DELETE", "/v1/files/{file_id}", "delete_file", batches.delete_file),
    ("POST", "/v1/batches", "batches", batches.create),
    ("GET", "/v1/batches", "list_batches", batches.list_batches),
    ("GET", "/v1/batches/{batch_id}", "batch", batches.state),
    ("POST", "/v1/batches/{batch_id}/cancel", "cancel_batch", batches.cancel),
)
PLACES_IN_BULK: dict[str, Where] = {"batches": "batch_made", "files": "file_sent", "delete_file": "file_deleted"}
ApiHandler = Callable[[Service, Request, dict[str, Any]], ServedResponse]
APIS: tuple[tuple[str, str, Api, ApiHandler], ...] = (
    ("/openai/deployments/{deployment}/embeddings", "azure", azure.AZURE, azure.embed),
    ("/v1beta/models/{call}", "gemini", gemini.GEMINI, gemini.batch_embed_contents),
    ("/v2/embed", "cohere", cohere.COHERE, cohere.embed),
    ("/voyage/v1/embeddings", "voyage", voyage.VOYAGE, voyage.embeddings),
    ("/v2/rerank", "rerank", cohere.COHERE, rerank.cohere),
    ("/v1/rerank", "rerank", cohere.COHERE, rerank.cohere),
    ("/voyage/v1/rerank", "rerank", voyage.VOYAGE, rerank.voyage),
    ("/rerank", "rerank", rerank.TEI, rerank.text_embeddings_inference),
)
AsyncEndpoint = Callable[[Request], Any]


def _tmdb_route(service: Service, endpoint: Endpoint) -> AsyncEndpoint:
    async def route(request: Request) -> ResponseSender:
        within = service.within_rate()
        if not _admitted(request, service.options.token):
            response = tmdb_error(7)
        elif not within:
            response = tmdb_error(25, {"Retry-After": "1"})
        else:
            if endpoint.slow:
                response = await run_in_threadpool(_handled, service, endpoint, request)
            else:
                response = _handled(service, endpoint, request)
            response = _conditional(response, request.headers.get("if-none-match"))
            if endpoint.name in DETAILS and response.status == 200:  # noqa: PLR2004
                response = service.with_fault(response, "details", _subject(request))
            response = service.with_fault(response, "tmdb")
        return _sent(service, endpoint.name, request, response)

    return route


def _handled(service: Service, endpoint: Endpoint, request: Request) -> ServedResponse:
    try:
        return endpoint.handler(service, request)
    except RefusedError as refused:
        return refused.response


def _conditional(response: ServedResponse, known: str | None) -> ServedResponse:
    """Return the response with a weak ETag, or 304 for a client that has the same body already."""
    if response.status != 200:  # noqa: PLR2004
        return response
    etag = f'W/"{hashlib.blake2b(response.body, digest_size=16).hexdigest()}"'
    headers = {**response.headers, "ETag": etag, "Cache-Control": f"public, max-age={MAX_AGE}"}
    if known is not None and etag in {tag.strip() for tag in known.split(",")}:
        del headers["Content-Type"]
        return ServedResponse(304, b"", headers)
    return replace(response, headers=headers)


def _export_route(service: Service) -> AsyncEndpoint:
    async def route(request: Request) -> ResponseSender:
        response = export(service, request)
        if response.status == 200:  # noqa: PLR2004
            response = service.with_fault(response, "export")
        return _sent(service, "export", request, response)

    return route


def _imdb_route(service: Service) -> AsyncEndpoint:
    async def route(request: Request) -> ResponseSender:
        response = await run_in_threadpool(imdb.title_ratings, service, request)
        return _sent(service, "imdb_ratings", request, response)

    return route


def _omdb_route(service: Service) -> AsyncEndpoint:
    async def route(request: Request) -> ResponseSender:
        response = await run_in_threadpool(title_at_omdb, service, request)
        return _sent(service, "omdb", request, service.with_fault(response, "omdb"))

    return route


def _embeddings_route(service: Service) -> AsyncEndpoint:
    async def route(request: Request) -> ResponseSender:
        body = await request.body()
        if not _admitted(request, None):
            response = openai_error(401, "You didn't provide an API key.", None)
        else:
            try:
                response = await run_in_threadpool(embeddings.embeddings, service, body)
            except RefusedError as refused:
                response = refused.response
            await asyncio.sleep(service.options.embedding_seconds)
            response = service.with_fault(response, "embeddings")
        service.count_embedded(int(response.headers.get("X-Embedded-Inputs", "0")))
        return _sent(service, "embeddings", request, response)

    return route


def _bulk_route(service: Service, name: str, handler: BulkHandler) -> AsyncEndpoint:
    async def route(request: Request) -> ResponseSender:
        body = await request.body()
        if not _admitted(request, None):
            response = openai_error(401, "You didn't provide an API key.", None)
        else:
            try:
                response = await run_in_threadpool(handler, service, request, body)
            except RefusedError as refused:
                response = refused.response
            response = service.with_fault(response, "embeddings")
            if name in PLACES_IN_BULK:
                response = service.with_fault(response, PLACES_IN_BULK[name])
        return _sent(service, name, request, response)

    return route


def _service_route(service: Service, name: str, api: Api, handler: ApiHandler) -> AsyncEndpoint:
    async def route(request: Request) -> ResponseSender:
        body = await request.body()
        if not api.admits(request.headers):
            response = api.error_of("key")
        else:
            try:
                response = await run_in_threadpool(handler, service, request, api.parsed(body))
            except RefusedError as refused:
                response = refused.response
            await asyncio.sleep(service.options.embedding_seconds)
            response = service.with_fault(Exchange(api, response), "service").response
        service.count_embedded(int(response.headers.get("X-Embedded-Inputs", "0")))
        return _sent(service, name, request, response)

    return route


def _models_route(service: Service) -> AsyncEndpoint:
    async def route(request: Request) -> ResponseSender:
        admitted = _admitted(request, None)
        response = embeddings.models() if admitted else openai_error(401, "You didn't provide an API key.", None)
        return _sent(service, "models", request, response)

    return route


def _control_route(service: Service) -> AsyncEndpoint:
    async def route(request: Request) -> ResponseSender:
        if request.method == "PUT":
            return _sender(service, request, control.change_state(service, await request.body()))
        return _sender(service, request, control.read_state(service))

    return route


def _sent(service: Service, name: str, request: Request, response: ServedResponse) -> ResponseSender:
    service.count(name, response.status)
    return _sender(service, request, response)


def _sender(service: Service, request: Request, response: ServedResponse) -> ResponseSender:
    accepts = "gzip" in request.headers.get("accept-encoding", "")
    return ResponseSender(response, accepts_gzip=accepts, stall_seconds=service.options.stall_seconds)


def _admitted(request: Request, token: str | None) -> bool:
    scheme, _, given = request.headers.get("authorization", "").partition(" ")
    return scheme.lower() == "bearer" and bool(given.strip()) and (token is None or given.strip() == token)


def _subject(request: Request) -> int:
    name = "movie_id" if "movie_id" in request.path_params else "tmdb_id"
    text = request.path_params[name].removeprefix("tt")
    return int(text) if text.isdecimal() else 0
