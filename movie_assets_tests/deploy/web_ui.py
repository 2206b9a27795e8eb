"""A Dagster web server, asked over GraphQL as its own pages ask it."""

import time
from dataclasses import dataclass
from typing import Any

import httpx

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
STATE = "query ($id: ID!) { runOrError(runId: $id) { ... on Run { runId status jobName } } }"
UNFINISHED = """
{ runsOrError(filter: {statuses: [QUEUED, NOT_STARTED, STARTING, STARTED, CANCELING]}) {
  ... on Runs { results { runId status jobName } } } }
"""
REPOSITORY = {"repositoryLocationName": "movie_assets", "repositoryName": "__repository__"}
SENSORS = """
query ($of: RepositorySelector!) { sensorsOrError(repositorySelector: $of) {
  ... on Sensors { results { name } } } }
"""
START_SENSOR = """
mutation ($of: SensorSelector!) { startSensor(sensorSelector: $of) { __typename } }
"""
ENDED = ("SUCCESS", "FAILURE", "CANCELED")


@dataclass(frozen=True)
class WebUi:
    """Where the server answers, and who asks."""

    address: str
    user: tuple[str, str] | None = None

    def status(self) -> int:
        """The HTTP status of its first page."""
        return httpx.get(f"{self.address}/server_info", auth=self.user, timeout=60).status_code

    def ask(self, query: str, **variables: Any) -> dict[str, Any]:
        """Send one query with one field; return that field."""
        served = httpx.post(
            f"{self.address}/graphql", json={"query": query, "variables": variables}, auth=self.user, timeout=60
        )
        found: dict[str, Any] = served.raise_for_status().json()
        assert "errors" not in found, found
        (only,) = found["data"].values()
        return dict(only)

    def launch(self, job: str, **tags: str) -> dict[str, Any]:
        """Launch a job as the launchpad does."""
        selector = {**REPOSITORY, "jobName": job}
        marks = [{"key": f"dagster/{name}", "value": value} for name, value in tags.items()]
        return self.ask(LAUNCH, params={"selector": selector, "mode": "default", "executionMetadata": {"tags": marks}})

    def states(self, *launched: dict[str, Any]) -> list[str]:
        """The statuses of runs."""
        return [str(self.ask(STATE, id=response["run"]["runId"])["status"]) for response in launched]

    def wait_for(self, *launched: dict[str, Any]) -> list[str]:
        """Wait until runs have ended; their statuses."""
        deadline = time.monotonic() + SECONDS_FOR_A_RUN
        while time.monotonic() < deadline:
            found = self.states(*launched)
            if all(status in ENDED for status in found):
                return found
            time.sleep(1)
        raise AssertionError(f"not finished after {SECONDS_FOR_A_RUN} s: {found}")

    def unfinished(self) -> list[dict[str, Any]]:
        """Runs that have not ended."""
        return list(self.ask(UNFINISHED)["results"])

    def switch_on_the_sensors(self) -> list[str]:
        """Switch on each sensor, as a person does under *Automation*; their names."""
        names = [str(sensor["name"]) for sensor in self.ask(SENSORS, of=REPOSITORY)["results"]]
        for name in names:
            started = self.ask(START_SENSOR, of={**REPOSITORY, "sensorName": name})
            assert started["__typename"] == "Sensor", started
        return names
