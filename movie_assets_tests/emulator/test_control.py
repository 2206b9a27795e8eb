import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from movie_assets.emulator.moving_world import MovingWorld
from movie_assets.emulator.options import StandInOptions
from movie_assets.emulator.server import StandIn
from movie_assets_tests.emulator.conftest import NO_TLS, get

SERVING = """
from movie_assets.emulator.options import StandInOptions
from movie_assets.emulator.server import serve
serve(StandInOptions(movies=5), lambda ready: print(ready.tmdb_url, flush=True))
print("stopped")
"""


def state(stand_in: StandIn) -> dict[str, Any]:
    answer: dict[str, Any] = get(f"{stand_in.url}/stand-in/state").json()
    return answer


def put(stand_in: StandIn, **wanted: Any) -> httpx.Response:
    return httpx.put(verify=NO_TLS, url=f"{stand_in.url}/stand-in/state", json=wanted)


def test_the_state_shows_day_faults_and_counts(api: httpx.Client, stand_in: StandIn) -> None:
    api.get("/movie/550")
    api.get("/movie/999999999")
    assert state(stand_in) == {
        "today": "2026-11-20",
        "faults": {},
        "struck": {},
        "requests": {"movie": {"200": 1, "404": 1}},
        "embedded_inputs": 0,
        "max_requests_in_any_second": 2,
    }
    assert stand_in.requests == {"movie": {200: 1, 404: 1}}


def test_the_day_can_be_set_and_given_back_to_the_calendar(stand_in: StandIn) -> None:
    assert put(stand_in, today="2026-12-24").json()["today"] == "2026-12-24"
    assert stand_in.today == date(2026, 12, 24)
    put(stand_in, today=None)
    assert abs((stand_in.today - datetime.now(UTC).date()).days) <= 1


def test_setting_the_day_moves_the_world(api: httpx.Client, stand_in: StandIn) -> None:
    before = api.get("/movie/550").json()["popularity"]
    put(stand_in, today="2026-11-21")
    assert api.get("/movie/550").json()["popularity"] != before


def test_faults_can_be_switched_on_and_off(api: httpx.Client, stand_in: StandIn) -> None:
    put(stand_in, faults={"500": 1.0})
    assert api.get("/movie/550").status_code == 500
    assert put(stand_in, faults={}).json()["struck"] == {"500": 1}
    assert api.get("/movie/550").status_code == 200


def test_counts_can_be_reset(api: httpx.Client, stand_in: StandIn) -> None:
    api.get("/movie/550")
    assert put(stand_in, reset_counts=True).json()["requests"] == {}
    assert stand_in.max_requests_in_any_second == 0


@pytest.mark.parametrize(
    "wrong",
    [{"today": "soon"}, {"today": 5}, {"faults": {"nonsense": 1}}, {"faults": ["500"]}, {"colour": "red"}],
)
def test_what_cannot_be_set_is_refused_and_changes_nothing(stand_in: StandIn, wrong: dict[str, Any]) -> None:
    before = state(stand_in)
    answer = put(stand_in, **{"reset_counts": False, **wrong})
    assert answer.status_code == 400
    assert answer.json()["error"]
    assert state(stand_in) == before


def test_an_unknown_fault_at_start_is_refused(world: MovingWorld) -> None:
    with pytest.raises(ValueError, match="unknown fault"):
        StandIn(StandInOptions(faults={"nonsense": 1.0}), world=world)


def test_the_port_is_free_again_after_a_stop(world: MovingWorld) -> None:
    with StandIn(StandInOptions(), world=world) as first:
        port = first.port
    with StandIn(StandInOptions(port=port), world=world) as second:
        assert get(f"{second.url}/stand-in/state").status_code == 200


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_serving_in_the_foreground_ends_cleanly_on_a_signal(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", SERVING], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        url = process.stdout.readline().strip()
        os.kill(process.pid, number)
        rest, _ = process.communicate(timeout=5)
    assert url.endswith("/3")
    assert rest == "stopped\n"
    assert process.returncode == 0
