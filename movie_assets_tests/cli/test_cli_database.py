"""The commands that connect other programs, as other processes run them."""

import json
import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
import sqlalchemy as sa

from movie_assets.database.addresses import libpq_url_of, url_of
from movie_assets.database.embedded import BINARIES
from movie_assets.database.embedded_keeper import kept_up_by
from movie_assets_tests.support.ports import free_port


@pytest.fixture
def home() -> Iterator[Path]:
    with tempfile.TemporaryDirectory(prefix="ma-", ignore_cleanup_errors=True) as folder:
        Path(folder).chmod(0o755)
        yield Path(folder) / "home"
        run(Path(folder) / "home", "database", "stop")


def run(home: Path, *arguments: str, **more: str) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", "from movie_assets.cli.main import main; main()", *arguments]
    names = {name: value for name, value in os.environ.items() if not name.startswith("MOVIE_ASSETS_")}
    environment = names | {"MOVIE_ASSETS_HOME": str(home)} | more
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=180, check=False)


def test_the_embedded_server_stays_up_until_it_is_stopped(home: Path) -> None:
    started = run(home, "database", "start")
    assert started.returncode == 0, started.stderr
    address = started.stdout.strip()
    assert address.startswith("postgresql://postgres@/movie_assets?host=")
    assert run(home, "database", "start").stdout.strip() == address
    assert run(home, "database", "url").stdout.strip() == address
    with psycopg.connect(address) as connection:
        assert connection.execute("select count(*) from catalog.movies").fetchone() == (0,)
    psql = subprocess.run(
        [str(BINARIES / "psql"), address, "-Atc", "select 7"], capture_output=True, text=True, check=True
    )
    assert psql.stdout == "7\n"
    of_sqlalchemy = run(home, "database", "url", "--sqlalchemy").stdout.strip()
    engine = sa.create_engine(of_sqlalchemy)
    with engine.connect() as connected:
        assert connected.exec_driver_sql("select 8").scalar() == 8
    engine.dispose()
    assert run(home, "database", "stop").returncode == 0
    assert kept_up_by(home) is None
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(address)
    assert "was not kept running" in run(home, "database", "stop").stderr


def test_a_keeper_that_was_killed_keeps_nothing_up_and_can_be_started_again(home: Path) -> None:
    run(home, "database", "start")
    process = kept_up_by(home)
    assert process is not None
    os.kill(process, signal.SIGKILL)
    while kept_up_by(home) is not None:
        pass
    assert run(home, "database", "start").returncode == 0
    assert kept_up_by(home) not in (None, process)


@pytest.fixture
def port() -> int:
    return free_port()


def test_a_port_is_open_for_who_has_the_password(home: Path, port: int) -> None:
    started = run(home, "database", "start", "--port", str(port))
    assert started.returncode == 0, started.stderr
    address = started.stdout.strip()
    url = url_of(address)
    assert (url.username, url.host, url.port, url.database) == ("postgres", "127.0.0.1", port, "movie_assets")
    assert run(home, "database", "url").stdout.strip() == address
    with psycopg.connect(address) as connection:
        assert connection.execute("select count(*) from catalog.movies").fetchone() == (0,)
        assert connection.execute("show listen_addresses").fetchone() == ("127.0.0.1",)
    psql = subprocess.run(
        [str(BINARIES / "psql"), address, "-Atc", "select 7"], capture_output=True, text=True, check=True
    )
    assert psql.stdout == "7\n"
    for other in ({"password": "guessed"}, {"password": ""}, {"dbname": "postgres", "password": "postgres"}):
        with pytest.raises(psycopg.OperationalError, match="password"):
            psycopg.connect(psycopg.conninfo.make_conninfo(address, passfile="/dev/null", **other))
    word = home / "postgres.password"
    assert (word.stat().st_mode & 0o777, word.read_text()) == (0o600, url.password)
    for file in [home / "postgres" / "server.log", home / "postgres.keeper.log"]:
        assert str(url.password) not in file.read_text()


def test_a_port_leaves_the_socket_and_the_password_as_they_are(home: Path, port: int) -> None:
    by_socket = run(home, "database", "start").stdout.strip()
    refused = run(home, "database", "start", "--port", str(port))
    assert (refused.returncode, "is up already, with no port" in refused.stderr) == (1, True)
    run(home, "database", "stop")
    with_port = run(home, "database", "start", "--port", str(port))
    assert with_port.returncode == 0, with_port.stderr
    psycopg.connect(by_socket).close()
    assert run(home, "database", "psql", "-Atc", "select 7").stdout == "7\n"
    os.kill(int((home / "postgres" / "postmaster.pid").read_text().split()[0]), signal.SIGKILL)
    time.sleep(1)
    url = run(home, "database", "url")
    assert url.stdout == with_port.stdout, url.stderr  # started again with what the keeper has
    run(home, "database", "stop")
    assert run(home, "database", "start", "--port", str(port)).stdout == with_port.stdout
    run(home, "database", "stop")
    assert run(home, "database", "start").stdout.strip() == by_socket
    psycopg.connect(by_socket).close()


def test_a_port_that_another_program_has_is_refused_in_a_sentence(home: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = run(home, "database", "start", "--port", str(port))
    assert refused.returncode == 1
    assert refused.stderr.splitlines()[-1] == (
        f"Error: port {port} of 127.0.0.1 cannot be used (Address already in use); choose another with --port"
    )
    assert kept_up_by(home) is None


def test_psql_gets_what_follows_and_no_address_among_its_arguments(home: Path) -> None:
    done = run(home, "database", "psql", "-Atc", "select current_database()")
    assert (done.returncode, done.stdout) == (0, "movie_assets\n")
    assert run(home, "database", "psql", "-v", "ON_ERROR_STOP=1", "-c", "select no_such_column").returncode == 1
    assert list(home.glob("psql-*.service")) == []


def test_a_text_becomes_the_vector_that_searches_take(home: Path) -> None:
    done = run(home, "embed", "a", "detective")
    vector = json.loads(done.stdout)
    assert (len(vector), round(sum(value * value for value in vector), 3)) == (4000, 1.0)
    assert run(home, "embed", "a detective").stdout == done.stdout


def test_a_server_of_ones_own_is_not_kept_up(home: Path) -> None:
    refused = run(home, "database", "start", MOVIE_ASSETS_DATABASE_URL="postgresql://u:secret@h/d")
    assert (refused.returncode, "names a server of yours" in refused.stderr) == (1, True)
    assert "secret" not in refused.stderr


def test_an_address_is_written_as_libpq_takes_it() -> None:
    for address in (
        "postgresql://u:p%40w@h:1/d?sslmode=require",
        "postgresql://u@/d?host=/a%20b",
        "postgres://u@a:1,b:2/d",
    ):
        url = url_of(address)
        read = psycopg.conninfo.conninfo_to_dict(libpq_url_of(url))
        assert read["dbname"] == "d"
        assert read["user"] == "u"
    assert psycopg.conninfo.conninfo_to_dict(libpq_url_of(url_of("postgres://u@a:1,b:2/d")))["host"] == "a,b"
