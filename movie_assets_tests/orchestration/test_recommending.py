"""What launches recommendations: histories that changed, files in the inbox, names that wait for films."""

from datetime import UTC, datetime, tzinfo
from pathlib import Path

import dagster as dg
import pytest

from movie_assets.database.database import Database
from movie_assets_tests.conftest import Pipeline
from movie_assets_tests.orchestration.ticks import memory_of, run_sql, tick


def test_a_history_that_changed_launches_recommendations_once(database: Database, instance: dg.DagsterInstance) -> None:
    run_sql(database, "insert into catalog.watch_histories (person, tmdb_id, source) values ('me', 3, 'list')")
    assert memory_of(tick("recommendations_are_due", database, instance)).work == 1
    run_sql(database, "insert into pipeline.recommendation_lists values ('me', null, 0, now())")
    run_sql(database, "delete from pipeline.changed_histories")
    assert "nothing to do" in str(tick("recommendations_are_due", database, instance).skip_reason)


class Later(datetime):
    """The sensors' clock, two minutes on: what was copied a moment ago is whole by then."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> "Later":
        return cls.fromtimestamp(datetime.now(UTC).timestamp() + 120, tz)


def test_a_file_in_the_inbox_is_imported_within_minutes_and_once(
    pipeline: Pipeline, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def next_tick() -> dg.SensorResult:
        return tick("recommendations_are_due", pipeline.database, pipeline.instance, inbox=tmp_path)

    pipeline.settings = pipeline.settings.model_copy(update={"inbox": tmp_path})
    assert "nothing to do" in str(next_tick().skip_reason)
    (tmp_path / "ratings.csv").write_text("Date,Name,Year,Letterboxd URI,Rating\n2026-01-01,A Film,2020,u,4\n")
    assert "nothing to do" in str(next_tick().skip_reason)  # it may still be being copied
    monkeypatch.setattr("movie_assets.orchestration.sensors.datetime", Later)
    assert memory_of(next_tick()).work == 1
    assert pipeline.run("recommend").success
    assert pipeline.one("select count(*) from pipeline.imports") == 1
    assert "nothing to do" in str(next_tick().skip_reason)
    (tmp_path / "broken.csv").write_text("what,is,this\n")
    assert memory_of(next_tick()).work == 1
    assert pipeline.run("recommend").success
    assert "nothing to do" in str(
        next_tick().skip_reason
    )  # what is refused is reported, and not tried each half minute


def test_an_inbox_that_is_not_there_launches_nothing(
    database: Database, instance: dg.DagsterInstance, tmp_path: Path
) -> None:
    result = tick("recommendations_are_due", database, instance, inbox=tmp_path / "nowhere")
    assert "nothing to do" in str(result.skip_reason)


def test_names_that_wait_are_compared_with_films_that_came(database: Database, instance: dg.DagsterInstance) -> None:
    def step(name: str, changed: int) -> None:
        run_sql(
            database,
            "insert into pipeline.run_log (run_id, job, step, trigger, moment, ended_at, status, changed) values "
            f"(gen_random_uuid()::text, '', '{name}', 'sensor', now(), clock_timestamp(), 'succeeded', {changed})",
        )

    run_sql(database, "insert into pipeline.named_films (name, title) values ('A Film (2020)', 'A Film')")
    for name, changed, work in (
        ("watch_histories", 0, 0), ("search_documents", 0, 0), ("search_documents", 3, 1), ("watch_histories", 0, 0),
    ):  # fmt: skip
        step(name, changed)
        assert bool(tick("recommendations_are_due", database, instance).run_requests) is bool(work), (name, changed)
    step("search_documents", 1)
    run_sql(database, "update pipeline.named_films set film_id = 1, matched_by = 'title'")
    assert not tick("recommendations_are_due", database, instance).run_requests
