"""Dagster as it is deployed: a code server, a daemon and a web server, each a process of its own, on one Postgres.

Tests and benches ask the web server over GraphQL for what a person does there, and the same records for what came
of it.
"""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import dagster as dg
import httpx
import psycopg

from movie_assets.cli.dev import default_signals
from movie_assets.config.paths import CHECKOUT
from movie_assets.config.settings import Settings
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.orchestration.startup import everything_for
from movie_assets_tests.mutations import AGAIN, BACKFILL, LAUNCH, TERMINATE

LOCATION = {"repositoryLocationName": "movie_assets", "repositoryName": "__repository__"}


def wait_until(true: Callable[[], Any], seconds: float, what: str) -> float:
    """Wait until something is so; return the seconds that it took. AssertionError when it takes too long."""
    began = time.monotonic()
    while not true():
        if time.monotonic() > began + seconds:
            raise AssertionError(f"{what}: not within {seconds:.0f} s")
        time.sleep(0.2)
    return time.monotonic() - began


def free_ports() -> int:
    """A port that is free, and the one before it too."""
    while True:
        with closing(socket.create_server(("127.0.0.1", 0))) as one:
            port: int = one.getsockname()[1]
            try:
                socket.create_server(("127.0.0.1", port - 1)).close()
            except OSError:
                continue
            return port


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port)).close()
    except OSError:
        return False
    return True


@dataclass
class Deployment:
    """The processes, and what a person would do with them."""

    home: Path
    settings: Settings
    instance: dg.DagsterInstance
    port: int  # of the web server; the code server has the one before
    processes: dict[str, subprocess.Popen[bytes]] = field(default_factory=dict)

    def start(self, *names: str) -> None:
        """Start processes: code, daemon, web; returns when the web server, if it is among them, knows the jobs."""
        workspace = self.home / "workspace.yaml"
        workspace.write_text(
            f"load_from: [grpc_server: {{host: 127.0.0.1, port: {self.port - 1}, location_name: movie_assets}}]"
        )
        web, code = str(self.port), str(self.port - 1)
        module = ["-m", "movie_assets.definitions"]
        commands = {
            "code": [
                "dagster",
                "api",
                "grpc",
                *module,
                "-h",
                "127.0.0.1",
                "-p",
                code,
                "--location-name",
                "movie_assets",
            ],
            "daemon": ["dagster._daemon", "run", "-w", str(workspace)],
            "web": ["dagster_webserver", "-w", str(workspace), "-h", "127.0.0.1", "-p", web],
        }
        path = os.pathsep.join([str(CHECKOUT), os.environ.get("PYTHONPATH", "")])
        for name in names:
            with (self.home / f"{name}.log").open("ab") as log:
                self.processes[name] = subprocess.Popen(
                    [sys.executable, "-m", *commands[name]], cwd=CHECKOUT, stdout=log, stderr=log,
                    preexec_fn=default_signals, env=os.environ | {"PYTHONPATH": path},  # noqa: PLW1509
                )  # fmt: skip
            if name == "code":  # the others try ten times only
                wait_until(lambda: _answers(self.port - 1), 180, "the code server answers")
        if "web" in names:
            wait_until(self.is_up, 180, "the web server knows the code location")

    def is_up(self) -> bool:
        """Whether the web server answers and knows the jobs."""
        asked = "{ repositoriesOrError { ... on RepositoryConnection { nodes { name } } } }"
        try:
            return bool(self.ask(asked, None)["repositoriesOrError"].get("nodes"))
        except httpx.HTTPError:
            return False

    def kill(self, *names: str) -> None:
        """SIGKILL."""
        for name in names:
            self.processes[name].kill()
            self.processes.pop(name).wait()

    def stop(self) -> None:
        """Stop all, the daemon first; what does not end in time is killed."""
        for name in ("daemon", "web", "code"):
            if process := self.processes.pop(name, None):
                process.send_signal(signal.SIGINT if name != "code" else signal.SIGTERM)
                try:
                    process.wait(20)
                except subprocess.TimeoutExpired:
                    process.kill()
                    process.wait()

    def ask(self, query: str, of: Any) -> dict[str, Any]:
        """Ask the web server over GraphQL."""
        reply_of_server = httpx.post(
            f"http://127.0.0.1:{self.port}/graphql", json={"query": query, "variables": {"of": of}}, timeout=60
        )
        body = reply_of_server.json()
        assert "errors" not in body, body
        data: dict[str, Any] = body["data"]
        return data

    def backfill(self, assets: str | Sequence[str], partitions: Sequence[str]) -> str:
        """Launch a backfill of one or more assets as the dialog does; tells its id."""
        names = [assets] if isinstance(assets, str) else assets
        asked = {"assetSelection": [{"path": [name]} for name in names], "partitionNames": list(partitions)}
        response = self.ask(BACKFILL, asked)["launchPartitionBackfill"]
        assert response["__typename"] == "LaunchBackfillSuccess", response
        return str(response["backfillId"])

    def wait_for_backfill(self, backfill: str, seconds: float = 400) -> str:
        """Wait until a backfill has ended; tells how."""

        def status() -> str:
            found = self.instance.get_backfill(backfill)
            return found.status.value if found is not None else "none"

        wait_until(lambda: status().startswith(("COMPLETED", "FAILED", "CANCELED")), seconds, f"{backfill} ends")
        return status()

    def materialize(
        self,
        assets: Sequence[str],
        partition: str | None = None,
        checks: Sequence[tuple[str, str]] | None = None,
        config: str = "{}",
    ) -> str:
        """Launch one run of some assets as the button does, with all checks unless named; return the run's id."""
        chosen = [{"assetKey": {"path": [asset]}, "name": name} for asset, name in checks or ()]
        selector = {
            "repositoryLocationName": LOCATION["repositoryLocationName"],
            "repositoryName": LOCATION["repositoryName"],
            "pipelineName": "__ASSET_JOB",
            "assetSelection": [{"path": [name]} for name in assets],
            "assetCheckSelection": None if checks is None else chosen,
        }
        tags = {"dagster/from_ui": "true"} | ({"dagster/partition": partition} if partition else {})
        asked = {
            "mode": "default", "selector": selector, "runConfigData": config,
            "executionMetadata": {"tags": [{"key": key, "value": value} for key, value in tags.items()]},
        }  # fmt: skip
        response = self.ask(LAUNCH, asked)["launchRun"]
        assert response["__typename"] == "LaunchRunSuccess", response
        return str(response["run"]["runId"])

    def execute_again(self, run_id: str) -> str:
        """Re-execute a run from its failure, as the button does; tells the new run's id."""
        asked = {"parentRunId": run_id, "strategy": "FROM_FAILURE"}
        response = self.ask(AGAIN, asked)["launchRunReexecution"]
        assert response["__typename"] == "LaunchRunSuccess", response
        return str(response["run"]["runId"])

    def launch(self, job: str, tags: dict[str, str] | None = None) -> str:
        """Launch a job as the launchpad does; tells the run's id."""
        tag_list = [{"key": key, "value": value} for key, value in (tags or {}).items()]
        asked = {"selector": {**LOCATION, "jobName": job}, "executionMetadata": {"tags": tag_list}}
        response = self.ask(LAUNCH, asked)["launchRun"]
        assert response["__typename"] == "LaunchRunSuccess", response
        return str(response["run"]["runId"])

    def terminate(self, run_id: str) -> None:
        """Cancel a run as the button does."""
        response = self.ask(TERMINATE, run_id)["terminateRun"]
        assert response["__typename"] == "TerminateRunSuccess", response

    def status(self, run_id: str) -> str:
        """A run's status."""
        run = self.instance.get_run_by_id(run_id)
        return run.status.value if run is not None else "none"

    def wait_for(self, run_id: str, seconds: float = 180) -> str:
        """Wait until a run has ended; tells how."""
        ended = ("SUCCESS", "FAILURE", "CANCELED")
        wait_until(lambda: self.status(run_id) in ended, seconds, f"run {run_id} ends")
        return self.status(run_id)

    def runs(self, job: str | None = None, tags: dict[str, str] | None = None) -> list[dg.DagsterRun]:
        """Runs, the newest first."""
        return list(self.instance.get_runs(dg.RunsFilter(job_name=job, tags=tags)))

    def materialized(self, asset: str) -> set[str]:
        """The batches that are green."""
        return set(self.instance.get_materialized_partitions(dg.AssetKey(asset)))

    def process_of(self, run_id: str) -> int | None:
        """The pid of a run's process, once its first event named it."""
        for entry in self.instance.all_logs(run_id):
            if entry.dagster_event and entry.dagster_event.event_type_value == "ENGINE_EVENT":
                _, _, rest = (entry.dagster_event.message or "").partition("(pid: ")
                if rest:
                    return int(rest.partition(")")[0])
        return None

    def one(self, sql: str) -> Any:
        """The first column of the first row of the catalogue's answer."""
        address = self.settings.database_url
        assert address is not None
        with psycopg.connect(address.get_secret_value()) as connection:
            row = connection.execute(sql.encode()).fetchone()
            return None if row is None else row[0]


@contextmanager
def deployed(
    home: Path,
    tmdb_emulator: TmdbEmulator,
    port: int,
    *names: str,
    automation: bool = False,
    dagster_home: Path = CHECKOUT,
    **settings: Any,
) -> Iterator[Deployment]:
    """Start everything over a data folder, against an emulator; stops it in the end."""
    values = {"home": home, "tmdb_api_token": "a-token", "embedding_dimensions": 64, **settings}
    ours = Settings.model_validate(
        values | {"tmdb_api_url": tmdb_emulator.tmdb_url, "tmdb_export_url": tmdb_emulator.export_url}
    )
    with ExitStack() as stack:
        ready = stack.enter_context(everything_for(ours, tmdb_emulator))
        stack.enter_context(_variables(ours, automation=automation, dagster_home=dagster_home))
        instance = stack.enter_context(dg.DagsterInstance.get())
        deployment = Deployment(home, ready, instance, port)
        stack.callback(deployment.stop)
        deployment.start(*(names or ("code", "daemon", "web")))
        yield deployment


@contextmanager
def _variables(settings: Settings, *, automation: bool, dagster_home: Path) -> Iterator[None]:
    """Settings of the processes besides addresses and folders."""
    names = {
        "MOVIE_ASSETS_HOME": settings.home, "MOVIE_ASSETS_TMDB_RATE": settings.tmdb_rate,
        "MOVIE_ASSETS_EMBEDDING_DIMENSIONS": settings.embedding_dimensions,
        "MOVIE_ASSETS_PARALLEL_RUNS": settings.parallel_runs, "MOVIE_ASSETS_AUTOMATION": int(automation),
        "MOVIE_ASSETS_VOTES_DAYS": settings.votes_days,
        "MOVIE_ASSETS_INBOX": settings.inbox or "", "DAGSTER_HOME": dagster_home,
    }  # fmt: skip
    if settings.openai_api_key is not None:
        names |= {"OPENAI_API_KEY": settings.openai_api_key.get_secret_value()}
        names |= {"OPENAI_BASE_URL": settings.openai_base_url}
    before = {name: os.environ.get(name) for name in names}
    os.environ.update({name: str(value) for name, value in names.items()})
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value
