"""The stores of LangChain and LlamaIndex as search.py uses them: table, rows for COPY, index, and searching."""

import json
from collections.abc import Callable, Sequence
from typing import Any, Protocol

import psycopg
from langchain_core.embeddings import FakeEmbeddings
from langchain_postgres import Column, PGEngine, PGVector, PGVectorStore
from langchain_postgres.v2.indexes import HNSWIndex, HNSWQueryOptions
from llama_index.core.schema import TextNode
from llama_index.core.vector_stores.types import FilterOperator, MetadataFilter, MetadataFilters, VectorStoreQuery
from llama_index.core.vector_stores.utils import node_to_metadata_dict
from llama_index.vector_stores.postgres import PGVectorStore as LlamaStore
from psycopg.types.json import Jsonb

M, EF_CONSTRUCTION = 16, 64  # pgvector's defaults, which ours has too
TEXT = "An overview of some length. " * 12
Ask = Callable[[list[float], str | None, int], list[int]]  # question, genre, how many → ids


class Store(Protocol):
    """A table of a library."""

    name: str
    copy: str
    types: Sequence[str]

    def __init__(self, address: str, dimensions: int, genres: Sequence[str]) -> None:
        """Make the table."""

    def row(self, number: int, vector: Any, flags: dict[str, bool]) -> tuple[Any, ...]:
        """A film for COPY, with whether it has each genre."""

    def build_index(self) -> None:
        """Create the index in the way that the library's documentation describes."""

    def open(self, ef: int | None) -> Ask:
        """Connect in a process of its own; `ef` is None when there is no index."""


class LangChainPGVector:
    """The older store: metadata is jsonb, and the documentation has the index created in SQL."""

    name = "LangChain PGVector"
    copy = (
        "copy public.langchain_pg_embedding (id, collection_id, embedding, document, cmetadata) "
        "from stdin (format binary)"
    )
    types = ("varchar", "uuid", "vector", "varchar", "jsonb")

    def __init__(self, address: str, dimensions: int, genres: Sequence[str]) -> None:  # noqa: ARG002
        self.address, self.dimensions = address, dimensions
        store = self._store(None)
        with store.session_maker() as session:
            self.collection = store.get_collection(session).uuid

    def row(self, number: int, vector: Any, flags: dict[str, bool]) -> tuple[Any, ...]:
        """A film."""
        return str(number), self.collection, vector, TEXT, Jsonb(flags)

    def build_index(self) -> None:
        """HNSW over the whole table."""
        with psycopg.connect(self.address, autocommit=True) as connection:
            connection.execute(
                "create index on public.langchain_pg_embedding using hnsw (embedding vector_cosine_ops) "
                f"with (m = {M}, ef_construction = {EF_CONSTRUCTION})"
            )

    def open(self, ef: int | None) -> Ask:
        """A search by vector with a metadata filter."""
        store = self._store(ef)

        def ask(question: list[float], genre: str | None, count: int) -> list[int]:
            wanted = {genre: {"$eq": True}} if genre else None
            found = store.similarity_search_with_score_by_vector(question, k=count, filter=wanted)
            return [int(document.id) for document, _ in found]

        return ask

    def _store(self, ef: int | None) -> PGVector:
        options = {"connect_args": {"options": f"-c hnsw.ef_search={ef}"}} if ef else {}
        return PGVector(
            FakeEmbeddings(size=self.dimensions),
            connection=with_driver(self.address, "psycopg"),
            embedding_length=self.dimensions,
            create_extension=False,
            engine_args=options,
        )


class LangChainPGVectorStore:
    """The newer store: a field that filters use is a column."""

    name = "LangChain PGVectorStore"

    def __init__(self, address: str, dimensions: int, genres: Sequence[str]) -> None:
        self.address, self.dimensions, self.columns = address, dimensions, [genre.lower() for genre in genres]
        self._engine().init_vectorstore_table(
            "searched",
            dimensions,
            id_column=Column("langchain_id", "TEXT", nullable=False),
            metadata_columns=[Column(column, "BOOLEAN") for column in self.columns],
        )
        names = ", ".join(["langchain_id", "content", "embedding", *self.columns])
        self.copy = f"copy public.searched ({names}) from stdin (format binary)"
        self.types = ("text", "text", "vector", *["bool" for _ in self.columns])

    def row(self, number: int, vector: Any, flags: dict[str, bool]) -> tuple[Any, ...]:
        """A film."""
        return (str(number), TEXT, vector, *flags.values())

    def build_index(self) -> None:
        """The library's own call."""
        self._store(None).apply_vector_index(HNSWIndex(m=M, ef_construction=EF_CONSTRUCTION))

    def open(self, ef: int | None) -> Ask:
        """A search by vector with a filter on a column."""
        PGEngine._default_loop = None  # noqa: SLF001  # a forked process has the loop of its parent, but not the thread that runs it
        store = self._store(ef)

        def ask(question: list[float], genre: str | None, count: int) -> list[int]:
            wanted = {genre.lower(): {"$eq": True}} if genre else None
            found = store.similarity_search_with_score_by_vector(question, k=count, filter=wanted)
            return [int(document.id) for document, _ in found]

        return ask

    def _engine(self) -> PGEngine:
        return PGEngine.from_connection_string(with_driver(self.address, "psycopg"))

    def _store(self, ef: int | None) -> PGVectorStore:
        return PGVectorStore.create_sync(
            self._engine(),
            FakeEmbeddings(size=self.dimensions),
            "searched",
            metadata_columns=self.columns,
            index_query_options=HNSWQueryOptions(ef_search=ef) if ef else None,
        )


class LlamaIndex:
    """LlamaIndex' store: metadata is jsonb with the list of genres, as nodes are."""

    name = "LlamaIndex PGVectorStore"
    copy = "copy public.data_searched (text, metadata_, node_id, embedding) from stdin (format binary)"
    types = ("varchar", "jsonb", "varchar", "vector")

    def __init__(self, address: str, dimensions: int, genres: Sequence[str]) -> None:  # noqa: ARG002
        self.address, self.dimensions = address, dimensions
        self._store(None).add([])  # makes the table

    def row(self, number: int, vector: Any, flags: dict[str, bool]) -> tuple[Any, ...]:
        """A film."""
        node = TextNode(id_=str(number), text=TEXT, metadata={"genres": [genre for genre, has in flags.items() if has]})
        metadata = node_to_metadata_dict(node, remove_text=True)
        return TEXT, Jsonb(metadata, dumps=json.dumps), str(number), vector

    def build_index(self) -> None:
        """The store makes it when it is opened with `hnsw_kwargs`."""
        self._store(1).add([])

    def open(self, ef: int | None) -> Ask:
        """A query with a metadata filter."""
        store = self._store(ef)

        def ask(question: list[float], genre: str | None, count: int) -> list[int]:
            wanted = [MetadataFilter(key="genres", value=genre, operator=FilterOperator.CONTAINS)] if genre else []
            query = VectorStoreQuery(
                query_embedding=question,
                similarity_top_k=count,
                filters=MetadataFilters(filters=wanted) if wanted else None,
            )
            return [int(number) for number in store.query(query).ids or []]

        return ask

    def _store(self, ef: int | None) -> LlamaStore:
        index = {"hnsw_m": M, "hnsw_ef_construction": EF_CONSTRUCTION, "hnsw_ef_search": ef} if ef else None
        return LlamaStore(
            with_driver(self.address, "psycopg2"),
            with_driver(self.address, "asyncpg"),
            table_name="searched",
            embed_dim=self.dimensions,
            use_jsonb=True,
            hnsw_kwargs=index,
        )


def with_driver(address: str, driver: str) -> str:
    """The address as SQLAlchemy names a driver."""
    return address.replace("postgresql://", f"postgresql+{driver}://")


STORES: dict[str, type[Store]] = {
    "langchain_pgvector": LangChainPGVector,
    "langchain_pgvectorstore": LangChainPGVectorStore,
    "llamaindex": LlamaIndex,
}
