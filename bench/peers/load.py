"""Load vectors with other libraries; vector_load.py starts it.

Usage: load.py ADDRESS VECTORS.npy ROUNDS WAY BATCH [BATCH ...]. Prints a JSON object: the batch size that was the
fastest in a trial, and the seconds of each round with it. What is made before (lists of floats, documents) is not in
the time.
"""

import json
import logging
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import numpy as np
import psycopg
from langchain_core.embeddings import Embeddings
from langchain_postgres import PGEngine, PGVector, PGVectorStore
from llama_index.core.schema import TextNode
from llama_index.vector_stores.postgres import PGVectorStore as LlamaStore

TABLE = "loaded"
Vectors = list[list[float]]
Add = Callable[[int, int], Any]  # add the vectors from … to


class NoEmbeddings(Embeddings):
    """An embedder that is never called, as the vectors are given."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Nothing is embedded."""
        raise NotImplementedError

    def embed_query(self, text: str) -> list[float]:
        """Nothing is embedded."""
        raise NotImplementedError


def langchain_pgvector(address: str, vectors: Vectors) -> tuple[Add, Callable[[], Any]]:
    """LangChain's older store: one insert with many rows a call, on conflict update."""
    store = PGVector(
        NoEmbeddings(),
        connection=with_driver(address, "psycopg"),
        collection_name=TABLE,
        embedding_length=len(vectors[0]),
        create_extension=False,
    )
    ids, texts = ids_and_texts(len(vectors))

    def add(start: int, end: int) -> None:
        store.add_embeddings(texts[start:end], vectors[start:end], ids=ids[start:end])

    return add, store.drop_tables


def langchain_pgvectorstore(address: str, vectors: Vectors) -> tuple[Add, Callable[[], Any]]:
    """LangChain's newer store: a statement a row."""
    engine = PGEngine.from_connection_string(with_driver(address, "psycopg"))
    engine.init_vectorstore_table(TABLE, len(vectors[0]), id_column=ID)
    store = PGVectorStore.create_sync(engine, NoEmbeddings(), TABLE)
    ids, texts = ids_and_texts(len(vectors))

    def add(start: int, end: int) -> None:
        store.add_embeddings(texts[start:end], vectors[start:end], ids=ids[start:end])

    return add, lambda: engine.drop_table(TABLE)


def llamaindex(address: str, vectors: Vectors) -> tuple[Add, Callable[[], Any]]:
    """LlamaIndex' store: objects of an ORM session, a transaction a call."""
    store = LlamaStore(
        with_driver(address, "psycopg2"),
        with_driver(address, "asyncpg"),
        table_name=TABLE,
        embed_dim=len(vectors[0]),
        use_jsonb=True,
    )
    ids, texts = ids_and_texts(len(vectors))
    nodes = [TextNode(id_=i, text=t, embedding=v) for i, t, v in zip(ids, texts, vectors, strict=True)]

    def add(start: int, end: int) -> None:
        store.add(nodes[start:end])

    store.add([])  # makes the table
    return add, lambda: drop_table(store)


ID = {"name": "langchain_id", "data_type": "TEXT", "nullable": False}
WAYS = {each.__name__: each for each in (langchain_pgvector, langchain_pgvectorstore, llamaindex)}


def ids_and_texts(count: int) -> tuple[list[str], list[str]]:
    """An id and a text for each vector."""
    return [str(n) for n in range(count)], [f"film {n}" for n in range(count)]


def drop_table(store: LlamaStore) -> None:
    """Drop the table of a LlamaIndex store, which has no way of its own to do so."""
    with store.client.begin() as connection:
        connection.exec_driver_sql(f"drop table public.data_{TABLE}")


def with_driver(address: str, driver: str) -> str:
    """The address as SQLAlchemy names a driver."""
    return address.replace("postgresql://", f"postgresql+{driver}://")


def seconds(way: str, address: str, vectors: Vectors, batch: int) -> float:
    """Load into an empty table, from a checkpoint on."""
    add, drop = WAYS[way](address, vectors)
    with psycopg.connect(address, autocommit=True) as connection:
        connection.execute("checkpoint")
    try:
        started = time.perf_counter()
        for start in range(0, len(vectors), batch):
            add(start, start + batch)
        return time.perf_counter() - started
    finally:
        drop()


def main() -> None:
    """Find the best batch size, then measure with it."""
    logging.disable()
    warnings.filterwarnings("ignore")  # the libraries' own deprecations
    address, path, rounds, way, *batches = sys.argv[1:]
    vectors = np.load(path).tolist()
    trials = {int(batch): seconds(way, address, vectors, int(batch)) for batch in batches}
    best = min(trials, key=lambda batch: trials[batch])
    taken = [seconds(way, address, vectors, best) for _ in range(int(rounds))]
    print(json.dumps({"batch": best, "seconds": taken}))


if __name__ == "__main__":
    main()
