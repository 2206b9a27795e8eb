"""Parsers for the cells of a table of films: titles, years, ratings, days and ids."""

import math
import re
import unicodedata
from datetime import UTC, date, datetime

from movie_assets.histories.rows import RowError, Tally
from movie_assets.tmdb.export_lines import LARGEST_ID

LONGEST_TITLE = 500
FIRST_YEAR, LAST_YEAR = 1870, 2200


def title_in(cell: str) -> str:
    """Return a title in Unicode form C, without control characters and extra blanks. Raises RowError without one."""
    plain = " ".join(unicodedata.normalize("NFC", cell).split())
    title = "".join(sign for sign in plain if unicodedata.category(sign) not in ("Cc", "Cs")).strip()
    if not title:
        raise RowError("has no title")
    return title[:LONGEST_TITLE]


def year_in(cell: str) -> int | None:
    """Return a year; None for an empty cell, or for a year in which no films were made."""
    match = re.fullmatch(r"(\d)[.,'\u2019\s]?(\d{3})([.,]0+)?", cell.strip())  # 1979, 1979.0, 1,979
    year = int(match[1] + match[2]) if match else 0
    return year if FIRST_YEAR <= year <= LAST_YEAR else None


def rating_in(cell: str, lowest: float, highest: float) -> float | None:
    """Return a rating on 0-100, converted from a scale that ends at `highest`; None for an empty cell.

    A comma is a decimal comma, as in 4,5: no scale has thousands. Raises RowError for a rating outside the scale.
    """
    if not cell.strip():
        return None
    try:
        rating = float(re.sub(r"(?<=\d),(?=\d)", ".", cell))
    except ValueError:
        raise RowError(f"has “{cell.strip()[:40]}” for a rating") from None
    if not math.isfinite(rating) or not lowest <= rating <= highest:
        raise RowError(f"has a rating of {cell.strip()[:40]}, and ratings go from {lowest:g} to {highest:g}")
    return round(rating * 100 / highest, 2)


# Dates as exports and spreadsheets write them. Not 03/02/2024, which is February in one country and March in another.
DATE_FORMATS = ("%d.%m.%Y", "%Y/%m/%d", "%a %b %d %H:%M:%S %Y", "%d %b %Y", "%d %B %Y", "%b %d, %Y", "%B %d, %Y")


def date_in(cell: str, as_of: datetime, tally: Tally) -> datetime | None:
    """Return a day as its midnight in UTC; None for an empty cell, or for an unreadable or implausible day.

    The latter are counted in the tally.
    """
    text = " ".join(cell.split())
    if not text:
        return None
    try:
        day = _day_in(text)
    except ValueError:
        tally.dates_unread += 1
        return None
    return plausible(datetime(day.year, day.month, day.day, tzinfo=UTC), as_of, tally)


def _day_in(text: str) -> date:
    """Parse a date in one of the known forms. Raises ValueError."""
    if re.match(r"\d{4}-\d\d-\d\d", text):
        return date.fromisoformat(text[:10])
    for form in DATE_FORMATS:
        try:
            return datetime.strptime(text, form).replace(tzinfo=UTC).date()
        except ValueError:
            continue
    raise ValueError(text)


def time_in(value: object, as_of: datetime, tally: Tally) -> datetime | None:
    """Parse an ISO 8601 time such as 2024-03-05T11:00:00.000Z; None without one.

    An unreadable or implausible time is None, too, and counted in the tally.
    """
    if not isinstance(value, str) or not value.strip():
        return None
    try:
        parsed = datetime.fromisoformat(value.strip())
    except ValueError:
        tally.dates_unread += 1
        return None
    return plausible(parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC), as_of, tally)


def plausible(time: datetime, as_of: datetime, tally: Tally) -> datetime | None:
    """Return the time; None, counted in the tally, if it is before the first films or a day after `as_of`."""
    if time.year < FIRST_YEAR or (time - as_of).days >= 1:
        tally.dates_unread += 1
        return None
    return time


def imdb_id_in(cell: str) -> str | None:
    """Return an id such as tt0133093, from that form or its digits; None for an empty cell.

    Raises RowError for any other text.
    """
    digits = cell.strip().lower().removeprefix("tt")
    if not digits:
        return None
    if not re.fullmatch(r"[0-9]{1,10}", digits) or not int(digits):
        raise RowError(f"has “{cell.strip()[:40]}” for an IMDb id")
    return f"tt{int(digits):07}"


def ids_in(imdb: str, tmdb: str, line: int, tally: Tally) -> tuple[str | None, int | None]:
    """Return the ids of IMDb and TMDB from two cells. An invalid one is left out, and counted in the tally as assumed.

    Raises RowError when the other cell is empty.
    """
    try:
        imdb_id = imdb_id_in(imdb)
    except RowError as error:
        imdb_id, tmdb_id = None, tmdb_id_in(tmdb)
        return _the_other(imdb_id, tmdb_id, error, line, tally)
    try:
        return imdb_id, tmdb_id_in(tmdb)
    except RowError as error:
        return _the_other(imdb_id, None, error, line, tally)


def _the_other(
    imdb_id: str | None, tmdb_id: int | None, error: RowError, line: int, tally: Tally
) -> tuple[str | None, int | None]:
    if not imdb_id and not tmdb_id:
        raise error
    tally.assume(line, f"{error}: the other id was taken", "")
    return imdb_id, tmdb_id


def tmdb_id_in(cell: str) -> int | None:
    """Return a TMDB id; None for an empty cell. Raises RowError for any other text."""
    text = re.sub(r"\.0+$", "", cell.strip())  # as programs write whole numbers of columns with gaps
    if not text:
        return None
    if not re.fullmatch(r"[0-9]{1,16}", text) or not 0 < int(text) <= LARGEST_ID:
        raise RowError(f"has “{text[:40]}” for a TMDB id")
    return int(text)
