"""`movie-assets alert`: test, list, mute and unmute."""

import json
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner, Result

from movie_assets.cli.main import main
from movie_assets.cli.report_alerts import Mute
from movie_assets.config.paths import CHECKOUT
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.http_client.webhooks import DeliveryError
from movie_assets.operations.alerts import history
from movie_assets.operations.alerts.decisions import Changes, Problem, Subject
from movie_assets_tests.listeners import Listener, listening

Call = Callable[..., Result]
CANARY = "canary-of-a-secret"
CHECK = Subject("check", "movie_vectors", "the_index_is_valid")


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as opened:
        yield opened


@pytest.fixture
def call(database: Database) -> Call:
    """Call a command on a database of the test's own."""
    clean = dict.fromkeys(str(field.alias) for field in Settings.model_fields.values())
    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)

    def run(*arguments: str, **variables: str) -> Result:
        environment = {**clean, "MOVIE_ASSETS_DATABASE_URL": address, **variables}
        return CliRunner().invoke(main, ["alert", *arguments], env=environment)

    return run


def break_it(database: Database) -> None:
    now = datetime.now(UTC)
    problem = Problem(CHECK, "ERROR", "2.5 times its size", now - timedelta(hours=1), "/assets", "1", "valid")
    history.store_changes(database, Changes([problem], [], [], []), now)


def test_a_test_message_goes_to_each_destination(call: Call, listener: Listener) -> None:
    result = call(
        "test",
        MOVIE_ASSETS_ALERT_SLACK_URL=f"{listener.url}/{CANARY}",
        MOVIE_ASSETS_ALERT_WEBHOOK_URL=f"{listener.url}/{CANARY}",
        MOVIE_ASSETS_ALERT_WEBHOOK_KEY=CANARY,
    )
    assert result.exit_code == 0
    assert result.stdout.splitlines() == ["sent slack: answered 200", "sent webhook: answered 200"]
    assert {"test: alerts of movie_assets arrive here" in request.body.decode() for request in listener.received} == {
        True
    }


def test_a_destination_that_fails_ends_it_with_1_and_says_why(call: Call, listener: Listener) -> None:
    result = call(
        "test",
        MOVIE_ASSETS_ALERT_SLACK_URL=f"{listener.url}/{CANARY}",
        MOVIE_ASSETS_ALERT_SMTP_URL=f"smtp://me:{CANARY}@127.0.0.1:1",
        MOVIE_ASSETS_ALERT_MAIL_FROM="a@a.test",
        MOVIE_ASSETS_ALERT_MAIL_TO="b@a.test",
    )
    assert result.exit_code == 1
    assert result.stdout.splitlines()[0] == "sent slack: answered 200"
    assert result.stdout.splitlines()[1].startswith("failed mail: no connection")
    assert CANARY not in result.output


def test_without_a_destination_a_test_fails_and_names_the_settings(call: Call) -> None:
    result = call("test")
    assert result.exit_code == 1
    assert "MOVIE_ASSETS_ALERT_SLACK_URL" in result.stderr


def test_the_list_of_a_catalogue_that_is_well(call: Call) -> None:
    result = call("list")
    assert result.exit_code == 0
    assert "Nothing is broken." in result.stdout
    assert "switch something_broke_or_recovered on" in result.stdout


def test_the_list_says_what_is_broken_muted_and_undelivered(call: Call, database: Database) -> None:
    break_it(database)
    now = datetime.now(UTC)
    database.execute("beat", name=history.HEARTBEAT, as_of=now)
    history.update_destinations(database, ["slack"], now)
    history.record_delivery_failure(database, "slack", DeliveryError("it answered 503"), now)
    shown = " ".join(call("list").stdout.split())
    for text in ("ERROR", "the_index_is_valid", "nobody yet", "slack has 1 undelivered: it answered 503",
                 "1 attempts", "sensor last ran at"):  # fmt: skip
        assert text in shown
    runbook = f"{(CHECKOUT / 'docs' / 'runbook.md').as_uri()}#the_index_is_valid"
    assert f"what to do: {runbook}" in shown
    found = json.loads(call("list", "--json", MOVIE_ASSETS_SOURCE_URL="https://code.test/blob/main").stdout)
    assert found["broken"][0]["runbook"] == "https://code.test/blob/main/docs/runbook.md#the_index_is_valid"
    assert [alert["name"] for alert in found["broken"]] == ["the_index_is_valid"]
    assert found["destinations"][0]["untold"] == 1


def test_a_mute_is_taken_back(call: Call, database: Database) -> None:
    break_it(database)
    muted = call("mute", "the_index_is_valid", "--for", "2d")
    assert muted.exit_code == 0
    until = json.loads(call("list", "--json").stdout)["broken"][0]["muted_until"]
    assert datetime.fromisoformat(until) - datetime.now(UTC) == pytest.approx(
        timedelta(days=2), abs=timedelta(minutes=5)
    )
    assert "muted until" in call("list").stdout
    assert call("unmute", "the_index_is_valid").exit_code == 0
    assert json.loads(call("list", "--json").stdout)["muted"] == []


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("mute", "the_index_is_vlaid", "--for", "2d"), "has the name the_index_is_vlaid"),
        (("mute", "the_index_is_valid", "--for", "soon"), "soon is no duration"),
        (("mute", "the_index_is_valid", "--for", "0d"), "0d is no duration"),
        (("mute", "the_index_is_valid"), "--for"),
        (("unmute", "the_index_is_valid"), "is not muted"),
    ],
)
def test_a_wrong_mute_is_refused(arguments: tuple[str, ...], problem: str, call: Call, database: Database) -> None:
    result = call(*arguments)
    assert result.exit_code == 2
    assert problem in result.stderr
    assert database.fetch(Mute, "alert_mutes", as_of=datetime.now(UTC)) == []


@pytest.mark.parametrize("name", ["movie_details", "fetch_details", "details_are_due", "read_the_day_at_0830"])
def test_assets_jobs_sensors_and_schedules_can_be_muted(name: str, call: Call) -> None:
    assert call("mute", name, "--for", "30m").exit_code == 0
