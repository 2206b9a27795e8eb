"""The commands on alerts: does a message arrive, what is broken now, what nobody wants to hear of."""

import json
import re
import sys
from datetime import UTC, datetime, timedelta

import click
from rich.markup import escape

from movie_assets.cli import report_alerts
from movie_assets.cli.terminal import console, notes
from movie_assets.config.settings import Settings
from movie_assets.database.database import open_database
from movie_assets.operations.alerts.delivery import send_all
from movie_assets.operations.alerts.destinations import destinations_from
from movie_assets.operations.alerts.messages import DeliveryError, Message
from movie_assets.orchestration.startup import database_for

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class _Duration(click.ParamType[timedelta]):
    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        found = re.fullmatch(r"([1-9]\d{0,3})([mhdw])", str(value))
        if found is None:
            self.fail(f"{value} is no duration; examples: 30m, 6h, 2d, 1w", param, ctx)
        return timedelta(**{UNITS[found[2]]: int(found[1])})


@click.group("alert")
def alert_command() -> None:
    """Test where alerts go, show what is broken now, and mute what nobody wants to hear of for a while."""


@alert_command.command("test")
def test_command() -> None:
    """Send a test message to each destination that the settings name, and tell what came of it.

    Exit code 0: each accepted it; 1: one did not, or none is named.
    """
    destinations = destinations_from(Settings.from_env())
    if not destinations.all:
        notes.print(
            "No destination is named: set MOVIE_ASSETS_ALERT_SLACK_URL, MOVIE_ASSETS_ALERT_WEBHOOK_URL or "
            "MOVIE_ASSETS_ALERT_SMTP_URL."
        )
        sys.exit(1)
    message = Message([], datetime.now(UTC), destinations.web_url, destinations.runbook_url, is_test=True)
    outcomes = send_all([(destination, message) for destination in destinations.all])
    for destination, outcome in zip(destinations.all, outcomes, strict=True):
        colour, word = ("red", "failed") if isinstance(outcome, DeliveryError) else ("green", "sent")
        console.print(f"[{colour}]{word}[/] {destination.name}: {escape(str(outcome))}", highlight=False)
    sys.exit(any(isinstance(outcome, DeliveryError) for outcome in outcomes))


@alert_command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print it as JSON.")
def list_command(as_json: bool) -> None:
    """Show what is broken now, since when, what is muted, and what could not be delivered yet.

    The exit code is 0 whatever is broken.
    """
    settings = Settings.from_env()
    with database_for(settings) as ready, open_database(ready) as database:
        found = report_alerts.alerts_of(database, settings, datetime.now(UTC))
        if as_json:
            click.echo(json.dumps(found, default=str, ensure_ascii=False))
        else:
            report_alerts.show_alerts(console, found)


@alert_command.command("mute")
@click.argument("name")
@click.option("--for", "length", type=_Duration(), required=True, help="How long: 30m, 6h, 2d, 1w.")
def mute_command(name: str, length: timedelta) -> None:
    """Do not tell for a while that a check, job, sensor, schedule or asset is broken; NAME is its name.

    An asset's name mutes all of its checks. What is still broken afterwards is told then; a recovery of something
    that was told before is told all the same. Example: movie-assets alert mute golden_pairs_are_near --for 2d
    """
    from movie_assets.definitions import definitions_for  # noqa: PLC0415
    from movie_assets.operations.alerts.processes import names_in  # noqa: PLC0415  # importing Dagster takes a second

    settings = Settings.from_env()
    with database_for(settings) as ready, open_database(ready) as database:
        known = names_in(definitions_for(settings).get_repository_def(), None) | {
            row.name for row in database.rows("open_alerts")
        }
        if name not in known:
            raise click.BadParameter(f"nothing here is called {name}", param_hint="NAME")
        now = datetime.now(UTC)
        database.execute("mute_alert", name=name, as_of=now, until=now + length)
        console.print(escape(f"{name} is muted until {now + length:%Y-%m-%d %H:%M} UTC."), highlight=False)


@alert_command.command("unmute")
@click.argument("name")
def unmute_command(name: str) -> None:
    """Tell again what becomes of NAME; if it is broken, within half a minute."""
    with database_for(Settings.from_env()) as ready, open_database(ready) as database:
        if not database.execute("unmute_alert", name=name):
            raise click.BadParameter(f"{name} is not muted", param_hint="NAME")
        console.print(escape(f"{name} is no longer muted."), highlight=False)
