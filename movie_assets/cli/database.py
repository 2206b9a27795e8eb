"""The commands that connect other programs: the catalogue's address, the embedded server, psql."""

import os
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import click
import sqlalchemy as sa
from psycopg.conninfo import conninfo_to_dict

from movie_assets.cli.terminal import notes
from movie_assets.config.settings import Settings
from movie_assets.database.addresses import dsn_of, libpq_url_of, url_of
from movie_assets.database.embedded import (
    BINARIES,
    EmbeddedPostgresError,
    embedded_postgres,
)
from movie_assets.database.embedded_keeper import kept_up_by, stop_keeping_up
from movie_assets.database.embedded_network import network_url
from movie_assets.orchestration.startup import database_for

SECONDS_TO_START = 90
SECONDS_BETWEEN_POLLS = 0.2
KEEPER = """
import sys
from pathlib import Path
from movie_assets.database.embedded import keep_up
keep_up(Path(sys.argv[1]))
"""


@click.group("database")
def database_command() -> None:
    """Connect your own programs to the catalogue's Postgres.

    Without MOVIE_ASSETS_DATABASE_URL the catalogue is in an embedded server, which runs only while a command uses it.
    `start` keeps it running until `stop`.

    Example: movie-assets database start && psql "$(movie-assets database url)"
    """


@database_command.command("url")
@click.option("--sqlalchemy", is_flag=True, help="Print it in the form that SQLAlchemy takes: postgresql+psycopg://…")
def url_command(sqlalchemy: bool) -> None:
    """Print the catalogue's address with its password, in the form that psql, psycopg and other programs take.

    For the embedded server this is the address of its TCP port if it was started with --port, and otherwise that of
    its socket.
    """
    settings = Settings.from_env()
    with database_for(settings) as ready:
        url = _url_for_others(settings, ready)
        click.echo(url.render_as_string(hide_password=False) if sqlalchemy else libpq_url_of(url))
    if settings.database_url is None and kept_up_by(settings.home) is None:
        notes.print("The embedded server stops when the command ends; `movie-assets database start` keeps it running.")


@database_command.command("start")
@click.option(
    "--port", type=click.IntRange(1024, 65535), help="Listen on this port of 127.0.0.1 too, and require a password."
)
def start_command(port: int | None) -> None:
    """Keep the embedded server running until `movie-assets database stop`, even if this terminal is closed.

    Use --port for programs on this machine that cannot connect to its socket. The password is generated once. It is
    part of the printed address and is stored in the data folder.

    Example: movie-assets database start --port 5433
    """
    settings = Settings.from_env()
    if settings.database_url is not None:
        raise EmbeddedPostgresError("MOVIE_ASSETS_DATABASE_URL names a server of yours; the embedded one is not used")
    # This block migrates the catalogue, and keeps the server running until the keeper has started.
    with embedded_postgres(settings.home, port, settings.postgres_memory_mb), database_for(settings) as ready:
        if kept_up_by(settings.home) is None:
            _start_keeper(settings.home)
        click.echo(libpq_url_of(_url_for_others(settings, ready)))
    notes.print("The embedded server keeps running; `movie-assets database stop` ends it.")


def _start_keeper(home: Path) -> None:
    with (home / "postgres.keeper.log").open("ab") as log:
        keeper = subprocess.Popen(
            [sys.executable, "-c", KEEPER, str(home)],
            stdin=subprocess.DEVNULL, stdout=log, stderr=log, start_new_session=True,
        )  # fmt: skip
    end = time.monotonic() + SECONDS_TO_START
    while kept_up_by(home) is None:
        if keeper.poll() is not None or time.monotonic() > end:
            raise EmbeddedPostgresError(f"the server could not be kept running; {log.name} has the reason")
        time.sleep(SECONDS_BETWEEN_POLLS)


def _url_for_others(settings: Settings, ready: Settings) -> sa.URL:
    """Return the address for other programs: the embedded server's TCP port if it is open."""
    assert ready.database_url is not None  # noqa: S101  # database_for sets it
    url = url_of(ready.database_url.get_secret_value())
    return network_url(settings.home, url) if settings.database_url is None else url


@database_command.command("stop")
def stop_command() -> None:
    """Stop the embedded server as soon as no command uses it."""
    settings = Settings.from_env()
    was_kept_up = stop_keeping_up(settings.home)
    notes.print(
        "The embedded server is no longer kept running." if was_kept_up else "The embedded server was not kept running."
    )


@database_command.command("psql", context_settings={"ignore_unknown_options": True})
@click.argument("arguments", nargs=-1, type=click.UNPROCESSED)
def psql_command(arguments: tuple[str, ...]) -> None:
    """Open psql on the catalogue, and pass it the arguments that follow.

    Uses the psql in your PATH, or the one that comes with the embedded server.

    Example: movie-assets database psql -c "select count(*) from catalog.titles"
    """
    program = shutil.which("psql") or str(BINARIES / "psql")
    with database_for(Settings.from_env()) as ready:
        assert ready.database_url is not None  # noqa: S101  # database_for sets it
        address = dsn_of(url_of(ready.database_url.get_secret_value()))
        if not Path(program).exists():
            raise EmbeddedPostgresError("psql is not installed (Debian: apt-get install postgresql-client)")
        with _service(address, ready.home) as environment:
            completed = subprocess.run([program, "service=movie_assets", *arguments], env=environment, check=False)
    sys.exit(completed.returncode)


@contextmanager
def _service(address: str, home: Path) -> Iterator[dict[str, str]]:
    """Yield an environment with a service file that has the address, as `ps` shows arguments to all users."""
    parts = [f"{name}={value}" for name, value in conninfo_to_dict(address).items()]
    file = home / f"psql-{os.getpid()}.service"
    file.touch(mode=0o600)
    try:
        file.write_text("\n".join(["[movie_assets]", *parts, ""]), encoding="utf-8")
        yield os.environ | {"PGSERVICEFILE": str(file)}
    finally:
        file.unlink()
