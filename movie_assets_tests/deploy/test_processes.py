"""A day's work by the processes of a deployment: code location, daemon, web servers and run workers on one Postgres."""

import json
import time
import urllib.request
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from typing import Any

import psycopg
import pytest

from movie_assets.standin.options import StandInOptions
from movie_assets.standin.server import StandIn
from movie_assets_tests.assets.world import Films, film
from movie_assets_tests.deploy.conftest import Server, rows_as
from movie_assets_tests.deploy.processes import Place, Process, free_port, run_once, running, wait_until_well

FILMS = 70  # some batches have two
SECONDS_FOR_A_RUN = 300
LAUNCH = """
mutation ($params: ExecutionParams!) {
  launchRun(executionParams: $params) {
    __typename
    ... on LaunchRunSuccess { run { runId } }
    ... on PythonError { message }
    ... on RunConfigValidationInvalid { errors { message } }
  }
}
"""
STATE = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { status } } }"


def ask(port: int, query: str, **variables: Any) -> dict[str, Any]:
    request = urllib.request.Request(  # our own server
        f"http://127.0.0.1:{port}/graphql",
        json.dumps({"query": query, "variables": variables}).encode(),
        {"Content-Type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=60) as answer:  # noqa: S310
        found: dict[str, Any] = json.load(answer)
    assert "errors" not in found, found
    (only,) = found["data"].values()
    return dict(only)


def launch(port: int, job: str, **tags: str) -> dict[str, Any]:
    selector = {
        "repositoryLocationName": "movie_assets",
        "repositoryName": "__repository__",
        "jobName": job,
    }
    marks = [{"key": f"dagster/{name}", "value": value} for name, value in tags.items()]
    return ask(port, LAUNCH, params={"selector": selector, "mode": "default", "executionMetadata": {"tags": marks}})


def wait_for(port: int, *launched: dict[str, Any]) -> list[dict[str, Any]]:
    deadline = time.monotonic() + SECONDS_FOR_A_RUN
    while time.monotonic() < deadline:
        found = states(port, *launched)
        if all(state["status"] in ("SUCCESS", "FAILURE", "CANCELED") for state in found):
            return found
        time.sleep(1)
    raise AssertionError(f"not finished after {SECONDS_FOR_A_RUN} s: {found}")


def states(port: int, *launched: dict[str, Any]) -> list[dict[str, Any]]:
    return [ask(port, STATE, id=answer["run"]["runId"]) for answer in launched]


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
    with StandIn(StandInOptions(rate_limit=0), world=world) as stand_in:
        yield Place(
            tmp_path_factory.mktemp("place"),
            free_port(),
            {
                "MOVIE_ASSETS_DATABASE_URL": server_with_roles.of("movie_assets"),
                "MOVIE_ASSETS_DAGSTER_DATABASE_URL": records.replace("postgresql:", "postgresql+psycopg2:"),
                "TMDB_API_URL": stand_in.tmdb_url,
                "TMDB_EXPORT_URL": stand_in.export_url,
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
        assert [s["status"] for s in wait_for(port, launch(port, "read_the_day", partition=today))] == ["SUCCESS"]
        with nothing_written_to(server_with_roles, "catalog.movies"):
            halves = [launch(port, "fetch_details", **batches(*half)) for half in ((0, 31), (32, 63))]
            # A second worker does its work while the first waits; the third waits for TMDB's pool.
            assert [s["status"] for s in wait_for(port, launch(port, "embed_texts", **batches(0, 63)))] == ["SUCCESS"]
            assert sorted(state["status"] for state in states(port, *halves)) == ["QUEUED", "STARTED"]
        assert [state["status"] for state in wait_for(port, *halves)] == ["SUCCESS", "SUCCESS"]
        assert set(world.asked.values()) == {1}
        for job, tags in (("embed_texts", batches(0, 63)), ("publish", {})):
            assert [state["status"] for state in wait_for(port, launch(port, job, **tags))] == ["SUCCESS"]

        assert rows_as(server_with_roles, "movie_assets", "select count(*) from catalog.movie_vectors") == [(FILMS,)]
        assert launch(read_only_port, "publish")["__typename"] == "UnauthorizedError"
        stopped: list[Process] = [web, read_only, daemon, code]
        assert [process.stop() for process in stopped] == [0, 0, 0, 0]
        assert [process.left() for process in stopped] == [[], [], [], []]
