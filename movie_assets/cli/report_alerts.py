"""What `movie-assets alert list` shows: what is broken, muted and undelivered."""

from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, as_dict
from movie_assets.operations.alerts.history import HEARTBEAT
from movie_assets.operations.alerts.messages import runbook_of


def alerts_of(database: Database, settings: Settings, now: datetime) -> dict[str, Any]:
    """What is broken now, what is muted, how each destination stands, when the sensor last ticked."""
    return {
        "broken": [
            as_dict(row) | {"runbook": runbook_of(settings.runbook_url, row.kind, row.name)}
            for row in database.rows("broken_now", as_of=now)
        ],
        "muted": [as_dict(row) for row in database.rows("alert_mutes", as_of=now)],
        "destinations": [
            as_dict(row)
            for row in database.rows("alert_destinations", least_severity=settings.alert_severity, as_of=now)
        ],
        "looked_at": database.row("last_beat", name=HEARTBEAT).beat_at,
    }


def show_alerts(console: Console, found: dict[str, Any]) -> None:
    """Print it; a destination's row only says what is wrong with it."""
    for alert in found["broken"]:
        name = f"{alert['place']}: {alert['name']}" if alert["place"] else f"{alert['kind']} {alert['name']}"
        muted, told = alert["muted_until"], ", ".join(dict.fromkeys(alert["told"])) or "nobody yet"
        hears = f"muted until {_as_of(muted)}" if muted else f"told: {told}"
        colour = "red" if alert["severity"] == "ERROR" else "yellow"
        console.print(
            f"[{colour}]{alert['severity']}[/] {escape(name)}, since {_as_of(alert['began_at'])} ({hears})",
            highlight=False,
        )
        console.print(f"    {escape(alert['says'])}", highlight=False)
        console.print(f"    what to do: {escape(alert['runbook'])}", highlight=False, soft_wrap=True)
    if not found["broken"]:
        console.print("Nothing is broken.")
    broken = {name for alert in found["broken"] for name in (alert["name"], alert["place"])}
    for mute in found["muted"]:
        if mute["name"] not in broken:
            console.print(escape(f"{mute['name']}: muted until {_as_of(mute['until'])}"), highlight=False)
    for place in found["destinations"]:
        if place["failures"]:
            since, next_attempt = _as_of(place["failing_since"]), _as_of(place["next_attempt_at"])
            console.print(
                f"[red]{place['destination']}[/] has not been told of {place['untold']}: "
                f"{escape(place['last_error'])}; {place['failures']} attempts since {since}, "
                f"the next at {next_attempt}",
                highlight=False,
            )
    looked = found["looked_at"]
    console.print(
        f"The alerts' sensor last looked at {_as_of(looked)}." if looked
        else "The alerts' sensor has never looked: switch something_broke_or_recovered on.",
        highlight=False,
    )  # fmt: skip


def _as_of(as_of: datetime) -> str:
    return f"{as_of:%Y-%m-%d %H:%M} UTC"
