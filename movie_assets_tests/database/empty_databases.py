"""The names of the schema's files, and what the tests of migrations do to a database."""

from typing import Any

import psycopg
import sqlalchemy as sa

from movie_assets.config.paths import SQL
from movie_assets.database.database import Database
from movie_assets.database.migrations import function_files
from movie_assets_tests.conftest import address_of

FILES = [f"migrations/{path.name}" for path in sorted((SQL / "migrations").glob("*.sql"))]
FUNCTIONS = [f"{path.parent.name}/{path.name}" for path in function_files(SQL)]
COMMENTS = [f"comments/{path.name}" for path in sorted((SQL / "comments").glob("*.sql"))]


def as_administrator(server: str, *statements: str, database: str = "postgres") -> None:
    with psycopg.connect(address_of(server, database), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


def history(database: Database) -> dict[str, Any]:
    with database.transaction() as connection:
        rows = connection.execute(sa.text("select file, applied_at from movie_assets_schema")).all()
        return {row.file: row.applied_at for row in rows}
