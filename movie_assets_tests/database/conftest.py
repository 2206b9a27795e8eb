"""Fixtures that several test modules of this room use."""

import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from movie_assets.config.paths import SQL
from movie_assets.database import migrations
from movie_assets.database.creation import ensure_database
from movie_assets.database.database import Database
from movie_assets.database.embedded import embedded_postgres
from movie_assets_tests.database.empty_databases import as_administrator


@pytest.fixture
def empty(server: str, empty_address: str) -> Iterator[Database]:
    """A database without anything in it."""
    ensure_database(empty_address)
    opened = Database(empty_address)
    yield opened
    opened.close()
    as_administrator(server, f"drop database {opened.url.database} with (force)")


@pytest.fixture
def own_sql(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the SQL files that a test may edit."""
    shutil.copytree(SQL, tmp_path / "sql")
    monkeypatch.setattr(migrations, "SQL", tmp_path / "sql")
    return tmp_path / "sql"


@pytest.fixture
def home() -> Iterator[Path]:
    """A short path: pytest's own are near the limit of a socket's address."""
    with tempfile.TemporaryDirectory(prefix="ma-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"


@pytest.fixture(scope="module")
def initialised() -> Iterator[Path]:
    """A home whose server was started and stopped once."""
    with tempfile.TemporaryDirectory(prefix="ma-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        with embedded_postgres(Path(folder) / "home"):
            pass
        yield Path(folder) / "home"


@pytest.fixture
def used_home(initialised: Path, home: Path) -> Path:
    """A copy of that home: making a data folder takes longer than anything else here."""
    subprocess.run(["cp", "-a", str(initialised), str(home)], check=True)  # noqa: S607
    return home


@pytest.fixture(scope="module")
def started() -> Iterator[tuple[Path, str]]:
    """A home and its server's address, for tests that only look."""
    with tempfile.TemporaryDirectory(prefix="ma-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        with embedded_postgres(Path(folder) / "home") as address:
            yield Path(folder) / "home", address
