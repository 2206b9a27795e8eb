"""Recall against time of searches, on vectors that an embedder makes of texts, for films and for questions.

With filters that 100, 50, 10 and 1 % of the films pass, by how much of the index is visited; then for the first search
after a restart of Postgres, and again after 30 days of changes. Recall is against comparing all films that pass. An
embedded Postgres of its own in a temporary folder. Usage: search_curves.py [--films N ...] [--model M] [--dimensions D]
[--details FILE] [--queries Q] [--days N] [--json FILE]
"""

import argparse
import json
import random
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from made_up_vectors import Matrix, percentile
from made_up_world import run
from tables import parser_of, print_section, report_progress, write_json
from text_catalogue import fill, hash_of, opened, store
from text_vectors import film_texts, question_texts

from movie_assets.database.database import Database, driver_connection
from movie_assets.embeddings.providers.local import LOCAL_MODEL, LocalEmbedder
from movie_assets.search.vector_index import MIN_RECALL, TuningStep

FILTERS = {
    "100 %": {},
    "50 %": {"genres": ["Drama"]},
    "10 %": {"runtime_to": 79},
    "1 %": {"year_from": 1999, "year_to": 1999},
}
VISITS = (100, 200, 400, 800)
CHANGED = 0.01  # share of the films whose text changes each day
GONE = 0.002  # share of the films that leave each day; as many come back
SEARCH = "select similarity from catalog.nearest_movies(%b, 10, %s::jsonb, null, %s)"


class Asked(NamedTuple):
    """Vectors to search for, by what they are of."""

    films: Matrix
    questions: Matrix


def main() -> None:
    """Build, measure, restart, measure the first search, live through the days, measure again."""
    parser = parser_of(__doc__)
    parser.add_argument("--films", type=int, nargs="+", default=[20_000, 50_000], help="sizes, one after the other")
    parser.add_argument("--model", default=LOCAL_MODEL)
    parser.add_argument("--dimensions", type=int, default=4000)
    parser.add_argument("--details", type=Path, help="answers of /movie/{id}, a line each (.gz too)")
    parser.add_argument("--queries", type=int, default=50)
    parser.add_argument("--days", type=int, default=30)
    arguments = parser.parse_args()
    figures: dict[str, list[dict[str, Any]]] = {"rows": [], "first_after_restart": [], "built": []}
    for films in arguments.films:
        for name, rows in of_size(films, arguments).items():
            figures[name] += [{"films": films, **row} for row in rows]
    configured = (
        f"Vectors of {arguments.model} ({arguments.dimensions:,} dimensions) of "
        f"{'recorded' if arguments.details else 'emulated'} texts, {arguments.queries} films and "
        f"{arguments.queries} questions; ten wanted. Milliseconds of the backend's processor time, and of the clock."
    )
    rows = figures.pop("rows")
    print_section("Recall and time of searches", configured, rows)
    first = figures["first_after_restart"]
    print_section("First search after a restart", "Milliseconds of the first call on a new connection.", first)
    print_section("Building", "Seconds, and megabytes.", figures["built"])
    write_json(arguments.json, "search_curves", "exact search", arguments.rounds, configured, rows, **figures)


def of_size(films: int, arguments: argparse.Namespace) -> dict[str, list[dict[str, Any]]]:
    """Measure a catalogue of so many films: rows of the curve, of the first searches, of the build."""
    embedder, details, days = LocalEmbedder(arguments.model, arguments.dimensions), arguments.details, arguments.days
    with tempfile.TemporaryDirectory(prefix="movie_assets_curves_") as home:
        with opened(Path(home)) as database:
            set_id, sampled = fill(database, embedder, film_texts(films, details), films)
            built = indexed(database, set_id)
            asked = asked_for(embedder, sampled, arguments.queries)
            rows = curve(database, asked, "built")
        with opened(Path(home)) as database:
            first = first_searches(database, asked)
            if days:
                live(database, embedder, films, days, details)
                rows += curve(database, asked, f"after {days} days")
    return {"rows": rows, "first_after_restart": first, "built": [built]}


def asked_for(embedder: LocalEmbedder, sampled: Sequence[str], queries: int) -> Asked:
    """Return vectors to search for, of some of the texts and of questions of their words."""
    films = random.Random(3).sample(sampled, queries)  # noqa: S311
    return Asked(embedder.embed(films).vectors, embedder.embed(question_texts(sampled, queries)).vectors)


def indexed(database: Database, set_id: int) -> dict[str, Any]:
    """Publish the vectors, build the index if one is needed, and tune searches; return what it took."""
    figures: dict[str, Any] = {}
    for name, statement in (("published", "refresh_vectors"), ("index", "build_vector_index")):
        took = spent(database, f"select pipeline.{statement}({set_id})")
        figures |= {f"{name}_s": round(took[0], 1), f"{name}_cpu_s": round(took[1], 1)}
    database.execute("activate_set", set_id=set_id, hold=False)
    run(database, "analyze")
    started = time.perf_counter()
    is_indexed = database.fetch_value(bool, "index_is_needed", set_id=set_id)
    steps = (
        database.execute_returning(TuningStep, "tune_searches", set_id=set_id, goal=MIN_RECALL, anew=True)
        if is_indexed
        else []
    )
    figures |= {"tuning_s": round(time.perf_counter() - started, 1), "visited": steps[-1].ef_search if steps else 0}
    with database.transaction() as connection:
        sizes = connection.exec_driver_sql(
            "select pg_total_relation_size('pipeline.title_embeddings'), "
            f"pg_total_relation_size('catalog.title_vectors_{set_id}'), "
            f"coalesce(pg_relation_size(to_regclass('catalog.title_vectors_{set_id}_nearest')), 0)"
        ).one()
    names = ("kept_mb", "searched_mb", "of_it_index_mb")
    return figures | dict(zip(names, (round(size / 1e6, 1) for size in sizes), strict=True))


def spent(database: Database, statement: str) -> tuple[float, float]:
    """Run a statement; return its seconds by the clock, and of the backend's processor time (not of its workers)."""
    with database.transaction() as connection:
        pid = connection.exec_driver_sql("select pg_backend_pid()").scalar_one()
        connection.exec_driver_sql("set local statement_timeout = 0")
        before, started = cpu_seconds(pid), time.perf_counter()
        connection.exec_driver_sql(statement)
        return time.perf_counter() - started, cpu_seconds(pid) - before


def cpu_seconds(pid: int) -> float:
    """Return the processor time of a process of this machine."""
    return int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9


def curve(database: Database, asked: Asked, when: str, visits: Sequence[int] = VISITS) -> list[dict[str, Any]]:
    """Measure all filters, as tuned and, if there is an index, for each number of visited films."""
    with database.transaction() as connection:
        set_id, tuned = connection.exec_driver_sql(
            "select set_id, ef_search from catalog.embedding_sets where is_active"
        ).one()
    is_indexed = database.fetch_value(bool, "index_is_needed", set_id=set_id)
    numbers = sorted({*visits, tuned or 100}) if is_indexed else [None]
    names = ["all" if each is None else f"{each} (tuned)" if each == tuned else str(each) for each in numbers]
    rows = []
    for share, filters in FILTERS.items():
        for kind, needles in asked._asdict().items():
            exact = exact_of(database, needles, json.dumps(filters))
            for visited, name in zip(numbers, names, strict=True):
                visit(database, visited)
                found = measured(database, needles, json.dumps(filters), exact)
                rows.append({"when": when, "visited": name, "pass": share, "searched_for": kind} | found)
    visit(database, tuned)
    return sorted(rows, key=lambda row: names.index(row["visited"]))


def visit(database: Database, visited: int | None) -> None:
    """Let searches visit so many films of the graph."""
    with database.transaction() as connection:
        connection.exec_driver_sql("update pipeline.embedding_sets set ef_search = %s where is_active", (visited,))


def exact_of(database: Database, needles: Matrix, filters: str) -> list[list[float]]:
    """Return the similarities of the nearest films for each vector, by comparing all."""
    with database.transaction() as connection:
        raw = driver_connection(connection)
        return [[row[0] for row in raw.execute(SEARCH, (each, filters, True)).fetchall()] for each in needles]


def measured(database: Database, needles: Matrix, filters: str, exact: Sequence[Sequence[float]]) -> dict[str, float]:
    """Search for each vector; return recall and times."""
    recalls, clock, processor = [], [], []
    with database.transaction() as connection:
        raw = driver_connection(connection)
        pid = connection.exec_driver_sql("select pg_backend_pid()").scalar_one()
        raw.execute(SEARCH, (needles[0], filters, False)).fetchall()
        for needle, nearest in zip(needles, exact, strict=True):
            before, started = cpu_seconds(pid), time.perf_counter()
            found = [row[0] for row in raw.execute(SEARCH, (needle, filters, False)).fetchall()]
            clock.append(1000 * (time.perf_counter() - started))
            processor.append(1000 * (cpu_seconds(pid) - before))
            recalls.append(sum(each >= min(nearest) - 1e-6 for each in found) / max(1, len(nearest)))
    return {
        "recall": round(float(np.mean(recalls)), 4),
        **{f"cpu_p{share}_ms": round(percentile(processor, share / 100), 1) for share in (50, 95)},
        **{f"p{share}_ms": round(percentile(clock, share / 100), 1) for share in (50, 95)},
    }


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
            spent_ms = 1000 * (cpu_seconds(pid) - before)
            rows.append({"search": name, "ms": round(1000 * passed, 1), "cpu_ms": round(spent_ms, 1)})
    return rows


def live(database: Database, embedder: LocalEmbedder, films: int, days: int, details: Path | None) -> None:
    """Change texts each day, let films leave and come back, and publish."""
    chance = random.Random(4)  # noqa: S311
    with database.transaction() as connection:
        set_id = connection.exec_driver_sql("select set_id from catalog.embedding_sets where is_active").scalar_one()
    texts = list(film_texts(min(films, 20_000), details))
    for day in range(1, days + 1):
        changed = sorted(chance.sample(range(1, films + 1), int(CHANGED * films)))
        gone = chance.sample(range(1, films + 1), int(GONE * films))
        new = [" ".join((*a.split()[::2], *b.split()[::2])) for a, b in (chance.sample(texts, 2) for _ in changed)]
        hashes = [hash_of(film, day) for film in changed]
        with database.transaction() as connection:
            connection.exec_driver_sql(
                "update catalog.movies m set text_hash = c.text_hash "
                "from unnest(%s::bigint[], %s::text[]) c (tmdb_id, text_hash) where m.tmdb_id = c.tmdb_id",
                (changed, hashes),
            )
        store(database, set_id, zip(changed, hashes, embedder.embed(new).vectors, strict=True))
        seconds = publish(database, set_id, gone)
        report_progress(f"day {day} of {days}: published in {seconds:.1f} s")
    run(database, "analyze")


def publish(database: Database, set_id: int, gone: list[int]) -> float:
    """Publish without some films, then with them again; return the seconds."""
    with database.transaction() as connection:
        connection.exec_driver_sql(f"delete from catalog.title_vectors_{set_id} where title_id = any(%s)", (gone,))
    return spent(database, f"select pipeline.refresh_vectors({set_id})")[0]


if __name__ == "__main__":
    main()
