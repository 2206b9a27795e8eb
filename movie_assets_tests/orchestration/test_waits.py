"""When a sensor launches nothing though there is work: a run is at it, or was in vain."""

from collections.abc import Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta, tzinfo
from typing import Any

import dagster as dg
import pytest

from movie_assets.database.database import Database
from movie_assets.orchestration.launch_decisions import Memory
from movie_assets_tests.orchestration.ticks import add_ids, embed, memory_of, publish, run_sql, tick
from movie_assets_tests.support.rows import put_films


@pytest.mark.parametrize(
    ("name", "job"),
    [("details_are_due", "fetch_details"), ("texts_are_not_embedded", "embed_texts"),
     ("the_catalogue_is_not_published", "publish")],
)  # fmt: skip
@pytest.mark.parametrize(
    "status", [dg.DagsterRunStatus.NOT_STARTED, dg.DagsterRunStatus.STARTED, dg.DagsterRunStatus.CANCELING]
)
def test_a_run_in_flight_is_waited_for(
    name: str, job: str, status: dg.DagsterRunStatus, database: Database, instance: dg.DagsterInstance
) -> None:
    add_ids(database, 64)
    put_films(database, 1, 5)
    instance.add_run(dg.DagsterRun(job_name=job, run_id="00000000-0000-4000-8000-000000000001", status=status))
    result = tick(name, database, instance)
    assert not result.run_requests
    assert "a run is working on it" in str(result.skip_reason)


@pytest.mark.parametrize(
    ("name", "asset"),
    [("no_day_was_read_yet", "movie_ids"), ("details_are_due", "movie_details"),
     ("texts_are_not_embedded", "movie_embeddings"), ("the_catalogue_is_not_published", "movie_vectors"),
     ("the_catalogue_is_not_published", "search_documents"), ("the_catalogue_is_not_published", "rating_aggregates")],
)  # fmt: skip
def test_a_run_that_a_person_launched_on_an_asset_of_the_job_is_waited_for(
    name: str, asset: str, database: Database, instance: dg.DagsterInstance
) -> None:
    if name != "no_day_was_read_yet":  # whose work is an empty catalogue
        add_ids(database, 64)
        put_films(database, 1, 5)
    assert tick(name, database, instance).run_requests
    instance.add_run(
        dg.DagsterRun(
            job_name="__ASSET_JOB", status=dg.DagsterRunStatus.STARTED,
            asset_selection=frozenset({dg.AssetKey(asset)}),
        )
    )  # fmt: skip
    result = tick(name, database, instance)
    assert not result.run_requests
    assert result.skip_reason == dg.SkipReason("a run is working on it")


def test_a_run_of_another_job_is_not_waited_for(database: Database, instance: dg.DagsterInstance) -> None:
    add_ids(database, 64)
    instance.add_run(dg.DagsterRun(job_name="publish", status=dg.DagsterRunStatus.STARTED))
    assert tick("details_are_due", database, instance).run_requests


@pytest.mark.parametrize(
    ("name", "upstream"),
    [("details_are_due", "read_the_day"), ("texts_are_not_embedded", "fetch_details"),
     ("the_catalogue_is_not_published", "read_the_day"), ("the_catalogue_is_not_published", "fetch_details")],
)  # fmt: skip
def test_a_run_that_still_moves_the_work_is_waited_for(
    name: str, upstream: str, database: Database, instance: dg.DagsterInstance
) -> None:
    add_ids(database, 64)
    put_films(database, 1, 5)
    instance.add_run(dg.DagsterRun(job_name=upstream, status=dg.DagsterRunStatus.STARTED))
    result = tick(name, database, instance)
    assert not result.run_requests
    assert f"to do when {upstream} has ended" in str(result.skip_reason)


def test_the_publication_lets_what_a_run_leads_to_go_first(
    database: Database, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_films(database, 1, 5)
    embed(database)
    instance.add_run(dg.DagsterRun(job_name="read_the_day", status=dg.DagsterRunStatus.SUCCESS))
    result = tick("the_catalogue_is_not_published", database, instance)
    assert not result.run_requests
    assert "when the work that follows read_the_day has begun" in str(result.skip_reason)
    publish(database)
    assert (
        memory_of(tick("the_catalogue_is_not_published", database, instance)) == Memory()
    )  # all is done, none is left
    run_sql(database, "update pipeline.document_sources set source = 0")
    monkeypatch.setattr("movie_assets.orchestration.sensors.ALL_TICKED", timedelta(microseconds=1))
    assert tick("the_catalogue_is_not_published", database, instance).run_requests


def decided(database: Database, name: str) -> Any:
    with database.transaction() as connection:
        return connection.exec_driver_sql(
            "select * from pipeline.triggers where name = %(name)s", {"name": name}
        ).one_or_none()


def test_decisions_of_triggers_are_in_a_table(database: Database, instance: dg.DagsterInstance) -> None:
    tick("details_are_due", database, instance)
    assert decided(database, "details_are_due").says == "nothing to do"
    add_ids(database, 64, 65)
    tick("details_are_due", database, instance)
    row = decided(database, "details_are_due")
    assert (row.job, row.work, row.tries, row.given_up_at, row.says) == ("fetch_details", 2, 1, None, "2 to do")


def test_a_trigger_that_gave_up_says_so_in_its_tick_and_in_the_table_until_the_work_is_less(
    database: Database, instance: dg.DagsterInstance
) -> None:
    add_ids(database, 64, 65)
    long_ago = datetime.now(UTC) - timedelta(days=2)
    cursor = Memory(2, 8, long_ago.isoformat()).write()
    result = tick("details_are_due", database, instance, cursor=cursor)
    assert "gave up: 2 are left after 8 runs in vain" in str(result.skip_reason)
    since = decided(database, "details_are_due").given_up_at
    assert since is not None
    tick("details_are_due", database, instance, cursor=cursor)
    assert decided(database, "details_are_due").given_up_at == since
    run_sql(database, "update pipeline.movie_ids set gone_since = now() where tmdb_id = 64")
    assert tick("details_are_due", database, instance, cursor=cursor).run_requests
    assert decided(database, "details_are_due").given_up_at is None


def test_a_trigger_that_gave_up_tries_once_when_a_day_was_read(
    database: Database, instance: dg.DagsterInstance
) -> None:
    add_ids(database, 64)
    cursor = Memory(1, 8, (datetime.now(UTC) - timedelta(days=2)).isoformat()).write()
    instance.add_run(dg.DagsterRun(job_name="read_the_day", status=dg.DagsterRunStatus.SUCCESS))
    result = tick("details_are_due", database, instance, cursor=cursor)
    assert result.run_requests
    assert memory_of(result).tries == 9
    assert not tick("details_are_due", database, instance, cursor=result.cursor).run_requests


@pytest.mark.parametrize("status", [dg.DagsterRunStatus.FAILURE, dg.DagsterRunStatus.CANCELED])
def test_a_run_that_failed_or_was_cancelled_is_no_run_in_flight_and_is_waited_after(
    status: dg.DagsterRunStatus, database: Database, instance: dg.DagsterInstance, monkeypatch: pytest.MonkeyPatch
) -> None:
    add_ids(database, 64)
    instance.add_run(dg.DagsterRun(job_name="fetch_details", status=status))
    waiting = tick("details_are_due", database, instance)
    assert not waiting.run_requests
    assert "1 were left by the last run; next try at" in str(waiting.skip_reason)

    class Later(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> "Later":
            return cls.fromtimestamp(datetime.now(UTC).timestamp() + 330, tz)

    monkeypatch.setattr("movie_assets.orchestration.sensors.datetime", Later)
    assert tick("details_are_due", database, instance, cursor=waiting.cursor).run_requests


@pytest.mark.parametrize(("tries", "minutes"), [(1, 5), (2, 10), (3, 20)])
def test_work_that_a_launch_left_waits(
    tries: int, minutes: int, database: Database, instance: dg.DagsterInstance
) -> None:
    add_ids(database, 64)
    remembered = Memory(1, tries, "")

    def launched(minutes_ago: float) -> str:
        as_of = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        return Memory(**{**asdict(remembered), "launched_at": as_of.isoformat()}).write()

    too_early = tick("details_are_due", database, instance, cursor=launched(minutes - 0.5))
    assert not too_early.run_requests
    in_time = tick("details_are_due", database, instance, cursor=launched(minutes + 0.5))
    assert in_time.run_requests
    assert memory_of(in_time).tries == tries + 1


def test_each_try_is_a_launch_of_its_own(database: Database, instance: dg.DagsterInstance) -> None:
    add_ids(database, 64)
    keys = set()
    for _ in range(2):
        (request,) = tick("details_are_due", database, instance).run_requests or []
        keys.add(request.run_key)
    assert len(keys) == 2


DONE = {
    "is served": "update pipeline.requested_ids set served_at = now(); "
    "update pipeline.movie_ids set fetched_at = now(), detail_reason = 'runtime'",
    "failed": "update pipeline.movie_ids set attempts = 1, next_attempt_at = now() + interval '2 hours'",
}


@pytest.mark.parametrize("outcome", DONE)
@pytest.mark.parametrize("tmdb_id", [65, 63])
def test_a_request_that_comes_when_another_was_dealt_with_waits_for_nothing(
    outcome: str, tmdb_id: int, database: Database, instance: dg.DagsterInstance
) -> None:
    run_sql(database, "insert into pipeline.requested_ids (tmdb_id) values (64)")
    first = tick("details_are_due", database, instance)
    run_sql(database, DONE[outcome])
    run_sql(database, f"insert into pipeline.requested_ids (tmdb_id) values ({tmdb_id})")
    assert tick("details_are_due", database, instance, cursor=first.cursor).run_requests


def test_a_film_that_stays_due_is_waited_after_whatever_comes_behind_it(
    database: Database, instance: dg.DagsterInstance
) -> None:
    add_ids(database, 64)
    first = tick("details_are_due", database, instance)
    add_ids(database, *range(65, 75))
    waiting = tick("details_are_due", database, instance, cursor=first.cursor)
    assert "11 were left by the last run; next try at" in str(waiting.skip_reason)


def test_an_answer_that_stays_to_be_judged_is_waited_after(database: Database, instance: dg.DagsterInstance) -> None:
    add_ids(database, 64)
    run_sql(database, "update pipeline.movie_ids set fetched_at = now(), detail_reason = 'runtime', judged_by = 'x'")
    run_sql(database, "insert into pipeline.raw_details values (64, '{}', now())")
    add_ids(database, 63)
    # Of the day's one film nothing is left, so that 63 is no work.
    first = tick("details_are_due", database, instance, daily_films=1)
    assert (memory_of(first).work, memory_of(first).first_id) == (1, 64)
    assert not tick("details_are_due", database, instance, cursor=first.cursor, daily_films=1).run_requests


def test_texts_that_come_when_others_were_embedded_wait_for_nothing(
    database: Database, instance: dg.DagsterInstance
) -> None:
    put_films(database, 3, 3)
    first = tick("texts_are_not_embedded", database, instance)
    assert "were left by the last run" in str(
        tick("texts_are_not_embedded", database, instance, cursor=first.cursor).skip_reason
    )
    embed(database)
    put_films(database, 4, 4)
    second = tick("texts_are_not_embedded", database, instance, cursor=first.cursor)
    assert second.run_requests
    assert memory_of(second).first_id == 4


def end_runs(instance: dg.DagsterInstance, requests: Sequence[dg.RunRequest], *failed: int) -> list[dg.DagsterRun]:
    """Runs of the requests, created in their order, of which some failed."""
    runs = [
        dg.DagsterRun(
            job_name="embed_texts", tags=request.tags,
            status=dg.DagsterRunStatus.FAILURE if part in failed else dg.DagsterRunStatus.SUCCESS,
        )
        for part, request in enumerate(requests)
    ]  # fmt: skip
    for run in runs:
        instance.add_run(run)
    return runs


def test_a_launch_of_several_runs_failed_where_one_of_them_did(
    database: Database, instance: dg.DagsterInstance
) -> None:
    put_films(database, 1, 2000)
    launch = tick("texts_are_not_embedded", database, instance, parallel_runs=2)
    run_sql(database, "delete from catalog.movies where mod(tmdb_id, 64) >= 32")  # what the other run did
    failed, _ = end_runs(instance, launch.run_requests or [], 0)
    waiting = tick("texts_are_not_embedded", database, instance, cursor=launch.cursor)
    assert "were left by the last run; next try at" in str(waiting.skip_reason)
    # Dagster repeats a run whose process was lost, with its tags.
    tags = {**failed.tags, "dagster/root_run_id": failed.run_id, "dagster/parent_run_id": failed.run_id}
    instance.add_run(
        dg.DagsterRun(
            job_name="embed_texts", tags=tags, status=dg.DagsterRunStatus.SUCCESS,
            root_run_id=failed.run_id, parent_run_id=failed.run_id,
        )
    )  # fmt: skip
    assert tick("texts_are_not_embedded", database, instance, cursor=launch.cursor).run_requests


def test_a_launch_that_succeeded_after_one_that_failed_ends_the_distances(
    database: Database, instance: dg.DagsterInstance
) -> None:
    put_films(database, 1, 2000)
    first = tick("texts_are_not_embedded", database, instance, parallel_runs=2)
    end_runs(instance, first.run_requests or [], 0)
    run_sql(database, "delete from catalog.movies where tmdb_id = 64")
    instance.add_run(dg.DagsterRun(job_name="embed_texts", status=dg.DagsterRunStatus.SUCCESS))  # a person's
    assert tick("texts_are_not_embedded", database, instance, cursor=first.cursor).run_requests
