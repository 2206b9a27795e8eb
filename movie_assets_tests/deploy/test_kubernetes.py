"""A release on Kubernetes: its pods, the Job that migrates, who reaches whom, and the commands of the README."""

import re
import shlex

import pytest
from sqlalchemy import make_url

from movie_assets_tests.deploy.files import COMPOSE, DEPLOY, SERVICES, read
from movie_assets_tests.deploy.kubernetes import (
    ACCOUNT_OF_THE_CODE,
    DEPLOYMENT,
    IMAGE,
    PODS,
    VALUES,
    Manifest,
    is_open,
    job_of_a_run,
    manifests,
    yaml_of,
)

README = (DEPLOY / "README.md").read_text()
WEB, DAEMON = VALUES["dagsterWebserver"], VALUES["dagsterDaemon"]
SIZES = {"Mi": 2**20, "Gi": 2**30}
TOKEN = "/var/run/secrets/kubernetes.io/serviceaccount"


@pytest.fixture(scope="module")
def run_job(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    return job_of_a_run(tmp_path_factory.mktemp("kubeconfig"))


@pytest.fixture(scope="module")
def pods(run_job: Manifest) -> dict[str, Manifest]:
    """Pod specifications by name: those of Jobs as they are, those of the chart's deployments from their values."""
    (migrate,) = manifests("migrate.yaml")
    of_the_chart = {
        name: {
            "securityContext": values["podSecurityContext"],
            "volumes": values["volumes"],
            "containers": [{name: values[name] for name in ("securityContext", "resources", "volumeMounts")}],
        }
        for name, values in (("web", WEB), ("daemon", DAEMON), ("code", DEPLOYMENT))
    }
    return {"run": run_job["spec"]["template"]["spec"], "migrate": migrate["spec"]["template"]["spec"], **of_the_chart}


def size(text: str) -> int:
    return int(text[:-2]) * SIZES[text[-2:]]


@pytest.mark.parametrize("name", ["run", "migrate", "web", "daemon", "code"])
def test_a_container_writes_only_to_folders_that_are_empty_at_its_start(pods: dict[str, Manifest], name: str) -> None:
    pod = pods[name]
    (container,) = pod["containers"]
    security = container["securityContext"]
    assert security["readOnlyRootFilesystem"] is True
    assert security["allowPrivilegeEscalation"] is False
    assert security["capabilities"] == {"drop": ["ALL"]}
    empty = {volume["name"] for volume in pod["volumes"] if "emptyDir" in volume}
    folders = {mount["mountPath"] for mount in container["volumeMounts"] if mount["name"] in empty}
    assert {"/tmp", "/data"} <= folders  # noqa: S108
    assert all("sizeLimit" in volume["emptyDir"] for volume in pod["volumes"] if "emptyDir" in volume)
    assert pod["securityContext"] == {
        "runAsNonRoot": True, "runAsUser": 10001, "runAsGroup": 10001, "fsGroup": 10001,
        "seccompProfile": {"type": "RuntimeDefault"},
    }  # fmt: skip


@pytest.mark.parametrize("name", ["run", "migrate", "web", "daemon", "code"])
def test_every_container_asks_for_memory_and_has_a_limit(pods: dict[str, Manifest], name: str) -> None:
    (container,) = pods[name]["containers"]
    resources = container["resources"]
    assert size(resources["requests"]["memory"]) <= size(resources["limits"]["memory"])


def test_the_charts_init_containers_have_limits_and_images_of_the_operators_choice() -> None:
    for values in (WEB, DAEMON):
        assert size(values["initContainerResources"]["limits"]["memory"]) > 0
    postgres = VALUES["postgresql"]["image"]
    assert f"{postgres['repository']}:{postgres['tag']}" == SERVICES["postgres"]["image"]
    assert VALUES["busybox"]["image"].keys() == {"repository", "tag", "pullPolicy"}


def test_a_run_gets_what_the_code_server_has(pods: dict[str, Manifest]) -> None:
    pod = pods["run"]
    (container,) = pod["containers"]
    assert container["image"] == IMAGE
    assert container["resources"] == DEPLOYMENT["resources"]
    assert size(container["resources"]["requests"]["memory"]) > 700_000_000  # as measured
    assert DEPLOYMENT["env"][0] in container["env"]
    assert {"secretRef": {"name": DEPLOYMENT["envSecrets"][0]["name"]}} in container["envFrom"]
    assert [mount for mount in DEPLOYMENT["volumeMounts"] if mount not in container["volumeMounts"]] == []
    assert "resources" not in VALUES["runLauncher"]["config"]["k8sRunLauncher"]  # they would have no effect


def test_only_the_daemon_and_the_web_servers_may_use_kubernetes(pods: dict[str, Manifest]) -> None:
    assert VALUES["dagster-user-deployments"]["rbacEnabled"] is False
    assert pods["run"]["serviceAccountName"] == ACCOUNT_OF_THE_CODE
    assert "serviceAccountName" not in VALUES["global"]  # one for all would be the daemon's
    assert "serviceAccountName" not in pods["migrate"]
    assert pods["migrate"]["automountServiceAccountToken"] is False
    for name in ("code", "run"):  # whose pods ask for a token: an empty folder is in its place
        (container,) = pods[name]["containers"]
        (mount,) = [each for each in container["volumeMounts"] if each["mountPath"] == TOKEN]
        assert {"name": mount["name"], "emptyDir": {"sizeLimit": "1Mi"}} in pods[name]["volumes"]


def test_the_readiness_probe_asks_the_port_of_the_container() -> None:
    assert WEB["readinessProbe"]["httpGet"] == {"path": "/server_info", "port": WEB["service"]["port"]}
    assert WEB["enableReadOnly"] is True  # has the same values


def test_the_daemon_is_started_again_when_it_no_longer_beats() -> None:
    assert DAEMON["livenessProbe"]["exec"]["command"] == SERVICES["daemon"]["healthcheck"]["test"][1:]
    assert DAEMON["livenessProbe"]["initialDelaySeconds"] >= 120
    assert DAEMON["livenessProbe"]["timeoutSeconds"] >= 30


def test_the_location_has_one_name_in_both_deployments() -> None:
    (here,) = read("workspace.yaml")["load_from"]
    server = here["grpc_server"]
    workspace = WEB["workspace"]
    assert workspace["enabled"] is True
    assert workspace["servers"] == [{"host": server["host"], "port": server["port"], "name": server["location_name"]}]
    assert workspace["servers"][0]["host"] == DEPLOYMENT["name"]


def test_every_pod_has_the_registrys_password(pods: dict[str, Manifest]) -> None:
    secrets = VALUES["imagePullSecrets"]
    assert len(secrets) == 1
    assert VALUES["dagster-user-deployments"]["imagePullSecrets"] == secrets
    assert pods["run"]["imagePullSecrets"] == pods["migrate"]["imagePullSecrets"] == secrets
    assert f"create secret docker-registry {secrets[0]['name']} " in README


def test_the_migration_is_our_job_and_agrees_with_the_values(pods: dict[str, Manifest]) -> None:
    (job,) = manifests("migrate.yaml")
    assert VALUES["migrate"] == {"enabled": False}
    assert "name" not in job["metadata"]  # a second release makes a second Job
    (container,) = pods["migrate"]["containers"]
    assert container["command"] == SERVICES["migrate"]["command"]
    assert container["image"] == IMAGE
    assert container["envFrom"] == [{"secretRef": secret} for secret in DEPLOYMENT["envSecrets"]]
    password, address = container["env"]
    key = password["valueFrom"]["secretKeyRef"]
    assert key == {"name": VALUES["global"]["postgresqlSecretName"], "key": "postgresql-password"}
    assert set(COMPOSE["x-records"]) == {address["name"]}
    url = make_url(address["value"].replace(f"$({password['name']})", "secret"))
    postgresql = VALUES["postgresql"]
    assert url.password == "secret"
    assert (url.drivername, url.username, url.host, url.port, url.database, dict(url.query)) == (
        postgresql["postgresqlScheme"], postgresql["postgresqlUsername"], postgresql["postgresqlHost"],
        postgresql["service"]["port"], postgresql["postgresqlDatabase"], postgresql["postgresqlParams"],
    )  # fmt: skip


TMDB, METADATA, API_SERVER = "104.16.61.155", "169.254.169.254", "10.96.0.1"
CODE, WEB_PORT, DATABASE = DEPLOYMENT["port"], WEB["service"]["port"], VALUES["postgresql"]["service"]["port"]


@pytest.mark.parametrize(
    ("pod", "way", "other", "port", "expected"),
    [
        ("web", "Ingress", "namespace/ingress-nginx", WEB_PORT, True),
        ("web_read_only", "Ingress", "namespace/ingress-nginx", WEB_PORT, True),
        ("web", "Ingress", "namespace/default", WEB_PORT, False),
        ("web", "Ingress", "run", WEB_PORT, False),
        ("daemon", "Ingress", "namespace/ingress-nginx", WEB_PORT, False),
        ("code", "Ingress", "web", CODE, True),
        ("code", "Ingress", "web_read_only", CODE, True),
        ("code", "Ingress", "daemon", CODE, True),
        ("code", "Ingress", "run", CODE, False),
        ("code", "Ingress", "namespace/ingress-nginx", CODE, False),
        ("web", "Egress", "code", CODE, True),
        ("daemon", "Egress", "code", CODE, True),
        ("daemon", "Egress", API_SERVER, 443, True),
        ("run", "Egress", "code", CODE, False),
        ("run", "Egress", TMDB, 443, True),
        ("code", "Egress", TMDB, 443, True),
        ("run", "Egress", METADATA, 443, False),
        ("code", "Egress", API_SERVER, 443, False),
        ("migrate", "Egress", TMDB, 443, False),
        *((pod, "Egress", "10.1.2.3", DATABASE, True) for pod in ("web", "daemon", "code", "run", "migrate")),
        *((pod, "Egress", "namespace/kube-system", 53, True) for pod in ("web", "daemon", "code", "run", "migrate")),
    ],
)
def test_a_pod_reaches_what_it_needs_and_no_more(
    run_job: Manifest, pod: str, way: str, other: str, port: int, expected: bool
) -> None:
    (migrate,) = manifests("migrate.yaml")
    labels = PODS | {
        "run": run_job["spec"]["template"]["metadata"]["labels"],
        "migrate": migrate["spec"]["template"]["metadata"]["labels"],
    }
    assert is_open(manifests("network-policies.yaml"), labels[pod], way, labels.get(other, other), port) is expected


def blocks(language: str) -> list[str]:
    """Return the README's blocks of a language."""
    found = re.findall(r"^```(\w*)\n(.*?)^```$", README, re.MULTILINE | re.DOTALL)
    return [text for name, text in found if name == language]


def commands() -> list[list[str]]:
    """Return the README's commands, split into words."""
    lines = [line for block in blocks("") for line in block.splitlines()]
    return [words for line in lines if (words := shlex.split(line, comments=True))]


def test_kubectl_accepts_the_commands_that_make_secrets() -> None:
    made = [words for words in commands() if words[:3] == ["kubectl", "create", "secret"]]
    flags = {words[4]: {word.partition("=")[0] for word in words[5:]} for words in made}
    named = {DEPLOYMENT["envSecrets"][0]["name"], VALUES["global"]["postgresqlSecretName"]}
    assert named | {VALUES["imagePullSecrets"][0]["name"]} == set(flags)
    assert [name for name, given in flags.items() if {"--from-env-file", "--from-literal"} <= given] == []


def test_the_commands_come_in_an_order_that_works() -> None:
    text = [" ".join(words) for words in commands()]
    order = [
        "kubectl create --filename deploy/kubernetes/namespace.yaml",
        "kubectl create secret generic movie-assets --from-env-file",
        "job=$(kubectl create --filename deploy/kubernetes/migrate.yaml",
        "helm repo add dagster",
        "helm upgrade --install movie-assets dagster/dagster",
    ]
    places = [next(place for place, line in enumerate(text) if line.startswith(start)) for start in order]
    assert places == sorted(places)
    lint = next(words for words in commands() if words[:2] == ["helm", "lint"])
    assert {"dagster", "--strict", "--skip-schema-validation"} <= set(
        lint
    )  # a folder; no definitions from the internet
    files = set(re.findall(r"deploy/kubernetes/[\w-]+\.yaml", README))
    assert files == {f"deploy/kubernetes/{path.name}" for path in (DEPLOY / "kubernetes").iterdir()}


def test_everything_is_in_one_namespace() -> None:
    (namespace,) = manifests("namespace.yaml")
    name = namespace["metadata"]["name"]
    assert namespace["metadata"]["labels"] == {"pod-security.kubernetes.io/enforce": "restricted"}
    for each in [*manifests("migrate.yaml"), *manifests("network-policies.yaml")]:
        assert each["metadata"]["namespace"] == name
    installs = [words for words in commands() if words[0] == "helm" and words[1] in {"upgrade", "template"}]
    assert len(installs) == 3
    assert {words[words.index("--namespace") + 1] for words in installs} == {name}


def test_the_ingress_of_the_readme_answers_at_every_path() -> None:
    example = next(text for text in blocks("yaml") if "dagsterWebserver" in text)
    ingress = yaml_of(example)["ingress"]
    assert ingress["ingressClassName"] == "nginx"
    for server in ("dagsterWebserver", "readOnlyDagsterWebserver"):
        assert (ingress[server]["path"], ingress[server]["pathType"]) == ("/", "Prefix")
