"""Imports of watch histories: 3,000 rows of Letterboxd's kind among 50,000 films, and a million ratings of MovieLens'.

The catalogue is the one of text_search.py: made-up words, 25 titles a film. Of the rows, nine in ten name a film by its
title and year, the others have a slip or name no film. Each file is imported twice; the second time changes nothing.
"""

import csv
import random
import tempfile
import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from made_up_vectors import server_of_ones_own
from processes import cpu_seconds, peak_megabytes, run_in_process
from tables import in_rounds, parser_of, print_section, write_figures
from text_search import put_films, with_a_slip

from movie_assets.database.database import Database
from movie_assets.histories.choices import Choices
from movie_assets.histories.imports import import_path
from movie_assets.search.search_documents import update_documents

USERS, FILMS_RATED = 6_000, 30_000


def letterboxd(database: Database, path: Path, rows: int, chance: random.Random) -> None:
    """Write a file of ratings that names films of the catalogue, most of them rightly."""
    with database.transaction() as connection:
        films = connection.exec_driver_sql(
            f"select title, release_year from catalog.movies order by tmdb_id * 7919 %% 50021 limit {rows}"
        ).all()
    with path.open("w", encoding="utf-8", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["Date", "Name", "Year", "Letterboxd URI", "Rating"])
        for number, (title, year) in enumerate(films):
            kind = number % 20
            name = with_a_slip(title, chance) if kind == 0 else f"{title} Qwxzv Plmok" if kind == 1 else title
            lines.writerow(["2024-01-01", name, year, f"https://boxd.example/{number}", chance.randint(1, 10) / 2])


def movielens(folder: Path, ratings: int, chance: random.Random) -> Path:
    """Write a release with so many ratings."""
    folder.mkdir()
    with (folder / "links.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["movieId", "imdbId", "tmdbId"])
        lines.writerows([number, f"{number:07}", number] for number in range(1, FILMS_RATED + 1))
    with (folder / "ratings.csv").open("w", newline="") as file:
        lines = csv.writer(file)
        lines.writerow(["userId", "movieId", "rating", "timestamp"])
        each = ratings // USERS
        for user in range(1, USERS + 1):
            for film in chance.sample(range(1, FILMS_RATED + 1), each):
                lines.writerow([user, film, chance.randint(1, 10) / 2, 1_000_000_000 + film])
    return folder


def server_seconds(database: Database) -> float:
    """CPU seconds of the server process behind the pool's one connection."""
    with database.transaction() as connection:
        return cpu_seconds([connection.exec_driver_sql("select pg_backend_pid()").scalar_one()])


def measured(address: str, path: Path, times: str) -> dict[str, Any]:
    """Import a file, and return its time and memory."""
    database = Database(address)
    started, spent = time.perf_counter(), time.process_time() + server_seconds(database)
    (report,) = import_path(database, path, Choices(), datetime.now(UTC))
    seconds = time.perf_counter() - started
    cpu = time.process_time() + server_seconds(database) - spent
    database.close()
    return {
        "import": f"{report.source}, {times}",
        "rows": report.rows,
        "films_matched": report.by_id + report.by_title,
        "ambiguous": report.ambiguous,
        "unknown": report.unknown,
        "changed": report.changed,
        "seconds": round(seconds, 1),
        "cpu_seconds": round(cpu, 1),
        "peak_megabytes": round(peak_megabytes()),
    }


def main() -> None:
    """Measure, print the tables and write the figures."""
    parser = parser_of(__doc__)
    parser.add_argument("--movies", type=int, default=50_000, help="films in the catalogue")
    parser.add_argument("--rows", type=int, default=3_000, help="rows of Letterboxd's kind")
    parser.add_argument("--ratings", type=int, default=1_000_000, help="ratings of MovieLens' kind")
    options = parser.parse_args()
    found, kept = in_rounds(options.rounds, lambda: one_round(options.movies, options.rows, options.ratings))
    configuration = (
        f"Into a catalogue of {options.movies:,} made-up films; medians of {options.rounds} rounds, each from an empty "
        "database, each import in a process of its own. CPU seconds are those of the importing process and its server "
        "process together, from the import's beginning on; memory is the importing process's."
    )
    print_section("Imports of watch histories", configuration, found)
    write_figures(options.json, kept)


def one_round(movies: int, rows: int, ratings: int) -> list[dict[str, Any]]:
    """Build the catalogue, write the files, import them."""
    chance = random.Random(1)  # noqa: S311  # repeatable, not secret
    with tempfile.TemporaryDirectory() as home, server_of_ones_own("imports") as (address, database):
        put_films(database, movies, chance)
        update_documents(database)
        letterboxd(database, Path(home) / "ratings.csv", rows, chance)
        files = Path(home) / "ratings.csv", movielens(Path(home) / "ml", ratings, chance)
        return [run_in_process(measured, address, file, times) for file in files for times in ("first", "again")]


if __name__ == "__main__":
    main()
