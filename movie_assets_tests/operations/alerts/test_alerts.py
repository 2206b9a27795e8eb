"""A check broken on purpose, a webhook that goes down, a daemon that restarts: what arrives, and how often."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, cast

import dagster as dg
import pytest
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange
from pydantic import SecretStr

from movie_assets.database.database import Database
from movie_assets.operations.alerts import sensor
from movie_assets.operations.alerts.destinations import Destination, Destinations, SignedWebhook, SlackWebhook
from movie_assets.operations.alerts.sensor import Cursor, watch
from movie_assets.orchestration.freshness import with_freshness
from movie_assets_tests.listeners import Listener, listening
from movie_assets_tests.support.definitions import defs

WEB = "http://dagster.test"
RUNBOOK = "http://code.test/docs/runbook.md"
INDEX = ("movie_vectors", "the_index_is_valid")
AGE = ("movie_details", "details_are_within_their_age")
TOTALS = ("rating_aggregates", "totals_reconcile")
BROKEN = ("health", "nothing_is_broken")
KEY = "a key"


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as opened:
        yield opened


@dataclass
class Daemon:
    """The alerts' sensor, tick by tick, on a clock of the test's own; its cursor is kept as a daemon keeps it."""

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
        said = watch(context, self.database, self.destinations, cursor)
        self.cursor = cursor.write()
        return said

    def ticks(self, count: int) -> None:
        for _ in range(count):
            self.tick()

    def evaluate(
        self, check: tuple[str, str], *, passed: bool, severity: str = "ERROR", says: str | None = None, **figures: Any
    ) -> None:
        """Let a check have an outcome, as a run of it would."""
        self.instance.report_runless_asset_event(
            dg.AssetCheckEvaluation(
                asset_key=dg.AssetKey(check[0]),
                check_name=check[1],
                passed=passed,
                severity=dg.AssetCheckSeverity[severity],
                description=says,
                metadata=figures,
            )
        )


def webhook(listener: Listener) -> SignedWebhook:
    return SignedWebhook(SecretStr(f"{listener.url}/hook"), SecretStr(KEY))


def to(*destinations: Destination, **options: Any) -> Destinations:
    return Destinations(destinations, web_url=WEB, runbook_url=RUNBOOK, **options)


@pytest.fixture
def daemon(database: Database, instance: dg.DagsterInstance, listener: Listener) -> Daemon:
    return Daemon(database, instance, to(webhook(listener)))


def events(listener: Listener) -> list[list[tuple[str, str]]]:
    """Of each message: what happened to what."""
    return [[(entry["event"], entry["name"]) for entry in message["entries"]] for message in listener.messages]


def test_one_alert_and_one_recovery_and_nothing_in_between(daemon: Daemon, listener: Listener) -> None:
    daemon.evaluate(INDEX, passed=True)
    daemon.ticks(2)
    assert listener.messages == []
    daemon.evaluate(INDEX, passed=False)
    daemon.ticks(5)
    daemon.evaluate(INDEX, passed=False)  # still
    daemon.ticks(5)
    assert events(listener) == [[("broken", INDEX[1])]]
    daemon.evaluate(INDEX, passed=True)
    daemon.ticks(5)
    assert events(listener) == [[("broken", INDEX[1])], [("recovered", INDEX[1])]]


def test_an_alert_says_what_where_since_when_and_by_which_figure(daemon: Daemon, listener: Listener) -> None:
    daemon.evaluate(AGE, passed=False, severity="WARN", says="50 of 100 films are overdue", films=100, overdue=50)
    daemon.tick()
    (message,) = listener.messages
    (entry,) = message["entries"]
    since = datetime.fromisoformat(entry.pop("since"))
    assert abs((since - datetime.now(UTC)).total_seconds()) < 60
    assert message["title"] == "1 broken: movie_details: details_are_within_their_age"
    assert entry == {
        "alert_id": 1,
        "event": "broken",
        "kind": "check",
        "asset": "movie_details",
        "name": "details_are_within_their_age",
        "severity": "WARN",
        "until": None,
        "says": "50 of 100 films are overdue",
        "expected": "At most 2 % of the accepted films are due again (2 to 30 days old, by release date); the "
        "share of each age that is within it, and the oldest copy.",
        "figures": {"films": 100, "overdue": 50},
        "link": f"{WEB}/assets/movie_details?view=checks&checkDetail=details_are_within_their_age",
        "runbook": f"{RUNBOOK}#details_are_within_their_age",
    }


def test_a_burst_is_one_message(daemon: Daemon, listener: Listener) -> None:
    for check in (INDEX, AGE, TOTALS):
        daemon.evaluate(check, passed=False)
    daemon.ticks(3)
    (message,) = events(listener)
    assert {name for _, name in message} == {INDEX[1], AGE[1], TOTALS[1]}


def test_since_when_is_the_first_failure_in_a_row(daemon: Daemon, listener: Listener) -> None:
    daemon.evaluate(INDEX, passed=False)
    daemon.evaluate(INDEX, passed=True)
    daemon.evaluate(INDEX, passed=False)
    third = datetime.now(UTC)
    daemon.evaluate(INDEX, passed=False)
    daemon.tick()
    since = datetime.fromisoformat(listener.messages[0]["entries"][0]["since"])
    assert third - timedelta(seconds=5) < since <= third


def test_an_old_instance_tells_what_is_broken_now_and_not_its_history(daemon: Daemon, listener: Listener) -> None:
    for round_ in range(10):
        for check in (INDEX, AGE, TOTALS):
            daemon.evaluate(check, passed=round_ % 2 == 0)
    daemon.evaluate(AGE, passed=True)
    daemon.evaluate(TOTALS, passed=True)
    daemon.ticks(3)
    assert events(listener) == [[("broken", INDEX[1])]]


def test_a_restart_neither_repeats_nor_forgets(daemon: Daemon, listener: Listener) -> None:
    daemon.evaluate(INDEX, passed=False)
    daemon.ticks(2)
    again = Daemon(Database(daemon.database.url.render_as_string(hide_password=False)), daemon.instance,
                   to(webhook(listener)), now=daemon.now + timedelta(hours=1))  # fmt: skip
    again.ticks(3)
    assert events(listener) == [[("broken", INDEX[1])]]
    again.evaluate(INDEX, passed=True)
    again.ticks(3)
    again.database.close()
    assert events(listener) == [[("broken", INDEX[1])], [("recovered", INDEX[1])]]


def test_what_broke_during_an_outage_is_told_once_after_it(daemon: Daemon, listener: Listener) -> None:
    listener.status = 503
    daemon.evaluate(INDEX, passed=False)
    daemon.ticks(20)
    attempts = len(listener.received)
    listener.status, listener.received = 200, []
    daemon.tick(3600)
    daemon.ticks(5)
    assert 3 <= attempts <= 5  # after 1, 2, 4 … minutes, in ten minutes
    assert events(listener) == [[("broken", INDEX[1])]]
    daemon.evaluate(INDEX, passed=True)
    daemon.ticks(3)
    assert events(listener)[1:] == [[("recovered", INDEX[1])]]


def test_attempts_at_a_dead_destination_grow_rare(daemon: Daemon, listener: Listener) -> None:
    listener.status = 500
    daemon.evaluate(INDEX, passed=False)
    daemon.tick()
    waits = []
    for attempts in range(1, 9):
        waits.append(next_attempt(daemon) - daemon.now)
        daemon.tick(waits[-1].total_seconds() - 1)
        assert len(listener.received) == attempts
        daemon.tick(1)
        assert len(listener.received) == attempts + 1
    assert [wait.total_seconds() / 60 for wait in waits] == [1, 2, 4, 8, 16, 32, 60, 60]


def next_attempt(daemon: Daemon) -> datetime:
    (row,) = daemon.database.rows("alert_destinations", least_severity="WARN", as_of=daemon.now)
    return cast("datetime", row.next_attempt_at)


def test_a_destination_that_asks_for_patience_gets_it(daemon: Daemon, listener: Listener) -> None:
    listener.status, listener.headers = 429, {"retry-after": "1800"}
    daemon.evaluate(INDEX, passed=False)
    daemon.tick()
    daemon.tick(1700)
    assert len(listener.received) == 1
    daemon.tick(100)
    assert len(listener.received) == 2


def test_what_came_and_went_during_an_outage_is_one_entry(daemon: Daemon, listener: Listener) -> None:
    listener.status = 500
    daemon.evaluate(INDEX, passed=False)
    daemon.tick()
    daemon.evaluate(INDEX, passed=True)
    daemon.tick(3600)
    listener.status, listener.received = 200, []
    daemon.tick(3600)
    daemon.ticks(3)
    assert events(listener) == [[("came_and_went", INDEX[1])]]


def test_what_ended_thirty_days_ago_is_told_no_more(daemon: Daemon, listener: Listener) -> None:
    listener.status = 500
    daemon.evaluate(INDEX, passed=False)
    daemon.evaluate(AGE, passed=False)
    daemon.tick()
    daemon.evaluate(INDEX, passed=True)
    daemon.tick(3600)
    listener.status, listener.received = 200, []
    daemon.tick(31 * 24 * 3600)
    assert events(listener) == [[("broken", AGE[1])]]


def test_a_check_that_fails_and_passes_between_two_looks_is_not_told(daemon: Daemon, listener: Listener) -> None:
    daemon.tick()
    daemon.evaluate(INDEX, passed=False)
    daemon.evaluate(INDEX, passed=True)
    daemon.ticks(3)
    assert listener.messages == []


def test_one_destination_that_is_down_does_not_hold_back_the_other(daemon: Daemon, listener: Listener) -> None:
    with listening() as other:
        daemon.destinations = to(SlackWebhook(SecretStr(other.url)), webhook(listener))
        other.status = 500
        daemon.evaluate(INDEX, passed=False)
        daemon.ticks(2)
        assert events(listener) == [[("broken", INDEX[1])]]
        other.status, other.received = 200, []
        daemon.tick(3600)
        assert len(other.messages) == 1
        assert INDEX[1] in other.messages[0]["text"]
    assert len(listener.messages) == 1


def test_a_new_destination_is_told_what_is_broken_and_not_what_was(daemon: Daemon, listener: Listener) -> None:
    daemon.evaluate(AGE, passed=False)
    daemon.tick()
    daemon.evaluate(AGE, passed=True)
    daemon.evaluate(INDEX, passed=False)
    daemon.tick()
    with listening() as other:
        daemon.destinations = to(webhook(listener), SlackWebhook(SecretStr(other.url)))
        daemon.ticks(3)
        assert len(other.messages) == 1
        assert INDEX[1] in other.messages[0]["text"]
        assert AGE[1] not in other.messages[0]["text"]


def test_without_a_destination_what_is_broken_is_still_known(daemon: Daemon) -> None:
    daemon.destinations = to()
    daemon.evaluate(INDEX, passed=False)
    assert daemon.tick() == ["1 broken now"]
    assert [row.name for row in daemon.database.rows("broken_now", as_of=daemon.now)] == [INDEX[1]]


def test_warnings_are_not_told_to_who_wants_errors_only(daemon: Daemon, listener: Listener) -> None:
    daemon.destinations = to(webhook(listener), least_severity="ERROR")
    daemon.evaluate(AGE, passed=False, severity="WARN")
    daemon.ticks(2)
    daemon.evaluate(AGE, passed=True, severity="WARN")
    daemon.ticks(2)
    assert listener.messages == []


def test_a_warning_that_becomes_an_error_is_told_once_more(daemon: Daemon, listener: Listener) -> None:
    for severity in ("WARN", "ERROR", "WARN", "ERROR"):
        daemon.evaluate(INDEX, passed=False, severity=severity)
        daemon.ticks(2)
    daemon.evaluate(INDEX, passed=True)
    daemon.tick()
    assert [message[0][0] for message in events(listener)] == ["broken", "worse", "recovered"]


def parts(found: list[str]) -> dict[str, Any]:
    return {"parts": found, **dict.fromkeys(found, 0)}


def test_another_error_of_a_check_of_many_things_is_told_once_more(daemon: Daemon, listener: Listener) -> None:
    for found in (["index"], ["index"], ["index", "disk"], ["disk"], ["disk"], ["disk", "index"]):
        daemon.evaluate(BROKEN, passed=False, says=str(found), **parts(found))
        daemon.ticks(2)
    daemon.evaluate(BROKEN, passed=True, parts=[])
    daemon.ticks(2)
    told = [(entry["event"], entry["says"]) for message in listener.messages for entry in message["entries"]]
    assert told[:3] == [("broken", "['index']"), ("worse", "['index', 'disk']"), ("worse", "['disk', 'index']")]
    assert [event for event, _ in told[3:]] == ["recovered"]
    assert len({message["message_id"] for message in listener.messages}) == 4


def test_what_comes_again_in_the_same_words_is_no_repetition_for_a_receiver(daemon: Daemon, listener: Listener) -> None:
    for found in (["disk"], ["disk", "index"], ["disk"], ["disk", "index"]):
        daemon.evaluate(BROKEN, passed=False, says=str(found), **parts(found))
        daemon.ticks(2)
    assert [message[0][0] for message in events(listener)] == ["broken", "worse", "worse"]
    assert len({message["message_id"] for message in listener.messages}) == 3


def test_a_message_that_is_tried_again_keeps_its_id(daemon: Daemon, listener: Listener) -> None:
    daemon.evaluate(AGE, passed=False)
    daemon.tick()
    listener.status, listener.received = 500, []
    daemon.evaluate(INDEX, passed=False)
    for _ in range(3):
        daemon.tick(3600)
    assert events(listener) == 3 * [[("broken", INDEX[1])]]
    assert len({message["message_id"] for message in listener.messages}) == 1


def test_however_many_things_of_a_check_are_broken_they_are_told_once(daemon: Daemon, listener: Listener) -> None:
    for _ in range(2):
        daemon.evaluate(BROKEN, passed=False, **parts([f"thing {n}" for n in range(30)]))
        daemon.ticks(2)
    assert events(listener) == [[("broken", BROKEN[1])]]


def test_another_warning_of_a_check_of_many_things_is_not(daemon: Daemon, listener: Listener) -> None:
    for found in (["index"], ["index", "disk"]):
        daemon.evaluate(BROKEN, passed=False, severity="WARN", **parts(found))
        daemon.ticks(2)
    assert events(listener) == [[("broken", BROKEN[1])]]


@pytest.mark.parametrize("name", INDEX)
def test_a_muted_check_is_told_when_the_mute_is_over(name: str, daemon: Daemon, listener: Listener) -> None:
    daemon.database.execute("mute_alert", name=name, as_of=daemon.now, until=daemon.now + timedelta(hours=2))
    daemon.evaluate(INDEX, passed=False)
    daemon.evaluate(AGE, passed=False)
    daemon.ticks(3)
    assert events(listener) == [[("broken", AGE[1])]]
    daemon.tick(7200)
    assert events(listener)[1:] == [[("broken", INDEX[1])]]


def test_what_came_and_went_while_muted_is_never_told(daemon: Daemon, listener: Listener) -> None:
    daemon.database.execute("mute_alert", name=INDEX[1], as_of=daemon.now, until=daemon.now + timedelta(hours=2))
    daemon.evaluate(INDEX, passed=False)
    daemon.tick()
    daemon.evaluate(INDEX, passed=True)
    daemon.tick()
    daemon.tick(9000)
    assert listener.messages == []


def test_a_recovery_of_what_was_told_is_told_in_spite_of_a_mute(daemon: Daemon, listener: Listener) -> None:
    daemon.evaluate(INDEX, passed=False)
    daemon.tick()
    daemon.database.execute("mute_alert", name=INDEX[1], as_of=daemon.now, until=daemon.now + timedelta(hours=2))
    daemon.evaluate(INDEX, passed=True)
    daemon.tick()
    assert [message[0][0] for message in events(listener)] == ["broken", "recovered"]


def test_a_check_that_no_longer_exists_does_not_hang_for_ever(daemon: Daemon, listener: Listener) -> None:
    @dg.asset
    def thing() -> None: ...

    @dg.asset_check(asset=thing)
    def it_holds() -> dg.AssetCheckResult:
        return dg.AssetCheckResult(passed=True)

    daemon.definitions = dg.Definitions([thing], asset_checks=[it_holds])
    daemon.evaluate(("thing", "it_holds"), passed=False)
    daemon.tick()
    daemon.definitions = dg.Definitions([thing])
    daemon.ticks(2)
    assert [message[0][0] for message in events(listener)] == ["broken", "recovered"]
    assert daemon.database.rows("open_alerts") == []


def test_a_source_that_was_switched_off_is_late_no_more(daemon: Daemon, listener: Listener) -> None:
    @dg.asset
    def imdb_ratings() -> None: ...

    change: Any = FreshnessStateChange(
        key=dg.AssetKey("imdb_ratings"), new_state=FreshnessState.FAIL, previous_state=FreshnessState.PASS,
        state_change_timestamp=datetime.now(UTC).timestamp(),
    )  # fmt: skip
    daemon.instance._report_runless_asset_event(change)
    daemon.definitions = dg.Definitions(with_freshness([imdb_ratings], off=[]))
    for _ in range(30):
        daemon.tick(120)
    assert listener.messages == []  # for an hour the daemon may make up for its downtime
    daemon.ticks(4)
    daemon.definitions = dg.Definitions(with_freshness([imdb_ratings], off=["imdb_ratings"]))
    daemon.ticks(2)
    assert [message[0][0] for message in events(listener)] == ["broken", "recovered"]
    assert listener.messages[0]["entries"][0]["kind"] == "freshness"


def test_each_tick_leaves_a_heartbeat(daemon: Daemon) -> None:
    daemon.ticks(2)
    assert daemon.database.row("last_beat", name="alerts").beat_at == daemon.now


def test_the_dead_mans_switch_is_pinged_until_nothing_arrives_for_an_hour(daemon: Daemon, listener: Listener) -> None:
    with listening() as switch:
        daemon.destinations = to(webhook(listener), heartbeat_url=SecretStr(switch.url))
        daemon.ticks(2)
        assert [request.method for request in switch.received] == ["GET", "GET"]
        listener.status = 500
        daemon.evaluate(INDEX, passed=False)
        daemon.tick()
        daemon.tick(3000)
        assert len(switch.received) == 4
        said = daemon.tick(1000)
        assert len(switch.received) == 4
        assert "no heartbeat: webhook could not be reached for more than an hour" in said


def test_a_dead_mans_switch_that_is_down_stops_nothing(daemon: Daemon, listener: Listener) -> None:
    daemon.destinations = to(webhook(listener), heartbeat_url=SecretStr("http://127.0.0.1:1/secret"))
    daemon.evaluate(INDEX, passed=False)
    said = daemon.tick()
    assert len(listener.messages) == 1
    assert "the heartbeat's address was not reached" in said[-1]
    assert "secret" not in said[-1]


def test_the_real_sensor_launches_nothing_and_says_what_it_did(daemon: Daemon, listener: Listener) -> None:
    daemon.evaluate(INDEX, passed=False)
    resources = {"database": daemon.database, "destinations": daemon.destinations}
    with dg.build_sensor_context(daemon.instance, definitions=defs, resources=resources) as context:
        result: Any = defs.resolve_sensor_def(sensor.NAME)(context)
    assert not result.run_requests
    told = "1 broken now; webhook was told (1 broken: movie_vectors: the_index_is_valid): answered 200"
    assert result.skip_reason.skip_message == told
    assert len(listener.messages) == 1
