"""Search the same films with this project's function and with LangChain's and LlamaIndex' stores, at equal recall.

One and sixteen clients, each a process with its own connection; unfiltered and by genre; the libraries without an index
(their default), with one at pgvector's default ef_search, and at the ef_search that reaches our recall within 0.01.
Usage: search_peers.py [--films N] [--dimensions D] [--queries Q] [--rounds R] [--seconds S] [--json FILE]
"""

import json
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from made_up_vectors import Matrix, clustered_vectors, server_of_ones_own
from made_up_world import AS_NEAR, SEARCH_TEXTS, World, built, made_up, run, searching
from peer_environment import run_script
from peers.clients import ask_at_once, recall_of, times
from tables import parser_of, report_progress, table, write_json

from movie_assets.database.creation import ensure_database
from movie_assets.database.database import Database

WANTED = 10
CLIENTS = (1, 16)
GENRES = (None, "Comedy", "War")
HEADS = ("way", "clients", "p50 ms", "p95 ms", "p99 ms", "searches/s", "recall@10", "rows, at least", "our recall?")
EQUAL = 0.01  # recall within which a library is as good as ours
STORES = ("langchain_pgvector", "langchain_pgvectorstore", "llamaindex")
OURS = "**ours: `catalog.match_movies`**"
Row = dict[str, Any]


def main() -> None:
    """Measure ours, then each library with our recall as its aim."""
    parser = parser_of(__doc__)
    parser.add_argument("--films", type=int, default=20_000)
    parser.add_argument("--dimensions", type=int, default=1536)
    parser.add_argument("--queries", type=int, default=100)
    parser.add_argument("--seconds", type=float, default=1.0, help="how long a round of a measurement is")
    arguments = parser.parse_args()
    vectors = clustered_vectors(arguments.films, arguments.dimensions)
    questions = clustered_vectors(arguments.queries, arguments.dimensions, seed=2)
    world = made_up(arguments.films)
    cases = [case_of(genre, world, vectors, questions) for genre in GENRES]
    with server_of_ones_own("search") as (address, database):
        report_progress("ours")
        rows = our_rows(address, database, world, vectors, questions, cases, arguments.rounds, arguments.seconds)
        with tempfile.TemporaryDirectory(prefix="movie_assets_search_") as folder:
            np.save(Path(folder) / "vectors.npy", vectors)
            np.save(Path(folder) / "questions.npy", questions)
            (Path(folder) / "cases.json").write_text(json.dumps(cases))
            for name in STORES:
                report_progress(name)
                own = address.replace("/search?", f"/{name}?")
                ensure_database(own)
                with psycopg.connect(own, autocommit=True) as connection:
                    connection.execute("create extension if not exists vector")
                rows += run_script("search.py", own, folder, name, arguments.rounds, arguments.seconds)
    shares = ", ".join(f"{case['genre']} {len(case['passing']) / len(vectors):.0%}" for case in cases if case["genre"])
    configured = (
        f"{arguments.films:,} clustered vectors of {arguments.dimensions:,} dimensions, ten wanted, {len(questions)} "
        f"questions; medians of {arguments.rounds} rounds of {arguments.seconds:g} s, or until each "
        "was asked once. Everybody answers with ids, similarities and texts of 336 characters. A client is a process "
        "with a connection of its own; searches a second are those of all clients together. "
        f"Recall@10 is against comparing all. The filters pass: {shares}. HNSW has m 16 and ef_construction 64 "
        "everywhere; ours is over halfvec and sets its own ef_search. LangChain PGVector filters on jsonb metadata, "
        "PGVectorStore on a boolean column, LlamaIndex on the list of genres in jsonb; iterative scans stay off, as "
        "the libraries leave them; random_page_cost is 1.1 for them, as Postgres' own 4 leaves LangChain's indexes "
        "unused at this size. Each library is shown without an index (its default), with ef_search 40, and with "
        f"the least of 40, 50, 64, 80, 100 … 1000 (steps of a quarter) that comes within {EQUAL} of our recall (1000, "
        "where none does). The last column says whether the line itself comes within that of ours. Fewer milliseconds "
        "and more searches are better."
    )
    report(rows, configured)
    write_json(arguments.json, "search_peers", OURS.strip("*"), arguments.rounds, configured, rows)


def case_of(genre: str | None, world: World, vectors: Matrix, questions: Matrix) -> Row:
    """Who passes, and for each question every film that is as near as the tenth."""
    passing = np.flatnonzero(world.passing({"genres": [genre]} if genre else {}))
    nearest = []
    for question in questions:
        similarities = vectors[passing] @ question if genre else vectors @ question
        least = np.partition(similarities, -WANTED)[-WANTED] - AS_NEAR
        nearest.append((passing[similarities >= least] + 1).tolist())
    return {"genre": genre, "passing": (passing + 1).tolist(), "nearest": nearest}


def our_rows(
    address: str, database: Database, world: World, vectors: Matrix, questions: Matrix, cases: list[Row], rounds: int,
    seconds: float,
) -> list[Row]:  # fmt: skip
    """Ours; its recall becomes the aim of each case."""
    built(database, world, vectors)
    run(database, "analyze")
    database.close()
    rows = []
    for case in cases:
        filters = {"genres": [case["genre"]]} if case["genre"] else {}
        connect = searching(address, questions, filters, WANTED, SEARCH_TEXTS)
        for clients in CLIENTS:
            asked = [ask_at_once(connect, len(questions), clients, seconds) for _ in range(rounds)]
            recall = recall_of(asked[0].found, case["nearest"], WANTED)
            rows.append({
                "way": OURS, "ef_search": None, "filter": case["genre"], "clients": clients, **times(asked),
                "recall": recall, "least_rows": min(map(len, asked[0].found.values())), "reaches_ours": True,
            })  # fmt: skip
            if clients == 1:
                case["recall"] = recall - EQUAL
    return rows


def report(rows: list[Row], configured: str) -> None:
    """Print a table for each filter."""
    print(f"## Searching, against other libraries\n\n{configured}")
    for genre in GENRES:
        print(f"\n{f'Only {genre}' if genre else 'No filter'}:\n")
        table(
            HEADS,
            [
                (
                    way_of(row), row["clients"], *(f"{row[f'p{share}_ms']:.1f}" for share in (50, 95, 99)),
                    f"{row['per_second']:,.0f}", f"{row['recall']:.3f}", row["least_rows"],
                    "yes" if row["reaches_ours"] else "no",
                )
                for row in rows
                if row["filter"] == genre
            ],
        )  # fmt: skip


def way_of(row: Row) -> str:
    """A way with its setting."""
    if row["way"] == OURS:
        return OURS
    return f"{row['way']}, {'ef_search ' + str(row['ef_search']) if row['ef_search'] else 'no index'}"


if __name__ == "__main__":
    main()
