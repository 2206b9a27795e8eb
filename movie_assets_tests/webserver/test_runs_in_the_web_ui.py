"""Runs that a command makes, as the web UI sees them: asked over Dagster's GraphQL on the workspace file."""

import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from movie_assets.config.paths import CHECKOUT
from movie_assets.config.settings import Settings
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.orchestration.origin import origin_of
from movie_assets.orchestration.startup import everything_for
from movie_assets_tests.refresh.test_kill import refreshing
from movie_assets_tests.support.world import Films, film

SELECTOR = {"repositoryLocationName": "movie_assets", "repositoryName": "__repository__"}
PAGES = """
query ($of: PipelineSelector!) {
  job: pipelineOrError(params: $of) { ... on Pipeline { runs(limit: 10) { runId status tags { key value } } } }
  timeline: runsOrError { ... on Runs { results {
    runId jobName repositoryOrigin { repositoryName repositoryLocationName } } } } }
"""
AGAIN = """
mutation ($of: ReexecutionParams!) { launchRunReexecution(reexecutionParams: $of) {
  __typename ... on LaunchRunSuccess { run { runId } } ... on PythonError { message } } }
"""


@pytest.fixture(scope="module")
def refreshed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Path, TmdbEmulator]]:
    """A data folder after a refresh."""
    folder = tmp_path_factory.mktemp("ui")
    films = Films()
    films.put(*(film(n) for n in range(1, 21)))
    with TmdbEmulator(EmulatorOptions(rate_limit=0), world=films) as tmdb_emulator:
        with refreshing(folder, tmdb_emulator, 0) as refresh:
            assert refresh.wait() == 0, refresh.output.read_text()
        printed = refresh.output.read_text().splitlines()[-1]
        assert json.loads(printed)["figures"]["movie_ids"]["new"] == 20
        assert "data:image" not in printed  # figures, not charts and tables
        assert "|---" not in printed
        yield folder, tmdb_emulator


def ask(query: str, variables: dict[str, Any]) -> Any:
    """The answer of Dagster's GraphQL."""
    program = Path(sys.executable).with_name("dagster-graphql")
    with tempfile.NamedTemporaryFile() as response:
        command = [str(program), "-w", "workspace.yaml", "-o", response.name, "-t", query, "-v", json.dumps(variables)]
        subprocess.run(command, cwd=CHECKOUT, check=True)
        return json.loads(Path(response.name).read_text())["data"]


@pytest.fixture(scope="module")
def ready(refreshed: tuple[Path, TmdbEmulator]) -> Iterator[Settings]:
    """The environment of Dagster's processes on that data folder."""
    folder, tmdb_emulator = refreshed
    settings = Settings.model_validate({"home": folder, "embedding_dimensions": 64})
    with everything_for(settings, tmdb_emulator) as found:
        yield found


@pytest.mark.usefixtures("ready")
def test_jobs_and_timeline_show_the_runs_of_a_refresh() -> None:
    found = ask(PAGES, {"of": {"pipelineName": "publish", **SELECTOR}})
    (run,) = found["job"]["runs"]
    assert run["status"] == "SUCCESS"
    tags = {tag["key"]: tag["value"] for tag in run["tags"]}
    assert tags["user"] == "movie-assets refresh"  # what the column "Launched by" shows
    runs = found["timeline"]["results"]
    names = [run["jobName"] for run in runs]
    assert sorted(names) == sorted(set(names)), "a job ran twice"
    assert {
        "read_the_day", "read_list_snapshots", "fetch_details", "embed_texts", "publish", "recommend",
    } <= set(names)  # fmt: skip
    assert [run["repositoryOrigin"] for run in runs] == [SELECTOR] * len(runs)


@pytest.mark.usefixtures("ready")
def test_a_run_of_a_refresh_can_be_executed_again_and_the_next_refresh_leaves_that_run_alone(
    refreshed: tuple[Path, TmdbEmulator],
) -> None:
    folder, tmdb_emulator = refreshed
    (run,) = ask(PAGES, {"of": {"pipelineName": "embed_texts", **SELECTOR}})["job"]["runs"]
    again = ask(AGAIN, {"of": {"parentRunId": run["runId"], "strategy": "ALL_STEPS"}})["launchRunReexecution"]
    assert again["__typename"] == "LaunchRunSuccess", again
    with refreshing(folder, tmdb_emulator, 0) as refresh:
        assert refresh.wait() == 0, refresh.output.read_text()
    with dg.DagsterInstance.get() as instance:
        repeated = instance.get_run_by_id(again["run"]["runId"])
        assert repeated is not None
        assert repeated.status == dg.DagsterRunStatus.QUEUED  # until a daemon launches it
        instance.report_run_canceled(repeated)


def test_the_origin_is_that_of_the_workspace() -> None:
    origin = origin_of("publish")
    assert origin.repository_origin.get_label() == "__repository__@movie_assets"
    assert origin.job_name == "publish"
