"""Shared by the benchmarks of vectors: clustered vectors, a catalogue of films for them, a server for one benchmark.

Real embeddings form clusters near a surface of far fewer dimensions than they have. Vectors that are random in every
dimension all have the same distance from each other, so that recall would mean nothing.
"""

import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from statistics import quantiles

import numpy as np
import numpy.typing as npt

from movie_assets.database.creation import ensure_database
from movie_assets.database.database import Database, copy_rows
from movie_assets.database.embedded import embedded_postgres
from movie_assets.database.migrations import migrate
from movie_assets.embeddings.sets import SetId

CLUSTERS = 500
SURFACE = 64  # dimensions in which clusters and films differ; the rest is noise
SPREAD = 0.8  # of the films of a cluster, where the clusters' own is 1
NOISE = 0.3
PORTION = 5_000  # vectors that are made at once

Matrix = npt.NDArray[np.float32]


def clusters_of(count: int, seed: int) -> npt.NDArray[np.int64]:
    """Return the number of each film's cluster."""
    return np.random.default_rng(seed).integers(CLUSTERS, size=count)


def clustered_vectors(count: int, dimensions: int, seed: int = 1) -> Matrix:
    """Return unit vectors in clusters, (count, dimensions); another seed makes other films of the same clusters."""
    world = np.random.default_rng(0)
    centres = world.standard_normal((CLUSTERS, SURFACE), dtype=np.float32)
    axes = world.standard_normal((SURFACE, dimensions), dtype=np.float32) / SURFACE**0.5
    of_films = np.random.default_rng([seed, 1])
    made = np.empty((count, dimensions), dtype=np.float32)
    places = clusters_of(count, seed)
    for start in range(0, count, PORTION):
        part = places[start : start + PORTION]
        points = centres[part] + SPREAD * of_films.standard_normal((len(part), SURFACE), dtype=np.float32)
        rows = points @ axes + NOISE * of_films.standard_normal((len(part), dimensions), dtype=np.float32)
        made[start : start + PORTION] = rows / np.linalg.norm(rows, axis=1, keepdims=True)
    return made


@contextmanager
def server_of_ones_own(name: str) -> Iterator[tuple[str, Database]]:
    """Start an embedded server in a temporary folder with a migrated database; yield its address and the database."""
    with tempfile.TemporaryDirectory(prefix=f"movie_assets_{name}_") as home, embedded_postgres(Path(home)) as server:
        address = server.replace("/?", f"/{name}?")
        ensure_database(address)
        database = Database(address)
        migrate(database)
        database.close()
        database = Database(address)
        try:
            yield address, database
        finally:
            database.close()


def new_set(database: Database, dimensions: int) -> int:
    """Make an embedding set for made-up vectors, and return its number."""
    (made,) = database.execute_returning(
        SetId, "ensure_set", provider="made up", former_provider="made up", model="clustered", dimensions=dimensions,
        template="none",
    )  # fmt: skip
    return made.set_id


FILM_COLUMNS = {
    "title_id": "int8", "title": "text", "original_title": "text", "original_language": "text", "release_date": "date",
    "runtime_minutes": "int2", "genres": "text[]", "keywords": "text[]", "directors": "text[]",
    "leading_cast": "text[]", "countries": "text[]", "certification": "text", "embedding_text": "text",
    "text_hash": "text", "changed_at": "timestamptz",
}  # fmt: skip


def put_films(database: Database, lines: Iterable[Sequence[object]]) -> int:
    """Copy films into catalog.movies, with values in the order of FILM_COLUMNS, and return their number."""
    with database.transaction() as connection:
        return copy_rows(connection, "catalog.titles", FILM_COLUMNS, lines)


def percentile(values: Sequence[float], share: float) -> float:
    """Return the value below which a share of the values lies."""
    return values[0] if len(values) == 1 else quantiles(values, n=100, method="inclusive")[round(share * 100) - 1]
