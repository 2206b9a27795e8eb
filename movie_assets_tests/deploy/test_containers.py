"""`make containers-test`: the image and the whole of compose.yaml on a container engine; skipped where there is none.

The bundled emulator takes TMDB's place (deploy/emulator.yaml). The tests do what deploy/README.md says of one machine.
"""

import json
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from io import BytesIO
from pathlib import Path

import pytest

from movie_assets.config.paths import CHECKOUT
from movie_assets_tests.deploy.containers import (
    LOG,
    Engine,
    EngineError,
    Stack,
    find_engine,
    images,
    output,
    raw_output,
    wait_until,
)
from movie_assets_tests.deploy.files import DEPLOY

pytestmark = pytest.mark.containers
DATABASES = ("movie_assets_dagster", "movie_assets")  # and their owners, in the order of a backup
NEW, OLD = "containers-test", "containers-test-old"
MIGRATIONS_BEFORE = 10
RUN_WORKER = "spawn_main"  # the code server makes a run's process with multiprocessing
IN_USE = "select count(*) from catalog.movies"
WITHOUT_VECTOR = """
select count(*) from catalog.movies m where not exists (select from catalog.movie_vectors v where v.tmdb_id = m.tmdb_id)
"""
DUE = "select count(*) from pipeline.due"
FETCHED = "select count(*) from pipeline.raw_details"


@pytest.fixture(scope="module")
def engine() -> Engine:
    """The engine of this machine, with all images that are not ours."""
    try:
        found = find_engine()
    except EngineError as error:
        pytest.skip(str(error))
    missing = [
        f"{image} (CONTAINERS_TEST_{name.upper()}_IMAGE)" for name, image in images().items() if not found.has(image)
    ]
    if missing:
        pytest.skip(f"images that are not here and cannot be pulled: {', '.join(missing)}")
    LOG.info("engine: %s", " ".join(found.compose))
    return found


@pytest.fixture(scope="module")
def new(engine: Engine) -> str:
    """The tag of this checkout's image."""
    LOG.info("%.0f s to build the image", engine.build(CHECKOUT, NEW))
    return NEW


@pytest.fixture(scope="module")
def old_checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project as it was before its last migrations."""
    git = ["git", "-C", str(CHECKOUT)]
    if shutil.which("git") is None or not (CHECKOUT / ".git").exists():
        pytest.skip("the version before is taken from Git's history, and there is none here")
    added = output([*git, "log", "--diff-filter=A", "--format=commit %H", "--name-only", "--", "sql/migrations"])
    commit, files = "", 0
    for line in added.split("\n"):
        commit = line.removeprefix("commit ") if line.startswith("commit ") else commit
        files += line.endswith(".sql")
        if files >= MIGRATIONS_BEFORE:
            break
    if files < MIGRATIONS_BEFORE:
        pytest.skip("Git's history is too short here for a version before the last ten migrations")
    folder = tmp_path_factory.mktemp("old")
    LOG.info("the older version is %s", output([*git, "log", "-1", "--format=%h %cs %s", f"{commit}^"]).strip())
    with tarfile.open(fileobj=BytesIO(raw_output([*git, "archive", f"{commit}^"]))) as archive:
        archive.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def old(engine: Engine, old_checkout: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    """The tag of the older image, and its files of deploy/. The recipe of the image is today's."""
    files = tmp_path_factory.mktemp("old_files") / "deploy"
    shutil.copytree(old_checkout / "deploy", files)
    for name in ("Dockerfile", "Dockerfile.dockerignore"):
        shutil.copy(DEPLOY / name, old_checkout / "deploy")
    LOG.info("%.0f s to build the older image", engine.build(old_checkout, OLD))
    return OLD, files


@contextmanager
def running(engine: Engine, folder: Path, deploy: Path, version: str) -> Iterator[Stack]:
    """A deployment from nothing; it is removed with its volumes in the end."""
    stack = Stack(engine, folder / "deploy", emulator=NEW)
    stack.install(deploy, version)
    stack.down()  # what a test before left when it was killed
    try:
        stack.up()
        yield stack
    except BaseException:
        LOG.info("logs: %s", stack.compose("logs", "--no-color", "--tail", "40")[-15000:])
        raise
    finally:
        stack.down()


@pytest.fixture(scope="module")
def stack(engine: Engine, new: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """This checkout's deployment."""
    with running(engine, tmp_path_factory.mktemp("stack"), DEPLOY, new) as found:
        yield found


def is_finished(stack: Stack) -> bool:
    """Whether no run is left, nothing is due, and every film has its vector."""
    return not stack.ui.unfinished() and stack.one(IN_USE) > 0 and stack.one(DUE) == stack.one(WITHOUT_VECTOR) == 0


def is_restarted(stack: Stack, service: str) -> bool:
    """Whether the engine started a service again by itself."""
    return stack.restarts(service) > 0


def read_today(stack: Stack) -> None:
    """Launch what the schedule launches at 08:30, then switch on the sensors, which launch the rest."""
    today = datetime.now(UTC).date().isoformat()
    launched = stack.ui.launch("read_the_day", partition=today)
    assert launched["__typename"] == "LaunchRunSuccess", launched
    assert stack.ui.wait_for(launched) == ["SUCCESS"]
    LOG.info("the day is read; switched on: %s", ", ".join(stack.ui.switch_on_the_sensors()))


def publish(stack: Stack) -> None:
    """Run the job that makes everything which needs no call."""
    assert stack.ui.wait_for(stack.ui.launch("publish")) == ["SUCCESS"]


SEARCH = """select tmdb_id, title from catalog.search_movies('a story of the sea');
select tmdb_id, title from catalog.similar_movies((select min(tmdb_id) from catalog.movies), 5);
"""


def search(stack: Stack) -> list[list[str]]:
    """Search by text and by vector, as an application's role."""
    return stack.sql(SEARCH, role="an_app")


def test_the_image_is_built_and_has_no_more_than_it_needs(engine: Engine, new: str) -> None:
    (image,) = json.loads(engine.run("image", "inspect", f"movie_assets:{new}"))
    LOG.info("the image has %.2f GB", image["Size"] / 1e9)
    assert image["Config"]["User"] == "10001:10001"
    assert "Healthcheck" in image["Config"]
    inside = engine.run("run", "--rm", f"movie_assets:{new}", "sh", "-c", "ls -A /app; ls /opt/venv/bin; id -u")
    names = inside.split()
    assert {"movie_assets", "sql", "movie-assets", "10001"} <= set(names)
    assert {".git", ".venv", "movie_assets_tests", ".env", "pip", "pytest"} & set(names) == set()


def test_all_services_start_and_the_proxy_asks_for_a_password(stack: Stack) -> None:
    for ui in (stack.ui, stack.read_only_ui):
        assert ui.status() == 200
        assert type(ui)(ui.address).status() == 401
        assert type(ui)(ui.address, ("operator", "guess")).status() == 401
    assert stack.read_only_ui.launch("publish")["__typename"] == "UnauthorizedError"


def test_a_days_work_is_finished_though_everything_is_killed_once(stack: Stack) -> None:
    read_today(stack)
    wait_until(lambda: stack.one(FETCHED) > 40, "40 films are fetched")
    assert stack.crash("code", RUN_WORKER) >= 1
    LOG.info("killed the run")
    fetched = stack.one(FETCHED)
    wait_until(lambda: stack.one(FETCHED) > fetched + 40, "40 more are fetched")
    for service, text in (("code", "api grpc"), ("daemon", "dagster-daemon run")):
        assert stack.crash(service, text) >= 1
        LOG.info("killed the main process of %s, with %d films", service, stack.one(FETCHED))
        wait_until(partial(is_restarted, stack, service), f"{service} is started again")
    stack.wait_until_well("code", "daemon")
    stack.compose("kill", "--signal", "SIGKILL", "postgres", "web", "proxy")
    LOG.info("killed the containers of postgres, web and proxy")
    stack.up()
    wait_until(lambda: is_finished(stack), "the day's work is finished", seconds=1200)
    stack.sql("create role an_app login in role movie_assets_reader")
    found = search(stack)
    LOG.info("%d films, %d found, the first: %s", stack.one(IN_USE), len(found), found[0])
    assert "The Sea" in found[0][1]
    assert len(found) > 5
    for service in ("code", "postgres", "daemon", "web"):
        LOG.info(
            "memory: %s",
            stack.engine.run(
                "stats", "--no-stream", "--format", "{{.Name}} {{.MemUsage}}", stack.container(service)
            ).strip(),
        )


def test_a_backup_is_restored_into_new_volumes(stack: Stack) -> None:
    stack.stop("daemon", "code", "web", "web_read_only")  # so that the rows can be compared
    rows = {name: stack.rows(name) for name in DATABASES}
    dumps = {name: stack.dump(name) for name in DATABASES}
    found = search(stack)
    LOG.info("backups of %s", {name: f"{len(dump) / 1e6:.1f} MB" for name, dump in dumps.items()})
    stack.down()
    stack.compose("up", "-d", "postgres")
    stack.wait_until_well("postgres")
    stack.sql("create role an_app login in role movie_assets_reader")
    for name in DATABASES:
        stack.restore(name, dumps[name])
    assert {name: stack.rows(name) for name in DATABASES} == rows
    LOG.info(
        "the same rows: %s",
        {name: f"{len(tables)} tables, {sum(tables.values())} rows" for name, tables in rows.items()},
    )
    stack.up()
    publish(stack)
    assert search(stack) == found


def test_an_older_version_is_upgraded_and_taken_back(
    engine: Engine, new: str, old: tuple[str, Path], tmp_path: Path
) -> None:
    old_tag, old_files = old
    with running(engine, tmp_path, old_files, old_tag) as stack:
        read_today(stack)
        wait_until(lambda: is_finished(stack), "the older version has done its day")
        stack.sql("create role an_app login in role movie_assets_reader")
        films, found = stack.one(IN_USE), search(stack)

        stack.stop("daemon")
        rows = {name: stack.rows(name) for name in DATABASES}
        dumps = {name: stack.dump(name) for name in DATABASES}
        stack.install(DEPLOY, new)
        LOG.info("upgrade")
        stack.run_roles()
        stack.up()
        assert (stack.one(IN_USE), search(stack)) == (films, found)
        read_today(stack)
        wait_until(lambda: is_finished(stack), "the newer version has done its day")
        assert stack.one(IN_USE) >= films

        LOG.info("back to the older version")
        stack.stop("daemon", "code", "web", "web_read_only")
        stack.install(old_files, old_tag)
        with pytest.raises(EngineError):
            stack.compose("up", "-d")
        refused = stack.compose("logs", "--no-color", "migrate")
        LOG.info("the older version refuses the newer schema: %s", refused.strip().splitlines()[-1])
        assert "Error:" in refused
        for name in DATABASES:
            stack.restore(name, dumps[name])
        assert {name: stack.rows(name) for name in DATABASES} == rows
        stack.up()
        publish(stack)
        assert search(stack) == found
