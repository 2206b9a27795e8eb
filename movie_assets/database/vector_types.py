"""pgvector's types on psycopg's connections, with classes that are made once.

psycopg keeps every class that it was given for as long as the process lives, and pgvector's own `register_vector` makes
new ones for each connection: a code server, whose ticks each open one, grew by 30 kB a tick.
"""

from functools import cache
from typing import Any

import psycopg
from pgvector import HalfVector, Vector
from pgvector.psycopg.halfvec import (
    HalfVectorBinaryDumper,
    HalfVectorBinaryLoader,
    HalfVectorDumper,
    HalfVectorLoader,
)
from pgvector.psycopg.vector import VectorBinaryDumper, VectorBinaryLoader, VectorDumper, VectorLoader
from psycopg.adapt import Dumper
from psycopg.types import TypeInfo

# By type: what is written as it, and how; the last dumper of a kind counts where a query does not say.
TYPES: dict[str, tuple[tuple[type | str, ...], tuple[type[Dumper], ...], tuple[Any, ...]]] = {
    "vector": (
        (Vector, "numpy.ndarray"), (VectorDumper, VectorBinaryDumper), (VectorLoader, VectorBinaryLoader),
    ),
    "halfvec": (
        (HalfVector,), (HalfVectorDumper, HalfVectorBinaryDumper), (HalfVectorLoader, HalfVectorBinaryLoader),
    ),
}  # fmt: skip


def register_vectors(connection: psycopg.Connection[Any]) -> None:
    """Let a connection read and write vectors, where its database has them (a migration may come first)."""
    found = [TypeInfo.fetch(connection, name) for name in TYPES]
    for info, (kinds, dumpers, loaders) in zip(found, TYPES.values(), strict=True):
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
    """A dumper that says of which type its values are, as COPY asks for."""
    return type(dumper.__name__, (dumper,), {"oid": oid})
