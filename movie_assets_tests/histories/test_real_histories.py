"""MovieLens' small release through an import, where it is at hand; not a row of it is part of this project."""

import csv
from pathlib import Path

import pytest

from movie_assets.database.database import Database
from movie_assets_tests.histories.history_imports import run, taken
from movie_assets_tests.histories.test_imports import whole_tables

SMALL = Path(__file__).parents[3] / "shared" / "data" / "ml-latest-small"
pytestmark = pytest.mark.skipif(not SMALL.is_dir(), reason=f"there is no release of MovieLens at {SMALL}")


def column(name: str, *columns: str) -> list[tuple[str, ...]]:
    with (SMALL / name).open(encoding="utf-8", newline="") as file:
        return [tuple(row[column] for column in columns) for row in csv.DictReader(file)]


def test_the_small_release_of_movielens_is_imported_and_a_second_import_changes_nothing(database: Database) -> None:
    links = {movie: (imdb, tmdb) for movie, imdb, tmdb in column("links.csv", "movieId", "imdbId", "tmdbId")}
    rated = column("ratings.csv", "userId", "movieId", "rating")
    expected: dict[tuple[str, str], set[float]] = {}
    for user, movie, rating in rated:
        if links[movie][1]:
            expected.setdefault((user, links[movie][1]), set()).add(float(rating) * 20)
    report = taken(database, SMALL)
    assert (report.rows, report.rejected, report.added) == (len(rated), 0, len(expected))
    without = {movie for movie, (_, tmdb) in links.items() if not tmdb}
    named = {movie for _, movie, _ in rated}
    assert len(without) == 8
    assert (report.unknown, report.by_id) == (len(without & named), len({links[m][1] for m in named - without}))
    doubles = len(links) - len(without) - len({tmdb for _, tmdb in links.values() if tmdb})
    assert report.notes[0] == (
        f"{len(without)} of {len(links):,} MovieLens films have no TMDB id; {doubles} have the one of another"
    )
    stored = run(database, "select person, tmdb_id, rating from catalog.watch_histories")
    assert len(stored) == len(expected)
    assert all(rating in expected[person.removeprefix("movielens:"), str(film)] for person, film, rating in stored)
    before = whole_tables(database)
    assert (taken(database, SMALL).changed, whole_tables(database) == before) == (0, True)
