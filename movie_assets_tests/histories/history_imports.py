"""Imports of watch histories for tests."""

import zipfile
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Literal

from movie_assets.database.database import Database
from movie_assets.histories.choices import Choices
from movie_assets.histories.import_report import ImportReport
from movie_assets.histories.imports import import_path

NOW = datetime(2026, 11, 25, 12, tzinfo=UTC)
WATCHED = "Date,Name,Year,Letterboxd URI\n"
RATINGS = "Date,Name,Year,Letterboxd URI,Rating\n"
DIARY = "Date,Name,Year,Letterboxd URI,Rating,Rewatch,Tags,Watched Date\n"
IMDB = "Const,Your Rating,Date Rated,Title,URL,Title Type,IMDb Rating,Runtime (mins),Year,Genres\n"
EXPORT = {
    "watched.csv": WATCHED + "2023-01-01,Alien,1979,u1\n2023-01-02,Aliens,1986,u2\n2023-01-03,Dune,,u3\n"
    "2023-01-04,Metropolis Reconsidered,1927,u4\n2023-01-05,Der dunkle Ritter,2007,u5\n",
    "ratings.csv": RATINGS + "2023-01-01,Alien,1979,u1,4.5\n2023-02-02,Aliens,1986,u2,0.5\n",
    "diary.csv": DIARY + "2023-03-01,Alien,1979,d1,3,,,2023-02-28\n2024-03-01,Alien,1979,d2,4,Yes,,2024-02-28\n",
    "watchlist.csv": WATCHED + "2024-01-01,Amelie,2001,u6\n2024-01-01,Alien,1979,u1\n",
    "deleted/diary.csv": DIARY + "2023-03-01,Rocky II,1979,d9,5,,,2023-02-28\n",
    "profile.csv": "Date Joined,Username\n2020-01-01,me\n",
}


def run(database: Database, statement: str) -> list[tuple[Any, ...]]:
    """Execute a statement; return its rows, none if it returns none."""
    with database.transaction() as connection:
        result = connection.exec_driver_sql(statement)
        return [tuple(row) for row in result] if result.returns_rows else []


def taken(
    database: Database, path: Path, person: str = "me", unrated: Literal["seen", "wanted"] | None = None,
    *, replace: bool = False, request: bool = False,
) -> ImportReport:  # fmt: skip
    """Import a file with one source, and return the report."""
    (report,) = import_path(database, path, Choices(person, unrated, replace, request), NOW)
    return report


def file(folder: Path, name: str, text: str) -> Path:
    (folder / name).write_text(text, encoding="utf-8", newline="")
    return folder / name


def archive(folder: Path, files: dict[str, str], name: str = "letterboxd-me.zip") -> Path:
    with zipfile.ZipFile(folder / name, "w") as opened:
        for member, text in files.items():
            opened.writestr(member, text)
    return folder / name


def histories(
    database: Database, what: str = "tmdb_id, is_wanted, rating, seen_at::date::text"
) -> list[tuple[Any, ...]]:
    return run(database, f"select {what} from catalog.watch_histories order by person, tmdb_id, source")
