"""TMDB's v3 endpoints over a world: each takes the service and a request, and returns a response.

`app` adds credentials, rate limit, faults and counting; `parameters` reads the query's parameters.
"""

import json
from collections.abc import Callable, Sequence
from datetime import date, timedelta
from typing import cast

from starlette.requests import Request

from movie_assets.emulator.images import in_languages
from movie_assets.emulator.list_order import PAGE_SIZE, page_of_ids
from movie_assets.emulator.lists import SPANS, Chart
from movie_assets.emulator.parameters import appended_parts, change_window, discovery, page_number
from movie_assets.emulator.responses import JSON_TYPE, ServedResponse, json_response, refusal
from movie_assets.emulator.service import Service
from movie_assets.emulator.shapes import EMPTY_PARTS, GENRES, Json, list_item, page_of
from movie_assets.emulator.world import Change

CHANGES_PAGE_SIZE = 100

CONFIGURATION: Json = {
    "images": {
        "base_url": "http://image.tmdb.org/t/p/",
        "secure_base_url": "https://image.tmdb.org/t/p/",
        "backdrop_sizes": ["w300", "w780", "w1280", "original"],
        "logo_sizes": ["w45", "w92", "w154", "w185", "w300", "w500", "original"],
        "poster_sizes": ["w92", "w154", "w185", "w342", "w500", "w780", "original"],
        "profile_sizes": ["w45", "w185", "h632", "original"],
        "still_sizes": ["w92", "w185", "w300", "original"],
    },
    "change_keys": ["adult", "overview", "keywords", "title"],
}


def movie(service: Service, request: Request) -> ServedResponse:
    """Return `/movie/{id}` with its appended sub-objects; the id may be an IMDb id."""
    tmdb_id = _movie_id(service, request)
    body = service.world.body(tmdb_id, service.today, appended_parts(request.query_params))
    if body is None:
        raise refusal(34)
    return ServedResponse(200, body, {"Content-Type": JSON_TYPE})


def movie_part(service: Service, request: Request) -> ServedResponse:
    """Return one sub-object: `/movie/{id}/{part}`."""
    tmdb_id, part = _movie_id(service, request), request.path_params["part"]
    if part not in EMPTY_PARTS:
        raise refusal(34)
    body = service.world.body(tmdb_id, service.today, (part,))
    if body is None:
        raise refusal(34)
    return json_response({"id": tmdb_id, **in_languages(json.loads(body)[part], request.query_params)})


def changes(service: Service, request: Request) -> ServedResponse:
    """Return the ids that are new, changed or deleted within a window of days: `/movie/changes`."""
    return changes_of(service.world.changes, service, request)


def changes_of(source: Callable[[date], Sequence[Change]], service: Service, request: Request) -> ServedResponse:
    """Return a page of the changes of a window of days, each id once with its latest change."""
    page = page_number(request.query_params)
    latest: dict[int, Change] = {}
    for day in change_window(request.query_params, service.today):
        latest.update({change.tmdb_id: change for change in source(day)})
    ordered = sorted(latest.values(), key=lambda change: change.tmdb_id)
    start = (page - 1) * CHANGES_PAGE_SIZE
    results = [{"id": change.tmdb_id, "adult": change.adult} for change in ordered[start : start + CHANGES_PAGE_SIZE]]
    return json_response(page_of(results, page, len(ordered), CHANGES_PAGE_SIZE))


def discover(service: Service, request: Request) -> ServedResponse:
    """Return the films that match a query: `/discover/movie`."""
    page = page_number(request.query_params)
    ids = service.lists.matches(discovery(request.query_params), service.today)
    return json_response(_list_page(service, ids.tolist(), page))


def chart(service: Service, request: Request) -> ServedResponse:
    """Return a fixed list: `/movie/{popular,now_playing,upcoming,top_rated}`, for a region or the world."""
    name = cast("Chart", request.url.path.rsplit("/", 1)[-1])
    region = request.query_params.get("region", "").upper()
    body = _chart_page(service, request, name, region)
    dates = _chart_dates(name, service.today)
    return json_response({"dates": dates, **body} if dates else body)


def trending(service: Service, request: Request) -> ServedResponse:
    """Return the films of a day's or a week's trend: `/trending/movie/{day,week}`."""
    span = request.path_params["span"]
    if span not in {"day", "week"}:
        raise refusal(34)
    body = _chart_page(service, request, cast("Chart", f"trending_{span}"))
    body["results"] = [{**item, "media_type": "movie"} for item in body["results"]]
    return json_response(body)


def search(service: Service, request: Request) -> ServedResponse:
    """Return the films whose title contains the query: `/search/movie`."""
    page = page_number(request.query_params)
    words = request.query_params.get("query", "").strip()
    ids = service.lists.search(words, service.today) if words else ()
    return json_response(_list_page(service, ids, page))


def find(service: Service, request: Request) -> ServedResponse:
    """Return what has an id at another site: `/find/{id}?external_source=imdb_id`; series also by `tvdb_id`."""
    item, source, external_id = (
        None,
        request.query_params.get("external_source", ""),
        request.path_params["external_id"],
    )
    if source == "imdb_id":
        tmdb_id = service.world.id_of(external_id, service.today)
        item = service.world.detail(tmdb_id, service.today) if tmdb_id is not None else None
    return json_response(
        {
            "movie_results": [{**list_item(item), "media_type": "movie"}] if item else [],
            "person_results": [],
            "tv_results": [],
            "tv_episode_results": [],
            "tv_season_results": [],
            **(service.series.find(source, external_id, service.today) if service.series else {}),
        }
    )


def configuration(service: Service, request: Request) -> ServedResponse:  # noqa: ARG001
    """Return TMDB's constants: `/configuration`."""
    return json_response(CONFIGURATION)


def genres(service: Service, request: Request) -> ServedResponse:  # noqa: ARG001
    """Return the genres: `/genre/movie/list`."""
    return json_response({"genres": [{"id": number, "name": name} for name, number in GENRES.items()]})


def nothing(service: Service, request: Request) -> ServedResponse:  # noqa: ARG001
    """Refuse any other path under `/3` with 404."""
    raise refusal(34)


def _movie_id(service: Service, request: Request) -> int:
    text: str = request.path_params["movie_id"]
    if text.startswith("tt"):
        tmdb_id = service.world.id_of(text, service.today)
        if tmdb_id is None:
            raise refusal(34)
        return tmdb_id
    return id_in(text)


def id_in(text: str) -> int:
    """Return the id at the beginning of a part of a path (`550-fight-club`); code 34 without one."""
    digits = text.partition("-")[0]
    if not (digits.isascii() and digits.isdecimal() and len(digits) < 16):  # noqa: PLR2004
        raise refusal(34)
    return int(digits)


def _chart_page(service: Service, request: Request, name: Chart, region: str = "") -> Json:
    ids = service.lists.chart(name, service.today, region).tolist()
    return chart_page(
        ids, page_number(request.query_params), f"{name} {region}", service.today,
        lambda tmdb_id: service.world.detail(tmdb_id, service.today), list_item,
    )  # fmt: skip


def _list_page(service: Service, ids: Sequence[int], page: int) -> Json:
    return list_page(ids, page, lambda tmdb_id: service.world.detail(tmdb_id, service.today), list_item)


def list_page(
    ids: Sequence[int], page: int, detail: Callable[[int], Json | None], item: Callable[[Json], Json]
) -> Json:
    """Return a page of twenty of the ids; `item` makes an entry of a title's details."""
    start = (page - 1) * PAGE_SIZE
    bodies = (detail(tmdb_id) for tmdb_id in ids[start : start + PAGE_SIZE])
    return page_of([item(body) for body in bodies if body is not None], page, len(ids), PAGE_SIZE)


def chart_page(
    ids: Sequence[int], page: int, name: str, day: date, detail: Callable[[int], Json | None],
    item: Callable[[Json], Json],
) -> Json:  # fmt: skip
    """Return a page of a fixed list; some pages begin with the last entry of the page before."""
    on_page, total = page_of_ids(ids, page, name, day)
    bodies = (detail(tmdb_id) for tmdb_id in on_page)
    return page_of([item(body) for body in bodies if body is not None], page, total, PAGE_SIZE)


def _chart_dates(name: Chart, today: date) -> Json | None:
    if name not in SPANS:
        return None
    first, last = (today + timedelta(days=days) for days in SPANS[name])
    return {"maximum": last.isoformat(), "minimum": first.isoformat()}
