"""What tests share: a real Postgres, a migrated database of one's own, an emulator, Dagster runs in memory."""

import gc
import os
import shutil
import signal
import tempfile
import uuid
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster._core.storage.defs_state.base import set_defs_state_storage
from pydantic import PrivateAttr

from movie_assets.config.filter_profiles import FilterProfiles
from movie_assets.config.paths import CHECKOUT
from movie_assets.config.settings import Settings
from movie_assets.database.creation import ensure_database
from movie_assets.database.database import Database
from movie_assets.database.embedded import embedded_postgres
from movie_assets.database.migrations import migrate
from movie_assets.embeddings.embedder import Embedder
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.runs.metadata_tables import plain
from movie_assets.runs.run_time import AS_OF_TAG, noon_of
from movie_assets.tmdb.client import Tmdb
from movie_assets_tests.support.definitions import definitions_of

DAY = date(2026, 11, 19)
MEMORY_DISK = Path("/dev/shm")  # noqa: S108  # a disk in memory that Linux has
BYTES_OF_TEMPORARY_FILES = 4 * 2**30  # several times what the servers and folders of all workers take

pytest_plugins = [
    "movie_assets_tests.support.small_pipelines",
    "movie_assets_tests.support.instances",
    "movie_assets_tests.support.series_runs",
    "movie_assets_tests.support.slow_first",
]


def pytest_configure() -> None:
    """Refuse to run beside a file .env, let Ctrl-C reach the processes of tests, and choose a temporary folder."""
    if (CHECKOUT / ".env").exists():
        # Commands and Dagster's processes would use what it names.
        raise pytest.UsageError(f"the tests' processes would read {CHECKOUT / '.env'}; move it away while they run")
    # A shell starts what it runs in the background with Ctrl-C ignored, and so would be every process of a test.
    signal.signal(signal.SIGINT, signal.default_int_handler)
    use_memory_for_temporary_files()


def use_memory_for_temporary_files() -> None:
    """Keep the temporary files of all processes in memory if there is room, unless TMPDIR names another folder.

    A database has 750 files. A thousand databases are copied, for which a disk takes ten times the processor time.
    """
    has_room = MEMORY_DISK.is_dir() and shutil.disk_usage(MEMORY_DISK).free > BYTES_OF_TEMPORARY_FILES
    if has_room and "TMPDIR" not in os.environ:
        os.environ["TMPDIR"] = str(MEMORY_DISK)
        tempfile.tempdir = None  # else the folder that was asked for before stays


def pytest_collection_finish() -> None:
    """Leave what was imported out of every later search for garbage: Dagster alone has 300,000 objects."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(5000, 20, 100)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return the number of workers of `make test`: some tests wait for other processes most of the time."""
    return (os.cpu_count() or 1) * 3 // 2 or 1


@pytest.fixture(autouse=True)
def no_instance_of_an_earlier_test() -> Iterator[None]:
    """Make definitions without asking an instance: of several closed out of order, Dagster keeps a closed one."""
    with set_defs_state_storage(None):
        yield


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """Address of an embedded server, without a database."""
    with embedded_postgres(tmp_path_factory.mktemp("home")) as address:
        # Thousands of databases are copied and dropped here; nothing of them has to survive a power cut. A commit
        # has to survive a server that is killed.
        with psycopg.connect(address_of(address, "postgres"), autocommit=True) as connection:
            for name in ("fsync", "full_page_writes"):
                connection.execute(f"alter system set {name} = off")
            connection.execute("select pg_reload_conf()")
        yield address


@pytest.fixture(scope="session")
def template(server: str) -> str:
    """Name of a migrated database that tests copy."""
    address = address_of(server, "template_of_tests")
    ensure_database(address)
    database = Database(address)
    migrate(database)
    database.close()
    return "template_of_tests"


@pytest.fixture
def empty_address(server: str) -> str:
    """Address of a database that does not exist yet."""
    return address_of(server, f"test_{uuid.uuid4().hex[:12]}")


@pytest.fixture
def database(server: str, template: str) -> Iterator[Database]:
    """A migrated database of the test's own."""
    with database_of_ones_own(server, template) as opened:
        yield opened


@contextmanager
def database_of_ones_own(server: str, template: str) -> Iterator[Database]:
    """Copy the migrated database, and drop the copy in the end."""
    name = f"test_{uuid.uuid4().hex[:12]}"
    with psycopg.connect(address_of(server, "postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {template} strategy file_copy")
    opened = Database(address_of(server, name))
    yield opened
    opened.close()
    with psycopg.connect(address_of(server, "postgres"), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


@pytest.fixture
def tmdb_emulator() -> Iterator[TmdbEmulator]:
    """An emulator with the demo's world, on DAY, without a rate limit."""
    with TmdbEmulator(EmulatorOptions(today=DAY, rate_limit=0, stall_seconds=2)) as running:
        yield running


def address_of(server: str, name: str) -> str:
    """Address of a database on a server."""
    return server.replace("/?", f"/{name}?")


def settings_for(tmdb_emulator: TmdbEmulator, **changes: Any) -> Settings:
    """Settings that point at an emulator, without pacing."""
    values = {
        "tmdb_api_token": "a-token",
        "tmdb_api_url": tmdb_emulator.tmdb_url,
        "tmdb_export_url": tmdb_emulator.export_url,
        "tmdb_rate": 0,
        **changes,
    }
    return Settings.model_validate(values)


class _GivenProfiles(Settings):
    _profiles: FilterProfiles = PrivateAttr()

    @property
    def thresholds(self) -> FilterProfiles:
        return self._profiles if self._profiles.media == "movie" else super().thresholds

    def profiles_for(self, media: str) -> FilterProfiles:
        return self._profiles if self._profiles.media == media else super().profiles_for(media)


def with_profiles(settings: Settings, profiles: FilterProfiles) -> Settings:
    """Settings with profiles that no file has."""
    given = _GivenProfiles.model_construct(**dict(settings))
    given._profiles = profiles
    return given


@dataclass
class Pipeline:
    """The real definitions with resources of the test's own, run in this process."""

    database: Database
    settings: Settings
    instance: dg.DagsterInstance
    embedder: Embedder
    day: date = DAY
    thresholds: FilterProfiles | None = None  # instead of those that the settings name
    by_the_clock: bool = False  # runs are as of now, rather than of their day

    def run(
        self,
        job: str,
        *,
        config: dict[str, Any] | None = None,
        batches: tuple[str, str] | None = None,
        as_of: str | None = None,
        assets: Sequence[str] = (),
    ) -> Any:
        """Run a job for the pipeline's day (at noon unless given), or for a range of batches (all unless given).

        With `assets`, it materializes these only.
        """
        tags = {} if self.by_the_clock else {AS_OF_TAG: as_of or noon_of(self.day.isoformat())}
        partition = None
        if job in ("read_the_day", "read_the_lists", "read_list_snapshots", "write_exports"):
            partition = self.day.isoformat()
        elif job in ("fetch_details", "fetch_missing", "embed_texts", "embed_in_bulk"):
            first, last = batches or ("batch_00", "batch_63")
            tags |= {"dagster/asset_partition_range_start": first, "dagster/asset_partition_range_end": last}
        definition = definitions_of(*self.settings.media).resolve_job_def(job)
        if assets:
            definition = definition.get_subset(asset_selection=frozenset(map(dg.AssetKey, assets)))
        return definition.execute_in_process(
            instance=self.instance,
            partition_key=partition,
            tags=tags,
            run_config={"loggers": {"console": {}}, **(config or {})},
            raise_on_error=False,
            resources=self.resources(),
        )

    def check(self, key: dg.AssetCheckKey) -> Any:
        """Execute a check alone, as of the pipeline's day at noon."""
        job = (
            definitions_of(*self.settings.media)
            .resolve_implicit_global_asset_job_def()
            .get_subset(asset_selection=frozenset(), asset_check_selection=frozenset({key}))
        )
        return job.execute_in_process(
            instance=self.instance,
            tags={} if self.by_the_clock else {AS_OF_TAG: noon_of(self.day.isoformat())},
            run_config={"loggers": {"console": {}}},
            raise_on_error=False,
            resources=self.resources(),
        )

    def resources(self) -> dict[str, object]:
        """What assets ask for, by name."""
        return {
            "database": self.database,
            "tmdb": Tmdb(self.settings, self.database),
            "embedder": self.embedder,
            "settings": with_profiles(self.settings, self.thresholds) if self.thresholds else self.settings,
        }

    def run_day(self) -> list[Any]:
        """Run the four jobs of a day in their order."""
        return [self.run(job) for job in ("read_the_day", "fetch_details", "embed_texts", "publish")]

    def one(self, sql: str) -> Any:
        """The first column of the first row that a statement answers with."""
        with self.database.transaction() as connection:
            return connection.exec_driver_sql(sql).scalar()

    def do(self, sql: str) -> None:
        """Run a statement."""
        with self.database.transaction() as connection:
            connection.exec_driver_sql(sql)


@pytest.fixture
def pipeline(database: Database, tmdb_emulator: TmdbEmulator) -> Iterator[Pipeline]:
    """The pipeline on an empty catalogue, against the emulator."""
    with dg.DagsterInstance.ephemeral() as instance:
        yield Pipeline(database, settings_for(tmdb_emulator), instance, LocalEmbedder("hashing-v1", 64))


@pytest.fixture
def recorded(tmp_path: Path) -> Callable[..., TmdbEmulator]:
    """Make an emulator that serves given details, a dictionary for each film."""
    import json  # noqa: PLC0415

    def make(*films: dict[str, Any], **options: Any) -> TmdbEmulator:
        path = tmp_path / f"details_{uuid.uuid4().hex[:6]}.jsonl"
        path.write_text("\n".join(json.dumps(film) for film in films))
        return TmdbEmulator(EmulatorOptions(details=path, today=DAY, rate_limit=0, stall_seconds=2, **options))

    return make


def figures(result: Any, check: str) -> dict[str, Any]:
    """Metadata of a check's evaluation in a run."""
    (evaluation,) = [e for e in result.get_asset_check_evaluations() if e.check_name == check]
    return plain(evaluation.metadata)


def figures_of(result: Any, step: str) -> dict[str, Any]:
    """The metadata of the materialization of a step."""
    (event,) = [e for e in result.get_asset_materialization_events() if e.step_key == step]
    return plain(event.step_materialization_data.materialization.metadata)


def failed_checks(result: Any) -> set[str]:
    """Names of the checks that a run found failing."""
    return {e.check_name for e in result.get_asset_check_evaluations() if not e.passed}
