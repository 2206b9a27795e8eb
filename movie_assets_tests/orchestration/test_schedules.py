"""What the clock launches, asked of a real database, an emulator and real run records."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import dagster as dg
import pytest

from movie_assets.database.database import Database
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.operations.health import data as health_of_data
from movie_assets.operations.health.findings import Finding
from movie_assets.operations.health.rows import TriggerState
from movie_assets.orchestration.jobs import assets_of
from movie_assets.orchestration.run_records import past_of, runs_since
from movie_assets.tmdb.client import Tmdb
from movie_assets_tests.conftest import settings_for
from movie_assets_tests.support.clock import start_of_today
from movie_assets_tests.support.definitions import defs

READ = dg.DagsterRunStatus.SUCCESS


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    # A schedule opens its instance by reference, which one in memory has none of.
    with dg.DagsterInstance.local_temp(str(tmp_path)) as opened:
        yield opened


@pytest.fixture
def today() -> datetime:
    return start_of_today()


def look(
    at: datetime, database: Database, tmdb_emulator: TmdbEmulator, instance: dg.DagsterInstance
) -> dg.RunRequest | dg.SkipReason:
    """Evaluate the schedule as of a time, in the emulator's world of today."""
    tmdb_emulator.today = datetime.now(UTC).date()
    context = dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=at,
        resources={"database": database, "tmdb": Tmdb(settings_for(tmdb_emulator), database)},
    )
    result: Any = defs.resolve_schedule_def("read_the_day_at_0830")(context)
    assert isinstance(result, dg.RunRequest | dg.SkipReason)
    return result


def add_run(instance: dg.DagsterInstance, today: datetime, status: dg.DagsterRunStatus) -> None:
    tags = {"dagster/partition": today.date().isoformat()}
    instance.add_run(dg.DagsterRun(job_name="read_the_day", status=status, tags=tags))


def load(database: Database, today: datetime) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "insert into pipeline.exports (export_date, source, url, lines, rejected_lines, duplicate_lines, "
            "loaded_at, run_id) values (%(day)s, 'tmdb', '', 1, 0, 0, now(), '')", {"day": today.date()}
        )  # fmt: skip


def test_half_past_eight_reads_the_day(
    database: Database, tmdb_emulator: TmdbEmulator, instance: dg.DagsterInstance, today: datetime
) -> None:
    request = look(today + timedelta(hours=8.5), database, tmdb_emulator, instance)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == today.date().isoformat()


def test_a_late_export_is_waited_for_until_half_past_twelve(
    database: Database, tmdb_emulator: TmdbEmulator, instance: dg.DagsterInstance, today: datetime
) -> None:
    tmdb_emulator.faults = {"export_missing": 1.0}
    skipped = look(today + timedelta(hours=8.5), database, tmdb_emulator, instance)
    assert isinstance(skipped, dg.SkipReason)
    day = today.date()
    assert skipped.skip_message == f"TMDB has not published the export of {day} yet; waiting until 12:30 UTC"
    assert isinstance(look(today + timedelta(hours=12.25), database, tmdb_emulator, instance), dg.SkipReason)
    assert isinstance(look(today + timedelta(hours=12.5), database, tmdb_emulator, instance), dg.RunRequest)
    assert tmdb_emulator.requests["export"] == {403: 2}
    tmdb_emulator.faults = {}
    assert isinstance(look(today + timedelta(hours=9), database, tmdb_emulator, instance), dg.RunRequest)


def test_while_tmdb_cannot_be_asked_the_day_waits(
    database: Database, tmdb_emulator: TmdbEmulator, instance: dg.DagsterInstance, today: datetime
) -> None:
    tmdb_emulator.stop()
    skipped = look(today + timedelta(hours=8.5), database, tmdb_emulator, instance)
    assert isinstance(skipped, dg.SkipReason)
    assert "could not be asked" in str(skipped.skip_message)


def test_a_day_that_was_read_is_not_read_again(
    database: Database, tmdb_emulator: TmdbEmulator, instance: dg.DagsterInstance, today: datetime
) -> None:
    add_run(instance, today, READ)
    load(database, today)
    assert look(today + timedelta(hours=9), database, tmdb_emulator, instance) == dg.SkipReason("the day was read")
    assert tmdb_emulator.requests == {}


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED])
def test_a_reading_in_flight_is_waited_for(
    status: dg.DagsterRunStatus,
    database: Database,
    tmdb_emulator: TmdbEmulator,
    instance: dg.DagsterInstance,
    today: datetime,
) -> None:
    add_run(instance, today, status)
    assert look(today + timedelta(hours=9), database, tmdb_emulator, instance) == dg.SkipReason(
        "a run is working on it"
    )


def test_a_run_that_a_person_launched_on_an_asset_of_the_day_is_waited_for(
    database: Database, tmdb_emulator: TmdbEmulator, instance: dg.DagsterInstance, today: datetime
) -> None:
    instance.add_run(
        dg.DagsterRun(
            job_name="__ASSET_JOB", status=dg.DagsterRunStatus.STARTED,
            asset_selection=frozenset({dg.AssetKey("movie_ids")}),
        )
    )  # fmt: skip
    assert look(today + timedelta(hours=9), database, tmdb_emulator, instance) == dg.SkipReason(
        "a run is working on it"
    )


def test_a_run_of_the_days_checks_alone_is_no_reading(
    database: Database, tmdb_emulator: TmdbEmulator, instance: dg.DagsterInstance, today: datetime
) -> None:
    check = dg.AssetCheckKey(dg.AssetKey("tmdb_export"), "export_can_be_believed")
    tags = {"dagster/partition": today.date().isoformat()}
    for assets in (None, frozenset[dg.AssetKey]()):
        checks = frozenset({check})
        instance.add_run(dg.DagsterRun(
            job_name="read_the_day", status=READ, tags=tags, asset_selection=assets, asset_check_selection=checks,
        ))  # fmt: skip
    assert past_of(instance, ["fetch_details"], []).read_at is None
    assert isinstance(look(today + timedelta(hours=9), database, tmdb_emulator, instance), dg.RunRequest)
    add_run(instance, today, READ)
    assert past_of(instance, ["fetch_details"], []).read_at is not None


def test_only_a_run_over_all_assets_of_the_day_has_read_it(
    database: Database, tmdb_emulator: TmdbEmulator, instance: dg.DagsterInstance, today: datetime
) -> None:
    of_day = frozenset(dg.AssetKey(name) for name in assets_of("read_the_day"))
    tags = {"dagster/partition": today.date().isoformat()}
    parts = [frozenset({key}) for key in of_day] + [of_day - {key} for key in of_day]
    for status in (READ, dg.DagsterRunStatus.FAILURE):  # the failure of a part is no try of the day either
        for part in parts:
            instance.add_run(dg.DagsterRun(job_name="read_the_day", status=status, tags=tags, asset_selection=part))
    load(database, today)
    assert past_of(instance, ["fetch_details"], []).read_at is None
    request = look(today + timedelta(hours=9), database, tmdb_emulator, instance)
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == f"{today.date()}-1"
    instance.add_run(dg.DagsterRun(job_name="read_the_day", status=READ, tags=tags, asset_selection=of_day))
    assert past_of(instance, ["fetch_details"], []).read_at is not None
    assert look(today + timedelta(hours=9), database, tmdb_emulator, instance) == dg.SkipReason("the day was read")


def test_ratings_of_one_source_are_no_reading_of_both(instance: dg.DagsterInstance, today: datetime) -> None:
    imdb, both = ["imdb_ratings"], ["imdb_ratings", "csv_ratings"]
    for status in (READ, dg.DagsterRunStatus.FAILURE):
        instance.add_run(dg.DagsterRun(
            job_name="read_ratings", status=status, asset_selection=frozenset({dg.AssetKey("imdb_ratings")}),
        ))  # fmt: skip
    early = today - timedelta(days=1)
    one, all_of_them = (runs_since(instance, "read_ratings", assets, early) for assets in (imdb, both))
    assert (one.done, one.in_vain) == (1, 1)
    assert (all_of_them.done, all_of_them.in_vain) == (0, 0)


def test_each_try_has_a_key_of_its_own(
    database: Database, tmdb_emulator: TmdbEmulator, instance: dg.DagsterInstance, today: datetime
) -> None:
    first = look(today + timedelta(hours=8.5), database, tmdb_emulator, instance)
    add_run(instance, today, dg.DagsterRunStatus.FAILURE)
    second = look(today + timedelta(hours=23.75), database, tmdb_emulator, instance)
    # Run records have the clock's time: a try is due five minutes after that.
    if datetime.now(UTC) < today + timedelta(hours=23.6):
        assert isinstance(first, dg.RunRequest)
        assert isinstance(second, dg.RunRequest)
        assert (first.run_key, second.run_key) == (f"{today.date()}-1", f"{today.date()}-2")


def test_a_missed_look_of_yesterday_reads_nothing(
    database: Database, tmdb_emulator: TmdbEmulator, instance: dg.DagsterInstance, today: datetime
) -> None:
    assert isinstance(look(today - timedelta(hours=0.25), database, tmdb_emulator, instance), dg.SkipReason)


def test_the_clock_is_utc_and_looks_from_half_past_eight() -> None:
    schedule = defs.resolve_schedule_def("read_the_day_at_0830")
    assert schedule.execution_timezone == "UTC"
    assert schedule.cron_schedule == ["30,45 8 * * *", "*/15 9-23 * * *"]


@pytest.mark.parametrize("name", ["reconcile_on_sundays", "clean_up_on_the_first"])
def test_upkeep_is_by_the_utc_clock(name: str) -> None:
    assert defs.resolve_schedule_def(name).execution_timezone == "UTC"


def upkeep(name: str, look: datetime, database: Database, instance: dg.DagsterInstance) -> Any:
    """Evaluate a schedule of the upkeep."""
    context = dg.build_schedule_context(
        instance=instance, scheduled_execution_time=look, resources={"database": database}
    )
    return defs.resolve_schedule_def(name)(context)


@pytest.mark.parametrize(
    ("variables", "assets"),
    [({"MOVIE_ASSETS_IMDB_RATINGS": "r.gz"}, ["imdb_ratings"]),
     ({"MOVIE_ASSETS_MOVIELENS_RATINGS": "ml", "MOVIE_ASSETS_RATINGS_CSV": "r.csv"},
      ["movielens_ratings", "csv_ratings"])],
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
    silent = {"look_at_health_hourly", "something_broke_or_recovered", "runs_without_a_process"}
    names = {
        *(each.name for each in repository.schedule_defs),
        *(each.name for each in repository.sensor_defs),
    } - silent
    with database.transaction() as connection:
        for name in {*names, "films_are_due_as_it_was_called"}:
            connection.exec_driver_sql(GIVEN_UP.format(name))
    look(today + timedelta(hours=8.5), database, tmdb_emulator, instance)
    assert {row.name for row in database.fetch(TriggerState, "health_triggers")} == names


UPKEEP = [("reconcile_on_sundays", "reconcile", 4.0), ("clean_up_on_the_first", "clean_up", 3.0)]


@pytest.mark.parametrize(("name", "job", "hour"), UPKEEP)
def test_upkeep_that_failed_is_tried_again_and_what_succeeded_is_not(
    name: str, job: str, hour: float, database: Database, instance: dg.DagsterInstance, today: datetime
) -> None:
    look = today + timedelta(hours=hour)
    first = upkeep(name, look, database, instance)
    assert isinstance(first, dg.RunRequest)
    # Run records have the clock's time, which is after the moment since when it is due only from that hour on.
    if datetime.now(UTC) < look:
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
        says = connection.exec_driver_sql(
            "select says from pipeline.triggers where name = %(name)s", {"name": name}
        ).scalar_one()
    assert says == done.skip_message


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
    looks = [look_at_health(instance, hours_ago) for hours_ago in range(5)]
    assert [isinstance(look, dg.RunRequest) for look in looks] == [True, False, False, False, False]
