"""The commands of `movie-assets alert`: test the destinations, list what is broken now, mute names for a while."""

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
from movie_assets.http_client.webhooks import DeliveryError
from movie_assets.operations.alerts.delivery import send_all
from movie_assets.operations.alerts.destinations import destinations_from
from movie_assets.operations.alerts.history import open_alerts
from movie_assets.operations.alerts.messages import Message
from movie_assets.orchestration.startup import database_for

UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


class _Duration(click.ParamType[timedelta]):
    name = "duration"

    def convert(self, value: object, param: click.Parameter | None, ctx: click.Context | None) -> timedelta:
        if isinstance(value, timedelta):
            return value
        match = re.fullmatch(r"([1-9]\d{0,3})([mhdw])", str(value))
        if match is None:
            self.fail(f"{value} is no duration; examples: 30m, 6h, 2d, 1w", param, ctx)
        return timedelta(**{UNITS[match[2]]: int(match[1])})


@click.group("alert")
def alert_command() -> None:
    """Send a test message, list what is broken now, and mute alerts for a while."""


@alert_command.command("test")
def test_command() -> None:
    """Send a test message to each destination in the settings, and print whether it was accepted.

    Exit code 0: every destination accepted it. 1: one did not, or the settings name none.
    """
    destinations = destinations_from(Settings.from_env())
    if not destinations.all:
        notes.print(
            "The settings name no destination: set MOVIE_ASSETS_ALERT_SLACK_URL, MOVIE_ASSETS_ALERT_WEBHOOK_URL or "
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
@click.option("--json", "as_json", is_flag=True, help="Print the alerts as JSON.")
def list_command(as_json: bool) -> None:
    """List what is broken now and since when, which names are muted, and which destinations cannot be reached.

    The exit code is 0 even if something is broken.
    """
    settings = Settings.from_env()
    with database_for(settings) as ready, open_database(ready) as database:
        alerts = report_alerts.alerts_of(database, settings, datetime.now(UTC))
        if as_json:
            click.echo(json.dumps(alerts.as_json(), default=str, ensure_ascii=False))
        else:
            report_alerts.show_alerts(console, alerts)


@alert_command.command("mute")
@click.argument("name")
@click.option("--for", "length", type=_Duration(), required=True, help="Duration, such as 30m, 6h, 2d or 1w.")
def mute_command(name: str, length: timedelta) -> None:
    """Send no alerts about a check, job, sensor, schedule or asset for a while; NAME is its name.

    The name of an asset mutes all of its checks. If it is still broken when the time is over, an alert is sent then.
    The recovery from a failure that was reported before is reported in any case.

    Example: movie-assets alert mute golden_pairs_are_near --for 2d
    """
    from movie_assets.definitions import definitions_for  # noqa: PLC0415
    from movie_assets.operations.alerts.processes import names_in  # noqa: PLC0415  # importing Dagster takes a second

    settings = Settings.from_env()
    with database_for(settings) as ready, open_database(ready) as database:
        known = names_in(definitions_for(settings).get_repository_def(), None) | {
            subject.name for subject in open_alerts(database)
        }
        if name not in known:
            raise click.BadParameter(f"no check, job, sensor, schedule or asset has the name {name}", param_hint="NAME")
        now = datetime.now(UTC)
        database.execute("mute_alert", name=name, as_of=now, until=now + length)
        console.print(escape(f"{name} is muted until {now + length:%Y-%m-%d %H:%M} UTC."), highlight=False)


@alert_command.command("unmute")
@click.argument("name")
def unmute_command(name: str) -> None:
    """Send alerts about NAME again; if it is broken, within half a minute."""
    with database_for(Settings.from_env()) as ready, open_database(ready) as database:
        if not database.execute("unmute_alert", name=name):
            raise click.BadParameter(f"{name} is not muted", param_hint="NAME")
        console.print(escape(f"{name} is no longer muted."), highlight=False)
