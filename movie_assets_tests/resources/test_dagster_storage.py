"""Dagster's records over kept connections: few of them, a restart survived, none left behind."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from alembic.util import CommandError

from movie_assets.resources.addresses import url_of
from movie_assets.resources.dagster_storage import PooledPostgresStorage
from movie_assets.resources.migrations import ensure_database
from movie_assets.startup import CHECKOUT

BACKENDS = "from pg_stat_activity where datname = current_database() and pid <> pg_backend_pid()"


@pytest.fixture
def instance(empty_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """The instance that dagster.yaml describes, on a database of its own."""
    ensure_database(empty_address)
    url = url_of(empty_address, "psycopg2").render_as_string(hide_password=False)
    monkeypatch.setenv("MOVIE_ASSETS_DAGSTER_DATABASE_URL", url)
    monkeypatch.setenv("MOVIE_ASSETS_DAGSTER_FILES", str(tmp_path))
    monkeypatch.setenv("DAGSTER_HOME", str(CHECKOUT))
    with dg.DagsterInstance.get() as opened:
        yield opened


@pytest.fixture
def watcher(instance: dg.DagsterInstance, empty_address: str) -> Iterator[psycopg.Connection]:  # noqa: ARG001
    """A connection that looks at the others of the instance's database."""
    with psycopg.connect(empty_address, autocommit=True) as connection:
        yield connection


def materialize(instance: dg.DagsterInstance, partition: str) -> None:
    instance.report_runless_asset_event(dg.AssetMaterialization("films", partition=partition))


def partitions(instance: dg.DagsterInstance) -> set[str]:
    return set(instance.get_materialized_partitions(dg.AssetKey("films")))


def test_the_instance_keeps_its_records_in_the_pooled_storage(instance: dg.DagsterInstance) -> None:
    assert isinstance(instance.get_ref().storage, PooledPostgresStorage)


def test_an_older_dagster_does_not_upgrade_what_a_newer_one_did(
    instance: dg.DagsterInstance, watcher: psycopg.Connection
) -> None:
    instance.upgrade()
    watcher.execute("update alembic_version set version_num = 'a_newer_one'")
    with pytest.raises(CommandError, match="Can't locate revision identified by 'a_newer_one'"):
        instance.upgrade()


def test_tables_that_a_killed_process_did_not_create_are_created_by_the_next(
    instance: dg.DagsterInstance, watcher: psycopg.Connection
) -> None:
    materialize(instance, "first")
    watcher.execute("drop table job_ticks, daemon_heartbeats")
    with dg.DagsterInstance.get() as again:
        assert again.get_ticks("origin", "selector") == []
        assert again.get_daemon_heartbeats() == {}
        assert partitions(again) == {"first"}


def test_many_events_need_one_connection(instance: dg.DagsterInstance, watcher: psycopg.Connection) -> None:
    materialize(instance, "first")
    pids = f"select array_agg(pid), pg_sleep(0.2) {BACKENDS}"  # opening the storage has used others, which end
    watcher.execute(pids)
    before = watcher.execute(pids).fetchone()
    for number in range(20):
        materialize(instance, f"batch {number}")
    assert before is not None
    assert len(before[0]) == 1
    assert watcher.execute(pids).fetchone() == before


def test_a_connection_that_the_server_cut_is_replaced(
    instance: dg.DagsterInstance, watcher: psycopg.Connection
) -> None:
    materialize(instance, "before")
    watcher.execute(f"select pg_terminate_backend(pid, 5000) {BACKENDS}")
    materialize(instance, "after")
    assert partitions(instance) == {"before", "after"}


def test_an_instance_that_ends_leaves_no_connection(instance: dg.DagsterInstance, watcher: psycopg.Connection) -> None:
    materialize(instance, "only")
    instance.dispose()
    watcher.execute("select pg_sleep(0.2)")
    assert watcher.execute(f"select count(*) {BACKENDS}").fetchone() == (0,)
