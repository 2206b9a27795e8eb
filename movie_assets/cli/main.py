"""The command line `movie-assets`: a command opens the database, calls one function and prints the result.

This module has the commands of the daily work. Each other group of commands has a module beside it.
"""

import json
import signal
import sys
from datetime import UTC, datetime
from types import FrameType

import click
import sqlalchemy as sa
from dotenv import load_dotenv
from rich.markup import escape

from movie_assets.cli import report
from movie_assets.cli.alerts import alert_command
from movie_assets.cli.compare_models import compare_models_command
from movie_assets.cli.database import database_command
from movie_assets.cli.embed import embed_command
from movie_assets.cli.emulator import stand_in, tmdb_emulator
from movie_assets.cli.health import health_command
from movie_assets.cli.imports import forget_command, import_command, review_command
from movie_assets.cli.providers import providers_command
from movie_assets.cli.search import recommend_command, search_command, similar_command
from movie_assets.cli.sets import sets_command
from movie_assets.cli.terminal import console, notes
from movie_assets.config.paths import CHECKOUT
from movie_assets.config.settings import Settings, SettingsError
from movie_assets.database.addresses import DatabaseError, shown
from movie_assets.database.database import open_database
from movie_assets.database.embedded import EmbeddedPostgresError, embedded_data
from movie_assets.database.retry import sentence_of
from movie_assets.embeddings.embedder import EmbedderError
from movie_assets.embeddings.sets import SetError
from movie_assets.histories.choices import ImportFailedError
from movie_assets.orchestration.startup import bring_up_to_date, database_for, everything_for
from movie_assets.refresh.outcome import RefreshError
from movie_assets.search.queries import NothingToSearchError

EXPECTED_ERRORS = (
    SettingsError,
    DatabaseError,
    EmbeddedPostgresError,
    EmbedderError,
    NothingToSearchError,
    SetError,
    RefreshError,
    ImportFailedError,
)


class _Group(click.Group):
    """Prints an expected error as one sentence instead of a traceback."""

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
        except EXPECTED_ERRORS as error:
            raise click.ClickException(str(error)) from None
        except sa.exc.DBAPIError as error:  # Dagster's own reads and writes
            settings = Settings.from_env()
            address = settings.database_url.get_secret_value() if settings.database_url else None
            sentence = sentence_of(error, embedded_data(address, settings.home))
            if sentence is None:
                raise
            raise click.ClickException(sentence) from None
        except KeyboardInterrupt:
            notes.print("Stopped. The work that is done is kept; run the command again to continue.")
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
    load_dotenv(CHECKOUT / ".env")  # as Dagster's own commands do; it does not replace exported variables
    for warning in Settings.misspelt():
        notes.print(f"[yellow]{warning}[/]", highlight=False)
    signal.signal(signal.SIGTERM, _leave)  # ends `with` blocks, which stops the embedded server


def _leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the signature of a handler
    sys.exit(128 + number)


@main.command()
def demo() -> None:
    """Run the whole pipeline for three days on made-up services, and show the result.

    Uses the bundled TMDB emulator and the local embedder even if keys are set, and your data folder. Takes a minute
    or two.
    """
    from movie_assets.cli.demo import run_demo  # noqa: PLC0415  # importing Dagster takes a second

    sys.exit(run_demo(Settings.from_env(), console))


@main.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the web UI, on 127.0.0.1."
)
def dev(port: int) -> None:
    """Open the catalogue in the Dagster web UI, with daemon, schedules and sensors, until Ctrl-C.

    Without TMDB_API_TOKEN it uses the bundled TMDB emulator.
    """
    from movie_assets.cli.dev import run_dev  # noqa: PLC0415  # importing Dagster takes a second

    sys.exit(run_dev(Settings.from_env(), port, notes))


@main.command()
def migrate() -> None:
    """Migrate the catalogue's schema and Dagster's own database to this version, and start nothing.

    Every other command migrates the catalogue too. A deployment runs this command before it starts the processes of a
    new version. Exit code 0: both databases have the schema of this version.
    """
    settings = Settings.from_env()
    if warning := bring_up_to_date(settings):
        notes.print(f"[yellow]{warning}[/]", highlight=False)
    notes.print("The catalogue and Dagster's records have the schema of this version.")


@main.command()
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Refresh this day instead of today (UTC).")
@click.option("--accept-unlike", is_flag=True, help="Load an export even if it differs too much from the last one.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def refresh(day: datetime | None, accept_unlike: bool, as_json: bool) -> None:
    """Bring the catalogue up to date: run the same Dagster jobs as the web UI, in this process.

    A second refresh of the same day does only what has changed since. Exit code 0: every job succeeded and every check
    passed. 1: something failed; the work that succeeded is kept.
    """
    from movie_assets.refresh.refresh import refresh as run_refresh  # noqa: PLC0415  # importing Dagster takes a second

    settings = Settings.from_env()
    if settings.uses_emulator:
        notes.print("TMDB_API_TOKEN is not set: using the bundled TMDB emulator.")
    with everything_for(settings) as ready, open_database(ready) as database:
        refreshed_day = day.date() if day else datetime.now(UTC).date()
        outcome = run_refresh(database, refreshed_day, accept_unlike=accept_unlike, say=_print_job)
        if as_json:
            click.echo(json.dumps({
                "date": refreshed_day.isoformat(), "succeeded": outcome.succeeded, "seconds": outcome.seconds,
                "failed_jobs": outcome.failed_jobs, "problems": outcome.problems,
                "failed_checks": [c.name for c in outcome.checks if not c.passed], "figures": outcome.figures,
            }, default=str))  # fmt: skip
        else:
            report.show_day(console, outcome)
            report.show_checks(console, [check for check in outcome.checks if not check.passed])
            passed = sum(check.passed for check in outcome.checks)
            console.print(f"{passed} of {len(outcome.checks)} checks passed; {outcome.seconds:.0f} s")
    sys.exit(0 if outcome.succeeded else 1)


@main.command("fetch")
@click.argument("tmdb_ids", nargs=-1, required=True, type=click.IntRange(1, 2**53), metavar="ID...")
@click.option(
    "--keep",
    is_flag=True,
    help="Keep the films even if no profile accepts them for their votes, age, runtime or language.",
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome for each id as JSON.")
def fetch_command(tmdb_ids: tuple[int, ...], keep: bool, as_json: bool) -> None:
    """Fetch films by their TMDB ids now, whether or not they are due, and publish the result.

    Use it to repair a film that looks wrong, or to add one that the profiles reject (--keep). Exit code 0: TMDB gave a
    usable response for every id.

    Example: movie-assets fetch 603 604 --keep
    """
    from movie_assets.refresh.refresh import fetch  # noqa: PLC0415  # importing Dagster takes a second

    settings = Settings.from_env()
    with everything_for(settings) as ready, open_database(ready) as database:
        outcome = fetch(database, tmdb_ids, keep=keep, say=_print_job)
        requests = database.fetch(report.RequestOutcome, "request_outcomes", tmdb_ids=list(tmdb_ids))
        if as_json:
            click.echo(json.dumps([request._asdict() for request in requests], ensure_ascii=False))
        else:
            report.show_requests(console, requests)
            for problem in outcome.problems:
                notes.print(f"[red]failed[/] {escape(problem)}", highlight=False)
    sys.exit(0 if not outcome.failed_jobs and all(request.is_served for request in requests) else 1)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the state as JSON.")
def status(as_json: bool) -> None:
    """Show the state of the catalogue: number of films, last export, ids dropped by each rule, cost."""
    settings = Settings.from_env()
    with database_for(settings, only_reads=True) as ready, open_database(ready) as database:
        state = report.status_of(database, datetime.now(UTC))
        if as_json:
            click.echo(json.dumps(state.as_json()))
        else:
            report.show_status(console, state)
            console.print(f"database: {shown(database.url)}", highlight=False)


@main.command()
@click.option(
    "--all", "all_films", is_flag=True, help="The texts of all films, for a new set, instead of those that are due."
)
@click.option("--json", "as_json", is_flag=True, help="Print the forecast as JSON.")
def cost(all_films: bool, as_json: bool) -> None:
    """Estimate the cost of embedding with each model whose price is known; nothing is sent or changed."""
    from movie_assets.cli import cost as costs  # noqa: PLC0415  # importing Dagster takes a second

    settings = Settings.from_env()
    with database_for(settings, only_reads=True) as ready, open_database(ready) as database:
        expected = costs.cost_of(database, ready, all_films=all_films)
        bulk = costs.bulk_of(database, ready, expected)
        if as_json:
            click.echo(json.dumps(costs.as_json(expected, ready, bulk, all_films=all_films)))
        else:
            costs.show(console, expected, bulk, all_films=all_films)


def _print_job(job: str) -> None:
    notes.print(f"[bold]{job.replace('_', ' ')}[/]")


for command in (
    search_command,
    similar_command,
    recommend_command,
    import_command,
    review_command,
    forget_command,
    sets_command,
    compare_models_command,
    database_command,
    embed_command,
    providers_command,
    health_command,
    alert_command,
    tmdb_emulator,
    stand_in,
):
    main.add_command(command)
