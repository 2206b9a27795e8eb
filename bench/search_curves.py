"""Recall against time of searches, on vectors that an embedder makes of texts, for films and for questions.

With filters that 100, 50, 10 and 1 % of the films pass, by how much of the index is visited; then for the first search
after a restart of Postgres, and again after 30 days of changes. Recall is against comparing all films that pass. An
embedded Postgres of its own in a temporary folder. Usage: search_curves.py [--films N] [--model M] [--dimensions D]
[--details FILE] [--queries Q] [--days N] [--json FILE]
"""

import json
import random
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from made_up_vectors import Matrix, new_set, percentile, put_films
from made_up_world import NOW, lines_of, made_up, run
from tables import parser_of, print_section, report_progress, write_json
from text_vectors import film_texts, question_texts

from movie_assets.database.database import Database, copy_rows, driver_connection, execute
from movie_assets.database.embedded import embedded_postgres
from movie_assets.database.migrations import ensure_database, migrate
from movie_assets.embeddings.providers.local import LOCAL_MODEL, LocalEmbedder
from movie_assets.search.vector_index import MIN_RECALL, TuningStep

FILTERS = {
    "100 %": {},
    "50 %": {"genres": ["Drama"]},
    "10 %": {"runtime_to": 79},
    "1 %": {"year_from": 1999, "year_to": 1999},
}
VISITS = (100, 200, 400, 800)
CHUNK = 5_000  # texts that are embedded at once
CHANGED = 0.01  # share of the films whose text changes each day
GONE = 0.002  # share of the films that leave each day; as many come back
COLUMNS = {"tmdb_id": "int8", "text_hash": "text", "embedding": "vector"}
SEARCH = "select similarity from catalog.nearest_movies(%b, 10, %s::jsonb, null, %s)"


class Asked(NamedTuple):
    """Vectors to search for, by what they are of."""

    films: Matrix
    questions: Matrix


def main() -> None:
    """Build, measure, restart, measure the first search, live through the days, measure again."""
    parser = parser_of(__doc__)
    parser.add_argument("--films", type=int, default=20_000)
    parser.add_argument("--model", default=LOCAL_MODEL)
    parser.add_argument("--dimensions", type=int, default=4000)
    parser.add_argument("--details", type=Path, help="answers of /movie/{id}, a line each (.gz too)")
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--days", type=int, default=30)
    arguments = parser.parse_args()
    embedder = LocalEmbedder(arguments.model, arguments.dimensions)
    with tempfile.TemporaryDirectory(prefix="movie_assets_curves_") as home:
        with opened(Path(home)) as database:
            built, asked = build(database, embedder, arguments.films, arguments.queries, arguments.details)
            rows = curve(database, asked, "built")
        with opened(Path(home)) as database:
            first = first_searches(database, asked)
            if arguments.days:
                live(database, embedder, arguments.films, arguments.days, arguments.details)
                rows += curve(database, asked, f"after {arguments.days} days")
    configured = (
        f"{arguments.films:,} films with vectors of {arguments.model} ({arguments.dimensions:,} dimensions) of "
        f"{'recorded' if arguments.details else 'emulated'} texts, {arguments.queries} films and "
        f"{arguments.queries} questions; ten wanted. Milliseconds of the backend's processor time, and of the clock."
    )
    print_section("Recall and time of searches", configured, rows)
    print_section("First search after a restart", "Milliseconds of the first call on a new connection.", first)
    print_section("Building", "Seconds, and megabytes.", [built])
    figures = {"first_after_restart": first, "built": built}
    write_json(arguments.json, "search_curves", "exact search", arguments.rounds, configured, rows, **figures)


@contextmanager
def opened(home: Path) -> Iterator[Database]:
    """Start the server of a folder, and yield its migrated database."""
    with embedded_postgres(home) as server:
        address = server.replace("/?", "/curves?")
        ensure_database(address)
        database = Database(address)
        migrate(database)
        try:
            yield database
        finally:
            database.close()


def build(
    database: Database, embedder: LocalEmbedder, films: int, queries: int, details: Path | None
) -> tuple[dict[str, Any], Asked]:
    """Load films and vectors, publish and tune them; return what it took, and vectors to search for."""
    put_films(database, lines_of(made_up(films)))
    run(database, "insert into catalog.movie_stats select tmdb_id, 1, 7, 100, now() from catalog.movies")
    set_id = new_set(database, embedder.dimensions)
    chance, sampled = random.Random(3), list[str]()  # noqa: S311
    for start, texts in enumerate(chunks(film_texts(films, details))):
        vectors = embedder.embed(texts).vectors
        store(database, set_id, ((start * CHUNK + n, vector) for n, vector in enumerate(vectors, start=1)))
        sampled += chance.sample(texts, min(len(texts), 200))
        report_progress(f"{start * CHUNK + len(texts):,} of {films:,} films")
    run(database, "analyze")
    seconds = {
        "published": spent(database, f"select pipeline.refresh_vectors({set_id})"),
        "index": spent(database, f"select pipeline.build_vector_index({set_id})"),
    }
    database.execute("activate_set", set_id=set_id, hold=False)
    run(database, "analyze")
    is_indexed = database.fetch_value(bool, "index_is_needed", set_id=set_id)
    started = time.perf_counter()
    steps = (
        database.execute_returning(TuningStep, "tune_searches", set_id=set_id, goal=MIN_RECALL, anew=True)
        if is_indexed
        else []
    )
    with database.transaction() as connection:
        sizes = connection.exec_driver_sql(
            "select pg_total_relation_size('pipeline.embeddings'), "
            f"pg_total_relation_size('catalog.movie_vectors_{set_id}'), "
            f"coalesce(pg_relation_size(to_regclass('catalog.movie_vectors_{set_id}_nearest')), 0)"
        ).one()
    built = {
        **{f"{name}_s": value[0] for name, value in seconds.items()},
        **{f"{name}_cpu_s": value[1] for name, value in seconds.items()},
        "tuning_s": time.perf_counter() - started,
        "visited": steps[-1].ef_search if steps else 0,
        **dict(zip(("kept_mb", "searched_mb", "of_it_index_mb"), (size / 1e6 for size in sizes), strict=True)),
    }
    wanted = embedder.embed(chance.sample(sampled, queries)).vectors
    return built, Asked(wanted, embedder.embed(question_texts(sampled, queries)).vectors)


def chunks(texts: Iterator[str]) -> Iterator[list[str]]:
    """Yield the texts in lists of CHUNK."""
    while chunk := list(islice(texts, CHUNK)):
        yield chunk


def store(database: Database, set_id: int, lines: Iterable[tuple[int, Any]]) -> None:
    """Store vectors of films as movie_embeddings does, in a larger chunk."""
    with database.transaction() as connection:
        execute(connection, "stage_embeddings")
        copy_rows(connection, "incoming_embeddings", COLUMNS, ((n, f"{n:064x}", vector) for n, vector in lines))
        connection.exec_driver_sql(
            "update incoming_embeddings i set text_hash = m.text_hash from catalog.movies m where m.tmdb_id = i.tmdb_id"
        )
        execute(connection, "store_embeddings", set_id=set_id, as_of=NOW)


def spent(database: Database, statement: str) -> tuple[float, float]:
    """Run a statement; return its seconds by the clock, and of the backend's processor time (not of its workers)."""
    with database.transaction() as connection:
        pid = connection.exec_driver_sql("select pg_backend_pid()").scalar_one()
        before, started = cpu_seconds(pid), time.perf_counter()
        connection.exec_driver_sql(statement)
        return time.perf_counter() - started, cpu_seconds(pid) - before


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process of this machine."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def curve(database: Database, asked: Asked, when: str) -> list[dict[str, Any]]:
    """Measure all filters, as tuned and, if there is an index, for each number of visited films."""
    with database.transaction() as connection:
        set_id, tuned = connection.exec_driver_sql(
            "select set_id, ef_search from catalog.embedding_sets where is_active"
        ).one()
    is_indexed = database.fetch_value(bool, "index_is_needed", set_id=set_id)
    rows = []
    for visited in sorted({*VISITS, tuned or 100}) if is_indexed else [None]:
        with database.transaction() as connection:
            connection.exec_driver_sql("update pipeline.embedding_sets set ef_search = %s where is_active", (visited,))
        for share, filters in FILTERS.items():
            for kind, needles in asked._asdict().items():
                figures = measured(database, needles, json.dumps(filters))
                name = "all" if visited is None else f"{visited}{' (tuned)' if visited == tuned else ''}"
                rows.append({"when": when, "visited": name, "pass": share, "searched_for": kind} | figures)
    with database.transaction() as connection:
        connection.exec_driver_sql("update pipeline.embedding_sets set ef_search = %s where is_active", (tuned,))
    return rows


def measured(database: Database, needles: Matrix, filters: str) -> dict[str, float]:
    """Search for each vector; return recall and times."""
    recalls, clock, processor = [], [], []
    with database.transaction() as connection:
        raw = driver_connection(connection)
        pid = connection.exec_driver_sql("select pg_backend_pid()").scalar_one()
        raw.execute(SEARCH, (needles[0], filters, False)).fetchall()
        for needle in needles:
            exact = [row[0] for row in raw.execute(SEARCH, (needle, filters, True)).fetchall()]
            before, started = cpu_seconds(pid), time.perf_counter()
            found = [row[0] for row in raw.execute(SEARCH, (needle, filters, False)).fetchall()]
            clock.append(1000 * (time.perf_counter() - started))
            processor.append(1000 * (cpu_seconds(pid) - before))
            recalls.append(sum(similarity >= min(exact) - 1e-6 for similarity in found) / max(1, len(exact)))
    return {
        "recall": round(float(np.mean(recalls)), 4),
        "cpu_p50": percentile(processor, 0.5), "cpu_p95": percentile(processor, 0.95),
        "p50": percentile(clock, 0.5), "p95": percentile(clock, 0.95),
    }  # fmt: skip


def first_searches(database: Database, asked: Asked) -> list[dict[str, Any]]:
    """Search once after the start of the server, then once more, each on a connection of its own."""
    rows = []
    for name, needle in (("first", asked.questions[0]), ("second", asked.films[0])):
        database.engine.dispose()
        with database.transaction() as connection:
            raw = driver_connection(connection)
            pid = connection.exec_driver_sql("select pg_backend_pid()").scalar_one()
            before, started = cpu_seconds(pid), time.perf_counter()
            raw.execute(SEARCH, (needle, "{}", False)).fetchall()
            passed = time.perf_counter() - started
            rows.append({"search": name, "ms": 1000 * passed, "cpu_ms": 1000 * (cpu_seconds(pid) - before)})
    return rows


def live(database: Database, embedder: LocalEmbedder, films: int, days: int, details: Path | None) -> None:
    """Change texts each day, let films leave and come back, and publish."""
    chance = random.Random(4)  # noqa: S311
    with database.transaction() as connection:
        set_id = connection.exec_driver_sql("select set_id from catalog.embedding_sets where is_active").scalar_one()
    texts = list(islice(film_texts(min(films, 20_000), details), films))
    for day in range(days):
        changed = sorted(chance.sample(range(1, films + 1), int(CHANGED * films)))
        gone = chance.sample(range(1, films + 1), int(GONE * films))
        new = [" ".join((*a.split()[::2], *b.split()[::2])) for a, b in (chance.sample(texts, 2) for _ in changed)]
        with database.transaction() as connection:
            connection.exec_driver_sql(
                "update catalog.movies set text_hash = text_hash || %s where tmdb_id = any(%s)", (f"-{day}", changed)
            )
        store(database, set_id, zip(changed, embedder.embed(new).vectors, strict=True))
        publish(database, set_id, gone)
        report_progress(f"day {day + 1} of {days}")
    run(database, "analyze")


def publish(database: Database, set_id: int, gone: Sequence[int]) -> None:
    """Publish without some films, then with them again."""
    with database.transaction() as connection:
        connection.exec_driver_sql(f"delete from catalog.movie_vectors_{set_id} where tmdb_id = any(%s)", (list(gone),))
        connection.exec_driver_sql(f"select pipeline.refresh_vectors({set_id})")


if __name__ == "__main__":
    main()
