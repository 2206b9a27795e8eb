"""A server with the roles of deploy/roles.sql on it; roles belong to a whole server, so it is none that others use."""

import subprocess
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import dagster as dg
import psycopg
import pytest
import sqlalchemy as sa

from movie_assets.database.addresses import dsn_of, url_of
from movie_assets.database.database import Database
from movie_assets.database.embedded import BINARIES, embedded_postgres
from movie_assets.database.migrations import migrate
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.conftest import Pipeline, settings_for
from movie_assets_tests.deploy.files import DEPLOY
from movie_assets_tests.support.world import Films, film


@dataclass(frozen=True)
class Server:
    """A Postgres as an administrator finds it."""

    address: str

    def of(self, role: str, database: str = "movie_assets") -> str:
        """Address of a database for a role; trust authentication takes its word."""
        return self.address.replace("postgres@/?", f"{role}@/{database}?")

    def psql(self, *arguments: str) -> str:
        """Run psql as the administrator."""
        return self.run("psql", "--set", "ON_ERROR_STOP=1", "--dbname", dsn_of(self._url("postgres")), *arguments)

    def run(self, program: str, *arguments: str) -> str:
        """Run one of Postgres's own programs; its output."""
        done = subprocess.run([str(BINARIES / program), *arguments], capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout

    def dsn(self, role: str, database: str) -> str:
        """The same address as `of`, as libpq's programs take it."""
        return dsn_of(url_of(self.of(role, database)))

    def _url(self, database: str) -> sa.URL:
        return url_of(self.of("postgres", database))


@pytest.fixture(scope="module")
def empty_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Without a role or database of ours."""
    with embedded_postgres(tmp_path_factory.mktemp("server")) as address:
        yield Server(address)


@pytest.fixture(scope="module")
def server_with_roles(empty_server: Server) -> Server:
    """As the administrator leaves it: roles and databases are there, the schema is not."""
    empty_server.psql("--file", str(DEPLOY / "roles.sql"))
    return empty_server


@pytest.fixture(scope="module")
def migrated(server_with_roles: Server) -> Server:
    """As `movie-assets migrate` leaves it, run by the pipeline's role, which is no superuser."""
    database = Database(server_with_roles.of("movie_assets"))
    migrate(database)
    database.close()
    return server_with_roles


def rows_as(server: Server, role: str, sql: str) -> list[tuple[Any, ...]]:
    """Run one statement as a role."""
    with psycopg.connect(server.of(role)) as connection:
        cursor = connection.execute(sql.encode())
        return cursor.fetchall() if cursor.description else []


def bring_in_films(migrated: Server, roles: Mapping[str, str]) -> None:
    """Create logins (by name, in a role movie_assets_<kind>), and bring in eight films and histories of two persons."""
    for role, kind in roles.items():
        migrated.psql("--command", f"create role {role} login in role movie_assets_{kind}")
    world = Films()
    world.put(*(film(number, title=f"Film {number}", overview=f"Number {number} is played.") for number in range(1, 9)))
    with (
        Database(migrated.of("movie_assets")) as database,
        TmdbEmulator(EmulatorOptions(rate_limit=0), world=world) as tmdb_emulator,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        pipeline = Pipeline(database, settings_for(tmdb_emulator), instance, LocalEmbedder("hashing-v1", 64))
        assert all(result.success for result in pipeline.run_day())
        with database.transaction() as connection:
            connection.exec_driver_sql(
                "insert into catalog.watch_histories (person, tmdb_id, source) "
                "values ('ann', 1, 'imdb'), ('bob', 2, 'imdb')"
            )
