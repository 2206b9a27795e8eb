"""Backup and restore by the commands of deploy/README.md: afterwards nothing is fetched or embedded twice."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dagster as dg
import pytest

from movie_assets.database.database import Database
from movie_assets.database.migrations import migrate
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.conftest import Pipeline, settings_for
from movie_assets_tests.deploy.conftest import Server, rows_as
from movie_assets_tests.deploy.files import DEPLOY
from movie_assets_tests.support.world import Films, film

DATABASES = ("movie_assets", "movie_assets_dagster")  # and their owners
VECTORS = "select md5(string_agg(e::text, '' order by tmdb_id)) from pipeline.embeddings e"
RECORDS = """
storage:
  postgres:
    postgres_url: {address}
local_artifact_storage:
  module: dagster._core.storage.root
  class: LocalArtifactStorage
  config: {{base_dir: {folder}}}
telemetry: {{enabled: false}}
"""


@pytest.fixture(scope="module")
def world() -> Films:
    films = Films()
    films.put(*(film(number, overview=f"Story {number} of a storm.") for number in range(1, 31)))
    return films


@contextmanager
def pipeline_on(server: Server, world: Films, folder: Path) -> Iterator[Pipeline]:
    """The pipeline on the server's two databases, each by its owner."""
    address = server.of("movie_assets_dagster", "movie_assets_dagster").replace("postgresql:", "postgresql+psycopg2:")
    (folder / "dagster.yaml").write_text(RECORDS.format(address=address, folder=folder))
    database = Database(server.of("movie_assets"))
    migrate(database)
    with (
        TmdbEmulator(EmulatorOptions(rate_limit=0), world=world) as tmdb_emulator,
        dg.DagsterInstance.from_config(str(folder)) as instance,
    ):
        yield Pipeline(database, settings_for(tmdb_emulator), instance, LocalEmbedder("hashing-v1", 64))
    database.close()


def restored(server: Server, database: str, dump: Path) -> None:
    server.psql("--command", f"drop database {database} with (force)")
    server.psql("--file", str(DEPLOY / "roles.sql"))  # makes it again, empty, with its owner and its extension
    server.run(
        "pg_restore",
        "--exit-on-error",
        "--clean",
        "--if-exists",
        "--dbname",
        server.dsn("postgres", database),
        str(dump),
    )


@pytest.mark.daemon
def test_a_restored_catalogue_goes_on_where_it_was(server_with_roles: Server, world: Films, tmp_path: Path) -> None:
    server = server_with_roles
    server.psql("--command", "create role an_app login in role movie_assets_reader")
    with pipeline_on(server, world, tmp_path) as pipeline:
        assert all(result.success for result in pipeline.run_day())
        runs = pipeline.instance.get_runs_count()
        vectors = pipeline.one(VECTORS)

    for name in DATABASES:
        server.run(
            "pg_dump",
            "--format",
            "custom",
            "--dbname",
            server.dsn(name, name),
            "--file",
            f"{tmp_path}/{name}.dump",
        )
    for name in DATABASES:
        restored(server, name, tmp_path / f"{name}.dump")

    asked = world.asked.copy()
    with pipeline_on(server, world, tmp_path) as pipeline:
        assert pipeline.instance.get_runs_count() == runs
        assert all(result.success for result in pipeline.run_day())
        assert (
            pipeline.one("select md5(string_agg(e::text, '' order by tmdb_id)) from pipeline.embeddings e") == vectors
        )
    assert world.asked == asked
    assert rows_as(server, "an_app", "select count(*) from catalog.search_movies('film')") == [(10,)]


@pytest.mark.daemon  # goes on from the one before
def test_what_was_not_paid_for_can_be_built_again_without_a_call(
    server_with_roles: Server, world: Films, tmp_path: Path
) -> None:
    asked = world.asked.copy()
    with pipeline_on(server_with_roles, world, tmp_path) as pipeline:
        pipeline.do("truncate catalog.rating_aggregates")
        pipeline.do("delete from catalog.title_vectors_1")
        assert pipeline.run("publish").success
        assert pipeline.one("select count(*) from catalog.movie_vectors") == 30
        assert pipeline.one("select count(*) from catalog.film_scores") == 30
    assert world.asked == asked
