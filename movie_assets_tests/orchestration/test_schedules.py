"""What the clock launches, asked of a real database, an emulator and real run records."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from dagster._core.test_utils import freeze_time

from movie_assets.database.database import Database
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.orchestration.jobs import assets_of
from movie_assets.orchestration.run_records import past_of, runs_since
from movie_assets_tests.orchestration.schedule_ticks import READ, tick_of_the_day
from movie_assets_tests.support.definitions import defs


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
    request = tick_of_the_day(today + timedelta(hours=8.5), database, tmdb_emulator, instance)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == today.date().isoformat()


def test_a_late_export_is_waited_for_until_half_past_twelve(
    database: Database, tmdb_emulator: TmdbEmulator, instance: dg.DagsterInstance, today: datetime
) -> None:
    tmdb_emulator.faults = {"export_missing": 1.0}
    skipped = tick_of_the_day(today + timedelta(hours=8.5), database, tmdb_emulator, instance)
    assert isinstance(skipped, dg.SkipReason)
    day = today.date()
    assert skipped.skip_message == f"TMDB has not published the export of {day} yet; waiting until 12:30 UTC"
    assert isinstance(tick_of_the_day(today + timedelta(hours=12.25), database, tmdb_emulator, instance), dg.SkipReason)
    assert isinstance(tick_of_the_day(today + timedelta(hours=12.5), database, tmdb_emulator, instance), dg.RunRequest)
    assert tmdb_emulator.requests["export"] == {403: 2}
    tmdb_emulator.faults = {}
    assert isinstance(tick_of_the_day(today + timedelta(hours=9), database, tmdb_emulator, instance), dg.RunRequest)


def test_the_day_waits_for_the_export_of_series_where_the_catalogue_has_them(
    database: Database, instance: dg.DagsterInstance, today: datetime
) -> None:
    both = ("movies", "series")
    with TmdbEmulator(EmulatorOptions(today=today.date(), movies=10, series=0)) as without_series:
        early = tick_of_the_day(today + timedelta(hours=8.5), database, without_series, instance, both)
        assert isinstance(early, dg.SkipReason)
        assert f"the export of series of {today.date()} yet" in str(early.skip_message)
        assert isinstance(
            tick_of_the_day(today + timedelta(hours=8.5), database, without_series, instance), dg.RunRequest
        )
    with freeze_time(today + timedelta(hours=8.6)):
        add_run(instance, today, READ)
    load(database, today)
    with TmdbEmulator(EmulatorOptions(today=today.date(), movies=10, series=10)) as with_series:
        at_nine = today + timedelta(hours=9)
        assert isinstance(tick_of_the_day(at_nine, database, with_series, instance), dg.SkipReason)
        again = tick_of_the_day(at_nine, database, with_series, instance, both)
        assert isinstance(again, dg.RunRequest), "the day was read for movies alone"


def test_while_tmdb_cannot_be_asked_the_day_waits(
    database: Database, tmdb_emulator: TmdbEmulator, instance: dg.DagsterInstance, today: datetime
) -> None:
    tmdb_emulator.stop()
    skipped = tick_of_the_day(today + timedelta(hours=8.5), database, tmdb_emulator, instance)
    assert isinstance(skipped, dg.SkipReason)
    assert "could not be asked" in str(skipped.skip_message)


def test_a_day_that_was_read_is_not_read_again(
    database: Database, tmdb_emulator: TmdbEmulator, instance: dg.DagsterInstance, today: datetime
) -> None:
    add_run(instance, today, READ)
    load(database, today)
    assert tick_of_the_day(today + timedelta(hours=9), database, tmdb_emulator, instance) == dg.SkipReason(
        "the day was read"
    )
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
    assert tick_of_the_day(today + timedelta(hours=9), database, tmdb_emulator, instance) == dg.SkipReason(
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
    assert tick_of_the_day(today + timedelta(hours=9), database, tmdb_emulator, instance) == dg.SkipReason(
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
    assert isinstance(tick_of_the_day(today + timedelta(hours=9), database, tmdb_emulator, instance), dg.RunRequest)
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
    request = tick_of_the_day(today + timedelta(hours=9), database, tmdb_emulator, instance)
    assert isinstance(request, dg.RunRequest)
    assert request.run_key == f"{today.date()}-1"
    instance.add_run(dg.DagsterRun(job_name="read_the_day", status=READ, tags=tags, asset_selection=of_day))
    assert past_of(instance, ["fetch_details"], []).read_at is not None
    assert tick_of_the_day(today + timedelta(hours=9), database, tmdb_emulator, instance) == dg.SkipReason(
        "the day was read"
    )


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
    first = tick_of_the_day(today + timedelta(hours=8.5), database, tmdb_emulator, instance)
    add_run(instance, today, dg.DagsterRunStatus.FAILURE)
    second = tick_of_the_day(today + timedelta(hours=23.75), database, tmdb_emulator, instance)
    # Run records have the clock's time: a try is due five minutes after that.
    if datetime.now(UTC) < today + timedelta(hours=23.6):
        assert isinstance(first, dg.RunRequest)
        assert isinstance(second, dg.RunRequest)
        assert (first.run_key, second.run_key) == (f"{today.date()}-1", f"{today.date()}-2")


def test_a_missed_look_of_yesterday_reads_nothing(
    database: Database, tmdb_emulator: TmdbEmulator, instance: dg.DagsterInstance, today: datetime
) -> None:
    assert isinstance(tick_of_the_day(today - timedelta(hours=0.25), database, tmdb_emulator, instance), dg.SkipReason)


def test_the_clock_is_utc_and_looks_from_half_past_eight() -> None:
    schedule = defs.resolve_schedule_def("read_the_day_at_0830")
    assert schedule.execution_timezone == "UTC"
    assert schedule.cron_schedule == ["30,45 8 * * *", "*/15 9-23 * * *"]
