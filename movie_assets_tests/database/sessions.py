"""Ends sessions of a test's database."""

import psycopg

from movie_assets.database.database import Database


def terminate(database: Database, *pids: object) -> None:
    with psycopg.connect(database.url.set(drivername="postgresql").render_as_string(hide_password=False)) as connection:
        for pid in pids:
            connection.execute("select pg_terminate_backend(%s, 5000)", (pid,))
