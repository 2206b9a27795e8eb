"""A check that breaks and is repaired sends one alert each, by Dagster's own processes, whatever happens meanwhile.

Takes minutes, so it runs only when asked for: pytest -m daemon.
"""

import os
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.deployment import Deployment, deployed, free_ports, wait_until
from movie_assets_tests.listeners import Listener, listening
from movie_assets_tests.support.world import Films, film

pytestmark = pytest.mark.daemon
FILMS = 60
SPOIL = "update catalog.movies set embedding_text = embedding_text || ' spoilt' where tmdb_id = 1 returning tmdb_id"
MEND = "update catalog.movies set embedding_text = replace(embedding_text, ' spoilt', '') returning tmdb_id"
SEVERAL = 4  # ticks of the alerts' sensor, half a minute apart


@pytest.fixture
def port() -> int:
    """Where the webhook listens, while it is up."""
    return free_ports()


@pytest.fixture
def settled(port: int, monkeypatch: pytest.MonkeyPatch) -> Iterator[Deployment]:
    """A published catalogue with all sensors and schedules on; errors are sent to the webhook."""
    monkeypatch.setenv("MOVIE_ASSETS_ALERT_WEBHOOK_URL", f"http://127.0.0.1:{port}")
    monkeypatch.setenv("MOVIE_ASSETS_ALERT_WEBHOOK_KEY", "a-key")
    monkeypatch.setenv("MOVIE_ASSETS_ALERT_SEVERITY", "ERROR")  # so small a catalogue is warned of
    films = Films()
    # Those of IMDb, whose file is read at half past an hour, and would be an error without any.
    imdb_ids = {tmdb_id: f"tt{tmdb_id:07d}" for tmdb_id in range(1, FILMS + 1)}
    films.put(*(film(tmdb_id, vote_count=500 + tmdb_id, imdb_id=imdb_id) for tmdb_id, imdb_id in imdb_ids.items()))
    with (
        tempfile.TemporaryDirectory(prefix="ma") as folder,  # short: a socket's path may have 107 bytes
        TmdbEmulator(EmulatorOptions(), world=films) as tmdb_emulator,
    ):
        os.chmod(folder, 0o755)  # noqa: S103, PTH101  # the embedded server's user has to walk through it
        with deployed(Path(folder), tmdb_emulator, free_ports(), automation=True) as deployment:
            wait_until(lambda: any(run.is_success for run in deployment.runs("publish")), 400, "all is published")
            yield deployment


def tick(deployment: Deployment, times: int) -> None:
    """Wait until the alerts' sensor has looked so many times more."""
    heartbeat = "select beat_at from pipeline.heartbeats where name = 'alerts'"
    seen, deadline = {deployment.one(heartbeat)}, time.monotonic() + 120 * times
    while len(seen) <= times:
        assert time.monotonic() < deadline, "the alerts' sensor does not tick"
        time.sleep(0.5)
        seen.add(deployment.one(heartbeat))


def recount(deployment: Deployment) -> None:
    """Have the check looked at, as a person does."""
    assert deployment.wait_for(deployment.launch("reconcile")) == "SUCCESS"


def delivered(webhook: Listener) -> list[tuple[str, str]]:
    return [(entry["event"], entry["name"]) for message in webhook.messages for entry in message["entries"]]


def test_a_check_that_breaks_and_is_repaired_is_told_once_each(settled: Deployment, port: int) -> None:
    with listening(port) as webhook:
        recount(settled)
        tick(settled, 2)
        assert delivered(webhook) == []

        assert settled.one(SPOIL) == 1
        recount(settled)
        wait_until(lambda: webhook.messages, 120, "the alert arrives")
        tick(settled, SEVERAL)
        recount(settled)  # fails once more, which is no news
        tick(settled, 2)
        assert delivered(webhook) == [("broken", "everything_agrees")]

        settled.kill("daemon")
        settled.start("daemon")
        tick(settled, SEVERAL)
        assert delivered(webhook) == [("broken", "everything_agrees")]

        webhook.status = 500
        settled.one(MEND)
        recount(settled)
        wait_until(lambda: len(webhook.messages) > 1, 120, "the webhook gets the recovery, and refuses")

    failures = "select failures from pipeline.alert_destinations"
    wait_until(lambda: settled.one(failures) > 1, 180, "nobody listens at the next attempt")
    settled.kill("daemon")
    settled.start("daemon")

    with listening(port) as back:
        seconds = wait_until(lambda: back.messages, 300, "the recovery arrives")
        print(f"delivered {seconds:.0f} s after the webhook was back")
        tick(settled, SEVERAL)
        assert delivered(back) == [("recovered", "everything_agrees")]
    broken, refused, recovered = [*webhook.messages, *back.messages]
    assert recovered["message_id"] == refused["message_id"] != broken["message_id"]
    assert recovered["entries"][0]["alert_id"] == broken["entries"][0]["alert_id"]
    assert settled.one("select count(*) from pipeline.alerts where severity = 'ERROR'") == 1
