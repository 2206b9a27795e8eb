"""Addresses and keys of destinations are nowhere but in the environment, whatever fails."""

import logging

import dagster as dg
import pytest
from pydantic import SecretStr

from movie_assets.database.database import Database
from movie_assets.operations.alerts import sensor
from movie_assets.operations.alerts.destinations import Destinations, SignedWebhook, SlackWebhook
from movie_assets.operations.alerts.mail import Mail
from movie_assets_tests.listeners import listening
from movie_assets_tests.operations.alerts.daemon import INDEX, Daemon
from movie_assets_tests.support.definitions import defs

CANARY = "canary-of-a-secret"
TABLES = ("alerts", "alert_destinations", "alert_deliveries", "alert_mutes", "heartbeats")


@pytest.mark.parametrize("status", [200, 500])
def test_no_secret_is_in_a_log_a_table_or_dagsters_storage(
    status: int, database: Database, caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    with listening() as listener, dg.instance_for_test() as instance:
        listener.status = status
        url = SecretStr(f"{listener.url}/{CANARY}")
        server = SecretStr(f"smtp://me:{CANARY}@127.0.0.1:1")
        places = (SlackWebhook(url), SignedWebhook(url, SecretStr(CANARY)), Mail(server, "a@a.test", ("b@a.test",)))
        destinations = Destinations(places, heartbeat_url=url)
        Daemon(database, instance, destinations).evaluate(INDEX, passed=False)
        resources = {"database": database, "destinations": destinations}
        with dg.build_sensor_context(instance, definitions=defs, resources=resources) as context:
            result = defs.resolve_sensor_def(sensor.NAME).evaluate_tick(context)
        assert len(listener.received) == 3
        records = [str(result), caplog.text, *capfd.readouterr()]
        with database.transaction() as connection:
            for table in TABLES:
                records += map(str, connection.exec_driver_sql(f"select * from pipeline.{table}").all())
        records += [str(record) for record in instance.all_logs("")]
    written = "\n".join(records)
    assert INDEX[1] in written
    assert "the message to mail failed" in written
    assert CANARY not in written
