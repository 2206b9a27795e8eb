"""MovieLens: ratings.csv with links.csv and movies.csv of any release, in constant memory but for the films.

And what its site exports for one person: a table with the ids of TMDB and IMDb in each row.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from movie_assets.histories.cells import ids_in, plausible, rating_in, year_in
from movie_assets.histories.rows import Entry, MovieName, RowError, Tally, read_table

LOWEST, HIGHEST = 0.5, 5.0
ARTICLE_LAST = re.compile(r"(.+), (The|An?|L[ae]s?|L'|El|Il|Der|Die|Das)")


def read_films(
    links: Iterable[str], links_tally: Tally, movies: Iterable[str], movies_tally: Tally
) -> dict[str, MovieName]:
    """MovieLens' ids with the ids and titles that they stand for."""
    titles = {row["movieId"]: title_and_year(row["title"]) for _, row in read_table(movies, movies_tally)}
    films = {movie_id: MovieName(title, year, ref=movie_id) for movie_id, (title, year) in titles.items()}
    for line, row in read_table(links, links_tally):
        title, year = titles.get(row["movieId"], ("", None))
        try:
            ids = ids_in(row["imdbId"], row["tmdbId"], line, links_tally)
            films[row["movieId"]] = MovieName(title, year, *ids, row["movieId"])
        except RowError as error:
            links_tally.reject(line, str(error), list(row.values()))
    return films


def title_and_year(text: str) -> tuple[str, int | None]:
    """“Matrix, The (1999)” is The Matrix of 1999; other titles in brackets are left out."""
    found = re.fullmatch(r"(.*?)\s*\((\d{4})(?:[-\u2013]\d{0,4})?\)", text.strip())
    title, year = (found[1], year_in(found[2])) if found else (text.strip(), None)
    title = re.sub(r"\s*\([^()]*\)$", "", title) or title
    article = ARTICLE_LAST.fullmatch(title)
    return (f"{article[2]} {article[1]}".replace("' ", "'") if article else title), year


def read_movielens(
    lines: Iterable[str], films: Mapping[str, MovieName], tally: Tally, as_of: datetime
) -> Iterator[Entry]:
    """The ratings, each of the person movielens:<userId>."""
    known: dict[str, float] = {}  # there are ten different ratings
    for line, row in read_table(lines, tally):
        try:
            person, film = _person_in(row["userId"]), _film_of(row["movieId"], films)
            rating = known.get(row["rating"]) or known.setdefault(row["rating"], _rating_in(row["rating"]))
        except RowError as error:
            tally.reject(line, str(error), list(row.values()))
            continue
        tally.taken += 1
        yield Entry(film, line, False, rating, _time_in(row.get("timestamp", ""), as_of, tally), person)


def read_site_export(lines: Iterable[str], tally: Tally, *, is_wanted: bool, delimiter: str = ",") -> Iterator[Entry]:
    """Yield the films of movielens-ratings.csv, or of the wishlist, as movielens.org exports them, without dates."""
    for line, cells in read_table(lines, tally, delimiter):
        row = {re.sub(r"[_\s]", "", name).lower(): cell for name, cell in cells.items()}
        try:
            title, year = title_and_year(row["title"])
            ids = ids_in(row.get("imdbid", ""), row["tmdbid"], line, tally)
            film = MovieName(title, year, *ids, row["movieid"])
            rating = None if is_wanted else rating_in(row.get("rating", ""), 0, HIGHEST) or None
        except RowError as error:
            tally.reject(line, str(error), list(cells.values()))
            continue
        tally.taken += 1
        yield Entry(film, line, is_wanted, rating)


def _person_in(user: str) -> str:
    if not user.isdecimal():
        raise RowError(f"has “{user[:40]}” for a user")
    return f"movielens:{user}"


def _film_of(movie_id: str, films: Mapping[str, MovieName]) -> MovieName:
    film = films.get(movie_id)
    if film is None or not (film.tmdb_id or film.imdb_id or film.title):
        raise RowError(f"rates the film {movie_id[:40]}, which links.csv and movies.csv do not have")
    return film


def _rating_in(cell: str) -> float:
    rating = rating_in(cell, LOWEST, HIGHEST)
    if rating is None:
        raise RowError("has no rating")
    return rating


def _time_in(cell: str, as_of: datetime, tally: Tally) -> datetime | None:
    """Seconds since 1970, as a time."""
    try:
        return plausible(datetime.fromtimestamp(int(cell), UTC), as_of, tally)
    except (ValueError, OverflowError, OSError):
        tally.dates_unread += 1
        return None
