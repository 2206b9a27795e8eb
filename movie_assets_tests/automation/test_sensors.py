"""What each sensor launches, asked of a real database and of real run records."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from datetime import UTC, datetime, timedelta, tzinfo
from pathlib import Path
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from movie_assets.assets.movie_embeddings import embedding_set
from movie_assets.assets.search_documents import bring_in_line
from movie_assets.automation.decisions import Memory
from movie_assets.automation.sensors import ALL_BATCHES, WORTH_A_RUN
from movie_assets.core.judgement import judge_name
from movie_assets.core.prices import Budgets
from movie_assets.definitions import defs
from movie_assets.resources.embedder import Embedder, LocalEmbedder
from movie_assets.resources.history_files import Inbox
from movie_assets.resources.openai_embedder import OpenAiEmbedder
from movie_assets.resources.postgres import Database
from movie_assets.settings import Settings
from movie_assets_tests.assets.rows import put_films
from movie_assets_tests.conftest import Pipeline

THRESHOLDS = Settings.model_validate({}).thresholds
LOCAL = LocalEmbedder("hashing-v1", 64)


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


def tick(
    name: str,
    database: Database,
    instance: dg.DagsterInstance,
    *,
    cursor: str | None = None,
    embedder: Embedder = LOCAL,
    daily_films: int = 0,
    budgets: Budgets = Budgets(),  # noqa: B008  # it cannot be changed
    parallel_runs: int = 1,
    inbox: Path | None = None,
) -> dg.SensorResult:
    """Evaluate a sensor once."""
    resources = {
        "database": database, "embedder": embedder, "thresholds": THRESHOLDS, "daily_films": daily_films,
        "budgets": budgets, "parallel_runs": parallel_runs, "inbox": Inbox(inbox),
    }  # fmt: skip
    context = dg.build_sensor_context(instance=instance, cursor=cursor, resources=resources)
    result: Any = defs.resolve_sensor_def(name)(context)
    assert isinstance(result, dg.SensorResult)
    return result


def run_sql(database: Database, sql: str) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql(sql)


def add_ids(database: Database, *tmdb_ids: int) -> None:
    """Ids that were never fetched."""
    for tmdb_id in tmdb_ids:
        columns = "tmdb_id, original_title, first_seen"
        run_sql(database, f"insert into pipeline.movie_ids ({columns}) values ({tmdb_id}, '', '2026-10-05')")


def embed(database: Database, embedder: Embedder = LOCAL) -> None:
    """Give every film the vector of its text, as a run would."""
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "insert into pipeline.embeddings (set_id, tmdb_id, text_hash, embedding, embedded_at) "
            "select s.set_id, m.tmdb_id, m.text_hash, "
            "  (select array_agg(random() - 0.5) from generate_series(1, s.dimensions + m.tmdb_id * 0))::vector, now() "
            "from catalog.movies m, pipeline.embedding_sets s where s.dimensions = %(width)s on conflict do nothing",
            {"width": embedder.dimensions},
        )


def publish(database: Database) -> None:
    """Make the newest set the one that searches see, write the documents, let the aggregates be of this moment."""
    bring_in_line(database)
    run_sql(
        database,
        "select pipeline.refresh_vectors(max(set_id)::smallint), pipeline.activate_set(max(set_id)::smallint) "
        "from pipeline.embedding_sets",
    )
    run_sql(
        database,
        "insert into catalog.rating_methods values ('test', true, '', '{}', now()) "
        "on conflict (method_version) do update set computed_at = now()",
    )


def memory_of(result: dg.SensorResult) -> Memory:
    return Memory.read(result.cursor)


SENSORS = ["details_are_due", "texts_are_not_embedded", "the_catalogue_is_not_published", "recommendations_are_due"]


@pytest.mark.parametrize("name", SENSORS)
def test_without_work_nothing_is_launched(name: str, database: Database, instance: dg.DagsterInstance) -> None:
    result = tick(name, database, instance)
    assert not result.run_requests
    assert "nothing to do" in str(result.skip_reason)


def test_films_that_are_due_launch_one_run_over_all_batches(database: Database, instance: dg.DagsterInstance) -> None:
    add_ids(database, 64, 65, 66)
    (request,) = tick("details_are_due", database, instance).run_requests or []
    assert request.tags.items() >= ALL_BATCHES.items()
    assert ALL_BATCHES == {
        "dagster/asset_partition_range_start": "batch_00",
        "dagster/asset_partition_range_end": "batch_63",
    }


def test_texts_without_a_vector_launch_one_run_over_all_batches(
    database: Database, instance: dg.DagsterInstance
) -> None:
    put_films(database, 1, 5)
    (request,) = tick("texts_are_not_embedded", database, instance).run_requests or []
    assert request.tags.items() >= ALL_BATCHES.items()


def test_embedded_films_that_searches_do_not_see_launch_a_publication(
    database: Database, instance: dg.DagsterInstance
) -> None:
    put_films(database, 1, 5)
    tick("texts_are_not_embedded", database, instance)
    embed(database)
    (request,) = tick("the_catalogue_is_not_published", database, instance).run_requests or []
    assert "dagster/asset_partition_range_start" not in request.tags


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
    assert "when what read_the_day leads to has begun" in str(result.skip_reason)
    publish(database)
    assert (
        memory_of(tick("the_catalogue_is_not_published", database, instance)) == Memory()
    )  # all is done, none is left
    run_sql(database, "update pipeline.document_sources set source = 0")
    monkeypatch.setattr("movie_assets.automation.sensors.EACH_LOOKED", timedelta(microseconds=1))
    assert tick("the_catalogue_is_not_published", database, instance).run_requests


def test_a_large_backlog_of_texts_is_embedded_while_details_are_fetched(
    database: Database, instance: dg.DagsterInstance
) -> None:
    put_films(database, 1, WORTH_A_RUN)
    instance.add_run(dg.DagsterRun(job_name="fetch_details", status=dg.DagsterRunStatus.STARTED))
    assert tick("texts_are_not_embedded", database, instance).run_requests


@pytest.mark.parametrize(
    ("films", "parallel_runs", "expected"),
    [
        (2000, 1, [("batch_00", "batch_63")]),
        (2000, 2, [("batch_00", "batch_31"), ("batch_32", "batch_63")]),
        (1999, 2, [("batch_00", "batch_63")]),
        (3000, 8, [("batch_00", "batch_20"), ("batch_21", "batch_41"), ("batch_42", "batch_63")]),
    ],
)
def test_a_large_backlog_is_cut_into_as_many_ranges_as_may_run_at_once(
    films: int, parallel_runs: int, expected: list[tuple[str, str]], database: Database, instance: dg.DagsterInstance
) -> None:
    put_films(database, 1, films)
    requests = tick("texts_are_not_embedded", database, instance, parallel_runs=parallel_runs).run_requests or []
    assert [tuple(request.tags[tag] for tag in ALL_BATCHES) for request in requests] == expected
    assert len({request.run_key for request in requests}) == len(expected)


def decided(database: Database, name: str) -> Any:
    with database.transaction() as connection:
        return connection.exec_driver_sql(
            "select * from pipeline.triggers where name = %(name)s", {"name": name}
        ).one_or_none()


def test_what_a_trigger_decided_is_in_a_table(database: Database, instance: dg.DagsterInstance) -> None:
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

    monkeypatch.setattr("movie_assets.automation.sensors.datetime", Later)
    assert tick("details_are_due", database, instance, cursor=waiting.cursor).run_requests


@pytest.mark.parametrize(("tries", "minutes"), [(1, 5), (2, 10), (3, 20)])
def test_work_that_a_launch_left_waits(
    tries: int, minutes: int, database: Database, instance: dg.DagsterInstance
) -> None:
    add_ids(database, 64)
    remembered = Memory(1, tries, "")

    def launched(minutes_ago: float) -> str:
        moment = datetime.now(UTC) - timedelta(minutes=minutes_ago)
        return Memory(**{**asdict(remembered), "launched_at": moment.isoformat()}).write()

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


def test_another_model_has_all_texts_embedded_and_then_published(
    database: Database, instance: dg.DagsterInstance
) -> None:
    put_films(database, 1, 5)
    tick("texts_are_not_embedded", database, instance)
    embed(database)
    publish(database)
    assert not tick("texts_are_not_embedded", database, instance).run_requests
    assert not tick("the_catalogue_is_not_published", database, instance).run_requests
    other = LocalEmbedder("hashing-v1", 32)
    assert memory_of(tick("texts_are_not_embedded", database, instance, embedder=other)).work == 5
    embed(database, other)
    assert not tick("texts_are_not_embedded", database, instance, embedder=other).run_requests
    assert memory_of(tick("the_catalogue_is_not_published", database, instance, embedder=other)).work == 5


def test_films_whose_words_changed_are_published(database: Database, instance: dg.DagsterInstance) -> None:
    put_films(database, 1, 5)
    tick("texts_are_not_embedded", database, instance)
    embed(database)
    publish(database)
    run_sql(database, "update catalog.movies set facts_hash = 'another' where tmdb_id in (2, 3)")
    assert memory_of(tick("the_catalogue_is_not_published", database, instance)).work == 2


def test_a_film_that_left_the_catalogue_is_published(database: Database, instance: dg.DagsterInstance) -> None:
    put_films(database, 1, 5)
    tick("texts_are_not_embedded", database, instance)
    embed(database)
    publish(database)
    run_sql(database, "delete from catalog.movies where tmdb_id = 3")
    assert memory_of(tick("the_catalogue_is_not_published", database, instance)).work == 2  # its vector, its words


def test_nothing_is_published_while_texts_wait_for_their_vectors(
    database: Database, instance: dg.DagsterInstance
) -> None:
    put_films(database, 1, 5)
    run_sql(database, "update catalog.movies set changed_at = now()")
    tick("texts_are_not_embedded", database, instance)
    assert not tick("the_catalogue_is_not_published", database, instance).run_requests
    embed(database)
    assert tick("the_catalogue_is_not_published", database, instance).run_requests


def test_texts_that_nobody_can_embed_do_not_hold_publications_up_for_ever(
    database: Database, instance: dg.DagsterInstance
) -> None:
    put_films(database, 1, 5)
    tick("texts_are_not_embedded", database, instance)
    run_sql(database, "update catalog.movies set changed_at = now() - interval '7 hours'")
    run_sql(
        database,
        "insert into catalog.movie_stats (tmdb_id, popularity, vote_average, vote_count, seen_at) "
        "select tmdb_id, 1, 7, 100, now() from catalog.movies on conflict (tmdb_id) do update set seen_at = now()",
    )
    assert tick("the_catalogue_is_not_published", database, instance).run_requests


def test_a_day_whose_limit_is_reached_launches_nothing(database: Database, instance: dg.DagsterInstance) -> None:
    add_ids(database, 64, 65)
    assert tick("details_are_due", database, instance, daily_films=1).run_requests
    judge, fetched = judge_name(THRESHOLDS), "fetched_at = now(), detail_reason = 'runtime'"
    run_sql(database, f"update pipeline.movie_ids set {fetched}, judged_by = '{judge}' where tmdb_id = 64")
    run_sql(database, "insert into pipeline.raw_details (tmdb_id, body, fetched_at) values (64, '{}', now())")
    assert not tick("details_are_due", database, instance, daily_films=1).run_requests


def test_a_request_by_an_application_launches_a_run(database: Database, instance: dg.DagsterInstance) -> None:
    run_sql(database, "insert into pipeline.requested_ids (tmdb_id) values (64)")
    assert tick("details_are_due", database, instance).run_requests


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


def test_votes_seen_after_the_aggregates_are_published(database: Database, instance: dg.DagsterInstance) -> None:
    put_films(database, 1, 5)
    tick("texts_are_not_embedded", database, instance)
    embed(database)
    publish(database)
    run_sql(database, "update catalog.movie_stats set seen_at = now() + interval '1 second' where tmdb_id = 3")
    assert tick("the_catalogue_is_not_published", database, instance).run_requests


def test_ratings_of_others_that_were_read_after_the_aggregates_are_published(
    database: Database, instance: dg.DagsterInstance
) -> None:
    put_films(database, 1, 5)
    tick("texts_are_not_embedded", database, instance)
    embed(database)
    publish(database)
    load = "insert into pipeline.rating_loads values (default, 'imdb', '', null, '', 9, 0, 0, 9, {}, {}, 'run')"
    run_sql(database, load.format(9, "now() - interval '1 hour'"))
    run_sql(database, load.format(0, "now() + interval '1 second'"))  # read again, and nothing was other
    assert not tick("the_catalogue_is_not_published", database, instance).run_requests
    run_sql(database, load.format(2, "now() + interval '1 second'"))
    assert memory_of(tick("the_catalogue_is_not_published", database, instance)).work == 2


def test_a_stored_answer_that_waits_to_be_judged_again_is_work(
    database: Database, instance: dg.DagsterInstance
) -> None:
    # A film above the popularity threshold again: nothing is due from TMDB, yet the catalogue lacks it.
    add_ids(database, 64)
    run_sql(database, "update pipeline.movie_ids set fetched_at = now(), release_date = '2000-01-01', judged_by = 'x'")
    run_sql(database, "insert into pipeline.raw_details values (64, '{}', now())")
    assert tick("details_are_due", database, instance).run_requests


def test_an_empty_catalogue_reads_today_at_once(database: Database, instance: dg.DagsterInstance) -> None:
    (request,) = tick("no_day_was_read_yet", database, instance).run_requests or []
    assert request.partition_key == datetime.now(UTC).date().isoformat()


def test_a_catalogue_with_a_day_waits_for_the_schedule(pipeline: Pipeline, instance: dg.DagsterInstance) -> None:
    pipeline.run("read_the_day")
    assert not tick("no_day_was_read_yet", pipeline.database, instance).run_requests


OPENAI = OpenAiEmbedder("text-embedding-3-small", 64, SecretStr("a-key"), "http://127.0.0.1:1/v1")


def spend(database: Database, dollars: float, when: datetime) -> None:
    run_sql(
        database,
        "insert into pipeline.embedding_costs (set_id, run_id, texts, tokens, dollars, spent_at) "
        f"select max(set_id), 'a run', 1, 1, {dollars}, '{when.isoformat()}' from pipeline.embedding_sets",
    )


@pytest.mark.parametrize(
    ("spent", "daily_dollars", "launches"),
    [(0.9, 1.0, True), (0.99990, 1.0, False), (1.2, 1.0, False), (1.2, 0.0, True)],
)
def test_no_run_is_launched_while_the_days_budget_is_used_up(
    database: Database, instance: dg.DagsterInstance, spent: float, daily_dollars: float, launches: bool
) -> None:
    put_films(database, 1, 3)
    embedding_set(database, OPENAI)
    now = datetime.now(UTC)
    spend(database, spent, now)
    spend(database, 5, now - timedelta(days=1))
    budgets = Budgets(daily_dollars=daily_dollars)
    result = tick("texts_are_not_embedded", database, instance, embedder=OPENAI, budgets=budgets)
    assert bool(result.run_requests) is launches
    assert launches or "3 texts wait" in str(result.skip_reason)


def test_a_budget_that_is_used_up_is_no_reason_where_there_is_no_work(
    database: Database, instance: dg.DagsterInstance
) -> None:
    embedding_set(database, OPENAI)
    spend(database, 5, datetime.now(UTC))
    result = tick("texts_are_not_embedded", database, instance, embedder=OPENAI, budgets=Budgets(daily_dollars=1))
    assert "nothing to do" in str(result.skip_reason)


def test_refused_texts_launch_nothing_until_their_time_has_come(
    database: Database, instance: dg.DagsterInstance
) -> None:
    put_films(database, 1, 3)
    set_id = embedding_set(database, LOCAL)
    refused = "insert into pipeline.refused_texts select {}, text_hash, 'why', 1, {} from catalog.movies"
    run_sql(database, refused.format(set_id, "now() + interval '1 hour'"))
    assert "nothing to do" in str(tick("texts_are_not_embedded", database, instance).skip_reason)
    run_sql(database, "update pipeline.refused_texts set next_attempt_at = now()")
    assert tick("texts_are_not_embedded", database, instance).run_requests


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
    def looks() -> dg.SensorResult:
        return tick("recommendations_are_due", pipeline.database, pipeline.instance, inbox=tmp_path)

    pipeline.settings = pipeline.settings.model_copy(update={"inbox": tmp_path})
    assert "nothing to do" in str(looks().skip_reason)
    (tmp_path / "ratings.csv").write_text("Date,Name,Year,Letterboxd URI,Rating\n2026-01-01,A Film,2020,u,4\n")
    assert "nothing to do" in str(looks().skip_reason)  # it may still be being copied
    monkeypatch.setattr("movie_assets.automation.sensors.datetime", Later)
    assert memory_of(looks()).work == 1
    assert pipeline.run("recommend").success
    assert pipeline.one("select count(*) from pipeline.imports") == 1
    assert "nothing to do" in str(looks().skip_reason)
    (tmp_path / "broken.csv").write_text("what,is,this\n")
    assert memory_of(looks()).work == 1
    assert pipeline.run("recommend").success
    assert "nothing to do" in str(looks().skip_reason)  # what is refused is told, and not tried each half minute


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
