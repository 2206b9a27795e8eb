"""The commands of the daily work; each other group of commands has a module beside this one."""

import json
import sys
from datetime import UTC, datetime

import click
from rich.markup import escape

from movie_assets.cli import report
from movie_assets.cli.terminal import console, notes
from movie_assets.config.setting_values import MEDIA_WORDS
from movie_assets.config.settings import Settings
from movie_assets.database.addresses import shown
from movie_assets.database.database import open_database
from movie_assets.orchestration.startup import bring_up_to_date, database_for, everything_for
from movie_assets.tmdb.export_lines import LARGEST_ID


@click.command("demo")
def demo_command() -> None:
    """Run the whole pipeline for three days on made-up services, and show the result.

    Uses the bundled TMDB emulator and the local embedder even if keys are set, and your data folder. Takes a minute
    or two.
    """
    from movie_assets.cli.demo import run_demo  # noqa: PLC0415  # importing Dagster takes a second

    sys.exit(run_demo(Settings.from_env(), console))


@click.command("dev")
@click.option(
    "--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the web UI, on 127.0.0.1."
)
def dev_command(port: int) -> None:
    """Open the catalogue in the Dagster web UI, with daemon, schedules and sensors, until Ctrl-C.

    Without TMDB_API_TOKEN it uses the bundled TMDB emulator.
    """
    from movie_assets.cli.dev import run_dev  # noqa: PLC0415  # importing Dagster takes a second

    sys.exit(run_dev(Settings.from_env(), port, notes))


@click.command("migrate")
def migrate_command() -> None:
    """Migrate the catalogue's schema and Dagster's own database to this version, and start nothing.

    Every other command migrates the catalogue too. A deployment runs this command before it starts the processes of a
    new version. Exit code 0: both databases have the schema of this version.
    """
    settings = Settings.from_env()
    if warning := bring_up_to_date(settings):
        notes.print(f"[yellow]{warning}[/]", highlight=False)
    notes.print("The catalogue and Dagster's records have the schema of this version.")


@click.command("refresh")
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Refresh this day instead of today (UTC).")
@click.option("--accept-unlike", is_flag=True, help="Load an export even if it differs too much from the last one.")
@click.option("--json", "as_json", is_flag=True, help="Print the outcome as JSON.")
def refresh_command(day: datetime | None, accept_unlike: bool, as_json: bool) -> None:
    """Bring the catalogue up to date: run the same Dagster jobs as the web UI, in this process.

    A second refresh of the same day does only what has changed since. Exit code 0: every job succeeded and every check
    passed. 1: something failed; the work that succeeded is kept.
    """
    from movie_assets.refresh.refresh import refresh  # noqa: PLC0415  # importing Dagster takes a second

    settings = Settings.from_env()
    if settings.uses_emulator:
        notes.print("TMDB_API_TOKEN is not set: using the bundled TMDB emulator.")
    with everything_for(settings) as ready, open_database(ready) as database:
        refreshed_day = day.date() if day else datetime.now(UTC).date()
        outcome = refresh(database, refreshed_day, accept_unlike=accept_unlike, say=_print_job)
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


@click.command("fetch")
@click.argument("tmdb_ids", nargs=-1, required=True, type=click.IntRange(1, LARGEST_ID), metavar="ID...")
@click.option(
    "--keep",
    is_flag=True,
    help="Keep the films even if no profile accepts them for their votes, age, runtime or language.",
)
@click.option(
    "--media", type=click.Choice(MEDIA_WORDS.values()), default="movie", help="What the ids are of (default: movie)."
)
@click.option("--json", "as_json", is_flag=True, help="Print the outcome for each id as JSON.")
def fetch_command(tmdb_ids: tuple[int, ...], keep: bool, media: str, as_json: bool) -> None:
    """Fetch films or series by their TMDB ids now, whether or not they are due, and publish the result.

    Use it to repair a film that looks wrong, or to add one that the profiles reject (--keep). Exit code 0: TMDB gave a
    usable response for every id.

    Example: movie-assets fetch 603 604 --keep, or movie-assets fetch --media series 1399
    """
    from movie_assets.refresh.outcome import RefreshError  # noqa: PLC0415
    from movie_assets.refresh.refresh import fetch  # noqa: PLC0415  # importing Dagster takes a second
    from movie_assets.tmdb.media import ALL  # noqa: PLC0415

    settings = Settings.from_env()
    if media not in settings.media_types:
        raise click.UsageError("the catalogue has movies only; MOVIE_ASSETS_MEDIA switches series on")
    (media_type,) = (each for each in ALL if each.name == media)
    title_ids = [media_type.title_id(tmdb_id) for tmdb_id in tmdb_ids]
    with everything_for(settings) as ready, open_database(ready) as database:
        if media != "movie" and not database.fetch_value(bool, "has_ids", media=media):
            raise RefreshError(f"the catalogue has read no day of {media} yet; run movie-assets refresh first")
        outcome = fetch(database, title_ids, keep=keep, say=_print_job)
        requests = database.fetch(report.RequestOutcome, "request_outcomes", title_ids=title_ids)
        if as_json:
            click.echo(json.dumps([request.as_json() for request in requests], ensure_ascii=False))
        else:
            report.show_requests(console, requests)
            for problem in outcome.problems:
                notes.print(f"[red]failed[/] {escape(problem)}", highlight=False)
    sys.exit(0 if not outcome.failed_jobs and all(request.is_served for request in requests) else 1)


@click.command("status")
@click.option("--json", "as_json", is_flag=True, help="Print the state as JSON.")
def status_command(as_json: bool) -> None:
    """Show the state of the catalogue: number of films, last export, ids dropped by each rule, cost."""
    settings = Settings.from_env()
    with database_for(settings, only_reads=True) as ready, open_database(ready) as database:
        state = report.status_of(database, datetime.now(UTC))
        if as_json:
            click.echo(json.dumps(state.as_json()))
        else:
            report.show_status(console, state)
            console.print(f"database: {shown(database.url)}", highlight=False)


@click.command("cost")
@click.option(
    "--all", "all_films", is_flag=True, help="The texts of all films, for a new set, instead of those that are due."
)
@click.option("--json", "as_json", is_flag=True, help="Print the forecast as JSON.")
def cost_command(all_films: bool, as_json: bool) -> None:
    """Estimate the cost of embedding with each model whose price is known; nothing is sent or changed."""
    from movie_assets.cli import cost  # noqa: PLC0415  # importing Dagster takes a second

    settings = Settings.from_env()
    with database_for(settings, only_reads=True) as ready, open_database(ready) as database:
        expected = cost.cost_of(database, ready, all_films=all_films)
        bulk = cost.bulk_of(database, ready, expected)
        calls = cost.image_calls(database, ready)
        if as_json:
            images = {"images": ready.images, "image_calls": calls}
            click.echo(json.dumps(cost.as_json(expected, ready, bulk, all_films=all_films) | images))
        else:
            cost.show(console, expected, bulk, all_films=all_films)
            cost.show_image_calls(console, calls, ready)


def _print_job(job: str) -> None:
    notes.print(f"[bold]{job.replace('_', ' ')}[/]")
