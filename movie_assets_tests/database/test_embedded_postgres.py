"""The embedded server: started, shared, stopped by the last user, and healed after every kind of kill."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from movie_assets.database.creation import ensure_database
from movie_assets.database.database import Database
from movie_assets.database.embedded import BINARIES, EmbeddedPostgresError, embedded_postgres
from movie_assets.database.migrations import migrate
from movie_assets_tests.conftest import address_of
from movie_assets_tests.database.embedded_homes import ask, is_up, postmaster_of

USER = """
import sys
from pathlib import Path
from movie_assets.database.embedded import embedded_postgres
with embedded_postgres(Path(sys.argv[1])) as address:
    print(address, flush=True)
    sys.stdin.readline()
"""


def kill_server(home: Path) -> None:
    """Kill the server's first process and wait until nothing is left of it."""
    pid = postmaster_of(home)
    os.kill(pid, signal.SIGKILL)
    deadline = time.monotonic() + 10
    while Path(f"/proc/{pid}").exists() and time.monotonic() < deadline:
        time.sleep(0.02)


@contextmanager
def another_process(home: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that uses the server until a line is sent to it."""
    process = subprocess.Popen(
        [sys.executable, "-c", USER, str(home)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("postgresql://")
    try:
        yield process
    finally:
        process.communicate("leave\n" if process.poll() is None else None, timeout=120)


def test_a_server_starts_where_there_was_nothing_and_stops(home: Path) -> None:
    with embedded_postgres(home) as address:
        assert ask(address, "select 1") == 1
        assert is_up(home)
    assert not is_up(home)


def test_it_brings_what_the_catalogue_needs(started: tuple[Path, str]) -> None:
    address = address_of(started[1], "catalogue")
    ensure_database(address)
    database = Database(address)
    assert migrate(database)
    database.close()


def test_its_data_survives_a_restart(home: Path) -> None:
    with embedded_postgres(home) as address:
        ask(address, "create table kept as select 42 as number")
    with embedded_postgres(home) as address:
        assert ask(address, "select number from kept") == 42


def test_it_listens_on_no_network(started: tuple[Path, str]) -> None:
    assert ask(started[1], "show listen_addresses") == ""


def test_a_process_may_use_it_twice(started: tuple[Path, str]) -> None:
    home, outer = started
    with embedded_postgres(home) as inner:
        assert inner == outer
    assert ask(outer, "select 1") == 1


def test_two_processes_share_it_and_the_last_stops_it(used_home: Path) -> None:
    with another_process(used_home):
        with embedded_postgres(used_home) as address:
            assert ask(address, "select 1") == 1
        assert is_up(used_home)
    assert not is_up(used_home)


def test_two_processes_may_start_it_at_once(home: Path) -> None:
    command = [sys.executable, "-c", USER, str(home)]
    both = [subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) for _ in range(2)]
    addresses = {process.communicate("leave\n", timeout=120)[0] for process in both}
    assert len(addresses) == 1
    assert [process.returncode for process in both] == [0, 0]
    assert not is_up(home)


def test_a_killed_user_does_not_keep_it_up_for_ever(used_home: Path) -> None:
    with another_process(used_home) as process:
        process.kill()
        process.wait()
        assert is_up(used_home)
        with embedded_postgres(used_home) as address:
            assert ask(address, "select 1") == 1
        assert not is_up(used_home)


def test_a_killed_server_comes_back_with_its_data(used_home: Path) -> None:
    with another_process(used_home) as process:
        with embedded_postgres(used_home) as address:
            ask(address, "create table kept as select 42 as number")
        process.kill()
        process.wait()
        kill_server(used_home)
    with embedded_postgres(used_home) as address:
        assert ask(address, "select number from kept") == 42


def test_a_server_starts_when_the_last_process_of_a_killed_one_has_ended(used_home: Path) -> None:
    with another_process(used_home) as process:
        pid = postmaster_of(used_home)
        child = int(Path(f"/proc/{pid}/task/{pid}/children").read_text().split()[0])
        process.kill()
        process.wait()
        os.kill(child, signal.SIGSTOP)
        kill_server(used_home)
    resume = threading.Timer(3, os.kill, (child, signal.SIGCONT))
    resume.start()
    with embedded_postgres(used_home) as address:
        assert not resume.is_alive()
        assert ask(address, "select 1") == 1


def test_leaving_a_server_that_has_died_is_no_error(used_home: Path) -> None:
    with embedded_postgres(used_home):
        kill_server(used_home)


def test_an_error_inside_comes_out_as_it_is_and_the_server_stops(used_home: Path) -> None:
    with pytest.raises(ZeroDivisionError), embedded_postgres(used_home):
        _ = 1 / 0
    assert not is_up(used_home)


def test_a_data_folder_that_was_half_made_is_made_anew(home: Path) -> None:
    half = home / "postgres.new" / "base"
    half.mkdir(parents=True)
    (home / "postgres.new" / "PG_VERSION").write_text("18\n")
    with embedded_postgres(home) as address:
        assert ask(address, "select 1") == 1
    assert not (home / "postgres.new").exists()


def test_an_empty_data_folder_is_filled(home: Path) -> None:
    (home / "postgres").mkdir(parents=True)
    with embedded_postgres(home) as address:
        assert ask(address, "select 1") == 1


def test_data_of_another_major_version_is_refused_in_a_sentence(home: Path) -> None:
    data = home / "postgres"
    data.mkdir(parents=True)
    (data / "PG_VERSION").write_text("16\n")
    with (
        pytest.raises(EmbeddedPostgresError, match=r"written by PostgreSQL 16 and this is 18.*MOVIE_ASSETS_HOME"),
        embedded_postgres(home),
    ):
        pass
    assert (data / "PG_VERSION").read_text() == "16\n"


def test_a_left_over_pid_file_does_not_count_as_a_server(used_home: Path) -> None:
    leave_pid_file(used_home, 2**22 - 1)
    with embedded_postgres(used_home) as address:
        assert ask(address, "select 1") == 1


def test_a_server_starts_when_the_process_of_the_pid_file_has_ended(used_home: Path) -> None:
    owner = (used_home / "postgres").stat().st_uid
    with subprocess.Popen(["/bin/sleep", "3"], user=owner) as other:
        leave_pid_file(used_home, other.pid)
        ends = threading.Thread(target=other.wait)
        ends.start()
        with embedded_postgres(used_home) as address:
            assert ask(address, "select 1") == 1
            assert not ends.is_alive()


def leave_pid_file(home: Path, pid: int) -> None:
    """Leave the file of a server that did not stop, with the number of a process."""
    with embedded_postgres(home):
        text = (home / "postgres" / "postmaster.pid").read_text()
    pid_file = home / "postgres" / "postmaster.pid"
    pid_file.write_text("\n".join([str(pid), *text.splitlines()[1:]]) + "\n")
    os.chown(pid_file, (home / "postgres").stat().st_uid, -1)
    pid_file.chmod(0o600)


def test_the_cache_has_the_size_of_the_setting_and_bounds_index_builds(used_home: Path) -> None:
    with embedded_postgres(used_home, memory_mb=96) as address:
        assert ask(address, "select current_setting('shared_buffers')") == "96MB"
        assert ask(address, "select current_setting('movie_assets.memory_mb')") == "96"
    with embedded_postgres(used_home) as address:
        assert ask(address, "select current_setting('shared_buffers')") == "1GB"


def test_the_error_has_the_log_of_a_server_that_does_not_start(used_home: Path) -> None:
    with embedded_postgres(used_home):
        pass
    with (used_home / "postgres" / "postgresql.conf").open("a") as file:
        file.write("\nno_such_setting = on\n")
    with pytest.raises(EmbeddedPostgresError, match=r"did not start; .*no_such_setting"), embedded_postgres(used_home):
        pass


def test_the_binaries_are_where_the_package_has_them() -> None:
    assert {"initdb", "pg_ctl", "postgres"} <= {path.name for path in BINARIES.iterdir()}
