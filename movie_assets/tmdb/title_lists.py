"""Reading one of TMDB's fixed lists over an open session, as a whole or not at all; `list_pages` reads the pages."""

from movie_assets.tmdb.client import TmdbClient
from movie_assets.tmdb.json_values import UnusableResponseError
from movie_assets.tmdb.list_pages import ListPage, TitleList, read_list_page, whole_list
from movie_assets.tmdb.list_slices import PAGE_SIZE
from movie_assets.tmdb.media import MediaType


async def read_title_list(
    client: TmdbClient, media: MediaType, path: str, region: str, pages: int, *, may_be_empty: bool
) -> TitleList:
    """Return a list with its first pages, so many at most. An empty `region` is the world.

    Raises UnusableResponseError when a page cannot be read, or a page is empty although TMDB counts titles on it, or
    the list is empty and may not be; and what a call of `client` raises.
    """
    read: list[ListPage] = []
    while len(read) < pages:
        number = len(read) + 1
        query: dict[str, str | int] = {"page": number, **({"region": region} if region else {})}
        body = await client.json(path, query)
        if body is None:
            raise UnusableResponseError("no_list", f"TMDB has no list {path}")
        page = read_list_page(body, media)
        if not page.titles and not page.hidden:
            _refuse_missing(page, read, path, may_be_empty=may_be_empty)
            read = read or [page]
            break
        read.append(page)
        if page.pages is not None and number >= page.pages:
            break
    return whole_list(read)


def _refuse_missing(page: ListPage, before: list[ListPage], path: str, *, may_be_empty: bool) -> None:
    """Raise UnusableResponseError for an empty page where TMDB counts titles, or that says nothing of a whole list."""
    if (page.total or 0) > len(before) * PAGE_SIZE:
        message = f"page {len(before) + 1} of {path} is empty, and TMDB counts {page.total:,} titles in the list"
        raise UnusableResponseError("empty_page", message)
    if not before and not (may_be_empty and page.total == 0):
        raise UnusableResponseError("empty_list", f"the list {path} is empty")
