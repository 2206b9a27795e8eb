"""Letterboxd's export: watched.csv, diary.csv, ratings.csv and watchlist.csv. Films have titles and years, no ids."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from movie_assets.core.history_rows import (
    Entry,
    FilmName,
    RowError,
    Tally,
    date_in,
    rating_in,
    read_table,
    title_in,
    year_in,
)

LOWEST, HIGHEST = 0.5, 5.0


def read_letterboxd(
    lines: Iterable[str], tally: Tally, moment: datetime, *, is_wanted: bool, delimiter: str = ","
) -> Iterator[Entry]:
    """The entries of any of the four files. A diary names a film once for each time that it was seen.

    The URI of a diary's row is the row's own; in the other files it is the film's.
    """
    for line, row in read_table(lines, tally, delimiter):
        is_diary = "Watched Date" in row
        try:
            film = FilmName(
                title_in(row["Name"]), year_in(row.get("Year", "")), ref="" if is_diary else row["Letterboxd URI"]
            )
            rating = rating_in(row.get("Rating", ""), LOWEST, HIGHEST)
        except RowError as error:
            tally.reject(line, str(error), list(row.values()))
            continue
        day = row.get("Watched Date") or row.get("Date", "")
        yield Entry(film, line, is_wanted, rating, date_in(day, moment, tally))
