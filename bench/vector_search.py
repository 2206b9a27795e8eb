"""Search a catalogue of made-up films with filters from 50 % to 0.1 %; print latency and recall@k against exact.

Then by one and by sixteen clients at once. What other libraries do with the same films is search_peers.py's business.
Vectors are those that the local embedder makes of the emulator's film texts, or with --details of recorded ones, and of
short texts for the questions; with --clustered they are random ones in clusters, on which an index finds too much.
search_curves.py has recall against time. An embedded Postgres of its own in a temporary folder. Usage: vector_search.py
[--films N] [--dimensions D] [--queries Q] [--model M] [--details FILE | --clustered] [--rounds R] [--json FILE]
"""

import json
import time
from pathlib import Path
from statistics import median
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from made_up_vectors import Matrix, clustered_vectors, percentile, server_of_ones_own
from made_up_world import AS_NEAR, SEARCH, World, built, made_up, run, searching, store
from peers.clients import ask_at_once, times
from tables import parser_of, table, timed, write_json
from text_vectors import text_vectors

from movie_assets.database.database import Database, driver_connection, fetch_one
from movie_assets.embeddings.providers.local import LOCAL_MODEL
from movie_assets.embeddings.sets import ActiveSet, RefreshedVectors
from movie_assets.search.vector_index import MIN_RECALL, TuningStep

COUNTS = (10, 100)
CHANGED_VECTORS = 500
CHANGED_NUMBERS = 5_000
CLIENTS = (1, 16)
SECONDS = 2.0  # of a round of searches by clients
PERCENTILES = {"p50_ms": 0.5, "p95_ms": 0.95, "p99_ms": 0.99}


class Case(NamedTuple):
    """A filter, what it is by, and how much of the catalogue passes."""

    share: str
    by: str
    filters: dict[str, Any]


FAR = "genre far from most questions"
CASES = (
    Case("100 %", "nothing", {}),
    Case("50 %", "genre", {"genres": ["Drama"]}),
    Case("20 %", "years", {"year_from": 2006}),
    Case("20 %", FAR, {"genres": ["Animation"]}),
    Case("10 %", "runtime", {"runtime_to": 79}),
    Case("5 %", "language", {"languages": ["ja"]}),
    Case("5 %", FAR, {"genres": ["Documentary"]}),
    Case("3 %", "genre", {"genres": ["War"]}),
    Case("2 %", "certification", {"certifications": ["NC-17"]}),
    Case("1 %", "year", {"year_from": 1999, "year_to": 1999}),
    Case("0.5 %", "runtime", {"runtime_from": 100, "runtime_to": 100}),
    Case("0.1 %", "genre and runtime", {"genres": ["Western"], "runtime_to": 79}),
)
BY_CLIENTS = [case for case in CASES if case.by != FAR and case.share in ("100 %", "20 %", "3 %", "1 %")]


def main() -> None:
    """Build, measure searches, measure a day."""
    parser = parser_of(__doc__)
    parser.add_argument("--films", type=int, default=50_000)
    parser.add_argument("--dimensions", type=int, default=4000)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--details", type=Path, help="answers of /movie/{id}, a line each (.gz too)")
    parser.add_argument("--model", default=LOCAL_MODEL, help="model of the local embedder")
    parser.add_argument("--clustered", action="store_true", help="random vectors in clusters in place of texts'")
    arguments = parser.parse_args()
    if arguments.clustered:
        vectors = clustered_vectors(arguments.films, arguments.dimensions)
        questions = clustered_vectors(arguments.queries, arguments.dimensions, seed=2)
    else:
        vectors, questions = text_vectors(
            arguments.details, arguments.films, arguments.queries, arguments.model, arguments.dimensions
        )
    world = made_up(arguments.films)
    with server_of_ones_own("search") as (address, database):
        figures: dict[str, Any] = {"films": arguments.films, "dimensions": arguments.dimensions}
        figures |= built(database, world, vectors)
        figures["never analyzed, a search (ms)"] = first_search(database, questions[0])
        run(database, "analyze")
        figures |= tuned(database)
        stored = vectors.astype(np.float16).astype(np.float32)  # what the index holds
        rounds = [
            [measured(database, case, count, questions, stored, world) for case in CASES for count in COUNTS]
            for _ in range(arguments.rounds)
        ]
        figures["searches"] = [median_of(list(measurements)) for measurements in zip(*rounds, strict=True)]
        figures["clients"] = [
            by_clients(address, case, questions, clients, arguments.rounds)
            for case in BY_CLIENTS
            for clients in CLIENTS
        ]
        figures |= a_day(database, vectors)
    configured = (
        f"{arguments.films:,} made-up films with "
        f"{'clustered vectors' if arguments.clustered else f'vectors of {arguments.model}'} of "
        f"{arguments.dimensions:,} dimensions, "
        f"{arguments.queries} questions to `catalog.match_movies`, ten or a hundred wanted; times are those of the "
        f"median of {arguments.rounds} rounds. Recall is against comparing all films that pass. Fewer milliseconds are "
        "better."
    )
    report(figures, configured)
    searches = figures.pop("searches")
    write_json(arguments.json, "vector_search", "exact search", arguments.rounds, configured, searches, **figures)


def tuned(database: Database) -> dict[str, float]:
    """Tune searches as movie_vectors does; return how far they go then."""
    set_id = database.fetch_one(ActiveSet, "active_set").set_id
    if not database.fetch_value(bool, "index_is_needed", set_id=set_id):
        return {}
    started = time.perf_counter()
    steps = database.execute_returning(TuningStep, "tune_searches", set_id=set_id, goal=MIN_RECALL, anew=True)
    return {"films visited, as tuned": steps[-1].ef_search, "tuning (s)": time.perf_counter() - started}


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
            right = np.intersect1d([row[0] - 1 for row in found], passing)
            recalls.append((stored[right] @ needle >= last - AS_NEAR).sum() / wanted)
            found_rows.append(len(found))
    return {
        "share": case.share,
        "by": case.by,
        "passing": len(passing),
        "match_count": count,
        **{name: percentile(milliseconds, share) for name, share in PERCENTILES.items()},
        "recall": float(np.mean(recalls)),
        "least_rows": min(found_rows),
        "wanted_rows": wanted,
    }


def by_clients(address: str, case: Case, questions: Matrix, clients: int, rounds: int) -> dict[str, Any]:
    """Ask from several processes at once."""
    connect = searching(address, questions, case.filters, COUNTS[0])
    asked = [ask_at_once(connect, len(questions), clients, SECONDS) for _ in range(rounds)]
    return {"share": case.share, "by": case.by, "clients": clients, **times(asked)}


def median_of(measurements: list[dict[str, Any]]) -> dict[str, Any]:
    """One of several measurements of the same case, with the median times: other rounds met other neighbours."""
    times = {name: median(m[name] for m in measurements) for name in PERCENTILES}
    return measurements[0] | times


def a_day(database: Database, vectors: Matrix) -> dict[str, Any]:
    """Some texts change, and many popularities: the first costs the index little, the second nothing."""
    set_id = database.fetch_one(ActiveSet, "active_set").set_id
    ids = range(1, CHANGED_VECTORS + 1)
    run(database, f"update catalog.movies set text_hash = 'changed' || tmdb_id where tmdb_id <= {CHANGED_VECTORS}")
    store(database, set_id, ids, vectors[:CHANGED_VECTORS][::-1])
    with database.transaction() as connection:
        started = time.perf_counter()
        moved = fetch_one(connection, RefreshedVectors, "refresh_vectors", set_id=set_id)
        upsert = time.perf_counter() - started
    before = state_of(database, set_id)
    numbers = timed(
        lambda: run(
            database, f"update catalog.movie_stats set popularity = popularity + 1 where tmdb_id <= {CHANGED_NUMBERS}"
        )
    )
    nothing = timed(lambda: database.execute("refresh_vectors", set_id=set_id))
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
            f"select pg_relation_size(to_regclass('catalog.title_vectors_{set_id}_nearest')), "
            f"md5(string_agg(title_id || ':' || xmin, ',' order by title_id)) from catalog.title_vectors_{set_id}"
        ).one()
        return tuple(found)


def report(figures: dict[str, Any], configured: str) -> None:
    """Print the tables: searches by selectivity, by clients, and what else was measured."""
    print(f"## Searching by meaning\n\n{configured}\n")
    table(
        ["films that pass", "filter by", "wanted", "p50 ms", "p95 ms", "p99 ms", "recall", "rows, at least"],
        [
            (
                f"{row['share']} ({row['passing']:,})", row["by"], row["match_count"], f"{row['p50_ms']:.1f}",
                f"{row['p95_ms']:.1f}", f"{row['p99_ms']:.1f}", f"{row['recall']:.3f}",
                f"{row['least_rows']} of {row['wanted_rows']}",
            )
            for row in figures["searches"]
        ],
        texts=2,
    )  # fmt: skip
    print("\nThe same search by clients at the same time, each a process with a connection of its own; ten wanted:\n")
    table(
        ["films that pass", "filter by", "clients", "p50 ms", "p95 ms", "p99 ms", "searches/s"],
        [
            (
                row["share"], row["by"], row["clients"], *(f"{row[f'p{share}_ms']:.1f}" for share in (50, 95, 99)),
                f"{row['per_second']:,.0f}",
            )
            for row in figures["clients"]
        ],
        texts=2,
    )  # fmt: skip
    print("\nWhat else was measured, once:\n")
    others = {name: value for name, value in figures.items() if name not in ("searches", "clients")}
    table(["figure", "value"], [(n, f"{v:,.2f}" if isinstance(v, float) else v) for n, v in others.items()])


if __name__ == "__main__":
    main()
