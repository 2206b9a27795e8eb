"""Search with LangChain's two stores and LlamaIndex', without and with an index; search_peers.py starts it.

Usage: search.py ADDRESS FOLDER STORE ROUNDS SECONDS. FOLDER has vectors.npy, questions.npy and cases.json (a list of
genre, ids that pass, nearest ids by question, recall to reach). Rows go into the store's own table by COPY, as loading
is measured elsewhere. Prints a JSON list, an object a measurement.
"""

import json
import logging
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import psycopg
from clients import Search, ask_at_once, recall_of, times
from pgvector.psycopg import register_vector
from stores import STORES, Store

WANTED = 10
CLIENTS = (1, 16)
DEFAULT_EF = 40
EFS = (40, 50, 64, 80, 100, 125, 160, 200, 250, 320, 400, 500, 640, 800, 1000)  # pgvector takes no more than 1,000
TRIAL_SECONDS = 1.0


def main() -> None:
    """Measure without an index, then with one."""
    logging.disable()
    warnings.filterwarnings("ignore")  # the libraries' own deprecations
    address, folder, name, rounds, seconds = (
        sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]), float(sys.argv[5]),
    )  # fmt: skip
    cases = json.loads((folder / "cases.json").read_text())
    vectors, questions = np.load(folder / "vectors.npy"), np.load(folder / "questions.npy").tolist()
    genres = [case["genre"] for case in cases if case["genre"]]
    having = {case["genre"]: set(case["passing"]) for case in cases if case["genre"]}
    store = STORES[name](address, vectors.shape[1], genres)
    load(address, store, vectors, having)
    rows = []
    for case in cases:
        rows += measured(store, case, questions, ef=None, rounds=rounds, seconds=seconds)
    store.build_index()
    for case in cases:
        reached = reach(store, case, questions)
        for ef in dict.fromkeys((DEFAULT_EF, reached)):
            rows += measured(store, case, questions, ef=ef, rounds=rounds, seconds=seconds)
    print(json.dumps(rows))


def load(address: str, store: Store, vectors: Any, having: dict[str, set[int]]) -> None:
    """Copy films into the store's table; a graph of them must fit into the memory that builds it.

    With Postgres' own random_page_cost, 4, it reads 20,000 films rather than LangChain's indexes, as it does not count
    what it costs to fetch vectors that are stored out of line. 1.1 is what is usual for SSDs.
    """
    with psycopg.connect(address, autocommit=True) as connection:
        register_vector(connection)
        for setting in ("maintenance_work_mem = '1GB'", "random_page_cost = 1.1"):
            connection.execute(f"alter database {connection.info.dbname} set {setting}")
        with connection.cursor() as cursor, cursor.copy(store.copy) as copy:
            copy.set_types(store.types)
            for number, vector in enumerate(vectors, 1):
                flags = {genre: number in ids for genre, ids in having.items()}
                copy.write_row(store.row(number, vector, flags))
        connection.execute("vacuum analyze")


def reach(store: Store, case: dict[str, Any], questions: list[list[float]]) -> int:
    """The least ef_search that reaches the recall; the greatest if none does."""
    for ef in EFS:
        asked = ask_at_once(connected(store, case, questions, ef), len(questions), 1, TRIAL_SECONDS)
        if recall_of(asked.found, case["nearest"], WANTED) >= case["recall"]:
            return ef
    return EFS[-1]


def connected(store: Store, case: dict[str, Any], questions: list[list[float]], ef: int | None) -> Callable[[], Search]:
    """What each client does first: open the store with its own connection."""

    def connect() -> Search:
        ask = store.open(ef)
        return lambda number: ask(questions[number], case["genre"], WANTED)

    return connect


def measured(
    store: Store, case: dict[str, Any], questions: list[list[float]], *, ef: int | None, rounds: int, seconds: float
) -> list[dict[str, Any]]:
    """One client, then many; times are those of the median round."""
    rows = []
    for clients in CLIENTS:
        asked = [
            ask_at_once(connected(store, case, questions, ef), len(questions), clients, seconds) for _ in range(rounds)
        ]
        rows.append({
            "way": store.name, "ef_search": ef, "filter": case["genre"], "clients": clients, **times(asked),
            "recall": recall_of(asked[0].found, case["nearest"], WANTED),
            "least_rows": min(len(ids) for ids in asked[0].found.values()),
            "reaches_ours": recall_of(asked[0].found, case["nearest"], WANTED) >= case["recall"],
        })  # fmt: skip
    return rows


if __name__ == "__main__":
    main()
