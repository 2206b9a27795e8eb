"""The films that incremental.py builds from, the days that pass over them, and the embedder that everybody gets.

Ours and the other libraries' scripts import it, so it knows only what both environments have.
"""

import hashlib
import resource
import time
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import psycopg

DIMENSIONS = 1536
BASES = np.random.default_rng(7).standard_normal((256, DIMENSIONS), dtype=np.float32)
TURNING = np.tile(BASES / np.linalg.norm(BASES, axis=1, keepdims=True), 2)  # any DIMENSIONS in a row are of length one
SAMPLE = "tmdb_id % 100 in (1, 2)"  # films whose vectors are looked at; the first are those that change
MAKE = """
    create table public.films (
        tmdb_id bigint primary key, title text not null, text text not null, popularity double precision not null
    );
    insert into public.films
    select n, 'Film ' || n, 'Film ' || n || '. ' || repeat(md5(n::text) || ' ', 18), n
    from generate_series(1, {count}) n;
    create table public.numbers as select tmdb_id, popularity from public.films;
    analyze public.films, public.numbers
"""


class Movie(NamedTuple):
    """A row of the source."""

    tmdb_id: int
    title: str
    text: str
    popularity: float


class StubEmbedder:
    """Makes a vector from the text alone in nearly no time, and counts its requests."""

    def __init__(self) -> None:
        self.calls = self.texts = 0

    def embed(self, texts: Sequence[str]) -> npt.NDArray[np.float32]:
        """Unit vectors, (n, DIMENSIONS)."""
        self.calls += 1
        self.texts += len(texts)
        return np.stack([vector_of(text) for text in texts])


def vector_of(text: str) -> npt.NDArray[np.float32]:
    """The text's unit vector: a stretch of one of a few long ones, so that its making is in nobody's time."""
    seed = int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "big")
    turn, row = divmod(seed, len(TURNING))
    start = turn % DIMENSIONS
    return TURNING[row, start : start + DIMENSIONS]


class Source:
    """The source tables: `public.films`, and `public.numbers` for popularities that are stored apart."""

    def __init__(self, address: str, count: int) -> None:
        self.connection = psycopg.connect(address, autocommit=True)
        self.connection.execute(MAKE.format(count=count))

    def films(self) -> list[Movie]:
        """All films as they are now."""
        rows = self.connection.execute("select tmdb_id, title, text, popularity from public.films order by tmdb_id")
        return [Movie(*row) for row in rows]

    def change_texts(self) -> None:
        """One text in a hundred changes."""
        self.connection.execute("update public.films set text = text || ' Changed.' where tmdb_id % 100 = 1")

    def change_popularities(self) -> None:
        """All popularities change."""
        self.connection.execute("update public.films set popularity = popularity + 0.5")

    def change_numbers(self) -> None:
        """All popularities change in the table beside, in one statement."""
        self.connection.execute("update public.numbers set popularity = popularity + 0.5")

    def wrong_rows(self, found: str) -> int:
        """The number of films that `found`, a query with their columns, lacks or has with other values."""
        row = self.connection.execute(
            f"select count(*) from public.films f full join ({found}) o using (tmdb_id) "
            "where (f.text, f.popularity) is distinct from (o.text, o.popularity)"
        ).fetchone()
        wrong = int(row[0]) if row else 0
        sample = self.connection.execute(
            f"select f.text, o.embedding::text from public.films f join ({found}) o using (tmdb_id) where {SAMPLE}"
        )
        for text, vector in sample:
            stored = np.array(vector.strip("[]").split(","), dtype=np.float32)
            wrong += not np.allclose(stored, vector_of(text), atol=1e-3)  # half precision is precise enough
        return wrong


def pass_days(
    source: Source,
    embedder: StubEmbedder,
    build: Callable[[], Any],
    found: str,
    *,
    beside: bool,
    count: int | None = None,
) -> list[dict[str, Any]]:
    """Build on each day, or on the first `count`, and return the time of each; only building is timed.

    With `beside`, popularities change on one more day, in a table that the build does not read.
    """
    days: list[tuple[str, Callable[[], Any], Callable[[], Any]]] = [
        ("full build", nothing, build),
        ("nothing changed", nothing, build),
        ("1 % of texts changed", source.change_texts, build),
    ]
    if beside:

        def both() -> None:
            source.change_numbers()
            build()

        days.append(("popularity of all changed, kept beside", nothing, both))
    days.append(("popularity of all changed", source.change_popularities, build))
    figures = []
    for day, change, work in days[:count]:
        change()
        calls, texts = embedder.calls, embedder.texts
        started = time.perf_counter()
        work()
        seconds = time.perf_counter() - started
        figures.append({
            "day": day,
            "seconds": seconds,
            "texts_embedded": embedder.texts - texts,
            "embed_calls": embedder.calls - calls,
            "peak_megabytes": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "wrong_rows": source.wrong_rows(found),
        })  # fmt: skip
    return figures


def nothing() -> None:
    """A day on which nothing changes."""
