import ssl
from collections.abc import Iterator, Mapping
from datetime import date

import httpx
import pytest

from movie_assets.emulator.moving_world import MovingWorld
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator

# Loading certificates takes 30 ms a client, and nothing here is encrypted.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TODAY = date(2026, 11, 20)
OPTIONS = EmulatorOptions(movies=600, seed=1, rate_limit=0, today=TODAY, stall_seconds=5.0)


def get(url: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return httpx.get(url, headers=headers, verify=NO_TLS)


@pytest.fixture(scope="session")
def world() -> MovingWorld:
    return MovingWorld(600, 1)


@pytest.fixture(scope="session")
def running(world: MovingWorld) -> Iterator[TmdbEmulator]:
    with TmdbEmulator(OPTIONS, world=world) as tmdb_emulator:
        yield tmdb_emulator


@pytest.fixture
def tmdb_emulator(running: TmdbEmulator) -> TmdbEmulator:
    running.today = TODAY
    running.faults = {}
    running.reset_counts()
    return running


@pytest.fixture
def api(tmdb_emulator: TmdbEmulator) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer canary"}
    with httpx.Client(verify=NO_TLS, base_url=tmdb_emulator.tmdb_url, headers=headers, timeout=5.0) as client:
        yield client
