"""Which changes of checks, assets and jobs are an alert, and what an alert contains."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
from dagster._core.definitions.freshness import FreshnessState, FreshnessStateChange

from movie_assets.database.database import Database
from movie_assets.operations.alerts import history, sensor
from movie_assets.orchestration.freshness import with_freshness
from movie_assets_tests.listeners import Listener
from movie_assets_tests.operations.alerts.daemon import (
    AGE,
    BROKEN,
    INDEX,
    RUNBOOK,
    TOTALS,
    WEB,
    Daemon,
    events,
    parts,
    to,
    webhook,
)
from movie_assets_tests.support.definitions import defs


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
    daemon.evaluate(
        AGE, passed=False, severity="WARN", message="50 of 100 films are overdue", figures={"films": 100, "overdue": 50}
    )
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
        "expected": "At most 2 % of the accepted films are due again (2 to 30 days old, by release date). Reports the "
        "share of films within each age, and the oldest copy.",
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


def test_a_check_that_fails_and_passes_between_two_looks_is_not_told(daemon: Daemon, listener: Listener) -> None:
    daemon.tick()
    daemon.evaluate(INDEX, passed=False)
    daemon.evaluate(INDEX, passed=True)
    daemon.ticks(3)
    assert listener.messages == []


def test_a_warning_that_becomes_an_error_is_told_once_more(daemon: Daemon, listener: Listener) -> None:
    for severity in ("WARN", "ERROR", "WARN", "ERROR"):
        daemon.evaluate(INDEX, passed=False, severity=severity)
        daemon.ticks(2)
    daemon.evaluate(INDEX, passed=True)
    daemon.tick()
    assert [message[0][0] for message in events(listener)] == ["broken", "worse", "recovered"]


def test_another_error_of_a_check_of_many_things_is_told_once_more(daemon: Daemon, listener: Listener) -> None:
    for found in (["index"], ["index"], ["index", "disk"], ["disk"], ["disk"], ["disk", "index"]):
        daemon.evaluate(BROKEN, passed=False, message=str(found), figures=parts(found))
        daemon.ticks(2)
    daemon.evaluate(BROKEN, passed=True, figures=parts([]))
    daemon.ticks(2)
    sent = [(entry["event"], entry["says"]) for message in listener.messages for entry in message["entries"]]
    assert sent[:3] == [("broken", "['index']"), ("worse", "['index', 'disk']"), ("worse", "['disk', 'index']")]
    assert [event for event, _ in sent[3:]] == ["recovered"]
    assert len({message["message_id"] for message in listener.messages}) == 4


def test_however_many_things_of_a_check_are_broken_they_are_told_once(daemon: Daemon, listener: Listener) -> None:
    for _ in range(2):
        daemon.evaluate(BROKEN, passed=False, figures=parts([f"thing {n}" for n in range(30)]))
        daemon.ticks(2)
    assert events(listener) == [[("broken", BROKEN[1])]]


def test_another_warning_of_a_check_of_many_things_is_not(daemon: Daemon, listener: Listener) -> None:
    for found in (["index"], ["index", "disk"]):
        daemon.evaluate(BROKEN, passed=False, severity="WARN", figures=parts(found))
        daemon.ticks(2)
    assert events(listener) == [[("broken", BROKEN[1])]]


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
    assert history.open_alerts(daemon.database) == {}


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


def test_the_real_sensor_launches_nothing_and_says_what_it_did(daemon: Daemon, listener: Listener) -> None:
    daemon.evaluate(INDEX, passed=False)
    resources = {"database": daemon.database, "destinations": daemon.destinations}
    with dg.build_sensor_context(daemon.instance, definitions=defs, resources=resources) as context:
        result: Any = defs.resolve_sensor_def(sensor.NAME)(context)
    assert not result.run_requests
    outcomes = "1 broken now; a message was sent to webhook (1 broken: movie_vectors: the_index_is_valid): answered 200"
    assert result.skip_reason.skip_message == outcomes
    assert len(listener.messages) == 1
