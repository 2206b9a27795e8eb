"""The monthly clean-up: what is old goes, what is new stays, and Dagster forgets no batch that was ever made."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from movie_assets.database.database import Database
from movie_assets.operations import retention
from movie_assets.operations.retention import delete_evaluations, delete_runs
from movie_assets.orchestration.startup import DAGSTER_DATABASE, DAGSTER_FILES
from movie_assets_tests.conftest import Pipeline

NOW = datetime(2026, 11, 19, 12, tzinfo=UTC)


def run_sql(database: Database, sql: str) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql(sql)


def put_two(database: Database, table: str, columns: str, values: str, days: int) -> None:
    """A row that is a day too old, and one that is a day younger than that."""
    for age in (days + 1, days - 1):
        as_of = NOW - timedelta(days=age)
        run_sql(database, f"insert into {table} ({columns}) values ({values.format(as_of=as_of.isoformat())})")


def test_what_is_old_goes_and_what_is_new_stays(pipeline: Pipeline) -> None:
    database = pipeline.database
    put_two(database, "pipeline.api_calls",
            "run_id, started_at, endpoint, status, calls, bytes, p50_ms, p95_ms, max_ms, retries, seconds_waited",
            "'', '{as_of}', 'movie', '200', 1, 1, 1, 1, 1, 0, 0", 90)  # fmt: skip
    put_two(database, "pipeline.id_history", "tmdb_id, changed_at, state_before, state", "1, '{as_of}', 'a', 'b'", 400)
    put_two(database, "pipeline.reconciliations",
            "reconciled_at, agreement, rows_compared, rows_differing, examples, run_id",
            "'{as_of}', '', 1, 0, '{{}}', ''", 400)  # fmt: skip
    put_two(database, "catalog.movie_stats_history", "tmdb_id, day, popularity, vote_average, vote_count",
            "1, '{as_of}', 1, 1, 1", 730)  # fmt: skip
    result = pipeline.run("clean_up")
    assert result.success
    for table in ("pipeline.api_calls", "pipeline.id_history", "pipeline.reconciliations",
                  "catalog.movie_stats_history"):  # fmt: skip
        assert pipeline.one(f"select count(*) from {table}") == 1, table
    (event,) = result.get_asset_materialization_events()
    assert event.step_materialization_data.materialization.metadata["rows_deleted"].value == 4


OLD = "'2025-01-01T00:00Z'"  # nearly two years before NOW
NEW = "'2026-11-18T00:00Z'"
EXPORT = "insert into pipeline.exports values ({}, 'tmdb', '', 1, 0, 0, 1, 1, 1, {}, '')"
LOAD = "insert into pipeline.rating_loads values (default, {}, '', null, '', 9, 0, 0, 9, 1, {}, 'run')"
MODEL = "insert into pipeline.recommendation_models values (default, 'ease', '', '', '{{}}', 1, 1, 1, 1, {}, 1, {}, {})"
ALERT = (
    "insert into pipeline.alerts (kind, place, name, severity, says, expected, figures, evidence, link, began_at, "
    "noticed_at, ended_at, ended_how) values ('check', '', {}, 'WARN', '', '', '{{}}', '', '', {}, {}, {}, {})"
)
COST = (
    "insert into pipeline.embedding_costs (set_id, run_id, texts, tokens, dollars, spent_at) "
    "select max(set_id), '', 1, 1, 1, {} from pipeline.embedding_sets"
)
STEP = (
    "insert into pipeline.run_log (run_id, job, step, trigger, moment, started_at, ended_at, status) "
    "values ({}, '', '', 'sensor', {}, {}, {}, {})"
)


@pytest.mark.parametrize(
    ("table", "rows", "left"),
    [
        ("run_log", [STEP.format("'old'", OLD, OLD, OLD, "'succeeded'"),
                     STEP.format("'new'", NEW, NEW, NEW, "'failed'"),
                     STEP.format("'open'", OLD, OLD, "null", "'running'")], "run_id in ('new', 'open')"),
        ("alerts", [ALERT.format("'old'", OLD, OLD, OLD, "'gone'"), ALERT.format("'new'", OLD, OLD, NEW, "'gone'"),
                    ALERT.format("'open'", OLD, OLD, "null", "null")], "name in ('new', 'open')"),
        ("exports", [EXPORT.format("'2025-01-01'", OLD), EXPORT.format("'2025-01-02'", OLD),
                     "insert into pipeline.ids_as_of values (true, '2025-01-02', 0)"], "export_date = '2025-01-02'"),
        ("change_days", ["insert into pipeline.change_days values ('2025-01-01', 1, now()), ('2025-01-02', 1, now())"],
         "change_date = '2025-01-02'"),
        ("rating_loads", [LOAD.format("'imdb'", OLD), LOAD.format("'imdb'", OLD), LOAD.format("'csv'", OLD)],
         "load_id > 1"),
        ("recommendation_models", [MODEL.format(OLD, OLD, False), MODEL.format(OLD, OLD, True),
                                   MODEL.format(NEW, NEW, False)], "model_id > 1"),
        ("embedding_costs", ["insert into pipeline.embedding_sets values (default, 'p', 'm', 8, 't')",
                             *(COST.format(at) for at in (OLD, NEW))],
         f"spent_at = {NEW}"),
        ("requested_ids", ["insert into pipeline.requested_ids (tmdb_id) values (1), (2), (3)",
                           f"update pipeline.requested_ids set served_at = {OLD} where tmdb_id = 1",
                           f"update pipeline.requested_ids set served_at = {NEW} where tmdb_id = 2"], "tmdb_id > 1"),
    ],
)  # fmt: skip
def test_records_go_and_what_the_next_run_stands_on_stays(
    table: str, rows: list[str], left: str, pipeline: Pipeline
) -> None:
    for sql in rows:
        run_sql(pipeline.database, sql)
    pipeline.database.execute("clean_up", as_of=NOW)
    counted = f"select (count(*) filter (where {left}))::text || ' of ' || count(*) from pipeline.{table}"
    kept = int(pipeline.one(f"select count(*) from pipeline.{table} where {left}"))
    assert kept > 0
    assert pipeline.one(counted) == f"{kept} of {kept}"


def test_lines_of_an_export_that_are_still_there_keep_its_row(pipeline: Pipeline) -> None:
    for day in ("2025-01-01", "2025-01-02"):
        run_sql(pipeline.database, EXPORT.format(f"'{day}'", OLD))
    run_sql(pipeline.database, "insert into pipeline.ids_as_of values (true, '2025-01-02', 0)")
    run_sql(pipeline.database, "create table pipeline.export_lines_20250101 (like pipeline.exported_titles)")
    pipeline.database.execute("clean_up", as_of=NOW)
    assert pipeline.one("select count(*) from pipeline.exports") == 2


def test_an_old_import_is_still_known_but_not_what_it_did_not_take(pipeline: Pipeline) -> None:
    for at in (OLD, NEW):
        columns = "(imported_at, source, files, digest, counts, rejects)"
        run_sql(
            pipeline.database,
            f"insert into pipeline.imports {columns} values ({at}, 'list', '{{}}', 'd', '{{}}', '[1]')",
        )
    pipeline.database.execute("clean_up", as_of=NOW)
    assert pipeline.one("select string_agg(rejects::text, ' ' order by import_id) from pipeline.imports") == "[] [1]"
    assert pipeline.database.fetch_value(bool, "imported_before", digest="d", person="me")


def test_what_a_killed_reindex_left_is_dropped(pipeline: Pipeline) -> None:
    pipeline.do("create index movies_title_ccnew on catalog.titles (title)")
    pipeline.do("create index movies_overview_ccnew on catalog.titles (tagline)")
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


def test_runs_of_days_long_past_go_though_they_are_the_newest_of_their_days(instance: dg.DagsterInstance) -> None:
    @dg.asset(partitions_def=dg.DailyPartitionsDefinition("2026-01-01", timezone="UTC"))
    def dated() -> None:
        return None

    days = ["2026-08-20", "2026-08-21", "2026-11-18", "2026-08-01"]  # made in this order
    runs = [dg.materialize([dated], instance=instance, partition_key=day).run_id for day in days]
    soon = datetime.now(UTC) + timedelta(seconds=1)
    assert delete_runs(instance, soon, oldest_day=date(2026, 8, 21)) == 1
    assert {run.run_id for run in instance.get_runs()} == set(runs[1:])


def test_runs_that_are_young_or_have_not_ended_are_kept(instance: dg.DagsterInstance) -> None:
    make(instance, None, None)
    instance.add_run(dg.DagsterRun(job_name="x", status=dg.DagsterRunStatus.STARTED))
    assert delete_runs(instance, datetime.now(UTC) - timedelta(minutes=1)) == 0
    assert delete_runs(instance, datetime.now(UTC) + timedelta(seconds=1)) == 1
    assert len(instance.get_runs()) == 2


def test_one_clean_up_deletes_no_more_than_it_may(
    instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(retention, "MAX_RUNS", 2)
    runs = make(instance, None, None, None, None)
    assert delete_runs(instance, datetime.now(UTC) + timedelta(seconds=1)) == 2
    assert {run.run_id for run in instance.get_runs()} == set(runs[2:])


@dg.asset_check(asset=whole)
def is_whole(context: dg.AssetCheckExecutionContext) -> dg.AssetCheckResult:
    return dg.AssetCheckResult(passed="broken" not in context.run.tags)


@pytest.fixture
def deployed(database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    """Dagster's records as they are deployed."""
    monkeypatch.setenv(DAGSTER_DATABASE, database.url.render_as_string(hide_password=False))
    monkeypatch.setenv(DAGSTER_FILES, str(tmp_path))
    storage = {"custom": {"module": "movie_assets.orchestration.storage", "class": "PooledPostgresStorage"}}
    with dg.DagsterInstance.local_temp(str(tmp_path), overrides={"storage": storage}) as opened:
        yield opened


def test_nothing_of_a_deleted_run_stays_but_how_each_check_stood_last(
    deployed: dg.DagsterInstance, database: Database
) -> None:
    outcomes: list[dict[str, str]] = [{}, {"broken": "yes"}, {"broken": "yes"}, {}, {}]
    runs = [dg.materialize([whole, is_whole], instance=deployed, tags=tags).run_id for tags in outcomes]
    assert delete_evaluations(deployed, datetime.now(UTC) - timedelta(minutes=1)) == 0
    soon = datetime.now(UTC) + timedelta(seconds=1)
    assert delete_runs(deployed, soon) == 4
    assert delete_evaluations(deployed, soon) == 3
    with database.transaction() as connection:
        tables = connection.exec_driver_sql(
            "select table_name from information_schema.columns where column_name = 'run_id' and table_schema = 'public'"
        )
        left = {
            table: connection.exec_driver_sql(f"select distinct run_id from {table} where run_id <> %s", (runs[-1],))
            .scalars()
            .all()
            for table in tables.scalars().all()
        }
    assert len(left) > 3
    assert {table: ids for table, ids in left.items() if ids} == {"asset_check_executions": [runs[2]]}
    assert not [folder for run in runs[:-1] for folder in Path(deployed.root_directory).rglob(run)]
    assert delete_evaluations(deployed, soon) == 0
