"""TMDB's query parameters. One that cannot be read raises RefusedError with TMDB's own code."""

from collections.abc import Mapping
from datetime import date, timedelta

from movie_assets.emulator.lists import SORT_COLUMNS, Query
from movie_assets.emulator.responses import refusal

LAST_PAGE = 500
MAX_PARTS = 20
LONGEST_WINDOW = timedelta(days=14)


def page_number(parameters: Mapping[str, str]) -> int:
    """Return the requested page, 1 by default; code 22 outside 1 to 500."""
    text = parameters.get("page", "1")
    if not (text.isascii() and text.isdecimal() and 1 <= int(text) <= LAST_PAGE):
        raise refusal(22)
    return int(text)


def appended_parts(parameters: Mapping[str, str]) -> tuple[str, ...]:
    """Return the names of the requested sub-objects; code 27 for more than twenty."""
    text = parameters.get("append_to_response", "")
    parts = tuple(dict.fromkeys(part.strip() for part in text.split(",") if part.strip()))
    if len(parts) > MAX_PARTS:
        raise refusal(27)
    return parts


def change_window(parameters: Mapping[str, str], today: date) -> list[date]:
    """Return the requested days, both ends included, the last 24 hours by default; code 20 beyond 14 days."""
    start, end = day_of(parameters, "start_date"), day_of(parameters, "end_date")
    if start is None:
        start = (end or today) - timedelta(days=1)
    if end is None:
        end = min(today, start + LONGEST_WINDOW)
    if end - start > LONGEST_WINDOW:
        raise refusal(20)
    span = (min(end, today) - start).days
    return [start + timedelta(days=offset) for offset in range(span + 1)]


def discovery(parameters: Mapping[str, str]) -> Query:
    """Return the query of `/discover/movie`; parameters that the emulator does not know are ignored."""
    release_from, release_to = _release_range(parameters)
    sort_by = parameters.get("sort_by", "popularity.desc")
    column, _, direction = sort_by.partition(".")
    if column not in SORT_COLUMNS or direction not in {"asc", "desc"}:
        raise refusal(5)
    return Query(
        release_from=release_from,
        release_to=release_to,
        votes_from=_number(parameters, "vote_count.gte"),
        votes_to=_number(parameters, "vote_count.lte"),
        average_from=_number(parameters, "vote_average.gte"),
        average_to=_number(parameters, "vote_average.lte"),
        runtime_from=_number(parameters, "with_runtime.gte"),
        runtime_to=_number(parameters, "with_runtime.lte"),
        languages=tuple(filter(None, parameters.get("with_original_language", "").split("|"))),
        genres=_genres(parameters.get("with_genres", "")),
        include_adult=parameters.get("include_adult", "false").lower() == "true",
        sort_by=sort_by,
    )


def _release_range(parameters: Mapping[str, str]) -> tuple[int | None, int | None]:
    lows = [day_of(parameters, key) for key in ("primary_release_date.gte", "release_date.gte")]
    highs = [day_of(parameters, key) for key in ("primary_release_date.lte", "release_date.lte")]
    year = _number(parameters, "primary_release_year") or _number(parameters, "year")
    if year is not None:
        if not 1 <= year < 9999:  # noqa: PLR2004
            raise refusal(5)
        lows.append(date(int(year), 1, 1))
        highs.append(date(int(year), 12, 31))
    low = max((day.toordinal() for day in lows if day), default=None)
    high = min((day.toordinal() for day in highs if day), default=None)
    return low, high


def _genres(text: str) -> tuple[tuple[int, ...], ...]:
    """Parse `with_genres`: `,` means and, `|` means or, and `|` binds closer where a query has both."""
    groups = [group.split("|") for group in text.split(",") if group]
    if not all(genre.isdecimal() for group in groups for genre in group):
        raise refusal(5)
    return tuple(tuple(int(genre) for genre in group) for group in groups)


def _number(parameters: Mapping[str, str], key: str) -> float | None:
    text = parameters.get(key, "")
    if not text:
        return None
    try:
        return float(text)
    except ValueError:
        raise refusal(5) from None


def day_of(parameters: Mapping[str, str], key: str) -> date | None:
    """Return the day of a parameter, None without the parameter; code 5 for no date."""
    text = parameters.get(key, "")
    if not text:
        return None
    try:
        return date.fromisoformat(text[:10])
    except ValueError:
        raise refusal(5) from None
