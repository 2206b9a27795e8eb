"""deploy/values.yaml against what Dagster's chart knows, dagster.yaml, and the other files of deploy/."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from dagster._config import process_config
from dagster_k8s import K8sRunLauncher
from dagster_shared.yaml_utils import merge_yaml_strings
from sqlalchemy import make_url

from movie_assets.config.paths import CHECKOUT
from movie_assets_tests.deploy.files import DEPLOY, SERVICES, pinned, read
from movie_assets_tests.deploy.kubernetes import VALUES, launcher_config

INSTANCE = read("dagster.yaml", CHECKOUT)


OF_A_POD = """
    affinity annotations env envConfigMaps envSecrets image initContainerResources labels livenessProbe nodeSelector
    podSecurityContext readinessProbe resources schedulerName securityContext startupProbe tolerations volumeMounts
    volumes
"""
# The keys that the chart knows, from its templates and the models of its schema. Helm accepts unknown keys in silence.
KEYS_OF_THE_CHART = {
    "": """
        additionalInstanceConfig busybox computeLogManager concurrency dagster-user-deployments dagsterDaemon
        dagsterWebserver flower generateCeleryConfigSecret generatePostgresqlPasswordSecret global imagePullSecrets
        ingress migrate postgresql pythonLogs rabbitmq redis retention runLauncher scheduler serviceAccount telemetry
    """,
    "global": "celeryConfigSecretName dagsterHome dagsterInstanceConfigMap postgresqlSecretName serviceAccountName",
    "postgresql": """
        enabled image postgresqlDatabase postgresqlHost postgresqlParams postgresqlPassword postgresqlScheme
        postgresqlUsername service
    """,
    "postgresql.service": "port",
    "dagster-user-deployments": "deployments enabled enableSubchart imagePullSecrets rbacEnabled serviceAccount",
    "dagster-user-deployments.deployments": f"""
        codeServerArgs dagsterApiGrpcArgs includeConfigInLaunchedRuns name port {OF_A_POD}
    """,
    "dagster-user-deployments.deployments.includeConfigInLaunchedRuns": "enabled",
    "runLauncher": "config type",
    "runLauncher.config": "celeryK8sRunLauncher customRunLauncher k8sRunLauncher",
    "runLauncher.config.k8sRunLauncher": """
        envConfigMaps envSecrets envVars failPodOnRunFailure image imagePullPolicy jobNamespace kubeconfigFile labels
        loadInclusterConfig resources runK8sConfig schedulerName securityContext volumeMounts volumes
    """,
    "runLauncher.config.k8sRunLauncher.runK8sConfig": """
        containerConfig jobMetadata jobSpecConfig podSpecConfig podTemplateSpecMetadata
    """,
    "computeLogManager": "config type",
    "dagsterWebserver": f"""
        dbPoolRecycle dbStatementTimeout deploymentLabels enableReadOnly logLevel nameOverride pathPrefix replicaCount
        service workspace {OF_A_POD}
    """,
    "dagsterWebserver.service": "annotations port type",
    "dagsterDaemon": f"""
        deploymentLabels enabled heartbeatTolerance runCoordinator runMonitoring runRetries schedules sensors {OF_A_POD}
    """,
    "dagsterDaemon.runCoordinator": "config enabled type",
    "dagsterDaemon.runCoordinator.config": "customRunCoordinator queuedRunCoordinator",
    "concurrency": "enabled pools runs",
    "concurrency.pools": "defaultLimit granularity opGranularityRunBuffer",
    "concurrency.runs": "maxConcurrentRuns tagConcurrencyLimits",
    "retention": "autoMaterialize enabled schedule sensor",
    "retention.schedule": "purgeAfterDays",
    "retention.sensor": "purgeAfterDays",
    "retention.sensor.purgeAfterDays": "failure skipped started success",
    "dagsterWebserver.workspace": "enabled externalConfigmap servers",
    "dagsterWebserver.workspace.servers": "host name port ssl",
    "busybox": "image",
    "migrate": "customMigrateCommand enabled",
    "ingress": """
        annotations apiVersion dagsterWebserver enabled flower ingressClassName labels readOnlyDagsterWebserver
    """,
    "ingress.dagsterWebserver": "host path pathType precedingPaths succeedingPaths tls",
    "ingress.readOnlyDagsterWebserver": "host path pathType precedingPaths succeedingPaths tls",
    "ingress.dagsterWebserver.tls": "enabled secretName",
    "ingress.readOnlyDagsterWebserver.tls": "enabled secretName",
    "image": "pullPolicy registry repository tag",
}


def keys(value: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Each key with the path to it, in which the places of a list do not count."""
    if isinstance(value, list):
        for each in value:
            yield from keys(each, path)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield path, key
            yield from keys(item, "image" if key == "image" else f"{path}.{key}".lstrip("."))


EXAMPLES = re.findall(r"^```yaml\n(.*?)^```", (DEPLOY / "README.md").read_text(), re.MULTILINE | re.DOTALL)


@pytest.mark.parametrize("values", [VALUES, *(merge_yaml_strings([example]) for example in EXAMPLES)])
def test_the_chart_knows_every_key(values: dict[str, Any]) -> None:
    known = {path: set(names.split()) for path, names in KEYS_OF_THE_CHART.items()}
    unknown = [f"{path}.{key}" for path, key in keys(values) if path in known and key not in known[path]]
    assert unknown == []


def camel_to_snake(value: object) -> Any:
    if isinstance(value, Mapping):
        return {re.sub("[A-Z]", lambda m: f"_{m[0].lower()}", key): camel_to_snake(item) for key, item in value.items()}
    return value


def test_the_chart_gets_the_policies_of_dagster_yaml() -> None:
    concurrency = camel_to_snake(VALUES["concurrency"])
    assert concurrency.pop("enabled") is True
    assert concurrency["pools"].keys() == INSTANCE["concurrency"]["pools"].keys()
    assert concurrency["pools"]["granularity"] == INSTANCE["concurrency"]["pools"]["granularity"]
    # The limits differ on purpose: one machine has room for one step at an API, a cluster for a run on each of several.
    monitoring = camel_to_snake(VALUES["dagsterDaemon"]["runMonitoring"])
    assert monitoring.pop("start_timeout_seconds") >= 600  # a new machine has to start and to pull the image
    here = {name: value for name, value in INSTANCE["run_monitoring"].items() if name != "start_timeout_seconds"}
    assert here.items() <= monitoring.items()
    retention = camel_to_snake(VALUES["retention"])
    assert retention.pop("enabled") is True
    assert retention == INSTANCE["retention"]
    assert VALUES["telemetry"] == INSTANCE["telemetry"] == {"enabled": False}
    assert VALUES["additionalInstanceConfig"] == {name: INSTANCE[name] for name in ("run_retries", "nux")}


def test_the_chart_admits_as_many_runs_as_a_backlog_is_cut_into() -> None:
    (deployment,) = VALUES["dagster-user-deployments"]["deployments"]
    (runs,) = [int(each["value"]) for each in deployment["env"] if each["name"] == "MOVIE_ASSETS_PARALLEL_RUNS"]
    assert runs > 1
    assert VALUES["concurrency"]["pools"]["defaultLimit"] == runs
    assert VALUES["concurrency"]["runs"]["maxConcurrentRuns"] > 2 * runs  # details and texts, and room for the rest


def test_the_chart_starts_the_code_location_that_workspace_yaml_names() -> None:
    (server,) = read("workspace.yaml")["load_from"]
    (deployment,) = VALUES["dagster-user-deployments"]["deployments"]
    assert (deployment["name"], deployment["port"]) == (server["grpc_server"]["host"], server["grpc_server"]["port"])
    assert server["grpc_server"]["location_name"] in deployment["dagsterApiGrpcArgs"]
    assert set(deployment["dagsterApiGrpcArgs"]) <= set(SERVICES["code"]["command"])


def test_the_chart_and_the_examples_name_each_databases_owner() -> None:
    postgresql = VALUES["postgresql"]
    assert (postgresql["postgresqlUsername"], postgresql["postgresqlDatabase"]) == ("movie_assets_dagster",) * 2
    text = "".join((DEPLOY / name).read_text() for name in (".env.example", "README.md"))
    addresses = [make_url(address) for address in re.findall(r"postgresql\S*://[^\s'?]+", text)]
    assert {address.database for address in addresses} == {"movie_assets", "movie_assets_dagster"}
    assert [address for address in addresses if address.username != address.database] == []


def test_the_charts_version_is_dagsters() -> None:
    versions = {
        version
        for name in ("values.yaml", "README.md")
        for version in re.findall(r"--version (\S+)", (DEPLOY / name).read_text())
    }
    assert versions == pinned(DEPLOY / "requirements.lock")["dagster"]


def test_the_run_launcher_accepts_what_the_chart_makes_of_the_values() -> None:
    launcher: Any = K8sRunLauncher  # its methods have no types
    done = process_config(launcher.config_type(), launcher_config())
    assert done.success, [error.message for error in done.errors or []]
