import os
import signal
import subprocess
import sys
from datetime import UTC, date, datetime
from typing import Any

import httpx
import pytest

from movie_assets.emulator.moving_world import MovingWorld
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.emulator.conftest import NO_TLS, get

SERVING = """
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import serve
serve(EmulatorOptions(movies=5), lambda ready: print(ready.tmdb_url, flush=True))
print("stopped")
"""


def state(tmdb_emulator: TmdbEmulator) -> dict[str, Any]:
    response: dict[str, Any] = get(f"{tmdb_emulator.url}/emulator/state").json()
    return response


def put(tmdb_emulator: TmdbEmulator, **wanted: object) -> httpx.Response:
    return httpx.put(verify=NO_TLS, url=f"{tmdb_emulator.url}/emulator/state", json=wanted)


def test_the_state_shows_day_faults_and_counts(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    api.get("/movie/550")
    api.get("/movie/999999999")
    shown = state(tmdb_emulator)
    assert 1 <= shown.pop("max_requests_in_any_second") <= 2  # a busy machine may need a second between the two
    assert shown == {
        "today": "2026-11-20",
        "faults": {},
        "struck": {},
        "requests": {"movie": {"200": 1, "404": 1}},
        "embedded_inputs": 0,
    }
    assert tmdb_emulator.requests == {"movie": {200: 1, 404: 1}}


def test_the_former_path_of_the_state_still_works(tmdb_emulator: TmdbEmulator) -> None:
    assert get(f"{tmdb_emulator.url}/stand-in/state").json() == state(tmdb_emulator)


def test_the_day_can_be_set_and_given_back_to_the_calendar(tmdb_emulator: TmdbEmulator) -> None:
    assert put(tmdb_emulator, today="2026-12-24").json()["today"] == "2026-12-24"
    assert tmdb_emulator.today == date(2026, 12, 24)
    put(tmdb_emulator, today=None)
    assert abs((tmdb_emulator.today - datetime.now(UTC).date()).days) <= 1


def test_setting_the_day_moves_the_world(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    before = api.get("/movie/550").json()["popularity"]
    put(tmdb_emulator, today="2026-11-21")
    assert api.get("/movie/550").json()["popularity"] != before


def test_faults_can_be_switched_on_and_off(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    put(tmdb_emulator, faults={"500": 1.0})
    assert api.get("/movie/550").status_code == 500
    assert put(tmdb_emulator, faults={}).json()["struck"] == {"500": 1}
    assert api.get("/movie/550").status_code == 200


def test_counts_can_be_reset(api: httpx.Client, tmdb_emulator: TmdbEmulator) -> None:
    api.get("/movie/550")
    assert put(tmdb_emulator, reset_counts=True).json()["requests"] == {}
    assert tmdb_emulator.max_requests_in_any_second == 0


@pytest.mark.parametrize(
    "wrong",
    [{"today": "soon"}, {"today": 5}, {"faults": {"nonsense": 1}}, {"faults": ["500"]}, {"colour": "red"}],
)
def test_a_wrong_value_is_refused_and_changes_nothing(tmdb_emulator: TmdbEmulator, wrong: dict[str, object]) -> None:
    before = state(tmdb_emulator)
    response = put(tmdb_emulator, **{"reset_counts": False, **wrong})
    assert response.status_code == 400
    assert response.json()["error"]
    assert state(tmdb_emulator) == before


def test_an_unknown_fault_at_start_is_refused(world: MovingWorld) -> None:
    with pytest.raises(ValueError, match="unknown fault"):
        TmdbEmulator(EmulatorOptions(faults={"nonsense": 1.0}), world=world)


def test_the_port_is_free_again_after_a_stop(world: MovingWorld) -> None:
    with TmdbEmulator(EmulatorOptions(), world=world) as first:
        port = first.port
    with TmdbEmulator(EmulatorOptions(port=port), world=world) as second:
        assert get(f"{second.url}/emulator/state").status_code == 200


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
