"""TMDB's query parameters. One that cannot be read raises RefusedError with TMDB's own code."""

from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from typing import Any

from movie_assets.emulator.lists import SORT_COLUMNS, Query
from movie_assets.emulator.responses import refusal
from movie_assets.emulator.series_lists import SeriesQuery

LAST_PAGE = 500
MAX_PARTS = 20
SERIES_SORTS = {
    "popularity": "popularity",
    "vote_count": "vote_count",
    "vote_average": "vote_average",
    "first_air_date": "release_date",
}
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
    low, high = _release_range(parameters, ("primary_release_date", "release_date"), ("primary_release_year", "year"))
    sort_by = parameters.get("sort_by", "popularity.desc")
    column, _, direction = sort_by.partition(".")
    if column not in SORT_COLUMNS or direction not in {"asc", "desc"}:
        raise refusal(5)
    return Query(release_from=low, release_to=high, sort_by=sort_by, **_common(parameters))


def series_discovery(parameters: Mapping[str, str]) -> SeriesQuery:
    """Return the query of `/discover/tv`; parameters that the emulator does not know are ignored."""
    low, high = _release_range(parameters, ("first_air_date",), ("first_air_date_year",))
    column, _, direction = parameters.get("sort_by", "popularity.desc").partition(".")
    if column not in SERIES_SORTS or direction not in {"asc", "desc"}:
        raise refusal(5)
    return SeriesQuery(
        release_from=low,
        release_to=high,
        sort_by=f"{SERIES_SORTS[column]}.{direction}",
        air_from=day_of(parameters, "air_date.gte"),
        air_to=day_of(parameters, "air_date.lte"),
        statuses=_codes(parameters, "with_status"),
        kinds=_codes(parameters, "with_type"),
        networks=_codes(parameters, "with_networks"),
        include_undated=parameters.get("include_null_first_air_dates", "false").lower() == "true",
        **_common(parameters),
    )


def _common(parameters: Mapping[str, str]) -> dict[str, Any]:
    """Return the fields of a query that films and series share."""
    return {
        "votes_from": _number(parameters, "vote_count.gte"),
        "votes_to": _number(parameters, "vote_count.lte"),
        "average_from": _number(parameters, "vote_average.gte"),
        "average_to": _number(parameters, "vote_average.lte"),
        "runtime_from": _number(parameters, "with_runtime.gte"),
        "runtime_to": _number(parameters, "with_runtime.lte"),
        "languages": tuple(filter(None, parameters.get("with_original_language", "").split("|"))),
        "genres": _genres(parameters.get("with_genres", "")),
        "include_adult": parameters.get("include_adult", "false").lower() == "true",
    }


def _codes(parameters: Mapping[str, str], key: str) -> tuple[int, ...]:
    """Return the alternatives of a parameter: numbers between `|`."""
    codes = [code for code in parameters.get(key, "").split("|") if code]
    if not all(code.isascii() and code.isdecimal() and len(code) < 16 for code in codes):  # noqa: PLR2004
        raise refusal(5)
    return tuple(int(code) for code in codes)


def _release_range(
    parameters: Mapping[str, str], dates: Sequence[str], years: Sequence[str]
) -> tuple[int | None, int | None]:
    lows = [day_of(parameters, f"{key}.gte") for key in dates]
    highs = [day_of(parameters, f"{key}.lte") for key in dates]
    numbers = [_number(parameters, key) for key in years]
    year = next((number for number in numbers if number), numbers[-1])
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
