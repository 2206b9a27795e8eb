"""A day's work by the processes of a deployment: code location, daemon, web servers and run workers on one Postgres."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime

import psycopg
import pytest

from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.deploy.conftest import Server, rows_as
from movie_assets_tests.deploy.processes import Place, Process, run_once, running, wait_until_well
from movie_assets_tests.deploy.web_ui import WebUi
from movie_assets_tests.support.ports import free_port
from movie_assets_tests.support.world import Films, film

FILMS = 70  # some batches have two


def batches(first: int, last: int) -> dict[str, str]:
    return {"asset_partition_range_start": f"batch_{first:02}", "asset_partition_range_end": f"batch_{last:02}"}


@contextmanager
def nothing_written_to(server: Server, table: str) -> Iterator[None]:
    """Hold a table against writers for a while."""
    with psycopg.connect(server.of("movie_assets")) as connection:
        connection.execute(f"lock table {table} in exclusive mode".encode())
        yield


@pytest.fixture(scope="module")
def world() -> Films:
    films = Films()
    films.put(*(film(number, overview=f"Story {number} of a keeper and a boat.") for number in range(1, FILMS + 1)))
    return films


@pytest.fixture(scope="module")
def place(server_with_roles: Server, world: Films, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    records = server_with_roles.of("movie_assets_dagster", "movie_assets_dagster")
    with TmdbEmulator(EmulatorOptions(rate_limit=0), world=world) as tmdb_emulator:
        yield Place(
            tmp_path_factory.mktemp("place"),
            free_port(),
            {
                "MOVIE_ASSETS_DATABASE_URL": server_with_roles.of("movie_assets"),
                "MOVIE_ASSETS_DAGSTER_DATABASE_URL": records.replace("postgresql:", "postgresql+psycopg2:"),
                "TMDB_API_URL": tmdb_emulator.tmdb_url,
                "TMDB_EXPORT_URL": tmdb_emulator.export_url,
                "TMDB_API_TOKEN": "a-token",
                "MOVIE_ASSETS_EMBEDDING_DIMENSIONS": "64",
            },
        )


@pytest.mark.daemon
def test_the_services_of_the_compose_file_do_a_days_work_and_end_cleanly(
    place: Place, server_with_roles: Server, world: Films
) -> None:
    run_once(place, "migrate")
    port, read_only_port = free_port(), free_port()
    with ExitStack() as stack:
        code = stack.enter_context(running(place, "code"))
        wait_until_well(place, code)
        daemon, web, read_only = services = [
            stack.enter_context(running(place, "daemon")),
            stack.enter_context(running(place, "web", port)),
            stack.enter_context(running(place, "web_read_only", read_only_port)),
        ]
        for process in services:
            wait_until_well(place, process)

        today = datetime.now(UTC).date().isoformat()
        ui, looking = WebUi(f"http://127.0.0.1:{port}"), WebUi(f"http://127.0.0.1:{read_only_port}")
        assert ui.wait_for(ui.launch("read_the_day", partition=today)) == ["SUCCESS"]
        with nothing_written_to(server_with_roles, "catalog.movies"):
            halves = [ui.launch("fetch_details", **batches(*half)) for half in ((0, 31), (32, 63))]
            # A second worker does its work while the first waits; the third waits for TMDB's pool.
            assert ui.wait_for(ui.launch("embed_texts", **batches(0, 63))) == ["SUCCESS"]
            assert sorted(ui.states(*halves)) == ["QUEUED", "STARTED"]
        assert ui.wait_for(*halves) == ["SUCCESS", "SUCCESS"]
        assert set(world.asked.values()) == {1}
        for job, tags in (("embed_texts", batches(0, 63)), ("publish", {})):
            assert ui.wait_for(ui.launch(job, **tags)) == ["SUCCESS"]

        assert rows_as(server_with_roles, "movie_assets", "select count(*) from catalog.movie_vectors") == [(FILMS,)]
        assert looking.launch("publish")["__typename"] == "UnauthorizedError"
        stopped: list[Process] = [web, read_only, daemon, code]
        assert [process.stop() for process in stopped] == [0, 0, 0, 0]
        assert [process.left() for process in stopped] == [[], [], [], []]
