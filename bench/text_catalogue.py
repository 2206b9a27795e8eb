"""A catalogue of made-up films with texts, and the vectors of these by the local embedder, in an embedded Postgres."""

import random
import re
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any

from made_up_vectors import FILM_COLUMNS
from made_up_world import NOW, lines_of, made_up, run
from tables import report_progress

from movie_assets.database.creation import ensure_database
from movie_assets.database.database import Database, copy_rows, execute
from movie_assets.database.embedded import MEMORY_MB, embedded_postgres
from movie_assets.database.migrations import migrate
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.embeddings.sets import embedding_set

CHUNK = 5_000  # texts that are embedded at once
COLUMNS = {"title_id": "int8", "text_hash": "text", "embedding": "vector"}
MORE_COLUMNS = {"overview": "text"}  # of films, beside FILM_COLUMNS


@contextmanager
def opened(home: Path, memory_mb: int = MEMORY_MB) -> Iterator[Database]:
    """Start the server of a folder, and yield its migrated database."""
    with embedded_postgres(home, memory_mb=memory_mb) as server:
        address = server.replace("/?", "/curves?")
        ensure_database(address)
        database = Database(address)
        migrate(database)
        try:
            yield database
        finally:
            database.close()


def fill(database: Database, embedder: LocalEmbedder, texts: Iterator[str], films: int) -> tuple[int, list[str]]:
    """Load films and their vectors; return the number of the set, and a sample of the texts."""
    set_id = embedding_set(database, embedder)
    lines, chance, sampled = lines_of(made_up(films)), random.Random(3), list[str]()  # noqa: S311
    for start, chunk in enumerate(chunks(texts)):
        with database.transaction() as connection:
            copy_rows(connection, "catalog.titles", FILM_COLUMNS | MORE_COLUMNS, with_texts(lines, chunk))
        vectors = embedder.embed(chunk).vectors
        store(database, set_id, ((n, hash_of(n), v) for n, v in enumerate(vectors, start=start * CHUNK + 1)))
        sampled += chance.sample(chunk, min(len(chunk), 200))
        report_progress(f"{start * CHUNK + len(chunk):,} of {films:,} films")
    run(database, "insert into catalog.movie_stats select tmdb_id, 1, 7, 100, now() from catalog.movies")
    run(database, "analyze")
    return set_id, sampled


def with_texts(lines: Iterator[Sequence[object]], texts: Sequence[str]) -> Iterator[Sequence[object]]:
    """Yield the next made-up films, with the title of a text, and the text as its overview."""
    for text, line in zip(texts, lines, strict=False):
        film = dict(zip(FILM_COLUMNS, line, strict=True)) | {"title": title_of(text), "embedding_text": text}
        yield (*film.values(), text)


def title_of(text: str) -> str:
    """Return what stands before the year or the first full stop of a text, at most its first six words."""
    return " ".join(re.split(r" \(|\. ", text, maxsplit=1)[0].split()[:6])


def hash_of(film: int, day: int = 0) -> str:
    """Return what stands for the hash of a film's text since a day; on day 0 that of `lines_of`."""
    return f"{day:02x}{film:062x}"


def chunks(texts: Iterator[str]) -> Iterator[list[str]]:
    """Yield the texts in lists of CHUNK."""
    while chunk := list(islice(texts, CHUNK)):
        yield chunk


def store(database: Database, set_id: int, lines: Iterable[tuple[int, str, Any]]) -> None:
    """Store vectors of films as movie_embeddings does, in a larger chunk."""
    with database.transaction() as connection:
        execute(connection, "stage_embeddings")
        copy_rows(connection, "incoming_embeddings", COLUMNS, lines)
        execute(connection, "store_embeddings", set_id=set_id, as_of=NOW)
