"""The pods of a release on Kubernetes: of deploy/kubernetes, and as the chart and Dagster make them of values.yaml."""

from collections.abc import Mapping
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any, cast

import kubernetes as k8s  # type: ignore[import-untyped]
from dagster import DagsterRun
from dagster._core.code_pointer import ModuleCodePointer
from dagster._core.origin import JobPythonOrigin, RepositoryPythonOrigin
from dagster_k8s import K8sRunLauncher
from dagster_k8s.job import construct_dagster_k8s_job
from dagster_k8s.models import k8s_model_from_dict, k8s_snake_case_dict
from dagster_shared.yaml_utils import merge_yaml_strings

from movie_assets_tests.deploy.files import DEPLOY, read

Manifest = dict[str, Any]

VALUES = read("values.yaml")
(DEPLOYMENT,) = VALUES["dagster-user-deployments"]["deployments"]
IMAGE = f"{DEPLOYMENT['image']['repository']}:{DEPLOYMENT['image']['tag']}"
ACCOUNT_OF_THE_DAEMON = "movie-assets-dagster"
ACCOUNT_OF_THE_CODE = "movie-assets-dagster-user-deployments-user-deployments"
KUBECONFIG = """
apiVersion: v1
kind: Config
clusters: [{name: none, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: none, user: {}}]
contexts: [{name: none, context: {cluster: none, user: none}}]
current-context: none
"""
# The labels that the chart gives to its pods.
PODS = {
    "web": {"component": "dagster-webserver"},
    "web_read_only": {"component": "dagster-webserver-read-only"},
    "daemon": {"component": "dagster-daemon", "deployment": "daemon"},
    "code": {"component": "user-deployments", "deployment": DEPLOYMENT["name"], **DEPLOYMENT["labels"]},
}


def yaml_of(text: str) -> Manifest:
    return cast("Manifest", merge_yaml_strings([text]))


def manifests(name: str) -> list[Manifest]:
    """Return the manifests of a file; the model of each kind refuses keys that it does not know."""
    found = []
    for text in (DEPLOY / "kubernetes" / name).read_text().split("\n---\n"):
        manifest = yaml_of(text)
        model = getattr(k8s.client, f"V1{manifest['kind']}")
        k8s_model_from_dict(model, k8s_snake_case_dict(model, manifest))
        found.append(manifest)
    return found


def launcher_config() -> dict[str, Any]:
    """Return the launcher's section of dagster.yaml as the chart makes it."""
    values = VALUES["runLauncher"]["config"]["k8sRunLauncher"]
    names = {
        "podSpecConfig": "pod_spec_config",
        "containerConfig": "container_config",
        "jobSpecConfig": "job_spec_config",
    }
    return {
        "service_account_name": ACCOUNT_OF_THE_DAEMON,
        "instance_config_map": "dagster-instance",
        "postgres_password_secret": VALUES["global"]["postgresqlSecretName"],
        "dagster_home": "/opt/dagster/dagster_home",
        "job_namespace": "movie-assets",
        "load_incluster_config": True,
        "image_pull_policy": values["imagePullPolicy"],
        "image_pull_secrets": VALUES["imagePullSecrets"],
        "env_secrets": [secret["name"] for secret in values["envSecrets"]],
        "fail_pod_on_run_failure": values["failPodOnRunFailure"],
        **({"resources": values["resources"]} if "resources" in values else {}),
        "run_k8s_config": {names[key]: value for key, value in values["runK8sConfig"].items()},
    }


def container_context() -> dict[str, Any]:
    """Return what the chart hands to the code server for its runs (`includeConfigInLaunchedRuns`)."""
    assert DEPLOYMENT["includeConfigInLaunchedRuns"]["enabled"] is True
    return {
        "image_pull_policy": DEPLOYMENT["image"]["pullPolicy"],
        "image_pull_secrets": VALUES["dagster-user-deployments"]["imagePullSecrets"],
        "env_secrets": [secret["name"] for secret in DEPLOYMENT["envSecrets"]],
        "env": DEPLOYMENT["env"],
        "volume_mounts": DEPLOYMENT["volumeMounts"],
        "volumes": DEPLOYMENT["volumes"],
        "labels": DEPLOYMENT["labels"],
        "resources": DEPLOYMENT["resources"],
        "namespace": "movie-assets",
        "service_account_name": ACCOUNT_OF_THE_CODE,
        "run_k8s_config": {"pod_spec_config": {"automount_service_account_token": True}},  # the chart says so itself
    }


def job_of_a_run(folder: Path) -> Manifest:
    """Return the Job that Dagster's launcher makes of a run."""
    (folder / "kubeconfig").write_text(KUBECONFIG)
    config = launcher_config() | {"load_incluster_config": False, "kubeconfig_file": str(folder / "kubeconfig")}
    launcher: Any = K8sRunLauncher(**config)  # its methods have no types
    repository = RepositoryPythonOrigin(
        executable_path="python",
        code_pointer=ModuleCodePointer("movie_assets.definitions", "defs", "/app"),
        container_image=IMAGE,
        container_context={"k8s": container_context()},
    )
    run = DagsterRun(job_name="refresh", job_code_origin=JobPythonOrigin("refresh", repository))
    context = launcher.get_container_context_for_run(run)
    job = construct_dagster_k8s_job(
        context.get_k8s_job_config(IMAGE, launcher),
        args=["dagster", "api", "execute_run"],
        job_name="dagster-run-1",
        component="run_worker",
        user_defined_k8s_config=context.run_k8s_config,
    )
    done: Manifest = k8s.client.ApiClient().sanitize_for_serialization(job)
    return done


def _selects(selector: Manifest, labels: Mapping[str, str]) -> bool:
    return selector.get("matchLabels", {}).items() <= labels.items() and all(
        expression["operator"] == "In" and labels.get(expression["key"]) in expression["values"]
        for expression in selector.get("matchExpressions", [])
    )


def _admits(peer: Manifest, other: Mapping[str, str] | str) -> bool:
    """Whether a peer of a policy means a pod (its labels), a namespace (`namespace/name`) or an address."""
    if isinstance(other, Mapping):
        return "podSelector" in peer and _selects(peer["podSelector"], other)
    if other.startswith("namespace/"):
        name = {"kubernetes.io/metadata.name": other.removeprefix("namespace/")}
        return "namespaceSelector" in peer and _selects(peer["namespaceSelector"], name)
    block = peer.get("ipBlock")
    address = ip_address(other)
    return (
        block is not None
        and address in ip_network(block["cidr"])
        and not any(address in ip_network(hole) for hole in block.get("except", []))
    )


def is_open(
    policies: list[Manifest], pod: Mapping[str, str], way: str, other: Mapping[str, str] | str, port: int
) -> bool:
    """Whether the policies let a pod receive from another (`Ingress`) or send to it (`Egress`), at a port of TCP."""
    direction = {"Ingress": ("ingress", "from"), "Egress": ("egress", "to")}[way]
    mine = [each["spec"] for each in policies if _selects(each["spec"]["podSelector"], pod)]
    assert any(way in spec["policyTypes"] for spec in mine), "a pod that no policy selects is open to all"
    return any(
        {"protocol": "TCP", "port": port} in rule["ports"]
        and (direction[1] not in rule or any(_admits(peer, other) for peer in rule[direction[1]]))
        for spec in mine
        for rule in spec.get(direction[0], [])
    )
