"""Reading the pages of TMDB's fixed lists: popular, trending, now playing and so on.

The order of the entries is data of its own: no list is sorted by the popularity that it shows.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

from movie_assets.tmdb.export_lines import LARGEST_ID
from movie_assets.tmdb.json_values import JsonObject, Reader, UnusableResponseError
from movie_assets.tmdb.media import MediaType

MAX_UNREADABLE = 0.1  # share of the entries
MAX_TOTAL = 2**31 - 1
MAX_VOTES = 10**9
LONGEST_TITLE, LONGEST_OVERVIEW, LONGEST_PATH = 500, 5000, 200


@dataclass(frozen=True)
class ListedTitle:
    """An entry of a list as it is shown there; the title need not be in the catalogue."""

    tmdb_id: int
    title: str | None
    original_title: str | None
    original_language: str | None
    overview: str | None
    release_date: date | None
    poster_path: str | None
    backdrop_path: str | None
    popularity: float | None
    vote_average: float | None
    vote_count: int | None


@dataclass(frozen=True)
class ListPage:
    """A page of a list. `titles` has None for entries that cannot be read; `hidden` counts adult titles, left out.

    `total` and `pages` are those of the whole list, None if TMDB does not state them. `dates` are the first and the
    last release date of a list of a span of days.
    """

    titles: Sequence[ListedTitle | None]
    hidden: int
    total: int | None
    pages: int | None
    dates: tuple[date | None, date | None]


@dataclass(frozen=True)
class TitleList:
    """A list as a whole: each title once, the first one first.

    `repeated` counts entries that TMDB's pages have twice, `unreadable` those without an id, `hidden` adult titles.
    """

    titles: Sequence[ListedTitle]
    pages: int
    total: int | None
    dates: tuple[date | None, date | None]
    repeated: int
    unreadable: int
    hidden: int


def read_list_page(body: JsonObject, media: MediaType) -> ListPage:
    """Read a page of a list of a media type. Raises UnusableResponseError when the response has no list of entries."""
    entries = body.get("results")
    if not isinstance(entries, list):
        raise UnusableResponseError("no_list", f"the response has no list of entries ({str(body)[:100]})")
    read = Reader(body)
    dates = read.inner("dates")
    shown = [entry for entry in entries if not _is_adult(entry)]
    return ListPage(
        titles=[_listed_title(entry, media) for entry in shown],
        hidden=len(entries) - len(shown),
        total=read.integer("total_results", 0, MAX_TOTAL),
        pages=read.integer("total_pages", 0, MAX_TOTAL),
        dates=(dates.day("minimum"), dates.day("maximum")),
    )


def whole_list(pages: Sequence[ListPage]) -> TitleList:
    """Join all pages of a list; of a title that is there twice the first place counts, and later ones move up.

    Raises UnusableResponseError when more than a tenth of the entries cannot be read.
    """
    entries = [title for page in pages for title in page.titles]
    readable = [title for title in entries if title is not None]
    unreadable = len(entries) - len(readable)
    if unreadable > MAX_UNREADABLE * len(entries):
        raise UnusableResponseError("unreadable", f"{unreadable:,} of {len(entries):,} entries have no usable id")
    titles: dict[int, ListedTitle] = {}
    for title in readable:
        titles.setdefault(title.tmdb_id, title)
    return TitleList(
        titles=list(titles.values()),
        pages=len(pages),
        total=pages[0].total,
        dates=pages[0].dates,
        repeated=len(readable) - len(titles),
        unreadable=unreadable,
        hidden=sum(page.hidden for page in pages),
    )


def _is_adult(entry: object) -> bool:
    read = Reader(entry if isinstance(entry, dict) else {})
    return read.flag("adult") or read.flag("softcore")


def _listed_title(entry: object, media: MediaType) -> ListedTitle | None:
    """Read an entry; None without an id, or for a person or title of another media type, as in mixed lists."""
    if not isinstance(entry, dict) or entry.get("media_type", media.path) != media.path:
        return None
    read = Reader(entry)
    tmdb_id = read.integer("id", 1, LARGEST_ID)
    if tmdb_id is None:
        return None
    name = media.export_title.removeprefix("original_")
    return ListedTitle(
        tmdb_id=tmdb_id,
        title=read.text(name, LONGEST_TITLE),
        original_title=read.text(media.export_title, LONGEST_TITLE),
        original_language=read.text("original_language", 10),
        overview=read.text("overview", LONGEST_OVERVIEW),
        release_date=read.day(media.date_key),
        poster_path=read.text("poster_path", LONGEST_PATH),
        backdrop_path=read.text("backdrop_path", LONGEST_PATH),
        popularity=read.number("popularity", 0, MAX_VOTES),
        vote_average=read.number("vote_average", 0, 10),
        vote_count=read.integer("vote_count", 0, MAX_VOTES),
    )
