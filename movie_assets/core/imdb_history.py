"""IMDb's exports of ratings, lists and watchlists, before and since the column Original Title."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from movie_assets.core.history_rows import (
    Entry,
    FilmName,
    RowError,
    Tally,
    date_in,
    imdb_id_in,
    rating_in,
    read_table,
    title_in,
    year_in,
)

# Title types without blanks and in lower case: older exports write tvMovie, newer ones TV Movie. What TMDB lists among
# its films; series, episodes, games, podcasts and music videos are not there.
FILMS = {"movie", "tvmovie", "short", "tvshort", "tvspecial", "video", "feature"}
LOWEST, HIGHEST = 1.0, 10.0


def read_imdb(
    lines: Iterable[str], tally: Tally, moment: datetime, *, unrated_is_wanted: bool, delimiter: str = ","
) -> Iterator[Entry]:
    """The films of an export; what has another type is passed over. A film that is rated was seen, on whatever list."""
    for line, row in read_table(lines, tally, delimiter):
        kind = row.get("Title Type", "movie")
        if kind.replace(" ", "").lower() not in FILMS:
            tally.passed_over[kind or "no title type"] += 1
            continue
        try:
            imdb_id = imdb_id_in(row["Const"])
            title = row.get("Title", "")
            film = FilmName("" if imdb_id and not title else title_in(title), year_in(row.get("Year", "")), imdb_id)
            rating = rating_in(row.get("Your Rating", ""), LOWEST, HIGHEST)
        except RowError as error:
            tally.reject(line, str(error), list(row.values()))
            continue
        is_wanted = unrated_is_wanted and rating is None
        yield Entry(film, line, is_wanted, rating, date_in(row.get("Date Rated", ""), moment, tally))
