"""One tick of a sensor on a real database, and the rows that make work for it."""

from typing import Any

import dagster as dg

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.embeddings.embedder import Embedder
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.orchestration.launch_decisions import Memory
from movie_assets.search.search_documents import update_documents
from movie_assets_tests.support.definitions import defs

THRESHOLDS = Settings.model_validate({}).thresholds
LOCAL = LocalEmbedder("hashing-v1", 64)


def tick(
    name: str,
    database: Database,
    instance: dg.DagsterInstance,
    *,
    cursor: str | None = None,
    embedder: Embedder = LOCAL,
    **settings: object,
) -> dg.SensorResult:
    """Evaluate a sensor once, under the default settings but for some."""
    resources = {"database": database, "embedder": embedder, "settings": Settings.model_validate(settings)}
    context = dg.build_sensor_context(instance=instance, cursor=cursor, resources=resources)
    result: Any = defs.resolve_sensor_def(name)(context)
    assert isinstance(result, dg.SensorResult)
    return result


def run_sql(database: Database, sql: str) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql(sql)


def add_ids(database: Database, *tmdb_ids: int) -> None:
    """Ids that were never fetched."""
    for tmdb_id in tmdb_ids:
        columns = "tmdb_id, original_title, first_seen"
        run_sql(database, f"insert into pipeline.movie_ids ({columns}) values ({tmdb_id}, '', '2026-10-05')")


def embed(database: Database, embedder: Embedder = LOCAL) -> None:
    """Give every film the vector of its text, as a run would."""
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "insert into pipeline.embeddings (set_id, tmdb_id, text_hash, embedding, embedded_at) "
            "select s.set_id, m.tmdb_id, m.text_hash, "
            "  (select array_agg(random() - 0.5) from generate_series(1, s.dimensions + m.tmdb_id * 0))::vector, now() "
            "from catalog.movies m, pipeline.embedding_sets s where s.dimensions = %(width)s on conflict do nothing",
            {"width": embedder.dimensions},
        )


def publish(database: Database) -> None:
    """Make the newest set the one that searches see, write the documents, let the aggregates be of this moment."""
    update_documents(database)
    run_sql(
        database,
        "select pipeline.refresh_vectors(max(set_id)::smallint), pipeline.activate_set(max(set_id)::smallint) "
        "from pipeline.embedding_sets",
    )
    run_sql(
        database,
        "insert into catalog.rating_methods values ('test', true, '', '{}', now()) "
        "on conflict (method_version) do update set computed_at = now()",
    )


def memory_of(result: dg.SensorResult) -> Memory:
    return Memory.read(result.cursor)
