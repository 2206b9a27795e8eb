"""Reads MovieLens: ratings.csv with links.csv and movies.csv of a release, and the exports of its site for one person.

Only the films of a release are held in memory. Rows of the site's exports have the ids of TMDB and IMDb.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime

from movie_assets.histories.cells import ids_in, plausible, rating_in, year_in
from movie_assets.histories.rows import Entry, MovieName, RowError, Tally, read_table

LOWEST, HIGHEST = 0.5, 5.0
ARTICLE_LAST = re.compile(r"(.+), (The|An?|L[ae]s?|L'|El|Il|Der|Die|Das)")


def read_movies(
    links: Iterable[str], links_tally: Tally, movies: Iterable[str], movies_tally: Tally
) -> dict[str, MovieName]:
    """Return the names (ids, titles and years) of a release's movies by their MovieLens ids."""
    titles = {row["movieId"]: title_and_year(row["title"]) for _, row in read_table(movies, movies_tally)}
    names = {movie_id: MovieName(title, year, ref=movie_id) for movie_id, (title, year) in titles.items()}
    for line, row in read_table(links, links_tally):
        title, year = titles.get(row["movieId"], ("", None))
        try:
            ids = ids_in(row["imdbId"], row["tmdbId"], line, links_tally)
            names[row["movieId"]] = MovieName(title, year, *ids, row["movieId"])
        except RowError as error:
            links_tally.reject(line, str(error), list(row.values()))
    return names


def title_and_year(text: str) -> tuple[str, int | None]:
    """Split a title of MovieLens: “Matrix, The (1999)” is The Matrix of 1999. Other titles in brackets are left out."""
    match = re.fullmatch(r"(.*?)\s*\((\d{4})(?:[-\u2013]\d{0,4})?\)", text.strip())
    title, year = (match[1], year_in(match[2])) if match else (text.strip(), None)
    title = re.sub(r"\s*\([^()]*\)$", "", title) or title
    article = ARTICLE_LAST.fullmatch(title)
    return (f"{article[2]} {article[1]}".replace("' ", "'") if article else title), year


def read_movielens(
    lines: Iterable[str], names: Mapping[str, MovieName], tally: Tally, as_of: datetime
) -> Iterator[Entry]:
    """Yield the ratings of ratings.csv, each of the person movielens:<userId>."""
    known: dict[str, float] = {}  # there are ten different ratings
    for line, row in read_table(lines, tally):
        try:
            person, movie = _person_in(row["userId"]), _movie_of(row["movieId"], names)
            rating = known.get(row["rating"]) or known.setdefault(row["rating"], _rating_in(row["rating"]))
        except RowError as error:
            tally.reject(line, str(error), list(row.values()))
            continue
        tally.taken += 1
        yield Entry(movie, line, False, rating, _time_in(row.get("timestamp", ""), as_of, tally), person)


def read_site_export(lines: Iterable[str], tally: Tally, *, is_wanted: bool, delimiter: str = ",") -> Iterator[Entry]:
    """Yield the films of movielens-ratings.csv, or of the wishlist, as movielens.org exports them, without dates."""
    for line, cells in read_table(lines, tally, delimiter):
        row = {re.sub(r"[_\s]", "", name).lower(): cell for name, cell in cells.items()}
        try:
            title, year = title_and_year(row["title"])
            ids = ids_in(row.get("imdbid", ""), row["tmdbid"], line, tally)
            movie = MovieName(title, year, *ids, row["movieid"])
            rating = None if is_wanted else rating_in(row.get("rating", ""), 0, HIGHEST) or None
        except RowError as error:
            tally.reject(line, str(error), list(cells.values()))
            continue
        tally.taken += 1
        yield Entry(movie, line, is_wanted, rating)


def _person_in(user: str) -> str:
    if not user.isdecimal():
        raise RowError(f"has “{user[:40]}” for a user")
    return f"movielens:{user}"


def _movie_of(movie_id: str, names: Mapping[str, MovieName]) -> MovieName:
    """Return the name of a movie. Raises RowError when it has neither an id nor a title."""
    name = names.get(movie_id)
    if name is None or not (name.tmdb_id or name.imdb_id or name.title):
        raise RowError(f"rates the film {movie_id[:40]}, which links.csv and movies.csv do not have")
    return name


def _rating_in(cell: str) -> float:
    rating = rating_in(cell, LOWEST, HIGHEST)
    if rating is None:
        raise RowError("has no rating")
    return rating


def _time_in(cell: str, as_of: datetime, tally: Tally) -> datetime | None:
    """Return the time of seconds since 1970; None, counted in the tally, for an unreadable or implausible one."""
    try:
        return plausible(datetime.fromtimestamp(int(cell), UTC), as_of, tally)
    except (ValueError, OverflowError, OSError):
        tally.dates_unread += 1
        return None
