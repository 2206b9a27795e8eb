"""A full disk under the embedded server: its commands name the disk, what is kept and what to do, in one sentence."""

import asyncio
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import psycopg
import pytest

from movie_assets.database.addresses import DatabaseError
from movie_assets.database.creation import ensure_database
from movie_assets.database.database import Database
from movie_assets.database.embedded import EmbeddedPostgresError, embedded_data, embedded_postgres
from movie_assets.http_client.rate_limiter import RateLimiter
from movie_assets_tests.conftest import address_of

SENTENCE = (
    r"the disk of {folder}/home/postgres is full \(\d+ MiB are left\), so the embedded Postgres cannot go on; "
    "everything that was committed is kept: make room there, then run again"
)
ONLY_LOG = b"select pg_logical_emit_message(false, 'test', repeat('x', 1000000))"


@pytest.fixture
def disk() -> Iterator[Path]:
    """A disk of 300 MB of the test's own."""
    with tempfile.TemporaryDirectory(prefix="ma-") as folder:
        mounted = subprocess.run(
            ["mount", "-t", "tmpfs", "-o", "size=300m,mode=755", "tmpfs", folder],  # noqa: S607
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        if mounted.returncode:
            pytest.skip(f"a small disk cannot be mounted here: {mounted.stderr.strip()}")
        try:
            yield Path(folder)
        finally:
            subprocess.run(["umount", "--lazy", folder], check=True)  # noqa: S607


def fill(disk: Path, mebibytes_left: int = 0) -> Path:
    """Leave so much room on the disk."""
    free = os.statvfs(disk).f_bavail * os.statvfs(disk).f_frsize - mebibytes_left * 2**20
    with suppress(OSError):  # a server at work may be quicker, which fills the disk as well
        (disk / "fill").write_bytes(bytes(max(free, 0)))
    return disk / "fill"


def write_only_log(address: str) -> None:
    with psycopg.connect(address, autocommit=True) as connection:
        for _ in range(100):
            connection.execute(ONLY_LOG)


def command(disk: Path, *arguments: str) -> "subprocess.Popen[str]":
    names = {
        name: value for name, value in os.environ.items() if not name.startswith(("MOVIE_ASSETS_", "TMDB_", "OPENAI_"))
    }
    return subprocess.Popen(
        [sys.executable, "-c", "from movie_assets.cli.main import main; main()", *arguments],
        env=names | {"MOVIE_ASSETS_HOME": str(disk / "home")},
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_a_write_ahead_log_that_finds_no_room_is_told(disk: Path) -> None:
    home = disk / "home"
    with embedded_postgres(home) as server:
        address = address_of(server, "catalogue")
        ensure_database(address)
        database = Database(address, embedded_data(address, home))
        with database.transaction() as connection:
            connection.exec_driver_sql("create table kept as select 42 as number")
        full = fill(disk)
        with pytest.raises(psycopg.OperationalError):
            write_only_log(address)
        with pytest.raises(DatabaseError, match=SENTENCE.format(folder=disk)):
            database.fetch_value(int, "count_movies")
        with pytest.raises(DatabaseError, match=SENTENCE.format(folder=disk)):
            asyncio.run(RateLimiter(database, "tmdb", 50).acquire())
        database.close()
    with pytest.raises(EmbeddedPostgresError, match=SENTENCE.format(folder=disk)), embedded_postgres(home):
        pass
    full.unlink()
    with embedded_postgres(home) as server, psycopg.connect(address_of(server, "catalogue")) as raw:
        assert raw.execute("select number from kept").fetchone() == (42,)


def test_a_disk_that_is_full_before_the_first_start_is_told(disk: Path) -> None:
    fill(disk, mebibytes_left=8)
    with pytest.raises(EmbeddedPostgresError, match=SENTENCE.format(folder=disk)), embedded_postgres(disk / "home"):
        pass


@pytest.mark.parametrize("how", ["no room for data", "no room for the write-ahead log"])
def test_a_refresh_whose_disk_fills_up_ends_with_one_sentence(disk: Path, how: str) -> None:
    process = command(disk, "refresh")
    assert process.stderr is not None
    lines = []
    for line in process.stderr:
        lines.append(line)
        if line.startswith("fetch details"):
            break
    time.sleep(1)
    fill(disk)
    if how == "no room for the write-ahead log":
        address = f"postgresql://postgres@/movie_assets?host={disk}/home/postgres.sockets"
        with pytest.raises(psycopg.OperationalError):
            write_only_log(address)
    try:
        _, rest = process.communicate(timeout=180)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGTERM)
        raise
    output = "".join(lines) + rest
    assert process.returncode == 1, output
    assert "Traceback" not in output
    assert "[SQL:" not in output
    last = output.splitlines()[-1]
    assert "is full" in last, output
    assert f"the disk of {disk}/home/postgres is full" in output
