"""Reading TMDB's lists over an open session: the change feed, /discover and /find, one function for each.

`tmdb.client` makes the calls. The assets decide what follows from a list.
"""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from datetime import date, timedelta
from typing import NamedTuple, TypeVar

from movie_assets.tmdb.client import TmdbClient
from movie_assets.tmdb.export_lines import LARGEST_ID
from movie_assets.tmdb.json_values import JsonObject, Reader, UnusableResponseError
from movie_assets.tmdb.list_slices import PAGE_SIZE
from movie_assets.tmdb.media import MOVIES, MediaType
from movie_assets.tmdb.responses import ListedMovie, TmdbUnavailableError

MAX_PAGES = 500  # TMDB returns no further pages of any list
PAGES_AT_ONCE = 20  # the connections of a session
MAX_PAGES_OF_A_SLICE = 100  # a longer list is split by release date: the more pages, the more movies move between them
MAX_TOTAL = 2**53
MAX_VOTES = 10**9
MAX_MISSED = 0.01  # share of a list's movies; they move while its pages are read
MAX_MISSED_OF_FEW = 0.05  # of a slice of few pages, where a page is a larger share

Query = dict[str, str | int]
T = TypeVar("T")


class Page(NamedTuple):
    """A page of a list: its entries, and how many entries and pages the whole list has."""

    entries: list[object]
    total_entries: int
    total_pages: int


async def changed_ids(client: TmdbClient, day: date, media: MediaType = MOVIES) -> list[int]:
    """Return the ids that TMDB's change feed of a media type has for a day, each once."""
    ids: dict[int, None] = {}
    number, pages = 1, 1
    while number <= min(pages, MAX_PAGES):
        query: Query = {"start_date": day.isoformat(), "end_date": day.isoformat(), "page": number}
        page = await _page(client, f"/{media.path}/changes", query)
        ids.update((tmdb_id, None) for entry in page.entries if (tmdb_id := _id(entry)) is not None)
        pages = page.total_pages
        number += 1
    return list(ids)


async def discover(
    client: TmdbClient,
    first: date,
    last: date,
    min_votes: int,
    media: MediaType = MOVIES,
    *,
    usually_unshown: int | None = None,
) -> tuple[Sequence[ListedMovie], int]:
    """Return every title of a media type released from `first` to `last`, both included, with at least `min_votes`.

    Also return by how many TMDB's total exceeds them. With `usually_unshown`, the same number at the last reading, the
    pages of a range are read again when it is another one. Raises TmdbUnavailableError when the pages do not have as
    many titles as TMDB reports.
    """
    movies: dict[int, ListedMovie] = {}
    slices, unshown = [(first, last)], 0
    while slices:
        since, until = slices.pop()
        listed, total, pages = await _slice(client, media, since, until, min_votes, usually_unshown)
        if pages > MAX_PAGES_OF_A_SLICE and since < until:
            middle = since + (until - since) // 2
            slices += [(middle + timedelta(days=1), until), (since, middle)]
        else:
            movies.update(listed)
            unshown += total - len(listed)
    return list(movies.values()), unshown


async def first_by_votes(
    client: TmdbClient, first: date, last: date, min_votes: int, media: MediaType = MOVIES
) -> tuple[Sequence[ListedMovie], int]:
    """Return the titles with the fewest votes of those that `discover` lists (a page), and TMDB's total of these."""
    query = _query(media, first, last, min_votes) | {"sort_by": "vote_count.asc", "page": 1}
    page = await _page(client, _discover_path(media), query)
    return _listed_movies(page.entries, media), page.total_entries


async def most_popular(
    client: TmdbClient, first: date, last: date, min_votes: int, pages: int, media: MediaType = MOVIES
) -> Sequence[ListedMovie]:
    """Return the most popular titles of those that `discover` lists, so many pages of them at most."""
    query = _query(media, first, last, min_votes) | {"sort_by": "popularity.desc"}
    path = _discover_path(media)
    page = await _page(client, path, {**query, "page": 1})
    further = await _further_entries(client, path, query, min(pages, page.total_pages))
    return _listed_movies(page.entries + further, media)


async def together(work: Iterable[Coroutine[object, object, T]]) -> list[T]:
    """Do several things at the same time and return their results; the first error cancels all of them."""
    tasks = [asyncio.create_task(each) for each in work]
    try:
        return await asyncio.gather(*tasks)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def find_imdb(client: TmdbClient, imdb_id: str, media: MediaType = MOVIES) -> int | None:
    """Return the id of the title of a media type that TMDB has for an IMDb id, or None."""
    body = await _body(client, f"/find/{imdb_id}", {"external_source": "imdb_id"})
    match body.get(media.find_key):
        case [entry, *_]:
            return _id(entry)
    return None


async def _slice(
    client: TmdbClient, media: MediaType, since: date, until: date, votes: int, usually_unshown: int | None
) -> tuple[dict[int, ListedMovie], int, int]:
    """Return the titles of a range of release dates, their total and the number of their pages.

    For too many pages no titles are returned. The pages are read twice when they do not add up, as titles move between
    them meanwhile; of the second time, and both times taken together, what is closer to the total counts.
    """
    path = _discover_path(media)
    query = _query(media, since, until, votes) | {"sort_by": f"{media.date_parameter}.asc"}
    allowed = MAX_MISSED if usually_unshown is None else MAX_MISSED_OF_FEW
    before: dict[int, ListedMovie] = {}
    for is_last in (False, True):
        page = await _page(client, path, {**query, "page": 1})
        if page.total_pages > MAX_PAGES_OF_A_SLICE and since < until:
            return {}, 0, page.total_pages
        entries = page.entries + await _further_entries(client, path, query, min(page.total_pages, MAX_PAGES))
        listed = {movie.tmdb_id: movie for movie in _listed_movies(entries, media)}
        total = min(page.total_entries, MAX_PAGES * PAGE_SIZE)
        listed = min((listed, before | listed), key=lambda movies: abs(total - len(movies)))
        unshown = total - len(listed)
        is_usual = usually_unshown is None or is_last or unshown in (0, usually_unshown)
        if is_usual and abs(unshown) <= max(1, allowed * total):
            return listed, total, page.total_pages
        before = listed
    raise TmdbUnavailableError(
        f"TMDB's list {path} from {since} to {until} has {page.total_entries:,} and its pages hold {len(listed):,}"
    )


def _discover_path(media: MediaType) -> str:
    return f"/discover/{media.path}"


def _query(media: MediaType, since: date, until: date, votes: int) -> Query:
    return {
        f"{media.date_parameter}.gte": since.isoformat(),
        f"{media.date_parameter}.lte": until.isoformat(),
        "vote_count.gte": votes,
        **media.list_parameters,
    }


async def _further_entries(client: TmdbClient, path: str, query: Query, pages: int) -> list[object]:
    """Return the entries of the pages from the second to the last, some of which are requested at the same time."""
    entries: list[object] = []
    for start in range(2, pages + 1, PAGES_AT_ONCE):
        numbers = range(start, min(start + PAGES_AT_ONCE, pages + 1))
        read = await together(_page(client, path, {**query, "page": number}) for number in numbers)
        entries += [entry for page in read for entry in page.entries]
    return entries


async def _page(client: TmdbClient, path: str, query: Query) -> Page:
    body = await _body(client, path, query)
    match body:
        case {"results": list(entries), "total_pages": int(pages)}:
            return Page(entries, Reader(body).integer("total_results", 0, MAX_TOTAL) or 0, pages)
    raise TmdbUnavailableError(f"TMDB's list {path} cannot be read ({str(body)[:100]})")


async def _body(client: TmdbClient, path: str, query: Query) -> JsonObject:
    """Return the object of a response; an empty one for 404. Raises TmdbUnavailableError."""
    try:
        return await client.json(path, query) or {}
    except UnusableResponseError as error:  # a list is of no use when a page is missing
        raise TmdbUnavailableError(str(error)) from None


def _id(entry: object) -> int | None:
    return Reader(entry).integer("id", 1, LARGEST_ID) if isinstance(entry, dict) else None


def _listed_movies(entries: Iterable[object], media: MediaType) -> list[ListedMovie]:
    return [movie for entry in entries if (movie := _listed_movie(entry, media)) is not None]


def _listed_movie(entry: object, media: MediaType = MOVIES) -> ListedMovie | None:
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
        release_date=read.day(media.date_key),
        original_language=read.text("original_language", 10),
    )
