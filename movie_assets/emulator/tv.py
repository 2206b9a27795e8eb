"""TMDB's v3 endpoints for series: each takes the service and a request, and returns a response.

In a world without series they refuse every request with 404. `tmdb` has the endpoints for films.
"""

import json
from collections.abc import Sequence
from typing import Any, cast

from starlette.requests import Request

from movie_assets.emulator.images import in_languages
from movie_assets.emulator.parameters import appended_parts, change_window, page_number, series_discovery
from movie_assets.emulator.responses import JSON_TYPE, RefusedError, ServedResponse, json_response, refusal
from movie_assets.emulator.series_lists import SeriesChart, SeriesLists
from movie_assets.emulator.series_shapes import EMPTY_SERIES_PARTS, TV_GENRES, series_item
from movie_assets.emulator.service import Service
from movie_assets.emulator.shapes import Json
from movie_assets.emulator.tmdb import changes_of, chart_page, id_in, list_page
from movie_assets.emulator.world import Level, SeriesWorld


def series(service: Service, request: Request) -> ServedResponse:
    """Return `/tv/{id}` with its appended sub-objects and seasons, twenty together at most."""
    parts = appended_parts(request.query_params)
    return _body(_world(service).body(_id(request), service.today, parts))


def series_part(service: Service, request: Request) -> ServedResponse:
    """Return one sub-object: `/tv/{id}/{part}`."""
    part = request.path_params["part"]
    if part not in EMPTY_SERIES_PARTS:
        raise refusal(34)
    body = _body(_world(service).body(_id(request), service.today, (part,))).body
    return json_response({"id": _id(request), **in_languages(json.loads(body)[part], request.query_params)})


def season(service: Service, request: Request) -> ServedResponse:
    """Return `/tv/{id}/season/{number}` with its episodes."""
    parts = appended_parts(request.query_params)
    number = id_in(request.path_params["season"])
    return _body(_world(service).season_body(_id(request), number, service.today, parts))


def episode(service: Service, request: Request) -> ServedResponse:
    """Return one episode: `/tv/{id}/season/{number}/episode/{number}`."""
    number = id_in(request.path_params["episode"])
    listed = json.loads(season(service, request).body)["episodes"]
    return _body_of(next((entry for entry in listed if entry["episode_number"] == number), None))


def changes(service: Service, request: Request) -> ServedResponse:
    """Return the ids that are new, edited or deleted within a window of days: `/tv/changes`."""
    return changes_of(_world(service).changes, service, request)


def series_edits(service: Service, request: Request) -> ServedResponse:
    """Return what was edited of a series: `/tv/{id}/changes`."""
    return _edits(service, request, "series")


def season_edits(service: Service, request: Request) -> ServedResponse:
    """Return what was edited of a season: `/tv/season/{id}/changes`."""
    return _edits(service, request, "season")


def episode_edits(service: Service, request: Request) -> ServedResponse:
    """Return what was edited of an episode: `/tv/episode/{id}/changes`."""
    return _edits(service, request, "episode")


def discover(service: Service, request: Request) -> ServedResponse:
    """Return the series that match a query: `/discover/tv`."""
    page = page_number(request.query_params)
    ids = _lists(service).matches(series_discovery(request.query_params), service.today)
    return json_response(_list_page(service, ids.tolist(), page))


def chart(service: Service, request: Request) -> ServedResponse:
    """Return a fixed list: `/tv/{popular,top_rated,airing_today,on_the_air}`."""
    name = cast("SeriesChart", request.url.path.rsplit("/", 1)[-1])
    return json_response(_chart_page(service, request, name))


def trending(service: Service, request: Request) -> ServedResponse:
    """Return the series of a day's or a week's trend: `/trending/tv/{day,week}`."""
    span = request.path_params["span"]
    if span not in {"day", "week"}:
        raise refusal(34)
    body = _chart_page(service, request, cast("SeriesChart", f"trending_{span}"))
    body["results"] = [{**item, "media_type": "tv"} for item in body["results"]]
    return json_response(body)


def search(service: Service, request: Request) -> ServedResponse:
    """Return the series whose name contains the query: `/search/tv`; 422 without a query."""
    lists, page = _lists(service), page_number(request.query_params)
    words = request.query_params.get("query", "").strip()
    if not words:
        raise RefusedError(json_response({"errors": ["query must be provided"]}, 422))
    return json_response(_list_page(service, lists.search(words, service.today), page))


def genres(service: Service, request: Request) -> ServedResponse:  # noqa: ARG001
    """Return the genres: `/genre/tv/list`."""
    _world(service)
    return json_response({"genres": [{"id": number, "name": name} for name, number in TV_GENRES.items()]})


def _world(service: Service) -> SeriesWorld:
    if service.series is None:
        raise refusal(34)
    return service.series


def _lists(service: Service) -> SeriesLists:
    if service.series_lists is None:
        raise refusal(34)
    return service.series_lists


def _id(request: Request) -> int:
    return id_in(request.path_params["tmdb_id"])


def _body(body: bytes | None) -> ServedResponse:
    if body is None:
        raise refusal(34)
    return ServedResponse(200, body, {"Content-Type": JSON_TYPE})


def _body_of(body: Any) -> ServedResponse:
    if body is None:
        raise refusal(34)
    return json_response(body)


def _chart_page(service: Service, request: Request, name: SeriesChart) -> Json:
    world, ids = _world(service), _lists(service).chart(name, service.today).tolist()
    return chart_page(
        ids, page_number(request.query_params), f"tv {name}", service.today,
        lambda tmdb_id: world.detail(tmdb_id, service.today), series_item,
    )  # fmt: skip


def _list_page(service: Service, ids: Sequence[int], page: int) -> Json:
    world = _world(service)
    return list_page(ids, page, lambda tmdb_id: world.detail(tmdb_id, service.today), series_item)


def _edits(service: Service, request: Request, level: Level) -> ServedResponse:
    """Return the edits of a window of days, the latest first, by what was edited."""
    by_key: dict[str, list[Any]] = {}
    is_there = False
    for day in reversed(change_window(request.query_params, service.today)):
        edits = _world(service).edits(level, _id(request), day)
        is_there = is_there or edits is not None
        for edit in edits or ():
            by_key.setdefault(edit["key"], []).extend(edit["items"])
    if not is_there:
        raise refusal(34)
    return json_response({"changes": [{"key": key, "items": items} for key, items in by_key.items()]})
