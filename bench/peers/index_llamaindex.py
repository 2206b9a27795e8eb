"""Keep a PGVectorStore in line with LlamaIndex' ingestion pipeline; incremental.py starts it.

Usage: index_llamaindex.py ADDRESS FILMS BATCH DAYS. Prints a JSON list, an object for each of the first so many days.
"""

import json
import logging
import sys
import tempfile
import warnings
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from days import DIMENSIONS, Movie, Source, StubEmbedder, pass_days
from llama_index.core.base.embeddings.base import BaseEmbedding
from llama_index.core.ingestion import DocstoreStrategy, IngestionPipeline
from llama_index.core.schema import BaseNode, Document, NodeRelationship, TextNode, TransformComponent
from llama_index.core.storage.docstore import SimpleDocumentStore
from llama_index.vector_stores.postgres import PGVectorStore

METADATA = ["tmdb_id", "title", "popularity"]
STUB = StubEmbedder()
FOUND = """
    select (metadata_ ->> 'tmdb_id')::bigint as tmdb_id, text,
           (metadata_ ->> 'popularity')::double precision as popularity, embedding
    from public.data_films
"""


class Stub(BaseEmbedding):
    """The embedder that everybody gets, as LlamaIndex asks for one."""

    def _get_text_embeddings(self, texts: list[str]) -> list[list[float]]:
        vectors: list[list[float]] = STUB.embed(texts).tolist()
        return vectors

    def _get_text_embedding(self, text: str) -> list[float]:
        return self._get_text_embeddings([text])[0]

    def _get_query_embedding(self, query: str) -> list[float]:
        raise NotImplementedError

    async def _aget_query_embedding(self, query: str) -> list[float]:
        raise NotImplementedError


class OneNode(TransformComponent):
    """One node a document: the texts are short, and a splitter would only cost time."""

    def __call__(self, nodes: Sequence[BaseNode], **_: Any) -> list[BaseNode]:
        """Nodes that know which document they are of, so that a changed one takes the place of the old."""
        return [
            TextNode(
                text=node.get_content(),
                metadata=node.metadata,
                excluded_embed_metadata_keys=METADATA,
                relationships={NodeRelationship.SOURCE: node.as_related_node_info()},
            )
            for node in nodes
        ]


def document_of(film: Movie) -> Document:
    """A film as a document."""
    metadata = {"tmdb_id": film.tmdb_id, "title": film.title, "popularity": film.popularity}
    return Document(text=film.text, id_=str(film.tmdb_id), metadata=metadata, excluded_embed_metadata_keys=METADATA)


def main() -> None:
    """Build, day by day; each day begins with what the day before left on the disk."""
    logging.disable()
    warnings.filterwarnings("ignore")  # the libraries' own deprecations
    address, count, batch, days = sys.argv[1], *map(int, sys.argv[2:])
    store = PGVectorStore(
        address.replace("postgresql://", "postgresql+psycopg2://"),
        address.replace("postgresql://", "postgresql+asyncpg://"),
        table_name="films",
        embed_dim=DIMENSIONS,
        use_jsonb=True,
    )
    source = Source(address, count)
    with tempfile.TemporaryDirectory(prefix="movie_assets_llamaindex_") as folder:
        known = Path(folder) / "docstore.json"

        def build() -> None:
            documents = SimpleDocumentStore.from_persist_path(str(known)) if known.exists() else SimpleDocumentStore()
            pipeline = IngestionPipeline(
                transformations=[OneNode(), Stub(embed_batch_size=batch)],
                docstore=documents,
                docstore_strategy=DocstoreStrategy.UPSERTS_AND_DELETE,
                vector_store=store,
                disable_cache=True,  # it is by the whole list of texts, which never comes twice
            )
            pipeline.run(documents=[document_of(film) for film in source.films()])
            documents.persist(str(known))

        print(json.dumps(pass_days(source, STUB, build, FOUND, beside=True, count=days)))


if __name__ == "__main__":
    main()
