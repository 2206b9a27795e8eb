"""The command line `movie-assets`: a command opens the database, calls one function and prints the result.

A command's module is imported when the command is called or explained. `movie-assets --help` imports none of them.
"""

import importlib
import signal
import sys
from types import FrameType

import click

from movie_assets.cli.command import importing
from movie_assets.config.paths import CHECKOUT

# The module of each command in this package, its name there, and the first sentence of its help; none if it is hidden.
COMMANDS: dict[str, tuple[str, str, str | None]] = {
    "alert": ("alerts", "alert_command", "Send a test message, list what is broken now, and mute alerts for a while."),
    "calendar": (
        "calendar",
        "calendar_command",
        "List what comes out when: releases of movies in a country, and episodes of series.",
    ),
    "compare-models": (
        "compare_models",
        "compare_models_command",
        "Compare embedding models on films of your own catalogue, before you pay for all of it.",
    ),
    "cost": (
        "daily",
        "cost_command",
        "Estimate the cost of embedding with each model whose price is known; nothing is sent or changed.",
    ),
    "database": ("database", "database_command", "Connect your own programs to the catalogue's Postgres."),
    "demo": (
        "daily",
        "demo_command",
        "Run the whole pipeline for three days on made-up services, and show the result.",
    ),
    "dev": (
        "daily",
        "dev_command",
        "Open the catalogue in the Dagster web UI, with daemon, schedules and sensors, until Ctrl-C.",
    ),
    "embed": (
        "embed",
        "embed_command",
        "Embed a text with the model of the settings, and print its vector as SQL takes it: [0.1,0.2,…].",
    ),
    "emulator": (
        "emulator",
        "tmdb_emulator",
        "Serve an emulator of TMDB, of embeddings services and of rerank endpoints, until Ctrl-C.",
    ),
    "fetch": (
        "daily",
        "fetch_command",
        "Fetch films or series by their TMDB ids now, whether or not they are due, and publish the result.",
    ),
    "forget": (
        "imports",
        "forget_command",
        "Delete everything that is stored about a person: histories, file entries, recommendations, series.",
    ),
    "health": (
        "health",
        "health_command",
        "Report what is broken right now: services, credentials, database, disk, freshness, gaps, runs, sensors.",
    ),
    "import": ("imports", "import_command", "Import the films that somebody watched, rated or wants to watch."),
    "migrate": (
        "daily",
        "migrate_command",
        "Migrate the catalogue's schema and Dagster's own database to this version, and start nothing.",
    ),
    "providers": (
        "providers",
        "providers_command",
        "List the providers of embeddings: models, prices, limits, dimensions, and the settings that each needs.",
    ),
    "recommend": (
        "search",
        "recommend_command",
        "Recommend films to somebody who loved, liked or disliked others; the named films are left out.",
    ),
    "refresh": (
        "daily",
        "refresh_command",
        "Bring the catalogue up to date: run the same Dagster jobs as the web UI, in this process.",
    ),
    "review": (
        "imports",
        "review_command",
        "List the names in imports that may mean several films, or decide one: FILM is a TMDB id, none, or open.",
    ),
    "search": (
        "search",
        "search_command",
        "Find films by title, people, keywords or plot; spelling mistakes are tolerated.",
    ),
    "sets": ("sets", "sets_command", "List the embedding sets with their model, state, number of films and cost."),
    "similar": (
        "search",
        "similar_command",
        "Find films similar to one, given by its title (with its year, if there are several) or its TMDB id.",
    ),
    "stand-in": ("emulator", "stand_in", None),
    "status": (
        "daily",
        "status_command",
        "Show the state of the catalogue: number of films, last export, ids dropped by each rule, cost.",
    ),
}


class _Group(click.Group):
    """Imports the command that is called, and prints an expected error as one sentence instead of a traceback."""

    def list_commands(self, context: click.Context) -> list[str]:  # noqa: ARG002  # the signature of click
        return sorted(COMMANDS)

    def get_command(self, context: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002  # as above
        if cmd_name not in COMMANDS:
            return None
        module, name, _ = COMMANDS[cmd_name]
        with importing():
            command: click.Command = getattr(importlib.import_module(f"movie_assets.cli.{module}"), name)
        return command

    def format_commands(self, context: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        shown = [click.Command(name, help=text) for name, (_, _, text) in sorted(COMMANDS.items()) if text]
        width = formatter.width - 6 - max(len(command.name or "") for command in shown)
        with formatter.section("Commands"):
            formatter.write_dl([(command.name or "", command.get_short_help_str(width)) for command in shown])

    def parse_args(self, context: click.Context, args: list[str]) -> list[str]:
        for argument in args:
            try:
                argument.encode()
            except UnicodeEncodeError:
                shown = argument.encode(errors="replace").decode()
                raise click.UsageError(f"the argument “{shown[:80]}” is not UTF-8 text") from None
        return super().parse_args(context, args)

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except (click.ClickException, click.exceptions.Exit, click.Abort):
            raise
        except Exception as error:
            from movie_assets.cli.errors import expected_sentence  # noqa: PLC0415  # it imports most of the rooms

            sentence = expected_sentence(error)
            if sentence is None:
                raise
            raise click.ClickException(sentence) from None
        except KeyboardInterrupt:
            click.echo("Stopped. The work that is done is kept; run the command again to continue.", err=True)
            sys.exit(130)


@click.group(
    cls=_Group,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.version_option(package_name="movie_assets")
@click.pass_context
def main(context: click.Context) -> None:
    """Keep a searchable movie catalogue with vectors up to date, in your own Postgres.

    Begin with `movie-assets demo`, which needs no keys. Then `movie-assets dev` opens the same catalogue in the
    Dagster web UI. Settings are environment variables; docs/settings.md lists them.
    """
    if context.invoked_subcommand is None:
        click.echo(context.get_help())
        return
    from dotenv import load_dotenv  # noqa: PLC0415  # the help needs neither this nor the settings

    from movie_assets.cli.terminal import notes  # noqa: PLC0415  # as above
    from movie_assets.config.settings import Settings  # noqa: PLC0415  # as above

    load_dotenv(CHECKOUT / ".env")  # as Dagster's own commands do; it does not replace exported variables
    for warning in Settings.misspelt():
        notes.print(f"[yellow]{warning}[/]", highlight=False)
    signal.signal(signal.SIGTERM, _leave)  # ends `with` blocks, which stops the embedded server


def _leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the signature of a handler
    sys.exit(128 + number)
