"""The command that prints what comes out when, for people, as JSON or as an iCalendar file."""

import json
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

import click
from rich.console import Console
from rich.markup import escape

from movie_assets.applications.calendar import KINDS, CalendarEntry, Period, calendar, calendar_as_text
from movie_assets.cli.terminal import console
from movie_assets.config.settings import Settings
from movie_assets.database.database import open_database
from movie_assets.orchestration.startup import database_for
from movie_assets.tmdb.media import ALL

DAY = click.DateTime(["%Y-%m-%d"])
USUAL_DAYS = 30
MAX_DAYS = 366  # as of catalog.calendar


@click.command("calendar")
@click.option(
    "--region", help="The country of the releases (ISO 3166-1); by default the first of MOVIE_ASSETS_REGIONS."
)
@click.option("--from", "from_day", type=DAY, help="The first day; by default today (UTC).")
@click.option("--to", "to_day", type=DAY, help=f"The last day; by default {USUAL_DAYS} days after the first.")
@click.option(
    "--kind", "kinds", type=click.Choice(KINDS), multiple=True,
    help="Only releases of movies of this kind. May be given several times.",
)  # fmt: skip
@click.option(
    "--media", "media_types", type=click.Choice([media.name for media in ALL]), multiple=True,
    help="Only this media type. May be given several times.",
)  # fmt: skip
@click.option("--ics", is_flag=True, help="Print an iCalendar file.")
@click.option("--json", "as_json", is_flag=True, help="Print the dates as JSON.")
def calendar_command(
    region: str | None, from_day: datetime | None, to_day: datetime | None, kinds: tuple[str, ...],
    media_types: tuple[str, ...], *, ics: bool, as_json: bool,
) -> None:  # fmt: skip
    """List what comes out when: releases of movies in a country, and episodes of series.

    A period has 366 days at most. The event of an iCalendar file stays the same one when its date moves.

    Example: movie-assets calendar --region US --from 2026-12-01 --to 2026-12-31 --ics > december.ics
    """
    if ics and as_json:
        raise click.UsageError("--ics and --json are two formats; choose one")
    first = (from_day or datetime.now(UTC)).date()
    last = to_day.date() if to_day else first + timedelta(days=USUAL_DAYS)
    if not 0 <= (last - first).days < MAX_DAYS:
        raise click.UsageError(f"{first} to {last} is no period: it has one day to {MAX_DAYS}")
    settings = Settings.from_env()
    named = region or settings.regions[0]
    period = Period(named, kinds, first, last, media_types or [media.name for media in ALL])
    with database_for(settings, only_reads=True) as ready, open_database(ready) as database:
        if ics:
            click.echo(calendar_as_text(database, period).encode(), nl=False)
            return
        entries = calendar(database, period)
    if as_json:
        click.echo(json.dumps([entry._asdict() for entry in entries], default=str, ensure_ascii=False))
    else:
        show_calendar(console, f"{period.region.upper()}, {first} to {last}", entries)


def show_calendar(output: Console, heading: str, entries: Iterable[CalendarEntry]) -> None:
    """Print dates below a heading, a line each."""
    output.print(f"[bold]{escape(heading)}[/]", highlight=False)
    for entry in entries:
        episode = f" S{entry.season_number}E{entry.episode_number}" if entry.season_number is not None else ""
        name = f" {entry.episode_name}" if entry.episode_name else ""
        details = [entry.kind, *filter(None, (entry.note, entry.language, entry.certification))]
        of_release = f"  ({', '.join(details)})" if entry.release_type is not None else ""
        output.print(f"  {entry.day}  {escape(f'{entry.title}{episode}{name}{of_release}')}", highlight=False)
