"""TMDB's lists over an open session: the change feed, /discover and /find. One function a list.

How a call is made, paced and retried is `tmdb.client`; what follows from a list is for the assets.
"""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import date, timedelta
from typing import Any

from movie_assets.tmdb.client import TmdbClient
from movie_assets.tmdb.json_values import Reader
from movie_assets.tmdb.movies import UnusableResponseError
from movie_assets.tmdb.responses import Discovered, TmdbUnavailableError

PAGE_SIZE = 20  # of /discover
MAX_PAGES = 500  # TMDB gives no more of any list
PAGES_AT_ONCE = 20  # the connections that a session has
PAGES_OF_A_SLICE = 100  # a longer list is cut by release date: the more pages, the more films move between them
LARGEST_ID = 2**53
MAX_VOTES = 10**9
MAX_MISSED = 0.01  # share of a slice's films; they move while it is walked


async def changed_ids(client: TmdbClient, day: date) -> list[int]:
    """The ids that TMDB's change feed names for one day, each once."""
    found: dict[int, None] = {}
    page, pages = 1, 1
    while page <= min(pages, MAX_PAGES):
        window = {"start_date": day.isoformat(), "end_date": day.isoformat(), "page": page}
        entries, _, pages = await _page(client, "/movie/changes", window)
        found.update((tmdb_id, None) for entry in entries if (tmdb_id := _id(entry)) is not None)
        page += 1
    return list(found)


async def discover(client: TmdbClient, first: date, last: date, min_votes: int) -> Sequence[Discovered]:
    """Every film released in these days, both included, that has at least so many votes.

    Raises TmdbUnavailableError when the pages do not add up to what TMDB says there is.
    """
    found: dict[int, Discovered] = {}
    slices = [(first, last)]
    while slices:
        since, until = slices.pop()
        listed, pages = await _slice(client, since, until, min_votes)
        if pages > PAGES_OF_A_SLICE and since < until:
            middle = since + (until - since) // 2
            slices += [(middle + timedelta(days=1), until), (since, middle)]
        else:
            found.update(listed)
    return list(found.values())


async def find_imdb(client: TmdbClient, imdb_id: str) -> int | None:
    """The id of the film that TMDB has for an IMDb id, or None."""
    body = await _body(client, f"/find/{imdb_id}", {"external_source": "imdb_id"})
    match body:
        case {"movie_results": [entry, *_]}:
            return _id(entry)
    return None


async def _slice(client: TmdbClient, since: date, until: date, votes: int) -> tuple[dict[int, Discovered], int]:
    """The films of a range of release dates and how many pages they have; no films when those are too many."""
    query: dict[str, str | int] = {
        "primary_release_date.gte": since.isoformat(),
        "primary_release_date.lte": until.isoformat(),
        "vote_count.gte": votes,
        "include_adult": "false",
        "include_video": "false",
        "sort_by": "primary_release_date.asc",
    }
    for _ in range(2):
        entries, films, pages = await _page(client, "/discover/movie", {**query, "page": 1})
        if pages > PAGES_OF_A_SLICE and since < until:
            return {}, pages
        for start in range(2, min(pages, MAX_PAGES) + 1, PAGES_AT_ONCE):
            numbers = range(start, min(start + PAGES_AT_ONCE, pages + 1, MAX_PAGES + 1))
            entries = [*entries, *await _pages(client, "/discover/movie", query, numbers)]
        listed = {film.tmdb_id: film for entry in entries if (film := _discovered(entry)) is not None}
        reachable = min(films, MAX_PAGES * PAGE_SIZE)
        if abs(len(listed) - reachable) <= max(1, MAX_MISSED * reachable):
            return listed, pages
    raise TmdbUnavailableError(
        f"TMDB's list of films from {since} to {until} has {films:,} and its pages hold {len(listed):,}"
    )


async def _pages(client: TmdbClient, path: str, query: dict[str, Any], numbers: Iterable[int]) -> list[Any]:
    """The entries of several pages, asked for at once; the first error ends them all."""
    tasks = [asyncio.create_task(_page(client, path, {**query, "page": number})) for number in numbers]
    try:
        return [entry for entries, _, _ in await asyncio.gather(*tasks) for entry in entries]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _page(client: TmdbClient, path: str, query: dict[str, Any]) -> tuple[list[Any], int, int]:
    """A page's entries, the number of entries of the whole list, and of its pages."""
    body = await _body(client, path, query)
    match body:
        case {"results": list(entries), "total_pages": int(pages)}:
            return entries, Reader(body).integer("total_results", 0, LARGEST_ID) or 0, pages
    raise TmdbUnavailableError(f"TMDB's list {path} cannot be read ({str(body)[:100]})")


async def _body(client: TmdbClient, path: str, query: dict[str, Any]) -> Any:
    try:
        return await client.json(path, query)
    except UnusableResponseError as error:  # a list with a hole is none
        raise TmdbUnavailableError(str(error)) from None


def _id(entry: Any) -> int | None:
    return Reader(entry).integer("id", 1, LARGEST_ID) if isinstance(entry, dict) else None


def _discovered(entry: Any) -> Discovered | None:
    """An entry of the list, or None when it has no id or number of votes; anything else that is odd is unknown."""
    tmdb_id = _id(entry)
    if tmdb_id is None:
        return None
    read = Reader(entry)
    votes = read.integer("vote_count", 0, MAX_VOTES)
    if votes is None:
        return None
    return Discovered(
        tmdb_id=tmdb_id,
        vote_count=votes,
        vote_average=read.number("vote_average", 0, 10),
        release_date=read.day("release_date"),
        original_language=read.text("original_language", 10),
    )
