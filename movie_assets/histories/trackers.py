"""Reads the JSON exports of Trakt and Simkl, and Simkl's CSV. Films and series have ids of TMDB, IMDb and TheTVDB.

Trakt's export is a zip with one file for each kind: ratings-movies.json, watched-movies.json, watched-history-1.json,
lists-watchlist.json and so on. Simkl's backup is one object with movies, shows and anime.
"""

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import datetime
from typing import Literal, TypeVar

from movie_assets.histories.cells import date_in, ids_in, rating_in, time_in, title_in, year_in
from movie_assets.histories.rows import Entry, MovieName, RowError, SeriesEntry, Tally, read_table
from movie_assets.tmdb.export_lines import LARGEST_ID

LOWEST, HIGHEST = 1.0, 10.0
Item = Mapping[str, object]
T = TypeVar("T")
SeriesKind = Literal["series", "season", "episode"]
SERIES_KINDS: dict[str, SeriesKind] = {"show": "series", "season": "season", "episode": "episode"}


class NotJsonError(ValueError):
    """A file is no JSON, or JSON of an unexpected type. The message names the file and the reason."""


def trakt_part(stem: str, beginning: str) -> str | None:
    """Return the kind of a file of Trakt's from its beginning; "" if it is no history, None if it is not Trakt's."""
    keys = set(re.findall(r'"(\w+)"\s*:', beginning))
    is_empty = re.match(r"\s*\[\s*\]", beginning) is not None
    if not is_empty and (not keys & {"movie", "show", "episode", "season"} or "ids" not in keys):
        return None
    list_part = "watchlist" if "watchlist" in stem.lower() else f"list: {stem}"
    parts = {"rated_at": "ratings", "last_watched_at": "watched", "watched_at": "diary", "listed_at": list_part}
    return next((part for key, part in parts.items() if key in keys), "")


def is_simkl(beginning: str) -> bool:
    """Return whether a file with this beginning is a backup of Simkl's."""
    return re.match(r'\s*\{\s*"(movies|shows|anime)"\s*:', beginning) is not None and (
        '"simkl"' in beginning or '"status"' in beginning
    )


def read_trakt(text: str, tally: Tally, as_of: datetime, *, is_wanted: bool) -> Iterator[Entry | SeriesEntry]:
    """Yield the entries of one of Trakt's files; an entry's line is its place in the file, counted from 1.

    Raises NotJsonError, and TooLargeError beyond the tally's limit.
    """
    items: list[object] = _parsed(text, tally, list)
    for place, item in enumerate(items, start=1):
        tally.count_row()
        try:
            entry = _trakt_entry(item, place, tally, as_of, is_wanted=is_wanted)
        except RowError as error:
            tally.reject(place, str(error), json.dumps(item))
            continue
        if isinstance(entry, str):
            tally.pass_over(place, entry, json.dumps(item))
            continue
        tally.taken += 1
        yield entry


def read_simkl(text: str, tally: Tally, as_of: datetime) -> Iterator[Entry | SeriesEntry]:
    """Yield the entries of a backup of Simkl's; an entry's line is its place in the file, counted from 1.

    Raises NotJsonError, and TooLargeError beyond the tally's limit.
    """
    backup: dict[str, object] = _parsed(text, tally, dict)
    place = 0
    for group in ("movies", "shows", "anime"):
        items = backup.get(group) or []
        for item in items if isinstance(items, list) else [items]:
            place += 1
            tally.count_row()
            try:
                entry = _simkl_entry(item, group, place, tally, as_of)
            except RowError as error:
                tally.reject(place, str(error), json.dumps(item))
                continue
            tally.taken += 1
            yield entry


def read_simkl_csv(
    lines: Iterable[str], tally: Tally, as_of: datetime, *, delimiter: str = ","
) -> Iterator[Entry | SeriesEntry]:
    """Yield the entries of a CSV that Simkl exported."""
    for line, cells in read_table(lines, tally, delimiter):
        row = {re.sub(r"[_\s]", "", name).lower(): cell for name, cell in cells.items()}
        try:
            is_wanted = "plan" in row.get("watchlist", "").lower()
            ids = {name: row.get(name, "") for name in ("imdb", "tmdb", "tvdb")}
            seen_at = None if is_wanted else date_in(row.get("watcheddate") or row.get("lastwatched", ""), as_of, tally)
            kind: Literal["movie", "series"] = "movie" if row["type"].lower() in ("movie", "movies") else "series"
            entry = _entry(
                kind, line, {"title": row["title"], "year": row.get("year"), "ids": ids}, tally, is_wanted=is_wanted,
                rating=_rating(row.get("rating")), seen_at=seen_at,
            )  # fmt: skip
        except RowError as error:
            tally.reject(line, str(error), list(cells.values()))
            continue
        tally.taken += 1
        yield entry


def _parsed(text: str, tally: Tally, json_type: type[T]) -> T:
    """Parse JSON. Raises NotJsonError when it is damaged or of another type."""
    try:
        parsed: object = json.loads(text.lstrip("\ufeff"))
    except (json.JSONDecodeError, RecursionError) as error:
        raise NotJsonError(f"{tally.file} is damaged JSON ({error}); download it again") from None
    if not isinstance(parsed, json_type):
        raise NotJsonError(f"{tally.file} has a JSON {type(parsed).__name__} where a {json_type.__name__} is needed")
    return parsed


def _trakt_entry(
    item: object, place: int, tally: Tally, as_of: datetime, *, is_wanted: bool
) -> Entry | SeriesEntry | str:
    """Return an item of Trakt's as an entry, or the kind of an item that is passed over. Raises RowError."""
    if not isinstance(item, dict):
        raise RowError("is no JSON object")
    kind: object = item.get("type") or next((k for k in ("movie", "episode", "season", "show") if k in item), "item")
    times = (item.get(name) for name in ("rated_at", "watched_at", "last_watched_at", "listed_at"))
    seen_at = None if is_wanted else time_in(next(filter(None, times), None), as_of, tally)
    rating = None if is_wanted else _rating(item.get("rating"))
    if kind == "movie":
        return _entry(
            "movie", place, _object(item, "movie"), tally, is_wanted=is_wanted, rating=rating, seen_at=seen_at
        )
    if not isinstance(kind, str) or kind not in SERIES_KINDS:
        return str(kind)
    inner = {} if kind == "show" else _object(item, kind)
    number = _number(inner.get("number"))
    entry = _entry(
        SERIES_KINDS[kind], place, _object(item, "show"), tally, is_wanted=is_wanted, rating=rating, seen_at=seen_at,
        season=_number(inner.get("season")) if kind == "episode" else number,
        episode=number if kind == "episode" else None,
    )  # fmt: skip
    ids = inner.get("ids")
    if kind == "episode" and isinstance(entry, SeriesEntry) and isinstance(ids, dict):
        return entry._replace(tmdb_episode_id=_number_in(ids.get("tmdb")))
    return entry


def _simkl_entry(item: object, group: str, place: int, tally: Tally, as_of: datetime) -> Entry | SeriesEntry:
    """Return an item of Simkl's as an entry. Raises RowError."""
    if not isinstance(item, dict):
        raise RowError("is no JSON object")
    is_movie = group == "movies" or (group == "anime" and (item.get("anime_type") == "movie" or "movie" in item))
    is_wanted = item.get("status") == "plantowatch"
    title = _object(item, "movie") if "movie" in item else _object(item, "show")
    return _entry(
        "movie" if is_movie else "series", place, title, tally, is_wanted=is_wanted,
        rating=None if is_wanted else _rating(item.get("user_rating")),
        seen_at=None if is_wanted else time_in(item.get("last_watched_at"), as_of, tally),
    )  # fmt: skip


def _entry(
    kind: Literal["movie"] | SeriesKind, place: int, item: Item, tally: Tally, *, is_wanted: bool,
    rating: float | None, seen_at: datetime | None, season: int | None = None, episode: int | None = None,
) -> Entry | SeriesEntry:  # fmt: skip
    """Return an entry for an object with title, year and ids. Raises RowError when it has neither title nor id."""
    ids = item.get("ids")
    ids = ids if isinstance(ids, dict) else {}
    imdb_id, tmdb_id = ids_in(_text(ids.get("imdb")), _text(ids.get("tmdb")), place, tally)
    title, year = _text(item.get("title")), year_in(_text(item.get("year")))
    title = title_in(title) if title or not (imdb_id or tmdb_id) else ""
    if kind == "movie":
        return Entry(MovieName(title, year, imdb_id, tmdb_id), place, is_wanted, rating, seen_at)
    tvdb_id = _number_in(ids.get("tvdb"))
    return SeriesEntry(kind, place, title, year, imdb_id, tmdb_id, tvdb_id, season, episode, is_wanted, rating, seen_at)


def _object(item: Item, name: str) -> Item:
    """Return the object under a key. Raises RowError when there is none."""
    value = item.get(name)
    if not isinstance(value, dict):
        raise RowError(f"has no “{name}”")
    return value


def _text(value: object) -> str:
    return "" if value is None or isinstance(value, bool | dict | list) else str(value)


def _number(value: object) -> int | None:
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**31 else None


def _number_in(value: object) -> int | None:
    text = _text(value)
    return int(text) if text.isascii() and text.isdigit() and 0 < int(text) <= LARGEST_ID else None


def _rating(value: object) -> float | None:
    """Return a rating on 0-100; None for 0, which is how these sites write "not rated"."""
    return rating_in(_text(value), 0, HIGHEST) or None
