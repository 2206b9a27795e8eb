import ssl
from collections.abc import Iterator, Mapping
from datetime import date

import httpx
import pytest

from movie_assets.emulator.moving_world import MovingWorld
from movie_assets.emulator.options import StandInOptions
from movie_assets.emulator.server import StandIn

# Loading certificates takes 30 ms a client, and nothing here is encrypted.
NO_TLS = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
TODAY = date(2026, 11, 20)
OPTIONS = StandInOptions(movies=600, seed=1, rate_limit=0, today=TODAY, stall_seconds=5.0)


def get(url: str, headers: Mapping[str, str] | None = None) -> httpx.Response:
    return httpx.get(url, headers=headers, verify=NO_TLS)


@pytest.fixture(scope="session")
def world() -> MovingWorld:
    return MovingWorld(600, 1)


@pytest.fixture(scope="session")
def running(world: MovingWorld) -> Iterator[StandIn]:
    with StandIn(OPTIONS, world=world) as stand_in:
        yield stand_in


@pytest.fixture
def stand_in(running: StandIn) -> StandIn:
    running.today = TODAY
    running.faults = {}
    running.reset_counts()
    return running


@pytest.fixture
def api(stand_in: StandIn) -> Iterator[httpx.Client]:
    headers = {"Authorization": "Bearer canary"}
    with httpx.Client(verify=NO_TLS, base_url=stand_in.tmdb_url, headers=headers, timeout=5.0) as client:
        yield client
