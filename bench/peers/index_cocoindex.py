"""Keep a table with vectors in line with CocoIndex; incremental.py starts it.

Usage: index_cocoindex.py ADDRESS FILMS INFLIGHT DAYS. Prints a JSON list, an object for each of the first so many days.
"""

import json
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import asyncpg
import cocoindex as coco
import numpy as np
from cocoindex.connectors import postgres
from cocoindex.resources.schema import VectorSchema
from days import DIMENSIONS, Source, StubEmbedder, pass_days
from numpy.typing import NDArray

ADDRESS = sys.argv[1]
COUNT, INFLIGHT, DAYS = map(int, sys.argv[2:])
BATCH = 512  # texts of an embedding call at most; the engine gathers what waits
STUB = StubEmbedder()
FOUND = "select tmdb_id, text, popularity, embedding from public.found"
POOL = coco.ContextKey[asyncpg.Pool]("pool")
STATE = tempfile.TemporaryDirectory(prefix="movie_assets_cocoindex_")
Vector = Annotated[NDArray[np.float32], VectorSchema(dtype=np.dtype(np.float32), size=DIMENSIONS)]


@dataclass
class SourceFilm:
    """A row of the source."""

    tmdb_id: int
    title: str
    text: str
    popularity: float


@dataclass
class FoundFilm:
    """A row of the target."""

    tmdb_id: int
    title: str
    text: str
    popularity: float
    embedding: Vector


@coco.lifespan
async def lifespan(builder: coco.EnvironmentBuilder) -> AsyncIterator[None]:
    """A pool of connections, and a folder for CocoIndex' own state."""
    builder.settings.db_path = Path(STATE.name) / "state"
    async with asyncpg.create_pool(ADDRESS) as pool:
        builder.provide(POOL, pool)
        yield


@coco.fn.as_async(batching=True, max_batch_size=BATCH)
def embed_many(texts: list[str]) -> list[NDArray[np.float32]]:
    """Embed the texts that wait at the same time in one call."""
    return list(STUB.embed(texts))


@coco.fn(memo=True)
async def embed(text: str) -> NDArray[np.float32]:
    """A text's vector, remembered, so that another popularity embeds nothing."""
    return await embed_many(text)


@coco.fn(memo=True)
async def process(film: SourceFilm, table: postgres.TableTarget[FoundFilm]) -> None:
    """One film."""
    vector = await embed(film.text)
    table.declare_row(row=FoundFilm(film.tmdb_id, film.title, film.text, film.popularity, vector))


@coco.fn
async def keep_in_line() -> None:
    """All films of the source."""
    schema = await postgres.TableSchema.from_class(FoundFilm, primary_key=["tmdb_id"])
    table = await postgres.mount_table_target(POOL, table_name="found", table_schema=schema)
    source = postgres.PgTableSource(coco.use_context(POOL), table_name="films", row_type=SourceFilm)
    await coco.mount_each(process, source.fetch_rows().items(lambda film: film.tmdb_id), table)


def main() -> None:
    """Build, day by day."""
    app = coco.App(coco.AppConfig(name="Films", max_inflight_components=INFLIGHT), keep_in_line)
    figures = pass_days(Source(ADDRESS, COUNT), STUB, app.update_blocking, FOUND, beside=True, count=DAYS)
    print(json.dumps(figures))


if __name__ == "__main__":
    with STATE:
        main()
