"""Keep a PGVector table in line with LangChain's indexing API; incremental.py starts it.

Usage: index_langchain.py ADDRESS FILMS BATCH DAYS. Prints a JSON list, an object for each of the first so many days.
"""

import json
import logging
import sys
import warnings

from days import DIMENSIONS, Source, StubEmbedder, pass_days
from langchain_classic.indexes import SQLRecordManager
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.indexing import index
from langchain_postgres import PGVector

FOUND = """
    select (cmetadata ->> 'tmdb_id')::bigint as tmdb_id, document as text,
           (cmetadata ->> 'popularity')::double precision as popularity, embedding
    from public.langchain_pg_embedding
"""


class Stub(Embeddings):
    """The embedder that everybody gets, as LangChain asks for one."""

    def __init__(self, embedder: StubEmbedder) -> None:
        self.embedder = embedder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """A batch of texts."""
        vectors: list[list[float]] = self.embedder.embed(texts).tolist()
        return vectors

    def embed_query(self, text: str) -> list[float]:
        """Not used: the benchmark embeds documents only."""
        raise NotImplementedError


def main() -> None:
    """Build, day by day."""
    logging.disable()
    warnings.filterwarnings("ignore")  # LangChain's own deprecations
    address, count, batch, days = sys.argv[1], *map(int, sys.argv[2:])
    source, embedder = Source(address, count), StubEmbedder()
    url = address.replace("postgresql://", "postgresql+psycopg://")
    store = PGVector(Stub(embedder), connection=url, embedding_length=DIMENSIONS, create_extension=False)
    records = SQLRecordManager("films", db_url=url)
    records.create_schema()

    def build() -> None:
        documents = [
            Document(film.text, metadata={"tmdb_id": film.tmdb_id, "title": film.title, "popularity": film.popularity})
            for film in source.films()
        ]
        index(
            documents, records, store, batch_size=batch, cleanup="full", source_id_key="tmdb_id", key_encoder="blake2b"
        )

    print(json.dumps(pass_days(source, embedder, build, FOUND, beside=True, count=days)))


if __name__ == "__main__":
    main()
