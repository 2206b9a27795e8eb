"""Search a catalogue of made-up films with filters from 50 % to 0.1 %; print latency and recall@k against exact.

An embedded Postgres of its own in a temporary folder. Usage: vector_search.py [--films N] [--dimensions D]
[--queries Q] [--rounds R] [--json FILE]
"""

import argparse
import json
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from made_up_vectors import (
    CLUSTERS,
    Matrix,
    clustered_vectors,
    clusters_of,
    new_set,
    percentile,
    put_films,
    server_of_ones_own,
)

from movie_assets.resources.postgres import Database, copy_rows, driver_connection, execute, rows

NOW = datetime(2026, 11, 1, tzinfo=UTC)
COUNTS = (10, 100)
CHANGED_VECTORS = 500
CHANGED_NUMBERS = 5_000
AS_NEAR = 1e-5  # a film as near as the last of the exact ones is as good as that
SEARCH = "select tmdb_id from catalog.match_movies(%b, match_count => %s, filters => %s::jsonb)"


class Case(NamedTuple):
    """A filter, what it is by, and how much of the catalogue passes."""

    share: str
    by: str
    filters: dict[str, Any]


CASES = (
    Case("100 %", "nothing", {}),
    Case("50 %", "genre", {"genres": ["Drama"]}),
    Case("20 %", "years", {"year_from": 2006}),
    Case("10 %", "runtime", {"runtime_to": 79}),
    Case("5 %", "language", {"languages": ["ja"]}),
    Case("5 %", "genre far from most questions", {"genres": ["Documentary"]}),
    Case("3 %", "genre", {"genres": ["War"]}),
    Case("2 %", "certification", {"certifications": ["NC-17"]}),
    Case("1 %", "year", {"year_from": 1999, "year_to": 1999}),
    Case("0.5 %", "runtime", {"runtime_from": 100, "runtime_to": 100}),
    Case("0.1 %", "genre and runtime", {"genres": ["Western"], "runtime_to": 79}),
)


class World(NamedTuple):
    """What filters look at, a value for each film."""

    year: npt.NDArray[np.int64]
    runtime: npt.NDArray[np.int64]
    language: npt.NDArray[np.str_]
    certification: npt.NDArray[np.str_]
    genres: dict[str, npt.NDArray[np.bool_]]

    def passing(self, filters: dict[str, Any]) -> npt.NDArray[np.bool_]:
        """Which films pass."""
        passes = (self.year >= filters.get("year_from", 0)) & (self.year <= filters.get("year_to", 9999))
        passes &= (self.runtime >= filters.get("runtime_from", 0)) & (self.runtime <= filters.get("runtime_to", 9999))
        for genre in filters.get("genres", []):
            passes &= self.genres[genre]
        for language in filters.get("languages", []):
            passes &= self.language == language
        for certification in filters.get("certifications", []):
            passes &= self.certification == certification
        return passes


def main() -> None:
    """Build, measure searches, measure a day."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--films", type=int, default=50_000)
    parser.add_argument("--dimensions", type=int, default=1536)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--rounds", type=int, default=3, help="each figure is that of the median round")
    parser.add_argument("--json", type=Path, help="write the figures here too")
    arguments = parser.parse_args()
    vectors = clustered_vectors(arguments.films, arguments.dimensions)
    questions = clustered_vectors(arguments.queries, arguments.dimensions, seed=2)
    world = made_up(arguments.films)
    with server_of_ones_own("search") as (_, database):
        figures: dict[str, Any] = {"films": arguments.films, "dimensions": arguments.dimensions}
        figures |= built(database, world, vectors)
        figures["never analyzed, a search (ms)"] = first_search(database, questions[0])
        run(database, "analyze")
        stored = vectors.astype(np.float16).astype(np.float32)  # what the index holds
        rounds = [
            [measured(database, case, count, questions, stored, world) for case in CASES for count in COUNTS]
            for _ in range(arguments.rounds)
        ]
        figures["searches"] = [median_of(list(measurements)) for measurements in zip(*rounds, strict=True)]
        figures |= a_day(database, vectors)
    report(figures)
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


def made_up(films: int) -> World:
    """Films with every value at random, but for one genre that lies in one corner of the catalogue."""
    chance = np.random.default_rng(3)
    shares = {"Drama": 0.5, "Comedy": 0.2, "War": 0.03, "Western": 0.01}
    genres = {name: chance.random(films) < share for name, share in shares.items()}
    genres["Documentary"] = clusters_of(films, 1) < CLUSTERS * 0.05
    return World(
        chance.integers(1926, 2026, films),
        chance.integers(60, 260, films),
        chance.choice(["en", "fr", "ja"], films, p=[0.7, 0.25, 0.05]),
        chance.choice(["R", "PG-13", "NC-17"], films, p=[0.38, 0.6, 0.02]),
        genres,
    )


def built(database: Database, world: World, vectors: Matrix) -> dict[str, Any]:
    """Load, publish, build the index, switch searches to it."""
    for table in ("movies", "movie_stats"):
        run(database, f"alter table catalog.{table} set (autovacuum_enabled = off)")
    put_films(database, lines_of(world))
    run(
        database,
        "insert into catalog.movie_stats select tmdb_id, 1, 7, 100, now() from catalog.movies",
    )
    set_id = new_set(database, vectors.shape[1])
    store(database, set_id, range(1, len(vectors) + 1), vectors)
    seconds = {
        "published (s)": timed(lambda: database.rows("refresh_vectors", set_id=set_id)),
        "index built (s)": timed(lambda: database.rows("build_vector_index", set_id=set_id)),
    }
    database.execute("activate_set", set_id=set_id, hold=False)
    return seconds


def lines_of(world: World) -> Iterator[tuple[Any, ...]]:
    """Films for catalog.movies."""
    for n, (year, runtime) in enumerate(zip(world.year.tolist(), world.runtime.tolist(), strict=True)):
        genres = [name for name, has in world.genres.items() if has[n]]
        yield (
            n + 1, f"Film {n + 1}", "", str(world.language[n]), date(year, 1, 1), runtime, genres, [], [], [], [],
            str(world.certification[n]), "An overview of some length. " * 12, f"{n + 1:064x}", NOW,
        )  # fmt: skip


def store(database: Database, set_id: int, ids: range, vectors: Matrix) -> None:
    """Store vectors as movie_embeddings does, in larger chunks."""
    columns = {"tmdb_id": "int8", "text_hash": "text", "embedding": "vector"}
    with database.transaction() as connection:
        hashes = {row[0]: row[1] for row in connection.exec_driver_sql("select tmdb_id, text_hash from catalog.movies")}
        execute(connection, "stage_embeddings")
        lines = ((n, hashes[n], v) for n, v in zip(ids, vectors, strict=True))
        copy_rows(connection, "incoming_embeddings", columns, lines)
        execute(connection, "store_embeddings", set_id=set_id, moment=NOW)


def first_search(database: Database, question: npt.NDArray[np.float32]) -> float:
    """A search on tables that nobody analyzed, over a connection that is new."""
    database.engine.dispose()
    with database.transaction() as connection:
        raw = driver_connection(connection)
        filters = json.dumps({"genres": ["War"], "min_votes": 50})
        return 1000 * timed(lambda: raw.execute(SEARCH, (question, 10, filters)).fetchall())


def measured(
    database: Database, case: Case, count: int, questions: Matrix, stored: Matrix, world: World
) -> dict[str, Any]:
    """Ask every question, and compare with all films that pass."""
    passing = np.flatnonzero(world.passing(case.filters))
    among = stored[passing]
    wanted = min(count, len(passing))
    filters = json.dumps(case.filters)
    milliseconds, recalls, found_rows = [], [], []
    with database.transaction() as connection:
        raw = driver_connection(connection)
        for question in questions[:5]:
            raw.execute(SEARCH, (question, count, filters)).fetchall()
        for question in questions:
            started = time.perf_counter()
            found = raw.execute(SEARCH, (question, count, filters)).fetchall()
            milliseconds.append(1000 * (time.perf_counter() - started))
            needle = question.astype(np.float16).astype(np.float32)
            similarities = among @ needle
            last = np.partition(similarities, -wanted)[-wanted]
            near = stored[[row[0] - 1 for row in found]] @ needle >= last - AS_NEAR
            recalls.append(near.sum() / wanted)
            found_rows.append(len(found))
    return {
        "share": case.share,
        "by": case.by,
        "passing": len(passing),
        "match_count": count,
        "p50_ms": percentile(milliseconds, 0.5),
        "p95_ms": percentile(milliseconds, 0.95),
        "recall": float(np.mean(recalls)),
        "least_rows": min(found_rows),
        "wanted_rows": wanted,
    }


def median_of(measurements: list[dict[str, Any]]) -> dict[str, Any]:
    """One of several measurements of the same case, with the median times: other rounds met other neighbours."""
    times = {name: median(m[name] for m in measurements) for name in ("p50_ms", "p95_ms")}
    return measurements[0] | times


def a_day(database: Database, vectors: Matrix) -> dict[str, Any]:
    """Some texts change, and many popularities: the first costs the index little, the second nothing."""
    set_id = database.rows("active_set")[0].set_id
    ids = range(1, CHANGED_VECTORS + 1)
    run(database, f"update catalog.movies set text_hash = 'changed' || tmdb_id where tmdb_id <= {CHANGED_VECTORS}")
    store(database, set_id, ids, vectors[:CHANGED_VECTORS][::-1])
    with database.transaction() as connection:
        started = time.perf_counter()
        (moved,) = rows(connection, "refresh_vectors", set_id=set_id)
        upsert = time.perf_counter() - started
    before = state_of(database, set_id)
    numbers = timed(
        lambda: run(
            database, f"update catalog.movie_stats set popularity = popularity + 1 where tmdb_id <= {CHANGED_NUMBERS}"
        )
    )
    nothing = timed(lambda: database.rows("refresh_vectors", set_id=set_id))
    return {
        f"{moved.written} changed vectors published (s)": upsert,
        f"{CHANGED_NUMBERS:,} changed popularities (s)": numbers,
        "publication after them (s)": nothing,
        "index and rows untouched by them": before == state_of(database, set_id),
    }


def state_of(database: Database, set_id: int) -> tuple[Any, ...]:
    """Size of the index, and every row's version."""
    with database.transaction() as connection:
        found = connection.exec_driver_sql(
            f"select pg_relation_size('catalog.movie_vectors_{set_id}_nearest'), "
            f"md5(string_agg(tmdb_id || ':' || xmin, ',' order by tmdb_id)) from catalog.movie_vectors_{set_id}"
        ).one()
        return tuple(found)


def report(figures: dict[str, Any]) -> None:
    """Print the table, and what is not in it."""
    for name, value in figures.items():
        if name != "searches":
            print(f"{name}: {value:,.2f}" if isinstance(value, float) else f"{name}: {value}")
    print()
    print("| films that pass | filter by | match_count | p50 ms | p95 ms | recall | rows, at least |")
    print("|--:|---|--:|--:|--:|--:|--:|")
    for row in figures["searches"]:
        print(
            f"| {row['share']} ({row['passing']:,}) | {row['by']} | {row['match_count']} | {row['p50_ms']:.1f} "
            f"| {row['p95_ms']:.1f} | {row['recall']:.3f} | {row['least_rows']} of {row['wanted_rows']} |"
        )


def run(database: Database, sql: str) -> None:
    """Run a statement."""
    with database.transaction() as connection:
        connection.exec_driver_sql(sql)


def timed(work: Callable[[], Any]) -> float:
    """Seconds that it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
