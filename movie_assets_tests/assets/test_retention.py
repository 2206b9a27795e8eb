"""The monthly clean-up: what is old goes, what is new stays, and Dagster forgets no batch that was ever made."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from movie_assets.assets import retention
from movie_assets.assets.retention import delete_runs
from movie_assets.resources.postgres import Database
from movie_assets_tests.conftest import Pipeline

MOMENT = datetime(2026, 11, 19, 12, tzinfo=UTC)


def run_sql(database: Database, sql: str) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql(sql)


def put_two(database: Database, table: str, columns: str, values: str, days: int) -> None:
    """A row that is a day too old, and one that is a day younger than that."""
    for age in (days + 1, days - 1):
        moment = MOMENT - timedelta(days=age)
        run_sql(database, f"insert into {table} ({columns}) values ({values.format(moment=moment.isoformat())})")


def test_what_is_old_goes_and_what_is_new_stays(pipeline: Pipeline) -> None:
    database = pipeline.database
    put_two(database, "pipeline.api_calls",
            "run_id, started_at, endpoint, status, calls, bytes, p50_ms, p95_ms, max_ms, retries, seconds_waited",
            "'', '{moment}', 'movie', '200', 1, 1, 1, 1, 1, 0, 0", 90)  # fmt: skip
    put_two(database, "pipeline.id_history", "tmdb_id, changed_at, state_before, state", "1, '{moment}', 'a', 'b'", 400)
    put_two(database, "pipeline.reconciliations",
            "reconciled_at, agreement, rows_compared, rows_differing, examples, run_id",
            "'{moment}', '', 1, 0, '{{}}', ''", 400)  # fmt: skip
    put_two(database, "catalog.movie_stats_history", "tmdb_id, day, popularity, vote_average, vote_count",
            "1, '{moment}', 1, 1, 1", 730)  # fmt: skip
    result = pipeline.run("clean_up")
    assert result.success
    for table in ("pipeline.api_calls", "pipeline.id_history", "pipeline.reconciliations",
                  "catalog.movie_stats_history"):  # fmt: skip
        assert pipeline.one(f"select count(*) from {table}") == 1, table
    (event,) = result.get_asset_materialization_events()
    assert event.step_materialization_data.materialization.metadata["rows_deleted"].value == 4


def test_what_a_killed_reindex_left_is_dropped(pipeline: Pipeline) -> None:
    pipeline.do("create index movies_title_ccnew on catalog.movies (title)")
    pipeline.do("create index movies_overview_ccnew on catalog.movies (tagline)")
    pipeline.do("update pg_index set indisvalid = false where indexrelid = 'catalog.movies_title_ccnew'::regclass")
    assert pipeline.run("clean_up").success
    assert pipeline.one("select to_regclass('catalog.movies_title_ccnew')") is None
    assert pipeline.one("select to_regclass('catalog.movies_overview_ccnew')") is not None


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.local_temp(str(tmp_path)) as opened:
        yield opened


@dg.asset(partitions_def=dg.StaticPartitionsDefinition(["a", "b"]))
def batched(context: dg.AssetExecutionContext) -> None:
    context.log.info("made")


@dg.asset
def whole() -> None:
    return None


def make(instance: dg.DagsterInstance, *partitions: str | None) -> list[str]:
    """Runs that materialize these partitions of `batched`; None makes `whole`."""
    made = [dg.materialize([batched if each else whole], instance=instance, partition_key=each) for each in partitions]
    return [result.run_id for result in made]


def test_the_newest_run_of_each_batch_and_asset_is_kept(instance: dg.DagsterInstance) -> None:
    make(instance, "a", "b", None)
    newest = make(instance, "a", None)
    soon = datetime.now(UTC) + timedelta(seconds=1)
    assert delete_runs(instance, soon) == 2
    left = {run.run_id for run in instance.get_runs()}
    assert len(left) == 3
    assert set(newest) <= left
    assert instance.get_materialized_partitions(dg.AssetKey("batched")) == {"a", "b"}
    assert delete_runs(instance, soon) == 0


def test_runs_that_are_young_or_have_not_ended_are_kept(instance: dg.DagsterInstance) -> None:
    make(instance, None, None)
    instance.add_run(dg.DagsterRun(job_name="x", status=dg.DagsterRunStatus.STARTED))
    assert delete_runs(instance, datetime.now(UTC) - timedelta(minutes=1)) == 0
    assert delete_runs(instance, datetime.now(UTC) + timedelta(seconds=1)) == 1
    assert len(instance.get_runs()) == 2


def test_one_clean_up_deletes_no_more_than_it_may(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MOST_RUNS", 2)
    runs = make(instance, None, None, None, None)
    assert delete_runs(instance, datetime.now(UTC) + timedelta(seconds=1)) == 2
    assert {run.run_id for run in instance.get_runs()} == set(runs[2:])
