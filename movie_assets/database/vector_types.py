"""Registering pgvector's types on psycopg's connections, with classes that are made once.

psycopg never frees a registered class, and pgvector's own `register_vector` makes new classes for each connection. A
code server, which opens a connection in each tick, grew by 30 kB a tick.
"""

from functools import cache

import psycopg
from pgvector import HalfVector, Vector
from pgvector.psycopg.halfvec import (
    HalfVectorBinaryDumper,
    HalfVectorBinaryLoader,
    HalfVectorDumper,
    HalfVectorLoader,
)
from pgvector.psycopg.vector import VectorBinaryDumper, VectorBinaryLoader, VectorDumper, VectorLoader
from psycopg.adapt import Dumper, Loader
from psycopg.types import TypeInfo

# For each type: the Python classes that are written as it, dumpers and loaders. Where a query names no format, the last
# dumper is used.
TYPES: dict[str, tuple[tuple[type | str, ...], tuple[type[Dumper], ...], tuple[type[Loader], ...]]] = {
    "vector": (
        (Vector, "numpy.ndarray"), (VectorDumper, VectorBinaryDumper), (VectorLoader, VectorBinaryLoader),
    ),
    "halfvec": (
        (HalfVector,), (HalfVectorDumper, HalfVectorBinaryDumper), (HalfVectorLoader, HalfVectorBinaryLoader),
    ),
}  # fmt: skip


def register_vectors(connection: psycopg.Connection) -> None:
    """Let a connection read and write vectors if its database has their types (not before the first migration)."""
    infos = [TypeInfo.fetch(connection, name) for name in TYPES]
    for info, (kinds, dumpers, loaders) in zip(infos, TYPES.values(), strict=True):
        if info is None:
            return
        info.register(connection)
        for dumper in dumpers:
            for kind in kinds:
                connection.adapters.register_dumper(kind, _of_type(dumper, info.oid))
        for loader in loaders:
            connection.adapters.register_loader(info.oid, loader)


@cache
def _of_type(dumper: type[Dumper], oid: int) -> type[Dumper]:
    """Return a subclass of a dumper that names the type of its values, as COPY requires."""
    return type(dumper.__name__, (dumper,), {"oid": oid})
