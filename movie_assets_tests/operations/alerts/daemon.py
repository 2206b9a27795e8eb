"""The daemon of the tests of alerts, and the messages that a webhook received from it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

import dagster as dg
from pydantic import SecretStr

from movie_assets.database.database import Database
from movie_assets.operations.alerts import sensor
from movie_assets.operations.alerts.destinations import Destination, Destinations, SignedWebhook
from movie_assets.operations.alerts.sensor import Cursor, watch
from movie_assets_tests.listeners import Listener
from movie_assets_tests.support.definitions import defs

WEB = "http://dagster.test"
RUNBOOK = "http://code.test/docs/runbook.md"
INDEX = ("movie_vectors", "the_index_is_valid")
AGE = ("movie_details", "details_are_within_their_age")
TOTALS = ("rating_aggregates", "totals_reconcile")
BROKEN = ("health", "nothing_is_broken")
KEY = "a key"


@dataclass
class Daemon:
    """Evaluates the alerts' sensor tick by tick, on a clock of the test's own, and keeps its cursor between ticks."""

    database: Database
    instance: dg.DagsterInstance
    destinations: Destinations
    now: datetime = field(default_factory=lambda: datetime.now(UTC))
    cursor: str | None = None
    definitions: dg.Definitions = defs

    def tick(self, seconds: float = 30) -> list[str]:
        self.now += timedelta(seconds=seconds)
        context = dg.build_sensor_context(
            self.instance, cursor=self.cursor, definitions=self.definitions, sensor_name=sensor.NAME
        )
        cursor = Cursor.read(self.cursor).next(self.now)
        outcomes = watch(context, self.database, self.destinations, cursor)
        self.cursor = cursor.write()
        return outcomes

    def ticks(self, count: int) -> None:
        for _ in range(count):
            self.tick()

    def evaluate(
        self,
        check: tuple[str, str],
        *,
        passed: bool,
        severity: str = "ERROR",
        message: str | None = None,
        figures: Mapping[str, int | list[str]] | None = None,
    ) -> None:
        """Report an evaluation of a check, as a run of it would."""
        self.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(check[0]),
                check_name=check[1],
                passed=passed,
                severity=dg.AssetCheckSeverity[severity],
                description=message,
                metadata=figures or {},
            )
        )


def webhook(listener: Listener) -> SignedWebhook:
    return SignedWebhook(SecretStr(f"{listener.url}/hook"), SecretStr(KEY))


def to(
    *destinations: Destination, least_severity: str = "WARN", heartbeat_url: SecretStr | None = None
) -> Destinations:
    return Destinations(destinations, least_severity, WEB, RUNBOOK, heartbeat_url)


def events(listener: Listener) -> list[list[tuple[str, str]]]:
    """Return the events of each message with the names of their subjects."""
    return [[(entry["event"], entry["name"]) for entry in message["entries"]] for message in listener.messages]


def parts(broken: list[str]) -> dict[str, int | list[str]]:
    """Return the metadata of a check of several things, of which these are broken."""
    return {"parts": broken, **dict.fromkeys(broken, 0)}
