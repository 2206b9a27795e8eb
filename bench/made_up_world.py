"""A catalogue of made-up films to search in: the columns of its filters, and how this project loads and searches it."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
from made_up_vectors import CLUSTERS, Matrix, clusters_of, new_set, put_films
from peers.clients import Search
from tables import timed

from movie_assets.database.database import Database, copy_rows, driver_connection, execute

NOW = datetime(2026, 11, 1, tzinfo=UTC)
AS_NEAR = 1e-5  # a film whose distance is that of the last exact result counts as that result
SEARCH = "select tmdb_id from catalog.match_movies(%b, match_count => %s, filters => %s::jsonb)"
SEARCH_TEXTS = """
    select n.tmdb_id, n.similarity, m.title, m.embedding_text
    from catalog.match_movies(%b, match_count => %s, filters => %s::jsonb) n join catalog.movies m using (tmdb_id)
    order by n.similarity desc
"""


class World(NamedTuple):
    """The columns that filters compare, each with a value for each film."""

    year: npt.NDArray[np.int64]
    runtime: npt.NDArray[np.int64]
    language: npt.NDArray[np.str_]
    certification: npt.NDArray[np.str_]
    genres: dict[str, npt.NDArray[np.bool_]]

    def passing(self, filters: dict[str, Any]) -> npt.NDArray[np.bool_]:
        """Return for each film whether it passes the filters of catalog.condition_of."""
        passes: npt.NDArray[np.bool_] = (self.year >= filters.get("year_from", 0)) & (
            self.year <= filters.get("year_to", 9999)
        )
        passes &= (self.runtime >= filters.get("runtime_from", 0)) & (self.runtime <= filters.get("runtime_to", 9999))
        for genre in filters.get("genres", []):
            passes &= self.genres[genre]
        for language in filters.get("languages", []):
            passes &= self.language == language
        for certification in filters.get("certifications", []):
            passes &= self.certification == certification
        return passes


def made_up(films: int) -> World:
    """Return films with random values, except that two genres are those of whole clusters."""
    chance = np.random.default_rng(3)
    shares = {"Drama": 0.5, "Comedy": 0.2, "War": 0.03, "Western": 0.01}
    genres = {name: chance.random(films) < share for name, share in shares.items()}
    genres["Documentary"] = clusters_of(films, 1) < CLUSTERS * 0.05
    genres["Animation"] = clusters_of(films, 1) < CLUSTERS * 0.2
    return World(
        chance.integers(1926, 2026, films),
        chance.integers(60, 260, films),
        chance.choice(["en", "fr", "ja"], films, p=[0.7, 0.25, 0.05]),
        chance.choice(["R", "PG-13", "NC-17"], films, p=[0.38, 0.6, 0.02]),
        genres,
    )


def built(database: Database, world: World, vectors: Matrix) -> dict[str, float]:
    """Load films and vectors, build the index, and let searches use it; return the seconds of two of the steps."""
    for table in ("titles", "title_stats"):
        run(database, f"alter table catalog.{table} set (autovacuum_enabled = off)")
    put_films(database, lines_of(world))
    run(
        database,
        "insert into catalog.movie_stats select tmdb_id, 1, 7, 100, now() from catalog.movies",
    )
    set_id = new_set(database, vectors.shape[1])
    store(database, set_id, range(1, len(vectors) + 1), vectors)
    seconds = {
        "published (s)": timed(lambda: database.execute("refresh_vectors", set_id=set_id)),
        "index built (s)": timed(lambda: database.execute("build_vector_index", set_id=set_id, anew=False)),
    }
    database.execute("activate_set", set_id=set_id, hold=False)
    return seconds


def lines_of(world: World) -> Iterator[tuple[object, ...]]:
    """Yield films for `put_films`."""
    for n, (year, runtime) in enumerate(zip(world.year.tolist(), world.runtime.tolist(), strict=True)):
        genres = [name for name, has in world.genres.items() if has[n]]
        yield (
            n + 1, f"Film {n + 1}", "", str(world.language[n]), date(year, 1, 1), runtime, genres, [], [], [], [],
            str(world.certification[n]), "An overview of some length. " * 12, f"{n + 1:064x}", NOW,
        )  # fmt: skip


def store(database: Database, set_id: int, ids: range, vectors: Matrix) -> None:
    """Store vectors as movie_embeddings does, in larger chunks."""
    columns = {"title_id": "int8", "text_hash": "text", "embedding": "vector"}
    with database.transaction() as connection:
        hashes = {row[0]: row[1] for row in connection.exec_driver_sql("select tmdb_id, text_hash from catalog.movies")}
        execute(connection, "stage_embeddings")
        lines = ((n, hashes[n], v) for n, v in zip(ids, vectors, strict=True))
        copy_rows(connection, "incoming_embeddings", columns, lines)
        execute(connection, "store_embeddings", set_id=set_id, as_of=NOW)


def searching(
    address: str, questions: Matrix, filters: dict[str, Any], count: int, statement: str = SEARCH
) -> Callable[[], Search]:
    """Return a function that connects a client to the catalogue, and returns its search for a question's number."""

    def connect() -> Search:
        connection = Database(address).engine.connect()
        raw = driver_connection(connection)
        wanted = json.dumps(filters)

        def search(number: int) -> list[int]:
            with raw.transaction():
                return [row[0] for row in raw.execute(statement, (questions[number], count, wanted)).fetchall()]

        search.connection = connection  # type: ignore[attr-defined]  # keeps the connection open
        return search

    return connect


def run(database: Database, sql: str) -> None:
    """Run a statement in a transaction of its own."""
    with database.transaction() as connection:
        connection.exec_driver_sql(sql)
