"""Delivery of alerts: outages, several destinations, mutes, repeated attempts, heartbeats."""

from datetime import datetime, timedelta

import pytest
from pydantic import SecretStr

from movie_assets.operations.alerts import history
from movie_assets.operations.alerts.destinations import SlackWebhook
from movie_assets_tests.listeners import Listener, listening
from movie_assets_tests.operations.alerts.daemon import AGE, BROKEN, INDEX, Daemon, events, parts, to, webhook


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
    (state,) = history.destination_states(daemon.database, "WARN", daemon.now)
    return state.next_attempt_at


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
    assert [subject.name for subject in history.open_alerts(daemon.database)] == [INDEX[1]]


def test_warnings_are_not_told_to_who_wants_errors_only(daemon: Daemon, listener: Listener) -> None:
    daemon.destinations = to(webhook(listener), least_severity="ERROR")
    daemon.evaluate(AGE, passed=False, severity="WARN")
    daemon.ticks(2)
    daemon.evaluate(AGE, passed=True, severity="WARN")
    daemon.ticks(2)
    assert listener.messages == []


def test_what_comes_again_in_the_same_words_is_no_repetition_for_a_receiver(daemon: Daemon, listener: Listener) -> None:
    for found in (["disk"], ["disk", "index"], ["disk"], ["disk", "index"]):
        daemon.evaluate(BROKEN, passed=False, message=str(found), figures=parts(found))
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


def test_each_tick_leaves_a_heartbeat(daemon: Daemon) -> None:
    daemon.ticks(2)
    assert daemon.database.fetch_value(datetime, "last_beat", name=history.HEARTBEAT) == daemon.now


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
        outcomes = daemon.tick(1000)
        assert len(switch.received) == 4
        assert "no heartbeat: webhook could not be reached for more than an hour" in outcomes


def test_a_dead_mans_switch_that_is_down_stops_nothing(daemon: Daemon, listener: Listener) -> None:
    daemon.destinations = to(webhook(listener), heartbeat_url=SecretStr("http://127.0.0.1:1/secret"))
    daemon.evaluate(INDEX, passed=False)
    outcomes = daemon.tick()
    assert len(listener.messages) == 1
    assert "the heartbeat's address could not be reached" in outcomes[-1]
    assert "secret" not in outcomes[-1]
