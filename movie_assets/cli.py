"""The command line: `movie-assets`. Each command opens what it needs, calls one function and shows the result."""

import errno
import json
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, date, datetime
from pathlib import Path
from types import FrameType

import click
from rich.console import Console
from rich.markup import escape

from movie_assets import report
from movie_assets.outcome import RefreshError
from movie_assets.resources.embedded_postgres import EmbeddedPostgresError
from movie_assets.resources.embedder import EmbedderError
from movie_assets.resources.postgres import Database, DatabaseError, open_database, shown
from movie_assets.search import Films, NothingToSearchError, resolve, search, similar
from movie_assets.settings import Settings, SettingsError
from movie_assets.standin.faults import FAULTS
from movie_assets.standin.options import DEMO_MOVIES, StandInOptions
from movie_assets.standin.server import StandIn, serve
from movie_assets.startup import STAND_IN_TOKEN, database_for, everything_for

TOLD_PLAINLY = (
    SettingsError,
    DatabaseError,
    EmbeddedPostgresError,
    EmbedderError,
    NothingToSearchError,
    RefreshError,
)
console = Console(soft_wrap=True)
notes = Console(stderr=True, soft_wrap=True)


class _Group(click.Group):
    """Tells an expected error as one sentence instead of a traceback."""

    def invoke(self, context: click.Context) -> object:
        try:
            return super().invoke(context)
        except TOLD_PLAINLY as error:
            raise click.ClickException(str(error)) from None
        except KeyboardInterrupt:
            notes.print("Stopped. What was done is kept; run the command again to go on.")
            sys.exit(130)


@click.group(cls=_Group, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="movie_assets")
def main() -> None:
    """Keep a vectorised movie catalogue true, in your own Postgres.

    Begin with `movie-assets demo`: it needs no keys. Then `movie-assets dev` opens the same catalogue in the
    Dagster web UI. Settings are environment variables; README.md lists them.
    """
    signal.signal(signal.SIGTERM, _leave)  # so that `with` blocks end and the embedded server stops


def _leave(number: int, frame: FrameType | None) -> None:  # noqa: ARG001  # the signature of a handler
    sys.exit(128 + number)


@main.command()
def demo() -> None:
    """Run the whole pipeline for two days on made-up services, and show the result.

    Uses a bundled stand-in for TMDB and the local embedder, whatever keys are set, and your data folder.
    Takes about a minute.
    """
    from movie_assets.demo import run_demo  # noqa: PLC0415  # importing Dagster takes a second

    sys.exit(run_demo(Settings.from_env(), console))


@main.command()
@click.option(
    "--port", type=click.IntRange(1, 65535), default=3000, show_default=True, help="Port of the web UI, on 127.0.0.1."
)
def dev(port: int) -> None:
    """Open the catalogue in the Dagster web UI, with daemon, schedules and sensors, until Ctrl-C.

    Without TMDB_API_TOKEN the bundled stand-in takes TMDB's place.
    """
    from movie_assets.dev import run_dev  # noqa: PLC0415  # importing Dagster takes a second

    sys.exit(run_dev(Settings.from_env(), port, notes))


@main.command()
@click.option("--date", "day", type=click.DateTime(["%Y-%m-%d"]), help="Work on this day instead of today (UTC).")
@click.option("--accept-unlike", is_flag=True, help="Load an export even if it is unlike the one before.")
@click.option("--json", "as_json", is_flag=True, help="Print what was done as JSON.")
def refresh(day: datetime | None, accept_unlike: bool, as_json: bool) -> None:
    """Bring the catalogue up to date: the same Dagster jobs as in the web UI, in this process.

    Doing a day twice changes nothing that has not changed. Exit code 0: everything done and every check
    passed; 1: something failed, and what could be done is kept.
    """
    from movie_assets.refresh import refresh as run_refresh  # noqa: PLC0415  # importing Dagster takes a second

    settings = Settings.from_env()
    if settings.uses_stand_in:
        notes.print("TMDB_API_TOKEN is not set: the bundled stand-in takes TMDB's place.")
    with everything_for(settings) as ready, _opened(ready) as database:
        wanted = day.date() if day else _today()
        outcome = run_refresh(database, wanted, accept_unlike=accept_unlike, say=_say)
        if as_json:
            click.echo(json.dumps({
                "date": wanted.isoformat(), "succeeded": outcome.succeeded, "seconds": outcome.seconds,
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
@click.option("--keep", is_flag=True, help="Keep the films whatever their votes, age, runtime or language.")
@click.option("--json", "as_json", is_flag=True, help="Print what became of them as JSON.")
def fetch_command(tmdb_ids: tuple[int, ...], keep: bool, as_json: bool) -> None:
    """Fetch films by their TMDB ids now, due or not, and publish what came of it.

    Repairs a film that looks wrong, or brings in one that the profiles leave out (--keep). Exit code 0: every id
    has an answer. Example: movie-assets fetch 603 604 --keep
    """
    from movie_assets.refresh import fetch  # noqa: PLC0415  # importing Dagster takes a second

    settings = Settings.from_env()
    with everything_for(settings) as ready, _opened(ready) as database:
        outcome = fetch(database, tmdb_ids, keep=keep, say=_say)
        answers = [dict(row._mapping) for row in database.rows("answered_requests", tmdb_ids=list(tmdb_ids))]  # noqa: SLF001
        if as_json:
            click.echo(json.dumps(answers, ensure_ascii=False))
        else:
            report.show_answers(console, answers)
            for problem in outcome.problems:
                notes.print(f"[red]failed[/] {escape(problem)}", highlight=False)
    sys.exit(0 if not outcome.failed_jobs and all(answer["is_served"] for answer in answers) else 1)


@main.command("search")
@click.argument("text", nargs=-1, required=True)
@click.option("--count", "-n", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many films.")
@click.option("--genre", multiple=True, help="Only films of this genre; may be given several times.")
@click.option("--language", multiple=True, help="Only films in this original language (ISO 639-1).")
@click.option("--from", "year_from", type=click.IntRange(1870, 2200), help="Only films released in this year or later.")
@click.option("--to", "year_to", type=click.IntRange(1870, 2200), help="Only films released in this year or earlier.")
@click.option("--json", "as_json", is_flag=True, help="Print the films as JSON.")
def search_command(
    text: tuple[str, ...], count: int, genre: tuple[str, ...], language: tuple[str, ...],
    year_from: int | None, year_to: int | None, as_json: bool,
) -> None:  # fmt: skip
    """Find films by what they are about.

    Example: movie-assets search a detective investigates a murder in a mansion
    """
    given = {"genres": list(genre), "languages": list(language), "year_from": year_from, "year_to": year_to}
    filters = {name: value for name, value in given.items() if value}
    settings = Settings.from_env()
    with database_for(settings) as ready, _opened(ready) as database:
        films = search(database, ready, " ".join(text), count, filters)
        _show_films(f"“{' '.join(text)}”", films, as_json=as_json)


@main.command("similar")
@click.argument("title_or_id", nargs=-1, required=True)
@click.option("--count", "-n", type=click.IntRange(1, 1000), default=10, show_default=True, help="How many films.")
@click.option("--json", "as_json", is_flag=True, help="Print the films as JSON.")
def similar_command(title_or_id: tuple[str, ...], count: int, as_json: bool) -> None:
    """Find films like a film, given by its title or its TMDB id.

    Example: movie-assets similar The Dark Knight
    """
    with database_for(Settings.from_env()) as ready, _opened(ready) as database:
        wanted = " ".join(title_or_id)
        film, *others = resolve(database, wanted)
        if not film.is_exact or others:
            why = "" if film.is_exact else f"No film is titled exactly “{wanted}”. "
            told = "; ".join(f"{o.title} ({o.release_year}), {o.tmdb_id}" for o in others[:4])
            also = f" Also possible: {told}." if told else ""
            notes.print(escape(f"{why}Taken as {film.title} ({film.release_year}), {film.tmdb_id}.{also}"))
        films = similar(database, film.tmdb_id, count)
        _show_films(f"like {film.title} ({film.release_year})", films, as_json=as_json)


@main.command()
@click.option("--json", "as_json", is_flag=True, help="Print the state as JSON.")
def status(as_json: bool) -> None:
    """Show the state of the catalogue: how many films, how fresh, what was dropped and why, what it cost."""
    settings = Settings.from_env()
    with database_for(settings) as ready, _opened(ready) as database:
        found = report.status_of(database, datetime.now(UTC))
        if as_json:
            click.echo(json.dumps(found))
        else:
            report.show_status(console, found)
            console.print(f"database: {shown(database.url)}", highlight=False)


@main.command()
@click.option("--all", "all_films", is_flag=True, help="A complete new set instead of what is due now.")
@click.option("--json", "as_json", is_flag=True, help="Print the forecast as JSON.")
def cost(all_films: bool, as_json: bool) -> None:
    """Tell what embedding would cost, for each model that we know the price of; nothing is sent or changed."""
    from movie_assets import cost as costs  # noqa: PLC0415  # importing Dagster takes a second

    settings = Settings.from_env()
    with database_for(settings) as ready, _opened(ready) as database:
        expected = costs.cost_of(database, ready, all_films=all_films)
        if as_json:
            click.echo(json.dumps(costs.as_json(expected, ready, all_films=all_films)))
        else:
            costs.show(console, expected, all_films=all_films)


@main.command("stand-in")
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=8765,
    show_default=True,
    help="Port on 127.0.0.1; 0 takes a free one.",
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
def stand_in(
    port: int, movies: int, seed: int, details: Path | None, day: datetime | None, rate: int, token: str | None,
    faults: tuple[str, ...],
) -> None:  # fmt: skip
    """Serve a stand-in for TMDB and for an OpenAI-compatible embeddings endpoint, until Ctrl-C.

    Prints the variables that point the pipeline at it.
    """
    options = StandInOptions(
        port=port, movies=movies, seed=seed, details=details, today=day.date() if day else None,
        rate_limit=rate, token=token, faults=dict(map(_fault, faults)),
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


def _tell_variables(ready: StandIn, token: str | None) -> None:
    click.echo(f"export TMDB_API_URL={ready.tmdb_url}")
    click.echo(f"export TMDB_EXPORT_URL={ready.export_url}")
    click.echo(f"export TMDB_API_TOKEN={token or STAND_IN_TOKEN}")
    click.echo(f"# and, to embed there too: export OPENAI_BASE_URL={ready.openai_url} OPENAI_API_KEY={STAND_IN_TOKEN}")
    notes.print(f"The stand-in answers on {ready.url}; Ctrl-C stops it.")


@contextmanager
def _opened(settings: Settings) -> Iterator[Database]:
    database = open_database(settings)
    try:
        yield database
    finally:
        database.close()


def _show_films(title: str, films: Films, *, as_json: bool) -> None:
    if as_json:
        click.echo(json.dumps([report.film_as_json(film) for film in films], ensure_ascii=False))
    elif films:
        report.show_films(console, title, films)
    else:
        notes.print("No film passes these filters. Genres are written as TMDB writes them: Comedy, Science Fiction …")


def _say(job: str) -> None:
    notes.print(f"[bold]{job.replace('_', ' ')}[/]")


def _today() -> date:
    return datetime.now(UTC).date()
