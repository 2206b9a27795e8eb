"""Postgres's troubles, at each stage: connections cut, restarts, a full disk, deadlocks, locks, no writes."""

import subprocess
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa

from movie_assets.database import embedded as embedded_postgres
from movie_assets.database import retry as retry_policy
from movie_assets.database.addresses import dsn_of
from movie_assets.database.database import Database
from movie_assets.database.sessions import SESSION_SETTINGS
from movie_assets_tests.chaos.conftest import ALL_STAGES, BY_NAME, Chaos, Stage, at
from movie_assets_tests.chaos.server import Server

QUICK_RESTART = BY_NAME["embeddings"]


def survives(chaos: Chaos, stage: Stage, fault: str) -> None:
    """The job that was hit ends well, in that same run, and nothing is fetched or paid for twice."""
    result = chaos.pipeline.run(stage.job)
    seconds = chaos.seconds()
    assert result.success
    chaos.run_after(stage)
    assert chaos.compare(fault, stage.name, seconds).is_true
    assert (chaos.asked, chaos.embedded) == (chaos.truth.details, chaos.truth.texts)


def fails_and_goes_on(chaos: Chaos, stage: Stage, fault: str, message: str, relieve: Callable[[], object]) -> None:
    """The job that was hit fails with a sentence; the next run of it, after relief, ends well."""
    result = chaos.pipeline.run(stage.job)
    assert not result.success
    assert message in messages_of(result)
    assert "everything committed before is kept" in messages_of(result)
    relieve()
    chaos.struck_at = time.monotonic()
    chaos.pipeline.run_all(stage.job)
    seconds = chaos.seconds()
    chaos.run_after(stage)
    assert chaos.compare(fault, stage.name, seconds).is_true
    assert chaos.is_frugal(stage.job)


def messages_of(result: Any) -> str:
    """The first step's failure; those that do not depend on it may fail after it."""
    failures = [event.step_failure_data for event in result.all_events if event.event_type_value == "STEP_FAILURE"]
    return str(failures[0].error)


# F32, F33


@pytest.mark.parametrize("stage", at(ALL_STAGES, "details"))
def test_cut_connections(chaos: Chaos, stage: Stage) -> None:
    chaos.run_before(stage)
    chaos.strike(stage, chaos.cut)
    survives(chaos, stage, "F32 all connections cut")


@pytest.mark.parametrize(
    ("mode", "stage"),
    [
        pytest.param(
            mode,
            stage,
            id=f"{mode}-{stage.name}",
            marks=() if stage is QUICK_RESTART and mode == "immediate" else pytest.mark.chaos,
        )
        for mode, stages in (("fast", ALL_STAGES), ("immediate", ALL_STAGES))
        for stage in stages
    ],
)
def test_a_restart(chaos: Chaos, stage: Stage, mode: str) -> None:
    server = Server(chaos.server)
    chaos.run_before(stage)
    chaos.strike(stage, lambda: server.is_away_for(1.5, mode))
    survives(chaos, stage, f"F33 restart, {mode}, away for 1.5 s")


# F34


class SmallDisk:
    """The pipeline's tables on a small disk of their own, which can be filled."""

    def __init__(self, folder: Path) -> None:
        self.filler = folder / "filler"

    @classmethod
    @contextmanager
    def mounted(cls, chaos: Chaos) -> Iterator["SmallDisk"]:
        folder = Path(tempfile.mkdtemp(prefix="small_disk_"))  # not under pytest's, which nobody else may enter
        folder.chmod(0o755)
        mount = ["mount", "-t", "tmpfs", "-o", "size=96m,mode=755", "tmpfs", str(folder)]
        if subprocess.run(mount, capture_output=True, check=False).returncode:
            folder.rmdir()
            pytest.skip("a disk that can be filled takes a tmpfs, and mounting one takes root with CAP_SYS_ADMIN")
        name, tables = f"small_{chaos.database.url.database}", folder / "tables"
        try:
            embedded_postgres._make_folder(tables, embedded_postgres._server_user())
            chaos.database.close()
            chaos.administer(
                f"create tablespace {name} location '{tables}'",
                f"alter database {chaos.database.url.database} set tablespace {name}",
            )
            yield cls(folder)
            chaos.database.close()
            chaos.administer(
                f"alter database {chaos.database.url.database} set tablespace pg_default",
                f"drop tablespace {name}",
            )
        finally:
            subprocess.run(["umount", "-l", str(folder)], check=True)  # noqa: S607
            folder.rmdir()

    def fill(self) -> None:
        """Write until nothing fits any more."""
        with self.filler.open("wb", buffering=0) as file:
            try:
                while True:
                    file.write(b"x" * 2**12)
            except OSError:
                return

    def make_room(self) -> None:
        """Take the filler away."""
        self.filler.unlink()


@pytest.mark.parametrize("stage", at(ALL_STAGES))
def test_a_full_disk(chaos: Chaos, stage: Stage) -> None:
    chaos.run_before(stage)
    with SmallDisk.mounted(chaos) as disk:
        chaos.strike(stage, disk.fill, "before")
        fails_and_goes_on(chaos, stage, "F34 disk full", "the database server's disk is full", disk.make_room)


# F35


@pytest.mark.parametrize("stage", at([BY_NAME["details"]], "details"))
def test_a_deadlock(chaos: Chaos, stage: Stage, caplog: pytest.LogCaptureFixture) -> None:
    """Another session holds the row that the chunk wants last, and asks for one that the chunk has."""
    chaos.run_before(stage)
    with psycopg.connect(dsn_of(chaos.database.url)) as other:
        ids = "select tmdb_id from pipeline.movie_ids where state = 'candidate' order by tmdb_id"
        due = [row[0] for row in other.execute(ids.encode()).fetchall()]
        threads: list[threading.Thread] = []

        def cross() -> None:
            other.execute("set deadlock_timeout = '20s'")
            other.execute("select 1 from pipeline.movie_ids where tmdb_id = %s for update", (due[-1],))
            thread = threading.Thread(target=want_the_first)
            thread.start()
            threads.append(thread)

        def want_the_first() -> None:
            held_up = "select from pg_locks where not granted and pg_backend_pid() = any(pg_blocking_pids(pid))"
            end = time.monotonic() + 30
            while not other.execute(held_up).fetchall() and time.monotonic() < end:
                time.sleep(0.05)
            other.execute("select 1 from pipeline.movie_ids where tmdb_id = any(%s) for update", (due[:-1],))
            other.rollback()

        chaos.strike(stage, cross, "before")
        survives(chaos, stage, "F35 deadlock with another session")
        for thread in threads:
            thread.join(30)
    assert "another transaction got in the way (deadlock detected" in caplog.text


@pytest.mark.chaos
@pytest.mark.parametrize("state", ["40001", "40P01"])
@pytest.mark.parametrize("stage", [pytest.param(stage, id=stage.name) for stage in ALL_STAGES])
def test_a_collision(chaos: Chaos, stage: Stage, state: str) -> None:
    chaos.run_before(stage)

    def collide() -> None:
        error = psycopg.errors.lookup(state)("made up at the driver's border")
        raise error

    chaos.strike(stage, collide)
    survives(chaos, stage, f"F35 SQLSTATE {state}")


# F36


@pytest.fixture
def impatient(chaos: Chaos, monkeypatch: pytest.MonkeyPatch) -> Chaos:
    """Sessions that wait for a lock no longer than half a second."""
    monkeypatch.setitem(SESSION_SETTINGS, "lock_timeout", "500")
    return reopened(chaos)


def reopened(chaos: Chaos) -> Chaos:
    address = chaos.database.url.render_as_string(hide_password=False)
    chaos.database.close()
    chaos.pipeline.database = Database(address)
    return chaos


@pytest.mark.parametrize("stage", at(ALL_STAGES))
def test_a_lock_that_another_session_holds(impatient: Chaos, stage: Stage) -> None:
    chaos = impatient
    tables = {
        "export": "pipeline.exports",
        "ids": "pipeline.movie_ids",
        "lists": "pipeline.discovered",
        "details": "pipeline.movie_ids",
        "embeddings": "pipeline.embeddings",
        "vectors": "pipeline.embeddings",
        "index build": "catalog.title_vectors_1",
        "similar films": "catalog.similar_movies",
        "documents": "catalog.search_documents",
        "aggregates": "catalog.rating_aggregates",
        "series export": "pipeline.series_exports",
        "series ids": "pipeline.title_ids",
        "series changes": "pipeline.changed_titles",
        "series lists": "pipeline.discovered_titles",
        "series details": "pipeline.season_details",
    }
    chaos.run_before(stage)
    with psycopg.connect(dsn_of(chaos.database.url)) as other:

        def lock() -> None:
            other.execute("set lock_timeout = '10s'")  # the test's error, where the pipeline itself holds it
            other.execute(f"lock table {tables[stage.name]}".encode())

        chaos.strike(stage, lock, "before")
        fails_and_goes_on(chaos, stage, "F36 lock held by another session", "pg_blocking_pids", other.rollback)
    chaos.database.close()


@pytest.mark.parametrize("stage", at(ALL_STAGES))
def test_a_statement_that_takes_too_long(chaos: Chaos, stage: Stage) -> None:
    """The statement itself waits for nothing; a timeout of a millisecond and a sleep make it slow."""
    chaos.run_before(stage)
    struck: list[int] = []

    def slow_down(connection: sa.Connection, *_: object) -> None:
        if not struck and chaos.struck_at:
            struck.append(1)
            connection.exec_driver_sql("set local statement_timeout = 20")
            connection.exec_driver_sql("select pg_sleep(5)")

    chaos.strike(stage, lambda: None, "before")
    sa.event.listen(chaos.database.engine, "after_cursor_execute", slow_down)
    fails_and_goes_on(chaos, stage, "F36 statement timeout", "took too long", lambda: None)


# F37


def takes_writes(chaos: Chaos, *, writes: bool) -> None:
    setting = "off" if writes else "on"
    chaos.administer(f"alter database {chaos.database.url.database} set default_transaction_read_only = {setting}")
    chaos.cut()


@pytest.mark.parametrize("stage", at(ALL_STAGES))
def test_a_server_that_takes_no_writes_for_a_while(chaos: Chaos, stage: Stage) -> None:
    chaos.run_before(stage)

    def fail_over() -> None:
        takes_writes(chaos, writes=False)
        threading.Timer(1.5, takes_writes, (chaos,), {"writes": True}).start()

    chaos.strike(stage, fail_over)
    survives(chaos, stage, "F37 no writes for 1.5 s")


@pytest.mark.parametrize("stage", at(ALL_STAGES))
def test_a_server_that_takes_no_writes(chaos: Chaos, stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retry_policy, "SECONDS_TO_WAIT", 1.0)
    chaos.run_before(stage)
    chaos.strike(stage, lambda: takes_writes(chaos, writes=False))
    fails_and_goes_on(chaos, stage, "F37 no writes at all", "takes no writes", lambda: takes_writes(chaos, writes=True))
