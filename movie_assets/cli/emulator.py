"""The command that serves the emulator, and its options."""

import errno
from copy import copy
from datetime import datetime
from pathlib import Path

import click

from movie_assets.cli.terminal import notes
from movie_assets.emulator.faults import FAULTS, fault_rates
from movie_assets.emulator.options import DEMO_MOVIES, DEMO_SERIES, EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator, serve
from movie_assets.emulator.server_makes import MAKES
from movie_assets.orchestration.startup import EMULATOR_TOKEN


@click.command("emulator")
@click.option(
    "--host",
    default="127.0.0.1",
    show_default=True,
    help="Address to listen on; 0.0.0.0 lets other containers connect.",
)
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Port to listen on; 0 chooses a free one.",
)
@click.option(
    "--movies",
    type=click.IntRange(1),
    default=DEMO_MOVIES,
    show_default=True,
    help="Number of films in the made-up world.",
)
@click.option(
    "--series",
    type=click.IntRange(0),
    default=DEMO_SERIES,
    show_default=True,
    help="Number of television series in the made-up world; 0 for films only.",
)
@click.option("--seed", default=1, show_default=True, help="Seed of the made-up world; another seed makes other films.")
@click.option(
    "--details", type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="Serve these recorded details (JSON lines, plain or gzipped) instead of a made-up world.",
)  # fmt: skip
@click.option(
    "--date",
    "day",
    type=click.DateTime(["%Y-%m-%d"]),
    help="Serve this day instead of following the calendar.",
)
@click.option(
    "--rate",
    type=click.IntRange(0),
    default=50,
    show_default=True,
    help="Requests per second before a 429; 0 for no limit.",
)
@click.option("--token", help="Accept only this token instead of any.")
@click.option(
    "--fault", "faults", multiple=True, metavar="NAME=RATE",
    help=f"Make a share of the responses (0 to 1) fail in this way, for example 503=0.1. Names: {', '.join(FAULTS)}.",
)  # fmt: skip
@click.option(
    "--embeddings-like",
    type=click.Choice(list(MAKES)),
    help="Imitate this embeddings server instead of OpenAI's.",
)
def tmdb_emulator(
    *, host: str, port: int, movies: int, series: int, seed: int, details: Path | None, day: datetime | None,
    rate: int, token: str | None, faults: tuple[str, ...], embeddings_like: str | None,
) -> None:  # fmt: skip
    """Serve an emulator of TMDB, of embeddings services and of rerank endpoints, until Ctrl-C.

    Prints the environment variables that make the pipeline use it.
    """
    try:
        options = EmulatorOptions(
            host=host, port=port, movies=movies, series=series, seed=seed, details=details,
            today=day.date() if day else None, rate_limit=rate, token=token, faults=fault_rates(faults),
            embeddings_like=embeddings_like,
        )  # fmt: skip
        serve(options, lambda ready: _print_variables(ready, token))
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise click.ClickException(f"port {port} is in use; choose another one: --port {port + 1}") from None
        raise click.ClickException(str(error)) from None
    except ValueError as error:
        raise click.ClickException(str(error)) from None


def former_name(command: click.Command, name: str) -> click.Command:
    """Return the command under a former name, which works but is not listed in any help."""
    alias = copy(command)
    alias.name, alias.hidden = name, True
    return alias


stand_in = former_name(tmdb_emulator, "stand-in")


def _print_variables(ready: TmdbEmulator, token: str | None) -> None:
    click.echo(f"export TMDB_API_URL={ready.tmdb_url}")
    click.echo(f"export TMDB_EXPORT_URL={ready.export_url}")
    click.echo(f"export MOVIE_ASSETS_IMDB_RATINGS={ready.imdb_ratings_url}")
    click.echo(f"export TMDB_API_TOKEN={token or EMULATOR_TOKEN}")
    click.echo(f"# and, to embed there too: export OPENAI_BASE_URL={ready.openai_url} OPENAI_API_KEY={EMULATOR_TOKEN}")
    click.echo(f"# or: export GEMINI_BASE_URL={ready.gemini_url} GEMINI_API_KEY={EMULATOR_TOKEN}")
    click.echo(f"# or: export COHERE_BASE_URL={ready.cohere_url} COHERE_API_KEY={EMULATOR_TOKEN}")
    click.echo(f"# or: export VOYAGE_BASE_URL={ready.voyage_url} VOYAGE_API_KEY={EMULATOR_TOKEN}")
    click.echo(
        f"# and, to rank there: export MOVIE_ASSETS_RERANK_URL={ready.rerank_url} MOVIE_ASSETS_RERANK_KEY="
        f"{EMULATOR_TOKEN} MOVIE_ASSETS_RERANK_MODEL=rerank-v3.5"
    )
    click.echo(f"# and, for ratings of OMDb: export OMDB_API_URL={ready.omdb_url} OMDB_API_KEY={EMULATOR_TOKEN}")
    notes.print(f"The emulator listens on {ready.url}; Ctrl-C stops it.")
