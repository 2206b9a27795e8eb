"""Days that were never a catalogue's business are not missing in the web UI."""

import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from dagster._core.workspace.context import WorkspaceProcessContext
from dagster._core.workspace.load_target import ModuleTarget
from dagster_graphql.cli import execute_query

from movie_assets.config.paths import SQL
from movie_assets.config.settings import Settings
from movie_assets.database import migrations
from movie_assets.database.creation import ensure_database
from movie_assets.database.database import Database
from movie_assets.database.migrations import migrate
from movie_assets.runs.first_day import first_day_of
from movie_assets.runs.partitions import EARLIEST_DAY
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]
DAYS = ("tmdb_export", "movie_ids", "tmdb_changes", "tmdb_discoveries")
NODES = """
{ assetNodes {
    assetKey { path } staleStatus partitionKeys
    partitionStats { numMaterialized numPartitions numFailed }
} }
"""


def today() -> date:
    return datetime.now(UTC).date()


def address_of(database: Database) -> str:
    return database.url.set(drivername="postgresql").render_as_string(hide_password=False)


def settings_of(database: Database) -> Settings:
    return Settings.model_validate({"database_url": address_of(database)})


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    """Records of Dagster's that another process can read."""
    with dg.instance_for_test(temp_dir=str(tmp_path)) as instance:
        yield instance


def shown(instance: dg.DagsterInstance) -> dict[str, dict[str, Any]]:
    """What the web server answers of each asset, from definitions that are loaded in a process of their own."""
    target = ModuleTarget(
        module_name="movie_assets.definitions", attribute=None, working_directory=None, location_name="movie_assets"
    )
    with WorkspaceProcessContext(instance, target) as context:
        response = execute_query(context, NODES, variables=None)
    assert "errors" not in response, response
    return {node["assetKey"]["path"][0]: node for node in response["data"]["assetNodes"]}


@pytest.mark.parametrize("days_before", [0, 1])
def test_a_fresh_catalogue_misses_no_day_and_nothing_is_unsynced(
    small: Make, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, days_before: int
) -> None:
    pipeline = small(film(64), film(65))
    pipeline.instance = instance
    pipeline.day = today() - timedelta(days=days_before)
    pipeline.serving.today = pipeline.day
    for _ in range(days_before + 1):
        pipeline.run_all("read_the_day", "fetch_details", "embed_texts", "publish", "recommend")
        pipeline.turn_day()
    monkeypatch.setenv("MOVIE_ASSETS_DATABASE_URL", address_of(pipeline.database))
    nodes = shown(pipeline.instance)
    for name in DAYS:
        stats = nodes[name]["partitionStats"]
        assert stats == {"numMaterialized": days_before + 1, "numPartitions": days_before + 1, "numFailed": 0}, name
    assert {name: node["staleStatus"] for name, node in nodes.items() if node["staleStatus"] == "STALE"} == {}


def test_a_day_that_was_skipped_is_missing_and_can_be_launched(
    small: Make, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = small(film(64))
    pipeline.instance = instance
    for days_before in (2, 0):
        pipeline.day = today() - timedelta(days=days_before)
        pipeline.serving.today = pipeline.day
        pipeline.run_all("read_the_day")
    monkeypatch.setenv("MOVIE_ASSETS_DATABASE_URL", address_of(pipeline.database))
    ids = shown(pipeline.instance)["movie_ids"]
    assert (ids["partitionStats"]["numMaterialized"], ids["partitionStats"]["numPartitions"]) == (2, 3)
    assert (today() - timedelta(days=1)).isoformat() in ids["partitionKeys"]


# The first day


def test_it_is_today_until_a_day_was_read(database: Database) -> None:
    assert first_day_of(settings_of(database)) == today()


def test_it_is_today_while_the_database_is_empty(empty_address: str) -> None:
    ensure_database(empty_address)
    assert first_day_of(Settings.model_validate({"database_url": empty_address})) == today()


@pytest.mark.parametrize("address", [None, "postgresql://postgres@127.0.0.1:1/none", "postgresql://a@b/c?no=option"])
def test_all_days_are_there_without_a_database(address: str | None) -> None:
    assert first_day_of(Settings.model_validate({"database_url": address})) == EARLIEST_DAY


def test_it_is_the_earliest_day_that_was_read_in_whatever_order(small: Make) -> None:
    pipeline = small(film(64))
    settings = settings_of(pipeline.database)
    first = pipeline.day
    pipeline.run_all("read_the_day")
    pipeline.turn_day(1)
    pipeline.run_all("read_the_day")
    assert first_day_of(settings) == first
    pipeline.turn_day(-5)
    pipeline.run_all("read_the_day")
    assert first_day_of(settings) == first - timedelta(days=4)


def test_days_whose_records_are_deleted_are_no_days_of_the_catalogue(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day")
    first = pipeline.day
    pipeline.turn_day(40)
    pipeline.run_all("clean_up")
    assert first_day_of(settings_of(pipeline.database)) == first
    pipeline.turn_day(60)
    pipeline.run_all("clean_up")
    assert first_day_of(settings_of(pipeline.database)) == first + timedelta(days=10)


def test_a_catalogue_of_a_release_before_begins_on_the_first_day_that_it_read(
    empty_address: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    before = shutil.copytree(SQL, tmp_path / "sql")
    (before / "migrations" / "0025_first_day.sql").unlink()
    shutil.rmtree(before / "comments")
    ensure_database(empty_address)
    database = Database(empty_address)
    with monkeypatch.context() as of_before:
        of_before.setattr(migrations, "SQL", before)
        migrate(database)
    with database.transaction() as connection:
        connection.exec_driver_sql("""
            insert into pipeline.exports
                (export_date, source, url, lines, rejected_lines, duplicate_lines, loaded_at, run_id)
            values ('2026-10-04', 'tmdb', '', 1, 0, 0, '2026-10-05 09:00+00', ''),
                   ('2026-10-07', 'tmdb', '', 1, 0, 0, '2026-10-07 09:00+00', '')
        """)
        connection.exec_driver_sql("insert into pipeline.change_days values ('2026-10-05', 1, '2026-10-05 09:00+00')")
    migrate(database)
    database.close()
    assert first_day_of(Settings.model_validate({"database_url": empty_address})) == date(2026, 10, 5)
