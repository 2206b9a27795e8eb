"""Load the same vectors by this project's path, by psycopg's executemany and by LangChain's PGVector; print rows/s.

An embedded Postgres of its own in a temporary folder. Usage: vector_load.py [--rows N] [--peer-rows N] [--dimensions D]
[--rounds R] [--json FILE]
"""

import argparse
import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from made_up_vectors import Matrix, clustered_vectors, new_set, put_films, server_of_ones_own

from movie_assets.resources.embedder import LOCAL_CHUNK as CHUNK
from movie_assets.resources.postgres import Database, copy_rows, driver_connection, execute

PEER = (
    "langchain-postgres==0.0.19", "langchain-core==1.8.3", "psycopg[binary]==3.3.9", "pgvector==0.3.6",
    "sqlalchemy==2.1.9", "numpy==2.4.6",
)  # fmt: skip
BATCHES = ("50", "200", "500", "1000")  # the peer works with the one that is fastest in a trial
NOW = datetime(2026, 11, 1, tzinfo=UTC)
COLUMNS = {"tmdb_id": "int8", "text_hash": "text", "embedding": "vector"}


def main() -> None:
    """Measure every way in turn, round after round, so that a busy minute meets all of them."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=50_000)
    parser.add_argument("--peer-rows", type=int, default=5_000, help="rows for executemany and LangChain")
    parser.add_argument("--dimensions", type=int, default=1536)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures here too")
    arguments = parser.parse_args()
    vectors = clustered_vectors(arguments.rows, arguments.dimensions)
    with server_of_ones_own("load") as (address, database):
        put_films(database, films(arguments.rows))
        figures = [
            *our_figures(database, vectors, arguments.rounds),
            figure(
                "psycopg executemany, vectors as text, one transaction", "table as ours, primary key only",
                vectors[: arguments.peer_rows], arguments.rounds, lambda rows: by_executemany(database, rows),
            ),
            langchain(address, vectors[: arguments.peer_rows], arguments.rounds),
        ]  # fmt: skip
    loaded = next(f["rows_per_second"] for f in figures if f["way"].startswith("ours: load"))
    print("| way | how | rows | rounds | rows/s | ours is so many times faster |")
    print("|---|---|--:|--:|--:|--:|")
    for row in figures:
        reached = row["rows_per_second"]
        row["ratio"] = round(loaded / reached, 2) if reached else None
        shown = f"{reached:,.0f} | {row['ratio']:,.1f}" if reached else "not installed |"
        print(f"| {row['way']} | {row['how']} | {row['rows']:,} | {len(row['seconds'])} | {shown} |")
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=2) + "\n")


def films(count: int) -> Iterator[tuple[Any, ...]]:
    """Films without much around them: only their ids and texts matter here."""
    for n in range(1, count + 1):
        yield (n, f"Film {n}", "", "en", date(2000, 1, 1), 100, ["Drama"], [], [], [], [], None, "", f"{n:064x}", NOW)


def our_figures(database: Database, vectors: Matrix, rounds: int) -> list[dict[str, Any]]:
    """The bare COPY, what movie_embeddings does, what movie_vectors does."""
    set_id = new_set(database, vectors.shape[1])
    bare, load, publish = [], [], []
    for _ in range(rounds):
        run(database, "create table public.bare (tmdb_id bigint, text_hash text, embedding vector)")
        run(database, "checkpoint", alone=True)
        bare.append(timed(lambda: by_copy(database, vectors)))
        run(database, "drop table public.bare")
        run(database, f"drop table if exists catalog.movie_vectors_{set_id}")
        run(database, "truncate pipeline.embeddings")
        run(database, "checkpoint", alone=True)
        load.append(timed(lambda: by_our_path(database, set_id, vectors)))
        publish.append(timed(lambda: database.rows("refresh_vectors", set_id=set_id)))
    both = [a + b for a, b in zip(load, publish, strict=True)]
    ways = {
        "bare binary COPY": ("one transaction, a table without any index: the bound", bare),
        "ours: load": (f"COPY to staging + insert … on conflict, {CHUNK} a transaction", load),
        "ours: publish": ("pipeline.refresh_vectors into the searchable table, as halfvec", publish),
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
            execute(connection, "store_embeddings", set_id=set_id, moment=NOW)


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


def langchain(address: str, vectors: Matrix, rounds: int) -> dict[str, Any]:
    """LangChain's PGVector in an environment of its own; a row without figures when it cannot be installed."""
    way, how = "LangChain PGVector.add_embeddings", f"{PEER[0]}, no index, vectors as lists of floats"
    with tempfile.TemporaryDirectory(prefix="movie_assets_langchain_") as folder:
        python = Path(folder) / "venv" / "bin" / "python"
        subprocess.run([sys.executable, "-m", "venv", python.parents[1]], check=True)
        install = [python, "-m", "pip", "install", "-q", "--disable-pip-version-check", *PEER]
        installed = subprocess.run(install, capture_output=True, text=True, check=False)
        if installed.returncode:
            print(f"LangChain could not be installed: {installed.stderr.strip().splitlines()[-1:]}", file=sys.stderr)
            return outcome(way, how, len(vectors), [])
        np.save(file := Path(folder) / "vectors.npy", vectors)
        script = Path(__file__).with_name("langchain_peer.py")
        sqlalchemy_address = address.replace("postgresql://", "postgresql+psycopg://")
        told = subprocess.run(
            [python, script, sqlalchemy_address, file, str(rounds), *BATCHES], stdout=subprocess.PIPE, check=True
        )
    found = json.loads(told.stdout)
    how += f", {found['batch']} a call (the best of {', '.join(BATCHES)})"
    return outcome(way, how, len(vectors), found["seconds"])


def figure(way: str, how: str, vectors: Matrix, rounds: int, load: Callable[[Matrix], None]) -> dict[str, Any]:
    """Measure a way of loading."""
    return outcome(way, how, len(vectors), [timed(lambda: load(vectors)) for _ in range(rounds)])


def outcome(way: str, how: str, count: int, seconds: list[float]) -> dict[str, Any]:
    """A line of the table; rows a second in the median round."""
    reached = count / median(seconds) if seconds else None
    return {"way": way, "how": how, "rows": count, "seconds": seconds, "rows_per_second": reached}


def run(database: Database, sql: str, *, alone: bool = False) -> None:
    """Run a statement, outside of a transaction if it wants that."""
    with database.engine.connect() as connection:
        if alone:
            connection = connection.execution_options(isolation_level="AUTOCOMMIT")  # noqa: PLW2901
        connection.exec_driver_sql(sql)
        connection.commit()


def timed(work: Callable[[], Any]) -> float:
    """Seconds that it takes."""
    started = time.perf_counter()
    work()
    return time.perf_counter() - started


if __name__ == "__main__":
    main()
