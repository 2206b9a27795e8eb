"""Load the same vectors by this project's path, by psycopg's executemany, and by LangChain and LlamaIndex.

The ratios are of the same rows; ours is shown for more of them, too.

An embedded Postgres of its own in a temporary folder; the libraries run in an environment of their own (bench/peers/).
Usage: vector_load.py [--rows N] [--peer-rows N] [--dimensions D] [--rounds R] [--json FILE]
"""

import tempfile
from collections.abc import Iterator
from datetime import UTC, date, datetime
from statistics import median
from typing import Any

import numpy as np
from made_up_vectors import Matrix, clustered_vectors, new_set, put_films, server_of_ones_own
from peer_environment import run_script
from tables import parser_of, report_progress, table, timed, write_json

from movie_assets.database.database import Database, copy_rows, driver_connection, execute
from movie_assets.embeddings.providers.local import LOCAL_CHUNK as CHUNK

BATCHES = (10, 50, 200, 500, 1000, 2000)  # each library works with the one that is fastest in a trial
PEERS = {
    "langchain_pgvector": ("LangChain `PGVector.add_embeddings`", "insert of many rows, on conflict update"),
    "langchain_pgvectorstore": ("LangChain `PGVectorStore.add_embeddings`", "insert of a row, on conflict update"),
    "llamaindex": ("LlamaIndex `PGVectorStore.add`", "ORM session, jsonb metadata"),
}
OURS = "**ours: load**"
NOW = datetime(2026, 11, 1, tzinfo=UTC)
COLUMNS = {"title_id": "int8", "text_hash": "text", "embedding": "vector"}


def main() -> None:
    """Measure every way; each figure is that of the median round."""
    parser = parser_of(__doc__)
    parser.add_argument("--rows", type=int, default=50_000, help="rows that ours loads as well")
    parser.add_argument("--peer-rows", type=int, default=5_000, help="rows that everybody loads")
    parser.add_argument("--dimensions", type=int, default=1536)
    arguments = parser.parse_args()
    vectors = clustered_vectors(arguments.rows, arguments.dimensions)
    few = vectors[: arguments.peer_rows]
    with server_of_ones_own("load") as (address, database):
        put_films(database, films(arguments.rows))
        report_progress("ours")
        rows = our_figures(database, vectors, arguments.rounds) + our_figures(database, few, arguments.rounds)
        report_progress("executemany")
        slow = []
        for _ in range(arguments.rounds):
            run(database, "checkpoint", alone=True)
            slow.append(timed(lambda: by_executemany(database, few)))
        rows.append(
            outcome("psycopg `executemany`", "vectors as text, one transaction, primary key only", len(few), slow)
        )
        rows += peer_figures(address, few, arguments.rounds)
    ours = {row["rows"]: row["rows_per_second"] for row in rows if row["way"] == OURS}
    for row in rows:
        row["ours_is_times_as_fast"] = ours[row["rows"]] / row["rows_per_second"]
    configured = (
        f"{len(few):,} clustered vectors of {arguments.dimensions:,} dimensions, for ours {arguments.rows:,} as well; "
        f"medians of {arguments.rounds} rounds on one embedded server. Nobody's table has a vector index. The "
        "libraries get ready vectors as lists of floats, in the batches that were the fastest of "
        f"{', '.join(map(str, BATCHES))} in a trial; their versions are in bench/peers/requirements.lock. "
        "More rows a second are better; the last column compares each way with our load of as many rows."
    )
    report(rows, configured)
    write_json(arguments.json, "vector_load", OURS.strip("*"), arguments.rounds, configured, rows)


def films(count: int) -> Iterator[tuple[Any, ...]]:
    """Films without much around them: only their ids and texts matter here."""
    for n in range(1, count + 1):
        yield (n, f"Film {n}", "", "en", date(2000, 1, 1), 100, ["Drama"], [], [], [], [], None, "", f"{n:064x}", NOW)


def our_figures(database: Database, vectors: Matrix, rounds: int) -> list[dict[str, Any]]:
    """The bare COPY, what movie_embeddings does, what movie_vectors does."""
    set_id = new_set(database, vectors.shape[1])
    bare, load, publish = [], [], []
    for _ in range(rounds):
        run(database, "create table public.bare (title_id bigint, text_hash text, embedding vector)")
        run(database, "checkpoint", alone=True)
        bare.append(timed(lambda: by_copy(database, vectors)))
        run(database, "drop table public.bare")
        run(database, f"drop table if exists catalog.title_vectors_{set_id} cascade")
        run(database, "truncate pipeline.title_embeddings")
        run(database, "checkpoint", alone=True)
        load.append(timed(lambda: by_our_path(database, set_id, vectors)))
        publish.append(timed(lambda: database.execute("refresh_vectors", set_id=set_id)))
    both = [a + b for a, b in zip(load, publish, strict=True)]
    ways = {
        "bare binary COPY": ("one transaction, a table without any index: the bound", bare),
        OURS: (f"COPY to staging, checked and inserted, {CHUNK} a transaction", load),
        "ours: publish": ("from there into the searchable table, as halfvec", publish),
        "ours: load and publish": ("both, one after the other", both),
    }
    return [outcome(way, how, len(vectors), seconds) for way, (how, seconds) in ways.items()]


def by_copy(database: Database, vectors: Matrix) -> None:
    """All rows with one COPY."""
    with database.transaction() as connection:
        copy_rows(connection, "public.bare", COLUMNS, ((n, f"{n:064x}", v) for n, v in enumerate(vectors, 1)))


def by_our_path(database: Database, set_id: int, vectors: Matrix) -> None:
    """As movie_embeddings stores what an embedder gave."""
    for start in range(0, len(vectors), CHUNK):
        chunk = enumerate(vectors[start : start + CHUNK], start + 1)
        with database.transaction() as connection:
            execute(connection, "stage_embeddings")
            copy_rows(connection, "incoming_embeddings", COLUMNS, ((n, f"{n:064x}", vector) for n, vector in chunk))
            execute(connection, "store_embeddings", set_id=set_id, as_of=NOW)


def by_executemany(database: Database, vectors: Matrix) -> None:
    """As most scripts do it: vectors written as text, a statement a row (psycopg 3 sends them as a pipeline)."""
    run(database, "drop table if exists public.peer")
    run(
        database,
        f"create table public.peer (tmdb_id bigint primary key, text_hash text, embedding vector({vectors.shape[1]}))",
    )
    with database.transaction() as connection, driver_connection(connection).cursor() as cursor:
        cursor.executemany(
            "insert into public.peer values (%s, %s, %s::vector) on conflict (tmdb_id) do update "
            "set text_hash = excluded.text_hash, embedding = excluded.embedding",
            ((n, f"{n:064x}", str(vector.tolist())) for n, vector in enumerate(vectors, 1)),
        )


def peer_figures(address: str, vectors: Matrix, rounds: int) -> list[dict[str, Any]]:
    """The libraries, one after the other, each in a process of its own."""
    figures = []
    with tempfile.NamedTemporaryFile(suffix=".npy") as file:
        np.save(file, vectors)
        file.flush()
        for script_name, (way, how) in PEERS.items():
            report_progress(way)
            found = run_script("load.py", address, file.name, rounds, script_name, *BATCHES)
            figures.append(outcome(way, f"{how}, {found['batch']} a call", len(vectors), found["seconds"]))
    return figures


def outcome(way: str, how: str, count: int, seconds: list[float]) -> dict[str, Any]:
    """A line of the table; rows a second in the median round."""
    return {"way": way, "how": how, "rows": count, "seconds": seconds, "rows_per_second": count / median(seconds)}


def report(rows: list[dict[str, Any]], configured: str) -> None:
    """Print the table."""
    print(f"## Loading vectors\n\n{configured}\n")
    table(
        ["way", "how", "rows", "rows/s", "ours is so many times as fast"],
        [
            (r["way"], r["how"], f"{r['rows']:,}", f"{r['rows_per_second']:,.0f}", f"{r['ours_is_times_as_fast']:.2f}")
            for r in rows
        ],
        texts=2,
    )


def run(database: Database, sql: str, *, alone: bool = False) -> None:
    """Run a statement, outside of a transaction if it wants that."""
    with database.engine.connect() as connection:
        if alone:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")  # noqa: PLW2901
        connection.exec_driver_sql(sql)
        connection.commit()


if __name__ == "__main__":
    main()
