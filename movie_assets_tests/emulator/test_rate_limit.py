import asyncio
import time
from collections import Counter
from datetime import date

import httpx

from movie_assets.emulator.moving_world import MovingWorld
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.emulator.service import RateLimit
from movie_assets_tests.emulator.conftest import NO_TLS, get

HEADERS = {"Authorization": "Bearer canary"}


async def statuses_of(tmdb_emulator: TmdbEmulator, calls: int) -> Counter[int]:
    async with httpx.AsyncClient(verify=NO_TLS, headers=HEADERS) as client:
        url = f"{tmdb_emulator.tmdb_url}/configuration"
        responses = await asyncio.gather(*(client.get(url) for _ in range(calls)))
    return Counter(response.status_code for response in responses)


def test_no_sliding_second_lets_more_through_than_the_limit() -> None:
    limit = RateLimit(3)
    moments = (0.0, 0.5, 0.9, 0.95, 1.05, 1.45, 1.55, 1.6)
    assert [limit.passes(as_of) for as_of in moments] == [
        True, True, True, False, True, False, True, False,
    ]  # fmt: skip


def test_a_burst_beyond_the_limit_is_answered_with_429_and_a_second_later_with_200(
    world: MovingWorld,
) -> None:
    with TmdbEmulator(EmulatorOptions(rate_limit=10), world=world) as tmdb_emulator:
        assert asyncio.run(statuses_of(tmdb_emulator, 25)) == {200: 10, 429: 15}
        refused = get(f"{tmdb_emulator.tmdb_url}/configuration", headers=HEADERS)
        assert refused.headers["Retry-After"] == "1"
        assert refused.json() == {
            "success": False,
            "status_code": 25,
            "status_message": "Your request count (#) is over the allowed limit of (40).",
        }
        time.sleep(1.05)
        assert get(f"{tmdb_emulator.tmdb_url}/configuration", headers=HEADERS).status_code == 200
        assert tmdb_emulator.max_requests_in_any_second == 26


def test_exports_and_embeddings_do_not_count_against_the_limit(world: MovingWorld) -> None:
    day = date(2026, 11, 20)
    with TmdbEmulator(EmulatorOptions(rate_limit=1, today=day), world=world) as tmdb_emulator:
        for _ in range(3):
            export = get(f"{tmdb_emulator.export_url}/movie_ids_11_20_2026.json.gz")
            response = httpx.post(
                verify=NO_TLS,
                url=f"{tmdb_emulator.openai_url}/embeddings",
                headers=HEADERS,
                json={"model": "m", "input": "a"},
            )
            assert (export.status_code, response.status_code) == (200, 200)
        assert tmdb_emulator.max_requests_in_any_second == 0


def test_without_a_limit_everything_passes(tmdb_emulator: TmdbEmulator) -> None:
    assert asyncio.run(statuses_of(tmdb_emulator, 80)) == {200: 80}
