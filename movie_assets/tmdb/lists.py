"""Reading TMDB's lists over an open session: the change feed, /discover and /find, one function for each.

`tmdb.client` makes the calls. The assets decide what follows from a list.
"""

import asyncio
from collections.abc import Iterable, Mapping, Sequence
from datetime import date, timedelta
from typing import NamedTuple

from movie_assets.tmdb.client import TmdbClient
from movie_assets.tmdb.json_values import JsonObject, Reader
from movie_assets.tmdb.movies import UnusableResponseError
from movie_assets.tmdb.responses import ListedMovie, TmdbUnavailableError

PAGE_SIZE = 20  # of /discover
MAX_PAGES = 500  # TMDB returns no further pages of any list
PAGES_AT_ONCE = 20  # the connections of a session
MAX_PAGES_OF_A_SLICE = 100  # a longer list is split by release date: the more pages, the more movies move between them
LARGEST_ID = 2**53
MAX_VOTES = 10**9
MAX_MISSED = 0.01  # share of a slice's movies; they move while its pages are read

Query = Mapping[str, str | int]


class Page(NamedTuple):
    """A page of a list: its entries, and how many entries and pages the whole list has."""

    entries: list[object]
    total_entries: int
    total_pages: int


async def changed_ids(client: TmdbClient, day: date) -> list[int]:
    """Return the ids that TMDB's change feed has for a day, each once."""
    ids: dict[int, None] = {}
    number, pages = 1, 1
    while number <= min(pages, MAX_PAGES):
        query: Query = {"start_date": day.isoformat(), "end_date": day.isoformat(), "page": number}
        page = await _page(client, "/movie/changes", query)
        ids.update((tmdb_id, None) for entry in page.entries if (tmdb_id := _id(entry)) is not None)
        pages = page.total_pages
        number += 1
    return list(ids)


async def discover(client: TmdbClient, first: date, last: date, min_votes: int) -> Sequence[ListedMovie]:
    """Return every movie released from `first` to `last`, both included, with at least `min_votes` votes.

    Raises TmdbUnavailableError when the pages do not have as many movies as TMDB reports.
    """
    movies: dict[int, ListedMovie] = {}
    slices = [(first, last)]
    while slices:
        since, until = slices.pop()
        listed, pages = await _slice(client, since, until, min_votes)
        if pages > MAX_PAGES_OF_A_SLICE and since < until:
            middle = since + (until - since) // 2
            slices += [(middle + timedelta(days=1), until), (since, middle)]
        else:
            movies.update(listed)
    return list(movies.values())


async def find_imdb(client: TmdbClient, imdb_id: str) -> int | None:
    """Return the id of the movie that TMDB has for an IMDb id, or None."""
    body = await _body(client, f"/find/{imdb_id}", {"external_source": "imdb_id"})
    match body:
        case {"movie_results": [entry, *_]}:
            return _id(entry)
    return None


async def _slice(client: TmdbClient, since: date, until: date, votes: int) -> tuple[dict[int, ListedMovie], int]:
    """Return the movies of a range of release dates and the number of their pages; no movies for too many pages."""
    query: dict[str, str | int] = {
        "primary_release_date.gte": since.isoformat(),
        "primary_release_date.lte": until.isoformat(),
        "vote_count.gte": votes,
        "include_adult": "false",
        "include_video": "false",
        "sort_by": "primary_release_date.asc",
    }
    for _ in range(2):
        entries, total, pages = await _page(client, "/discover/movie", {**query, "page": 1})
        if pages > MAX_PAGES_OF_A_SLICE and since < until:
            return {}, pages
        for start in range(2, min(pages, MAX_PAGES) + 1, PAGES_AT_ONCE):
            numbers = range(start, min(start + PAGES_AT_ONCE, pages + 1, MAX_PAGES + 1))
            entries = [*entries, *await _entries_of_pages(client, "/discover/movie", query, numbers)]
        listed = {movie.tmdb_id: movie for entry in entries if (movie := _listed_movie(entry)) is not None}
        reachable = min(total, MAX_PAGES * PAGE_SIZE)
        if abs(len(listed) - reachable) <= max(1, MAX_MISSED * reachable):
            return listed, pages
    raise TmdbUnavailableError(
        f"TMDB's list of films from {since} to {until} has {total:,} and its pages hold {len(listed):,}"
    )


async def _entries_of_pages(client: TmdbClient, path: str, query: Query, numbers: Iterable[int]) -> list[object]:
    """Return the entries of several pages, requested at the same time; the first error cancels all of them."""
    tasks = [asyncio.create_task(_page(client, path, {**query, "page": number})) for number in numbers]
    try:
        return [entry for page in await asyncio.gather(*tasks) for entry in page.entries]
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def _page(client: TmdbClient, path: str, query: Query) -> Page:
    body = await _body(client, path, query)
    match body:
        case {"results": list(entries), "total_pages": int(pages)}:
            return Page(entries, Reader(body).integer("total_results", 0, LARGEST_ID) or 0, pages)
    raise TmdbUnavailableError(f"TMDB's list {path} cannot be read ({str(body)[:100]})")


async def _body(client: TmdbClient, path: str, query: Query) -> JsonObject:
    """Return the object of a response; an empty one for 404. Raises TmdbUnavailableError."""
    try:
        return await client.json(path, query) or {}
    except UnusableResponseError as error:  # a list is of no use when a page is missing
        raise TmdbUnavailableError(str(error)) from None


def _id(entry: object) -> int | None:
    return Reader(entry).integer("id", 1, LARGEST_ID) if isinstance(entry, dict) else None


def _listed_movie(entry: object) -> ListedMovie | None:
    """Read an entry of a list; None without an id or a number of votes. Other odd values are read as unknown."""
    tmdb_id = _id(entry)
    if tmdb_id is None or not isinstance(entry, dict):
        return None
    read = Reader(entry)
    votes = read.integer("vote_count", 0, MAX_VOTES)
    if votes is None:
        return None
    return ListedMovie(
        tmdb_id=tmdb_id,
        vote_count=votes,
        vote_average=read.number("vote_average", 0, 10),
        release_date=read.day("release_date"),
        original_language=read.text("original_language", 10),
    )
