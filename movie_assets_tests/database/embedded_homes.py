"""Queries and signals to the server of a home."""

from pathlib import Path

import psycopg

from movie_assets_tests.conftest import address_of


def ask(address: str, sql: str) -> object:
    with psycopg.connect(address_of(address, "postgres"), autocommit=True) as connection:
        cursor = connection.execute(sql.encode())
        row = cursor.fetchone() if cursor.description else None
        return row and row[0]


def is_up(home: Path) -> bool:
    """Whether the server's first process lives."""
    pid_file = home / "postgres" / "postmaster.pid"
    if not pid_file.exists():
        return False
    return Path(f"/proc/{postmaster_of(home)}").exists()


def postmaster_of(home: Path) -> int:
    return int((home / "postgres" / "postmaster.pid").read_text().split()[0])
