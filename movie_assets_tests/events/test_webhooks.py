"""Webhooks receive every event in order: from a receiver that fails, hangs, or is there when the process is killed."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from movie_assets.config.settings import Settings, SettingsError
from movie_assets.config.webhook_settings import Webhook
from movie_assets.database.database import Database
from movie_assets.events import webhooks as delivery
from movie_assets.events.webhook_sensor import webhook_sensor
from movie_assets.events.webhooks import deliver_events, webhooks_lock
from movie_assets.http_client import webhooks as posting
from movie_assets.http_client.webhooks import signature
from movie_assets_tests.conftest import Pipeline
from movie_assets_tests.listeners import Listener, listening
from movie_assets_tests.support.rows import put_films

KEY = "whsec_c2VjcmV0"
ONE = '{"name": "a", "url": "https://x.test", "key": "k"}'
DELIVER = """
import sys
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.events.webhooks import deliver_events
deliver_events(Database(sys.argv[1]), Settings.from_env().webhooks)
"""


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as running:
        yield running


def subscription(listener: Listener, **filters: Any) -> Webhook:
    return Webhook(name="shop", url=SecretStr(listener.url + "/hook?token=t"), key=SecretStr(KEY), **filters)


def received(listener: Listener) -> list[list[int]]:
    """The numbers of the events of each request."""
    return [[event["sequence"] for event in message["events"]] for message in listener.messages]


def retry_now(database: Database) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql("update pipeline.webhooks set next_attempt_at = null")


def test_events_arrive_in_order_signed_and_once(
    database: Database, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "MAX_EVENTS", 4)
    put_films(database, 1, 3)
    assert deliver_events(database, [subscription(listener)]) == []  # what was there before is no news
    put_films(database, 4, 9)
    assert deliver_events(database, [subscription(listener)]) == ["shop received 6 events"]
    assert received(listener) == [[4, 5, 6, 7], [8, 9]]
    assert deliver_events(database, [subscription(listener)]) == []
    request = listener.received[1]
    assert (request.path, request.headers["webhook-id"]) == ("/hook?token=t", "shop-8-9")
    assert request.headers["webhook-signature"] == signature(
        KEY, "shop-8-9", request.headers["webhook-timestamp"], request.body
    )
    event = request.json["events"][0]
    assert (event["key"], event["kind"], event["payload"]["title"]) == ("movie:8", "added", "Film 8")


def test_a_subscription_receives_only_what_it_asked_for(database: Database, listener: Listener) -> None:
    chosen = subscription(listener, kinds=("left",), media=("movie",))
    deliver_events(database, [chosen])
    put_films(database, 1, 3)
    with database.transaction() as connection:
        connection.exec_driver_sql("delete from catalog.titles where title_id = 2")
        connection.exec_driver_sql("select pipeline.write_event(1000000001, 'left')")
    deliver_events(database, [chosen])
    put_films(database, 5, 6)
    deliver_events(database, [chosen])
    assert received(listener) == [[4]]
    with database.transaction() as connection:
        assert connection.exec_driver_sql("select delivered_to, delivered from pipeline.webhooks").all() == [(7, 1)]


def test_a_failed_request_is_sent_again_with_the_same_id_and_events(
    database: Database, listener: Listener, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "SECONDS_TO_SEND", 0.4)
    hook = subscription(listener)
    deliver_events(database, [hook])
    put_films(database, 1, 2)
    listener.status = 503
    assert deliver_events(database, [hook]) == ["shop received 0 events, then failed: it answered 503"]
    put_films(database, 3, 3)
    assert deliver_events(database, [hook]) == []  # not before the next attempt is due
    retry_now(database)
    listener.status, listener.drip = 200, 0.3
    assert deliver_events(database, [hook]) == ["shop received 0 events, then failed: no response within 0 s"]
    retry_now(database)
    listener.drip = 0
    assert deliver_events(database, [hook]) == ["shop received 3 events"]
    assert received(listener) == [[1, 2], [1, 2], [1, 2], [3]]
    assert [request.headers["webhook-id"] for request in listener.received] == ["shop-1-2"] * 3 + ["shop-3-3"]
    assert len({request.body for request in listener.received[:3]}) == 1


def test_what_a_killed_process_had_sent_is_sent_again_and_nothing_else(database: Database, listener: Listener) -> None:
    hook = subscription(listener)
    deliver_events(database, [hook])
    put_films(database, 1, 2)
    deliver_events(database, [hook])
    put_films(database, 3, 5)
    listener.drip = 5
    setting = json.dumps([{"name": "shop", "url": listener.url, "key": KEY}])
    child = subprocess.Popen(  # a process of the test's own
        [sys.executable, "-c", DELIVER, database.url.render_as_string(hide_password=False)],
        env={**os.environ, "MOVIE_ASSETS_WEBHOOKS": setting},
    )
    try:
        while len(listener.received) < 2:
            assert child.poll() is None
            time.sleep(0.02)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    listener.drip = 0
    put_films(database, 6, 6)
    assert deliver_events(database, [hook]) == ["shop received 4 events"]
    assert received(listener) == [[1, 2], [3, 4, 5], [3, 4, 5], [6]]
    assert listener.received[1].body == listener.received[2].body
    assert listener.received[1].headers["webhook-id"] == listener.received[2].headers["webhook-id"]


def test_a_subscription_that_is_behind_is_reported(pipeline: Pipeline, listener: Listener) -> None:
    def problem() -> str | None:
        (evaluation,) = pipeline.check(check).get_asset_check_evaluations()
        return None if evaluation.passed else str(evaluation.description)

    check = dg.AssetCheckKey(dg.AssetKey("events"), "webhooks_keep_up")
    pipeline.by_the_clock = True
    hook = subscription(listener)
    pipeline.settings = pipeline.settings.model_copy(update={"webhooks": (hook,)})
    assert problem() is None
    deliver_events(pipeline.database, [hook])
    put_films(pipeline.database, 1, 2)
    listener.status = 500
    deliver_events(pipeline.database, [hook])
    assert problem() is None
    pipeline.do("update catalog.events set occurred_at = now() - interval '2 hours'")
    assert problem() == "shop has not received events for 2.0 hours (it answered 500)"
    later = datetime.now(UTC) + timedelta(days=1)
    pipeline.do(f"select pipeline.forget_events('{later}')")
    put_films(pipeline.database, 3, 3)
    retry_now(pipeline.database)
    listener.status = 200
    deliver_events(pipeline.database, [hook])
    assert received(listener) == [[1, 2], [3]]
    assert problem() == "shop never received events up to 2, which were deleted"


def test_the_sensor_delivers_unless_another_process_does(database: Database, listener: Listener) -> None:
    def tick(settings: Settings) -> str:
        context = dg.build_sensor_context(resources={"database": database, "settings": settings})
        return str(webhook_sensor(dg.DefaultSensorStatus.STOPPED)(context).skip_message)  # type: ignore[union-attr]

    settings = Settings.model_validate({"webhooks": (subscription(listener),)})
    assert tick(Settings.model_validate({})) == "no webhook is named: set MOVIE_ASSETS_WEBHOOKS"
    assert tick(settings) == "every webhook has received all events"
    put_films(database, 1, 2)
    with webhooks_lock(database):
        assert tick(settings) == "another tick is at work"
    assert tick(settings) == "shop received 2 events"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("{", "a JSON list"),
        ('[{"name": "a", "url": "https://x.test", "key": "k", "kind": ["left"]}]', "kind"),
        ('[{"name": "a", "url": "ftp://canary", "key": "k"}]', "http"),
        ('[{"name": "a", "url": "https://x.test", "key": "whsec_canary!"}]', "base64"),
        (f"[{ONE}, {ONE}]", "same"),
    ],
)  # fmt: skip
def test_a_setting_that_cannot_be_used_is_refused_without_its_value(value: str, message: str) -> None:
    with pytest.raises(SettingsError, match=message) as refused:
        Settings.from_env({"MOVIE_ASSETS_WEBHOOKS": value})
    assert "canary" not in str(refused.value)


def test_addresses_and_keys_are_secrets() -> None:
    value = '[{"name": "a", "url": "https://x.test/canary", "key": "canary2", "kinds": ["left"], "media": ["series"]}]'
    settings = Settings.from_env({"MOVIE_ASSETS_WEBHOOKS": value})
    assert "canary" not in repr(settings) + settings.model_dump_json()
    assert {"https://x.test/canary", "canary2"} <= set(settings.secrets)
