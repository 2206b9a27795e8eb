"""The command that serves the emulator, and what it takes."""

import errno
from datetime import datetime
from pathlib import Path

import click

from movie_assets.cli.terminal import notes
from movie_assets.emulator.faults import FAULTS
from movie_assets.emulator.options import DEMO_MOVIES, EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator, serve
from movie_assets.emulator.server_makes import MAKES
from movie_assets.orchestration.startup import EMULATOR_TOKEN


@click.command("stand-in")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; 0.0.0.0 where other containers connect.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Port to listen on; 0 takes a free one.",
)
@click.option(
    "--movies",
    type=click.IntRange(1),
    default=DEMO_MOVIES,
    show_default=True,
    help="Size of the made-up world, in ids.",
)
@click.option("--seed", default=1, show_default=True, help="Another seed makes another world.")
@click.option(
    "--details", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Serve these recorded details (JSON lines, plain or gzipped) instead of a made-up world.",
)  # fmt: skip
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Stay on this day instead of following the calendar.",
)
@click.option(
    "--rate",
    type=click.IntRange(0),
    default=50,
    show_default=True,
    help="Requests a second before 429s; 0 for no limit.",
)
@click.option("--token", help="Accept only this token instead of any.")
@click.option(
    "--fault", "faults", multiple=True, metavar="NAME=RATE",
    help=f"Make a share of the answers go wrong (0 to 1). Names: {', '.join(FAULTS)}.",
)  # fmt: skip
@click.option(
    "--embeddings-like", type=click.Choice(list(MAKES)), help="Play an embeddings server of another make than OpenAI."
)
def tmdb_emulator(
    *, host: str, port: int, movies: int, seed: int, details: Path | None, day: datetime | None, rate: int,
    token: str | None, faults: tuple[str, ...], embeddings_like: str | None,
) -> None:  # fmt: skip
    """Serve an emulator for TMDB and for an OpenAI-compatible embeddings endpoint, until Ctrl-C.

    Prints the variables that point the pipeline at it.
    """
    options = EmulatorOptions(
        host=host, port=port, movies=movies, seed=seed, details=details, today=day.date() if day else None,
        rate_limit=rate, token=token, faults=dict(map(_fault, faults)), embeddings_like=embeddings_like,
    )  # fmt: skip
    try:
        serve(options, lambda ready: _tell_variables(ready, token))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(f"port {port} is in use; say another one: --port {port + 1}") from None
        raise click.ClickException(str(error)) from None
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def _fault(text: str) -> tuple[str, float]:
    name, _, rate = text.partition("=")
    try:
        return name, float(rate or 1)
    except ValueError:
        raise click.BadParameter(f"{text}: a fault is NAME=RATE, for example 503=0.1", param_hint="--fault") from None


def _tell_variables(ready: TmdbEmulator, token: str | None) -> None:
    click.echo(f"export TMDB_API_URL={ready.tmdb_url}")
    click.echo(f"export TMDB_EXPORT_URL={ready.export_url}")
    click.echo(f"export MOVIE_ASSETS_IMDB_RATINGS={ready.imdb_ratings_url}")
    click.echo(f"export TMDB_API_TOKEN={token or EMULATOR_TOKEN}")
    click.echo(f"# and, to embed there too: export OPENAI_BASE_URL={ready.openai_url} OPENAI_API_KEY={EMULATOR_TOKEN}")
    notes.print(f"The emulator answers on {ready.url}; Ctrl-C stops it.")
