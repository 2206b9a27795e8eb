"""Letterboxd's export: watched.csv, diary.csv, ratings.csv, watchlist.csv and lists. Films have titles, no ids."""

import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from movie_assets.histories.cells import date_in, rating_in, title_in, year_in
from movie_assets.histories.rows import Entry, MovieName, RowError, Tally, read_table

LOWEST, HIGHEST = 0.5, 5.0
LIST_BEGINS = "Letterboxd list export"  # then the list's own name, an empty line, and the table of its films


def read_letterboxd(
    lines: Iterable[str], tally: Tally, as_of: datetime, *, is_wanted: bool, delimiter: str = ","
) -> Iterator[Entry]:
    """Yield the entries of any of these files. A diary names a film once for each time that it was seen.

    The URI of a diary's row is the row's own; in the other files it is the film's. A list has no dates.
    """
    for line, row in read_table(lines, tally, delimiter):
        is_diary = "Watched Date" in row
        try:
            uri = row.get("Letterboxd URI") or row.get("URL", "")
            movie = MovieName(title_in(row["Name"]), year_in(row.get("Year", "")), ref="" if is_diary else uri)
            rating = _rating_in(row.get("Rating", ""))
        except RowError as error:
            tally.reject(line, str(error), list(row.values()))
            continue
        day = row.get("Watched Date") or row.get("Date", "")
        tally.taken += 1
        yield Entry(movie, line, is_wanted, rating, date_in(day, as_of, tally))


def _rating_in(cell: str) -> float | None:
    """Return a rating on 0-100, from a number or from stars such as ★★★½.

    None for 0, which other programs write for a film that was seen and not rated.
    """
    text = cell.strip()
    if stars := re.fullmatch(r"(\d?)(★*)(½?)", text):
        text = str(int(stars[1] or 0) + len(stars[2]) + len(stars[3]) / 2) if text else ""
    return rating_in("" if re.fullmatch(r"0+([.,]0*)?", text) else text, LOWEST, HIGHEST)
