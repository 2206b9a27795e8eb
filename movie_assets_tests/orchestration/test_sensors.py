"""What each sensor launches, asked of a real database and of real run records."""

from datetime import UTC, datetime, timedelta

import dagster as dg
import pytest
from pydantic import SecretStr

from movie_assets.catalog.eligibility import derivation_name
from movie_assets.database.database import Database
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets.embeddings.sets import embedding_set
from movie_assets.orchestration.sensors import ALL_BATCHES, MIN_WORK_OF_A_RUN
from movie_assets_tests.conftest import Pipeline
from movie_assets_tests.orchestration.ticks import LOCAL, THRESHOLDS, add_ids, embed, memory_of, publish, run_sql, tick
from movie_assets_tests.support.rows import put_films

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


def test_lists_are_read_after_an_export_that_failed(pipeline: Pipeline) -> None:
    database, instance = pipeline.database, pipeline.instance
    pipeline.day, pipeline.by_the_clock = datetime.now(UTC).date(), True
    pipeline.settings = pipeline.settings.model_copy(update={"tmdb_export_url": "http://127.0.0.1:1/p/exports"})
    assert not pipeline.run("read_the_day").success
    assert not tick("lists_were_not_read", database, instance).run_requests  # there are no ids yet
    run_sql(database, "insert into pipeline.ids_as_of (export_date, min_popularity) values ('2026-10-05', 1)")
    (request,) = tick("lists_were_not_read", database, instance).run_requests or []
    assert request.partition_key == pipeline.day.isoformat()
    assert pipeline.run("read_the_lists").success
    assert not tick("lists_were_not_read", database, instance).run_requests


def test_a_large_backlog_of_texts_is_embedded_while_details_are_fetched(
    database: Database, instance: dg.DagsterInstance
) -> None:
    put_films(database, 1, MIN_WORK_OF_A_RUN)
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
    derivation, fetched = derivation_name(), "fetched_at = now(), detail_reason = 'runtime'"
    run_sql(database, f"update pipeline.movie_ids set {fetched}, judged_by = '{derivation}' where tmdb_id = 64")
    run_sql(database, "insert into pipeline.raw_details (tmdb_id, body, fetched_at) values (64, '{}', now())")
    assert not tick("details_are_due", database, instance, daily_films=1).run_requests


def test_a_request_by_an_application_launches_a_run(database: Database, instance: dg.DagsterInstance) -> None:
    run_sql(database, "insert into pipeline.requested_ids (tmdb_id) values (64)")
    assert tick("details_are_due", database, instance).run_requests


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


def test_other_profiles_are_work_for_each_stored_response(database: Database, instance: dg.DagsterInstance) -> None:
    add_ids(database, 64)
    run_sql(
        database,
        "update pipeline.movie_ids set fetched_at = now(), release_date = '2000-01-01', detail_reason = 'runtime', "
        f"judged_by = '{derivation_name()}'",
    )
    run_sql(database, "insert into pipeline.raw_details values (64, '{}', now())")
    run_sql(database, "insert into pipeline.rule_inputs select 64, false, false, false, 9, 9, null, null, null, now()")
    run_sql(database, f"insert into pipeline.evaluation values (true, '{THRESHOLDS.name}', now(), now())")
    assert not tick("details_are_due", database, instance).run_requests
    run_sql(database, "update pipeline.evaluation set rules = 'others'")
    assert memory_of(tick("details_are_due", database, instance)).work == 1


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
    result = tick("texts_are_not_embedded", database, instance, embedder=OPENAI, daily_dollars=daily_dollars)
    assert bool(result.run_requests) is launches
    assert launches or "3 texts wait" in str(result.skip_reason)


def test_a_budget_that_is_used_up_is_no_reason_where_there_is_no_work(
    database: Database, instance: dg.DagsterInstance
) -> None:
    embedding_set(database, OPENAI)
    spend(database, 5, datetime.now(UTC))
    result = tick("texts_are_not_embedded", database, instance, embedder=OPENAI, daily_dollars=1)
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
