"""Dagster's records over kept connections: few of them, a restart survived, none left behind."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest
from alembic.util import CommandError

from movie_assets.config.paths import CHECKOUT
from movie_assets.database.addresses import DatabaseError, url_of
from movie_assets.database.creation import ensure_database
from movie_assets.orchestration.storage import PooledPostgresStorage
from movie_assets_tests.database.empty_databases import as_administrator

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


@pytest.fixture
def role(server: str, empty_address: str) -> Iterator[str]:
    """A role that owns the instance's database, and nothing else."""
    name = f"app_{url_of(empty_address).database}"
    as_administrator(
        server, f"create role {name} login", f"create database {url_of(empty_address).database} owner {name}"
    )
    yield name
    as_administrator(server, f"drop database {url_of(empty_address).database} with (force)", f"drop role {name}")


def opened_by(role: str, address: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> dg.DagsterInstance:
    url = url_of(address, "psycopg2").set(username=role).render_as_string(hide_password=False)
    monkeypatch.setenv("MOVIE_ASSETS_DAGSTER_DATABASE_URL", url)
    monkeypatch.setenv("MOVIE_ASSETS_DAGSTER_FILES", str(folder))
    monkeypatch.setenv("DAGSTER_HOME", str(CHECKOUT))
    return dg.DagsterInstance.get()


@pytest.mark.parametrize("path", ["''", "pg_catalog", "no_such_schema"])
def test_a_role_with_an_empty_search_path_keeps_dagsters_records(
    path: str, role: str, server: str, empty_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    as_administrator(server, f"alter role {role} set search_path = {path}")
    with opened_by(role, empty_address, tmp_path, monkeypatch) as opened:
        opened.upgrade()
        opened.optimize_for_webserver(statement_timeout=5000, pool_recycle=60, max_overflow=2)
        materialize(opened, "first")
        assert partitions(opened) == {"first"}
    with psycopg.connect(empty_address) as watcher:
        found = watcher.execute("select relnamespace::regnamespace::text from pg_class where relname = 'event_logs'")
        assert found.fetchall() == [("public",)]


def test_a_role_that_may_not_create_dagsters_tables_is_told_in_one_sentence(
    role: str, server: str, empty_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = url_of(empty_address).database
    as_administrator(server, "alter schema public owner to postgres", database=str(name))
    with pytest.raises(
        DatabaseError, match=f'the role "{role}" lacks a right on Dagster\'s database "{name}" .*grant create on schema'
    ) as refused:
        opened_by(role, empty_address, tmp_path, monkeypatch)
    assert "SQL:" not in str(refused.value)
