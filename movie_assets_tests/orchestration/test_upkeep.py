"""Schedules of the upkeep: ratings, the weekly recount, the monthly clean-up and health."""

from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import pytest

from movie_assets.database.database import Database
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.operations.health import data as health_of_data
from movie_assets.operations.health.findings import Finding
from movie_assets.operations.health.rows import TriggerState
from movie_assets_tests.orchestration.schedule_ticks import READ, tick_of_the_day
from movie_assets_tests.support.definitions import defs


@pytest.mark.parametrize("name", ["reconcile_on_sundays", "clean_up_on_the_first"])
def test_upkeep_is_by_the_utc_clock(name: str) -> None:
    assert defs.resolve_schedule_def(name).execution_timezone == "UTC"


def upkeep(name: str, tick: datetime, database: Database, instance: dg.DagsterInstance) -> Any:
    """Evaluate a schedule of the upkeep."""
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=tick, resources={"database": database}
    )
    return defs.resolve_schedule_def(name)(context)


@pytest.mark.parametrize(
    ("variables", "assets"),
    [({"MOVIE_ASSETS_IMDB_RATINGS": "r.gz"}, ["imdb_ratings"]),
     ({"MOVIE_ASSETS_MOVIELENS_RATINGS": "ml", "MOVIE_ASSETS_RATINGS_CSV": "r.csv"},
      ["movielens_ratings", "csv_ratings"]),
     ({"OMDB_API_KEY": "k"}, ["omdb_ratings"])],
)  # fmt: skip
def test_only_ratings_that_a_setting_names_are_read(
    variables: dict[str, str], assets: list[str], monkeypatch: pytest.MonkeyPatch,
    database: Database, instance: dg.DagsterInstance, today: datetime
) -> None:  # fmt: skip
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    request = upkeep("read_ratings_at_1030", today + timedelta(hours=10.5), database, instance)
    assert [key.to_user_string() for key in request.asset_selection] == assets
    assert request.run_key == f"{today.date()}-1"


def test_without_any_ratings_the_schedule_says_how_to_switch_them_on(
    database: Database, instance: dg.DagsterInstance, today: datetime
) -> None:
    skipped = upkeep("read_ratings_at_1030", today + timedelta(hours=10.5), database, instance)
    assert "MOVIE_ASSETS_IMDB_RATINGS" in str(skipped.skip_message)


GIVEN_UP = (
    "insert into pipeline.triggers (name, job, work, tries, launched_at, given_up_at, says, decided_at) "
    "values ('{}', 'a_job', 1, 8, now(), now(), 'gave up', now())"
)


def triggers_finding(database: Database) -> Finding:
    return health_of_data.triggers(database.fetch(TriggerState, "health_triggers"))


def test_ratings_that_were_given_up_are_no_error_once_they_are_switched_off(
    database: Database, instance: dg.DagsterInstance, today: datetime
) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql(GIVEN_UP.format("read_ratings_at_1030"))
    assert triggers_finding(database).severity == "error"
    skipped = upkeep("read_ratings_at_1030", today + timedelta(hours=10.5), database, instance)
    assert triggers_finding(database).severity == "ok"
    assert database.fetch(TriggerState, "health_triggers")[0].reason == skipped.skip_message


def test_a_trigger_that_a_release_removed_is_forgotten_and_no_other(
    database: Database, tmdb_emulator: TmdbEmulator, instance: dg.DagsterInstance, today: datetime
) -> None:
    repository = defs.get_repository_def()
    silent = {"look_at_health_hourly", "something_broke_or_recovered", "runs_without_a_process", "events_are_delivered"}
    names = {
        *(each.name for each in repository.schedule_defs),
        *(each.name for each in repository.sensor_defs),
    } - silent
    with database.transaction() as connection:
        for name in {*names, "films_are_due_as_it_was_called"}:
            connection.exec_driver_sql(GIVEN_UP.format(name))
    tick_of_the_day(today + timedelta(hours=8.5), database, tmdb_emulator, instance)
    assert {row.name for row in database.fetch(TriggerState, "health_triggers")} == names


UPKEEP = [("reconcile_on_sundays", "reconcile", 4.0), ("clean_up_on_the_first", "clean_up", 3.0)]


@pytest.mark.parametrize(("name", "job", "hour"), UPKEEP)
def test_upkeep_that_failed_is_tried_again_and_what_succeeded_is_not(
    name: str, job: str, hour: float, database: Database, instance: dg.DagsterInstance, today: datetime
) -> None:
    tick = today + timedelta(hours=hour)
    first = upkeep(name, tick, database, instance)
    assert isinstance(first, dg.RunRequest)
    # Run records have the clock's time, which is after the moment since when it is due only from that hour on.
    if datetime.now(UTC) < tick:
        return
    instance.add_run(dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.FAILURE))
    waiting = upkeep(name, datetime.now(UTC), database, instance)
    assert "the last run was in vain; next try at" in str(waiting.skip_message)
    if (later := datetime.now(UTC) + timedelta(minutes=6)).date() == today.date():
        second = upkeep(name, later, database, instance)
        assert (str(second.run_key)[-2:], str(first.run_key)[-2:]) == ("-2", "-1")
    instance.add_run(dg.DagsterRun(job_name=job, status=READ))
    done = upkeep(name, datetime.now(UTC), database, instance)
    assert "done since" in str(done.skip_message)
    with database.transaction() as connection:
        decision = connection.exec_driver_sql(
            "select says from pipeline.triggers where name = %(name)s", {"name": name}
        ).scalar_one()
    assert decision == done.skip_message


@pytest.mark.parametrize("name", [*(name for name, _, _ in UPKEEP), "read_ratings_at_1030"])
def test_upkeep_of_a_day_that_was_slept_through_is_left_to_the_next_look(
    name: str, database: Database, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch, today: datetime
) -> None:
    monkeypatch.setenv("MOVIE_ASSETS_IMDB_RATINGS", "r.gz")
    skipped = upkeep(name, today - timedelta(hours=13), database, instance)
    assert "is over" in str(skipped.skip_message)


def look_at_health(instance: dg.DagsterInstance, hours_ago: int = 0) -> Any:
    """Evaluate the schedule of health at 17 past an hour."""
    at = datetime.now(UTC).replace(minute=17) - timedelta(hours=hours_ago)
    context = dg.build_schedule_context(instance=instance, scheduled_execution_time=at)
    return defs.resolve_schedule_def("look_at_health_hourly")(context)


@pytest.mark.parametrize(("job", "assets"), [("look_at_health", None), ("__ASSET_JOB", {dg.AssetKey("health")})])
def test_health_is_not_looked_at_while_the_last_look_is_at_it(
    job: str, assets: set[dg.AssetKey] | None, instance: dg.DagsterInstance
) -> None:
    selected = frozenset(assets) if assets else None
    instance.add_run(dg.DagsterRun(job_name=job, status=dg.DagsterRunStatus.STARTED, asset_selection=selected))
    assert look_at_health(instance) == dg.SkipReason("the last run has not ended")


def test_health_is_looked_at_once_after_a_sleep(instance: dg.DagsterInstance) -> None:
    ticks = [look_at_health(instance, hours_ago) for hours_ago in range(5)]
    assert [isinstance(tick, dg.RunRequest) for tick in ticks] == [True, False, False, False, False]
