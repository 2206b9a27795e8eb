"""Films without a usable response, and runs that fail because TMDB fails."""

import asyncio
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from movie_assets.tmdb.client import Tmdb
from movie_assets.tmdb.responses import TmdbError
from movie_assets_tests.conftest import failed_checks, figures
from movie_assets_tests.support.detail_runs import NOON, due_at, goes_down_after, green, message_of
from movie_assets_tests.support.small_pipelines import FIRST_DAY, SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]


def odd(tmdb_id: int) -> dict[str, Any]:
    """Return a response about another film; its export line has the requested id."""
    return film(tmdb_id, id=tmdb_id + 1)


def with_odd_answers(pipeline: SmallPipeline, *tmdb_ids: int) -> None:
    pipeline.world.films.update({tmdb_id: odd(tmdb_id) for tmdb_id in tmdb_ids})


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
        assert due_at(pipeline, NOON + timedelta(hours=hours, seconds=-1)) == {}
        assert due_at(pipeline, NOON + timedelta(hours=hours)) == {64: "failed"}
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
    assert "batch_00: 3 or more of its 6 films had no usable response (other_id 3x" in message_of(result)
    assert pipeline.movies == [65, 256, 320, 384]
    assert green(pipeline) == {"batch_01", "batch_02", "batch_03"}


def test_a_404_makes_a_tombstone(small: Make) -> None:
    pipeline = small(film(64), film(128))
    pipeline.world.withheld = {128}
    (_, result) = pipeline.run_all("read_the_day", "fetch_details")
    counted = figures(result, "every_batch_is_covered")
    assert (counted["fetched"], counted["gone"]) == (1, 1)
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


def test_a_movie_with_a_404_enters_the_catalogue_once_tmdb_has_it(small: Make) -> None:
    pipeline = small(film(64), film(128))
    pipeline.world.withheld = {128}
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day(30)
    pipeline.world.withheld = set()
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.state_of(128) == ("accepted", None)
    assert pipeline.movies == [64, 128]


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
    monkeypatch.setattr("movie_assets.http_client.retries.backoff", lambda *_: 0.01)
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day")
    pipeline.with_settings(tmdb_api_url="http://127.0.0.1:1/3")
    result = pipeline.run("fetch_details")
    assert "http://127.0.0.1:1/3/movie/64" in message_of(result)
    assert (pipeline.state_of(64), pipeline.state_of(65)) == (("candidate", None),) * 2
    pipeline.with_settings()
    pipeline.run_all("fetch_details")
    assert pipeline.movies == [64, 65]


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
            return len([response async for response in client.details([*pipeline.world.films])])

    pipeline.world.before_answer = cut
    began = time.monotonic()
    with suppress(TmdbError, psycopg.Error, TimeoutError):  # to say so is as good as to go on
        asyncio.run(asyncio.wait_for(fetch(), 8))
    assert time.monotonic() - began < 7
