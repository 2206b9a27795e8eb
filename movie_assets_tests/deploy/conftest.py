"""A server with the roles of deploy/roles.sql on it; roles belong to a whole server, so it is none that others use."""

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from movie_assets.database.addresses import dsn_of, url_of
from movie_assets.database.database import Database
from movie_assets.database.embedded import BINARIES, embedded_postgres
from movie_assets.database.migrations import migrate
from movie_assets_tests.deploy.files import DEPLOY


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
