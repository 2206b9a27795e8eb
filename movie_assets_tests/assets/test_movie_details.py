"""What is fetched, stored, left for later and told to Dagster, batch by batch."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import dagster as dg
import psycopg
import pytest
from dagster._core.definitions.data_version import extract_data_version_from_entry

from movie_assets.assets.movie_details import CHUNK
from movie_assets.resources.tmdb import Tmdb
from movie_assets.resources.tmdb_answers import TmdbError
from movie_assets_tests.assets.conftest import FIRST_DAY, SmallPipeline
from movie_assets_tests.assets.world import film
from movie_assets_tests.conftest import failed_checks, figures

Make = Callable[..., SmallPipeline]
DETAILS = dg.AssetKey("movie_details")
NOON = datetime(2026, 10, 5, 12, tzinfo=UTC)


def message_of(result: Any) -> str:
    """Why the step failed."""
    (event,) = [e for e in result.all_events if e.event_type_value == "STEP_FAILURE"]
    return str(event.step_failure_data.user_failure_data.description)


def green(pipeline: SmallPipeline) -> set[str]:
    """The batches that Dagster shows as materialized."""
    return set(pipeline.instance.get_materialized_partitions(DETAILS))


def data_version(pipeline: SmallPipeline, batch: str) -> str:
    """The data version that Dagster has of a batch."""
    found = pipeline.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=DETAILS, asset_partitions=[batch]), limit=1
    )
    version = extract_data_version_from_entry(found.records[0].event_log_entry)
    assert version is not None
    return version.value


def due(pipeline: SmallPipeline, moment: datetime) -> dict[int, str]:
    """Ids that are due at a moment, with the reason."""
    with pipeline.database.transaction() as connection:
        found = connection.exec_driver_sql(
            "select tmdb_id, reason from pipeline.due_at(%(moment)s)", {"moment": moment}
        )
        return {row[0]: row[1] for row in found}


def odd(tmdb_id: int) -> dict[str, Any]:
    """An answer that is about another film; its export line names the id that is asked for."""
    return film(tmdb_id, id=tmdb_id + 1)


def goes_down_after(pipeline: SmallPipeline, answers: int) -> None:
    """Let the stand-in answer some details, then nothing but 503."""

    def count() -> None:
        if pipeline.world.asked.total() >= answers:
            pipeline.serving.faults = {"503": 1.0}

    pipeline.world.before_answer = count


def with_odd_answers(pipeline: SmallPipeline, *tmdb_ids: int) -> None:
    pipeline.world.films.update({tmdb_id: odd(tmdb_id) for tmdb_id in tmdb_ids})


def test_every_due_film_is_asked_for_once_and_stored_as_it_came(small: Make) -> None:
    pipeline = small(film(64), film(65), film(130))
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.world.asked == {64: 1, 65: 1, 130: 1}
    assert pipeline.movies == [64, 65, 130]
    assert pipeline.one("select body ->> 'title' from pipeline.raw_details where tmdb_id = 130") == "Film 130"


@pytest.mark.parametrize(
    ("detail", "reason"),
    [({"vote_count": 99}, "vote_count"), ({"vote_average": 4.9}, "vote_average"), ({"runtime": 59}, "runtime"),
     ({"release_date": "1989-12-31"}, "release_date"), ({"original_language": "sv"}, "language")],
)  # fmt: skip
def test_a_film_that_fails_a_rule_of_the_details_is_rejected_with_its_name(
    small: Make, detail: dict[str, Any], reason: str
) -> None:
    pipeline = small(film(64, **detail), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.state_of(64) == ("rejected", reason)
    assert pipeline.movies == [65]


def test_films_are_committed_in_chunks(small: Make) -> None:
    pipeline = small(*(film(n) for n in range(1, 261)))
    pipeline.run("read_the_day")
    goes_down_after(pipeline, 230)
    pipeline.run("fetch_details", batches=("batch_00", "batch_63"))
    stored = pipeline.column("select count(*) from pipeline.raw_details group by fetched_at, xmin order by 1")
    assert max(stored) == CHUNK
    assert 2 * CHUNK < sum(stored) <= 230


def test_an_odd_answer_is_a_failed_id_with_a_reject_and_no_failed_batch(small: Make) -> None:
    pipeline = small(*(film(64 * n) for n in range(1, 11)))
    pipeline.run_all("read_the_day")
    with_odd_answers(pipeline, 64)
    assert pipeline.run("fetch_details").success
    assert pipeline.state_of(64) == ("failed", "other_id")
    assert pipeline.column("select tmdb_id from pipeline.rejects where stage = 'movie_details'") == [64]
    assert "asked for 64" in pipeline.one("select sample from pipeline.rejects")
    assert len(pipeline.movies) == 9


def test_a_failed_id_comes_back_after_2_4_and_8_hours(small: Make) -> None:
    pipeline = small(film(64), film(128))
    pipeline.run_all("read_the_day")
    with_odd_answers(pipeline, 64)
    for attempt, hours in enumerate((2, 4, 8), start=1):
        pipeline.run("fetch_details")
        assert pipeline.one("select attempts from pipeline.movie_ids where tmdb_id = 64") == attempt
        assert due(pipeline, NOON + timedelta(hours=hours, seconds=-1)) == {}
        assert due(pipeline, NOON + timedelta(hours=hours)) == {64: "failed"}
        pipeline.do(f"update pipeline.movie_ids set next_attempt_at = '{NOON}' where tmdb_id = 64")


def test_a_failed_id_that_answers_at_last_is_accepted(small: Make) -> None:
    pipeline = small(film(64), film(128))
    pipeline.run_all("read_the_day")
    with_odd_answers(pipeline, 64)
    pipeline.run("fetch_details")
    pipeline.world.films[64] = film(64)
    pipeline.turn_day()
    pipeline.run_all("fetch_details")
    assert pipeline.state_of(64) == ("accepted", None)
    assert pipeline.one("select attempts from pipeline.movie_ids where tmdb_id = 64") == 0


def test_a_film_that_was_fetched_before_keeps_its_facts_when_a_later_answer_is_odd(small: Make) -> None:
    pipeline = small(film(64), film(128))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day")
    with_odd_answers(pipeline, 64)
    pipeline.run("fetch_details")
    assert pipeline.state_of(64)[0] == "accepted"
    assert pipeline.movies == [64, 128]


def test_too_many_odd_answers_fail_the_batch_and_keep_its_good_films(small: Make) -> None:
    pipeline = small(*(film(64 * n) for n in range(1, 7)), film(65))
    pipeline.run_all("read_the_day")
    with_odd_answers(pipeline, 64, 128, 192)
    result = pipeline.run("fetch_details")
    assert not result.success
    assert "batch_00: 3 or more of its 6 films had no usable answer (other_id 3x" in message_of(result)
    assert pipeline.movies == [65, 256, 320, 384]
    assert green(pipeline) == {"batch_01", "batch_02", "batch_03"}


def test_a_404_makes_a_tombstone(small: Make) -> None:
    pipeline = small(film(64), film(128))
    pipeline.world.withheld = {128}
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.state_of(128) == ("gone", "not_found")
    assert pipeline.one("select gone_since from pipeline.movie_ids where tmdb_id = 128") == FIRST_DAY


def test_a_404_is_not_asked_for_again_while_the_export_still_lists_it(small: Make) -> None:
    pipeline = small(film(64), film(128))
    pipeline.world.withheld = {128}
    pipeline.run_all("read_the_day", "fetch_details")
    for _ in range(2):
        pipeline.turn_day()
        pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.world.asked[128] == 1
    assert pipeline.state_of(128) == ("gone", "not_found")


def test_a_404_that_is_still_listed_after_thirty_days_is_asked_for_again(small: Make) -> None:
    pipeline = small(film(64), film(128))
    pipeline.world.withheld = {128}
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day(30)
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.world.asked[128] == 2


def test_a_film_that_answers_404_leaves_the_catalogue(small: Make) -> None:
    pipeline = small(film(64), film(128))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day")
    pipeline.world.withheld = {64}
    pipeline.run_all("fetch_details")
    assert pipeline.movies == [128]


def test_a_refused_token_fails_all_unfinished_batches_with_one_call_and_names_the_variable(small: Make) -> None:
    pipeline = small(film(64), film(65), film(66))
    pipeline.run_all("read_the_day")
    pipeline.serving.faults = {"401": 1.0}
    pipeline.serving.reset_counts()
    result = pipeline.run("fetch_details")
    assert not result.success
    assert message_of(result).startswith("3 of 4 batches failed")
    assert "check TMDB_API_TOKEN" in message_of(result)
    assert pipeline.serving.requests["movie"] == {401: 1}
    assert green(pipeline) == {"batch_03"}


def test_an_outage_fails_the_unfinished_batches_and_keeps_what_was_fetched(small: Make) -> None:
    pipeline = small(*(film(64 * n + b) for b in range(4) for n in range(1, 41)))
    pipeline.run_all("read_the_day")
    goes_down_after(pipeline, 100)
    result = pipeline.run("fetch_details")
    assert not result.success
    assert "run again when TMDB is back" in message_of(result)
    whole = {f"batch_{b:02}" for b, films in Counter(i % 64 for i in pipeline.movies).items() if films == 40}
    assert green(pipeline) == whole
    assert 40 < len(pipeline.movies) <= 100


def test_the_run_after_an_outage_finishes_and_fetches_nothing_that_is_stored(small: Make) -> None:
    pipeline = small(*(film(64 * n + b) for b in range(4) for n in range(1, 41)))
    pipeline.run_all("read_the_day")
    goes_down_after(pipeline, 100)
    pipeline.run("fetch_details")
    stored = set(pipeline.movies)
    pipeline.world.before_answer = lambda: None
    pipeline.serving.faults = {}
    pipeline.world.asked.clear()
    pipeline.run_all("fetch_details")
    assert not stored & pipeline.world.asked.keys()
    assert len(pipeline.movies) == 160
    assert green(pipeline) == {"batch_00", "batch_01", "batch_02", "batch_03"}


def test_an_address_that_nobody_answers_at_parks_no_film_however_few_are_due(
    small: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("movie_assets.resources.tmdb.backoff", lambda *_: 0.01)
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day")
    pipeline.with_settings(tmdb_api_url="http://127.0.0.1:1/3")
    result = pipeline.run("fetch_details")
    assert "http://127.0.0.1:1/3/movie/64" in message_of(result)
    assert (pipeline.state_of(64), pipeline.state_of(65)) == (("candidate", None),) * 2
    pipeline.with_settings()
    pipeline.run_all("fetch_details")
    assert pipeline.movies == [64, 65]


def test_each_finished_batch_is_a_materialization_with_a_data_version(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day")
    result = pipeline.run("fetch_details", batches=("batch_00", "batch_01"))
    events = result.get_asset_materialization_events()
    assert [e.partition for e in events] == ["batch_00", "batch_01"]
    versions = {e.step_materialization_data.materialization.tags["dagster/data_version"] for e in events}
    assert len(versions) == 2
    assert green(pipeline) == {"batch_00", "batch_01"}


def test_unchanged_content_keeps_its_data_version(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    before = data_version(pipeline, "batch_00"), data_version(pipeline, "batch_01")
    pipeline.turn_day()
    pipeline.world.put(film(64, title="Another title", popularity=6.0), film(65, vote_count=501, popularity=6.0))
    pipeline.world.changed[pipeline.day] = [64, 65]
    pipeline.run_all("read_the_day", "fetch_details")
    assert data_version(pipeline, "batch_00") != before[0]
    assert data_version(pipeline, "batch_01") == before[1]


def test_dagster_takes_the_batchs_content_for_its_data_version(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    assert data_version(pipeline, "batch_00") == pipeline.database.row("batch_content", batch=0).content


def test_a_batch_that_another_session_holds_is_left_alone_and_named(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day")
    with pipeline.database.batch_locks({0}, "movie_details"):
        result = pipeline.run("fetch_details")
    assert not result.success
    assert "batch_00: another run is working on this batch" in message_of(result)
    assert pipeline.movies == [65]
    assert pipeline.world.asked == {65: 1}


def test_the_batch_is_free_again_after_the_other_session(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day")
    with pipeline.database.batch_locks({0}, "movie_details"):
        pipeline.run("fetch_details")
    pipeline.run_all("fetch_details")
    assert pipeline.movies == [64, 65]


def test_other_thresholds_judge_the_stored_answers_again_without_a_call(small: Make) -> None:
    pipeline = small(film(64, vote_count=150), film(65, vote_count=500), film(66, vote_count=80))
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.movies == [64, 65]
    pipeline.serving.reset_counts()
    pipeline.with_profile(min_vote_count=200)
    pipeline.run_all("fetch_details")
    assert pipeline.movies == [65]
    pipeline.with_profile(min_vote_count=50)
    pipeline.run_all("fetch_details")
    assert pipeline.movies == [64, 65]
    assert "movie" not in pipeline.serving.requests
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.movies == [64, 65, 66]
    assert pipeline.serving.requests["movie"] == {200: 1}


def test_judging_again_does_not_pretend_that_votes_were_seen_again(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    pipeline.world.put(film(64, popularity=9.0))
    pipeline.run_all("read_the_day")
    pipeline.with_profile(min_vote_count=50)
    pipeline.run_all("fetch_details")
    assert pipeline.one("select popularity from catalog.movie_stats") == 9.0
    assert pipeline.one("select seen_at from catalog.movie_stats") == NOON


@pytest.mark.parametrize(
    ("released", "days"),
    [("2026-10-30", 2), ("2026-09-20", 2), ("2026-08-20", 7), ("2026-05-01", 7), ("2026-03-01", 14),
     ("2025-11-15", 14), ("2025-01-01", 30), ("1999-03-31", 30)],
)  # fmt: skip
def test_a_copy_is_stale_after_days_that_its_release_date_decides(small: Make, released: str, days: int) -> None:
    pipeline = small(film(64, release_date=released))
    pipeline.run_all("read_the_day", "fetch_details")
    assert due(pipeline, NOON + timedelta(days=days, seconds=-1)) == {}
    assert due(pipeline, NOON + timedelta(days=days)) == {64: "stale"}


def test_a_rejected_film_is_looked_at_again_when_it_is_stale(small: Make) -> None:
    pipeline = small(film(64, vote_count=3, release_date="2026-09-20"))
    pipeline.run_all("read_the_day", "fetch_details")
    assert due(pipeline, NOON + timedelta(days=2)) == {64: "stale"}


def test_the_checks_tell_what_the_run_did(small: Make) -> None:
    pipeline = small(film(64), film(65, runtime=1))
    (_, result) = pipeline.run_all("read_the_day", "fetch_details")
    told = figures(result, "every_batch_is_covered")
    assert (told["due"], told["fetched"], told["accepted"], told["rejected"]) == (2, 2, 1, 1)
    assert told["calls_by_status"] == {"200": 2}


def test_films_without_a_plot_fail_the_completeness_check_by_name(small: Make) -> None:
    pipeline = small(film(64), film(65, overview=""))
    pipeline.run_all("read_the_day")
    result = pipeline.run("fetch_details")
    assert failed_checks(result) == {"metadata_is_complete"}
    (evaluation,) = [e for e in result.get_asset_check_evaluations() if not e.passed]
    assert evaluation.description == "too many films lack overview"


def test_a_film_that_was_deleted_by_hand_is_restored_from_its_stored_answer(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.do("delete from catalog.movies where tmdb_id = 64")
    pipeline.run_all("fetch_details")
    assert pipeline.movies == [64, 65]
    assert pipeline.world.asked[64] == 1


def test_one_failed_film_does_not_turn_the_coverage_check_red(small: Make) -> None:
    pipeline = small(*(film(64 * n) for n in range(1, 11)))
    pipeline.run_all("read_the_day")
    with_odd_answers(pipeline, 64)
    assert failed_checks(pipeline.run("fetch_details")) == set()


def test_a_lost_connection_of_the_pacer_does_not_leave_the_run_waiting_for_ever(small: Make) -> None:
    pipeline = small(*(film(64 * n) for n in range(1, 101)))
    pipeline.with_settings(tmdb_rate=200)
    end_pacer = "select pg_terminate_backend(pid) from pg_stat_activity where query like '%%update pipeline.pace%%'"

    def cut() -> None:
        if pipeline.world.asked.total() == 30:
            pipeline.do(end_pacer + " and pid <> pg_backend_pid() and datname = current_database()")

    async def fetch() -> int:
        async with Tmdb(pipeline.settings, pipeline.database).session("a-run") as client:
            return len([answer async for answer in client.details([*pipeline.world.films])])

    pipeline.world.before_answer = cut
    began = time.monotonic()
    with suppress(TmdbError, psycopg.Error, TimeoutError):  # to say so is as good as to go on
        asyncio.run(asyncio.wait_for(fetch(), 8))
    assert time.monotonic() - began < 7
