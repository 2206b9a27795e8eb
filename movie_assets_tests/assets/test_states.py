"""What becomes of an id over the days: history, discoveries, requests, limits, TMDB's terms, successors."""

from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from typing import Any

import pytest

from movie_assets.automation.jobs import ONLY_MISSING
from movie_assets.core.films import ANSWER_VERSION
from movie_assets_tests.assets.conftest import FIRST_DAY, SmallPipeline
from movie_assets_tests.assets.world import film
from movie_assets_tests.conftest import failed_checks, figures

Make = Callable[..., SmallPipeline]


def due(pipeline: SmallPipeline, *, days: float = 0) -> dict[int, str]:
    """Ids that are due some days after the pipeline's day, with the reason."""
    moment = datetime.combine(pipeline.day, time(12), UTC) + timedelta(days=days)
    with pipeline.database.transaction() as connection:
        found = connection.exec_driver_sql("select tmdb_id, reason from pipeline.due_at(%(m)s)", {"m": moment})
        return {row.tmdb_id: row.reason for row in found}


def request(pipeline: SmallPipeline, *tmdb_ids: int, keep: bool = True) -> None:
    """Ask for ids as an application does."""
    for tmdb_id in tmdb_ids:
        pipeline.do(
            f"insert into pipeline.requested_ids (tmdb_id, keep) values ({tmdb_id}, {keep}) "
            "on conflict (tmdb_id) do update set requested_at = now()"
        )


def outcome_of(pipeline: SmallPipeline, tmdb_id: int) -> Any:
    return pipeline.one(f"select outcome from pipeline.requested_ids where tmdb_id = {tmdb_id}")


# Discoveries


def test_an_id_that_no_list_names_is_rejected_for_its_votes_without_a_call(small: Make) -> None:
    pipeline = small(film(64), film(65, vote_count=3))
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.state_of(65) == ("rejected", "vote_count")
    assert pipeline.world.asked == {64: 1}


def test_a_film_that_gathers_votes_is_looked_at_on_that_day(small: Make) -> None:
    pipeline = small(film(64), film(65, vote_count=3))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    pipeline.world.put(film(65, vote_count=120))
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.movies == [64, 65]
    assert pipeline.world.asked == {64: 1, 65: 1}


def test_a_film_that_was_rejected_for_its_votes_is_asked_for_again_once_it_is_listed(small: Make) -> None:
    pipeline = small(film(64), film(65, vote_count=150))
    pipeline.with_profile(min_vote_count=200)
    pipeline.do("insert into pipeline.movie_ids (tmdb_id, original_title, first_seen) values (65, '', '2026-10-01')")
    pipeline.run("fetch_details")
    assert pipeline.state_of(65) == ("rejected", "vote_count")
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.world.asked[65] == 1
    pipeline.turn_day()
    pipeline.world.put(film(65, vote_count=250))
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.world.asked[65] == 2
    assert pipeline.movies == [64, 65]


def test_an_accepted_film_stays_when_a_list_forgets_it(small: Make) -> None:
    pipeline = small(film(64), film(65), film(66))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    pipeline.world.put(film(65, vote_count=1))
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.movies == [64, 65, 66]


def test_profiles_that_ask_for_no_votes_need_no_lists(small: Make) -> None:
    pipeline = small(film(64), film(65, vote_count=0))
    pipeline.with_profile(min_vote_count=0, min_vote_average=0.0)
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.movies == [64, 65]
    assert "discover" not in pipeline.serving.requests


def test_a_walk_that_cannot_be_made_changes_nothing(small: Make) -> None:
    pipeline = small(film(64), film(65, vote_count=3))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    pipeline.world.columns = lambda day: 1 / 0  # type: ignore[assignment,return-value,method-assign]  # noqa: ARG005
    assert not pipeline.run("read_the_day").success
    pipeline.run_all("fetch_details")
    assert pipeline.state_of(65) == ("rejected", "vote_count")
    assert pipeline.movies == [64]


def test_votes_of_accepted_films_follow_the_lists_without_a_call(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    pipeline.world.put(film(64, vote_count=640, vote_average=7.5))
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.one("select (vote_count, vote_average)::text from catalog.movie_stats") == "(640,7.5)"
    assert pipeline.world.asked == {64: 1}


def test_an_average_that_crosses_the_least_brings_a_film_in_and_out(small: Make) -> None:
    pipeline = small(film(64), film(65, vote_average=4.9))
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.movies == [64]
    pipeline.turn_day()
    pipeline.world.put(film(64, vote_average=4.8), film(65, vote_average=5.1))
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.movies == [65]


def test_the_lists_are_walked_once_in_eight_hours(small: Make) -> None:
    pipeline = small(film(64), film(65, vote_count=3))
    pipeline.run_all("read_the_day")
    pipeline.run_all("read_the_day")
    assert pipeline.serving.requests["discover"] == {200: 1}
    assert pipeline.state_of(65) == ("rejected", "vote_count")
    pipeline.turn_day()
    pipeline.run_all("read_the_day")
    assert pipeline.serving.requests["discover"] == {200: 2}


# Requests


def test_a_requested_film_is_fetched_and_kept_whatever_its_votes(small: Make) -> None:
    pipeline = small(film(64), film(65, vote_count=3, release_date="1931-01-01"))
    pipeline.run_all("read_the_day", "fetch_details")
    request(pipeline, 65)
    assert due(pipeline) == {65: "requested"}
    pipeline.run_all("fetch_details")
    assert pipeline.movies == [64, 65]
    assert outcome_of(pipeline, 65) == "accepted"
    pipeline.turn_day()
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.movies == [64, 65]


def test_a_request_that_does_not_say_keep_is_judged_like_any_film(small: Make) -> None:
    pipeline = small(film(64), film(65, vote_count=3))
    pipeline.run_all("read_the_day", "fetch_details")
    request(pipeline, 64, 65, keep=False)
    pipeline.run_all("fetch_details")
    assert pipeline.world.asked == {64: 2, 65: 1}
    assert (outcome_of(pipeline, 64), outcome_of(pipeline, 65)) == ("accepted", "rejected: vote_count")
    assert due(pipeline) == {}


def test_an_id_that_no_export_ever_named_can_be_requested(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.world.put(film(128))
    request(pipeline, 128, 192)
    pipeline.run_all("fetch_details")
    assert pipeline.movies == [64, 128]
    assert (outcome_of(pipeline, 128), outcome_of(pipeline, 192)) == ("accepted", "gone: not_found")


@pytest.mark.parametrize("kind", ["adult", "video"])
def test_a_request_for_what_is_never_wanted_is_answered_at_once(small: Make, kind: str) -> None:
    pipeline = small(film(64), film(65, **{kind: True}))
    pipeline.run_all("read_the_day", "fetch_details")
    request(pipeline, 65)
    assert outcome_of(pipeline, 65) == f"rejected: {kind}"
    assert due(pipeline) == {}


def test_asking_again_fetches_again(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    for _ in range(2):
        request(pipeline, 64)
        pipeline.run_all("fetch_details")
    assert pipeline.world.asked == {64: 3}


def test_the_missing_only_job_refreshes_nothing(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day(40)
    pipeline.world.put(film(66))
    pipeline.run_all("read_the_day")
    assert due(pipeline) == {64: "stale", 65: "stale", 66: "never fetched"}
    assert pipeline.run("fetch_missing", config=ONLY_MISSING).success
    assert pipeline.world.asked == {64: 1, 65: 1, 66: 1}


# What is due, and how much of it


def test_a_daily_limit_takes_the_most_urgent_first_and_reports_the_rest(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day(40)
    pipeline.world.put(film(66), film(67))
    pipeline.world.changed[pipeline.day] = [65]
    pipeline.with_settings(daily_films=2)
    (_, result) = pipeline.run_all("read_the_day", "fetch_details")
    told = figures(result, "every_batch_is_covered")
    assert (told["due"], told["fetched"], told["put_off"]) == (4, 2, 2)
    assert (pipeline.world.asked[65], pipeline.world.asked[66]) == (2, 1)
    pipeline.run_all("fetch_details")
    assert pipeline.world.asked.total() == 4
    pipeline.turn_day()
    pipeline.run_all("fetch_details")
    assert due(pipeline) == {}


def test_a_raised_schema_version_makes_every_film_due(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.one("select answer_version from pipeline.movie_ids") == ANSWER_VERSION
    pipeline.do(f"update pipeline.movie_ids set answer_version = {ANSWER_VERSION - 1}")
    assert due(pipeline) == {64: "schema"}


def test_the_database_and_the_code_ask_for_the_same_version(small: Make) -> None:
    assert small().one("select pipeline.answer_version()") == ANSWER_VERSION


def test_a_film_rejected_for_what_only_an_edit_changes_waits_for_the_edit(small: Make) -> None:
    pipeline = small(film(64, release_date="1980-01-01"), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    assert due(pipeline, days=100) == {65: "stale"}
    pipeline.turn_day()
    pipeline.world.put(film(64, release_date="1990-01-01"))
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.movies == [64, 65]


# TMDB's terms


def test_a_film_near_six_months_comes_before_everything_but_requests(small: Make) -> None:
    pipeline = small(film(64, release_date="1980-01-01"), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    assert due(pipeline, days=170) == {64: "six months", 65: "six months"}


def test_what_was_not_refreshed_for_six_months_is_purged(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all()
    pipeline.turn_day(30)
    pipeline.run_all("read_the_day")
    pipeline.do(f"update pipeline.raw_details set fetched_at = '{FIRST_DAY}'::date - 200 where tmdb_id = 64")
    result = pipeline.run("fetch_details")
    assert "nothing_is_kept_for_six_months" not in failed_checks(result)


def test_a_purged_film_leaves_whole_and_is_due_like_a_new_one(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all()
    pipeline.run_all("read_the_day")
    pipeline.do(f"update pipeline.raw_details set fetched_at = '{FIRST_DAY}'::date - 200 where tmdb_id = 64")
    pipeline.turn_day()
    pipeline.run_all("read_the_day")
    assert pipeline.movies == [65]
    for table in ("pipeline.raw_details", "pipeline.embeddings", "catalog.movie_stats_history"):
        assert pipeline.column(f"select tmdb_id from {table}") == [65]
    assert due(pipeline) == {64: "never fetched"}


def test_an_answer_that_is_too_old_fails_the_check_on_the_terms(small: Make) -> None:
    pipeline = small(film(64, release_date="1980-01-01"), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.do(f"update pipeline.raw_details set fetched_at = '{FIRST_DAY}'::date - 181 where tmdb_id = 64")
    result = pipeline.run("fetch_details")
    assert "nothing_is_kept_for_six_months" in failed_checks(result)


# History and successors


def test_every_change_of_a_state_is_kept(small: Make) -> None:
    pipeline = small(film(64), film(65), *(film(128 + 64 * n) for n in range(20)))
    pipeline.run_all("read_the_day", "fetch_details")
    left = pipeline.world.films.pop(64)
    pipeline.turn_day()
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    pipeline.world.put(left)
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.column(
        "select state_before || ' → ' || state from pipeline.id_history where tmdb_id = 64 order by changed_at"
    ) == ["candidate → accepted", "accepted → gone", "gone → candidate", "candidate → accepted"]


def test_a_run_that_changes_no_state_writes_no_history(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    before = pipeline.one("select count(*) from pipeline.id_history")
    pipeline.turn_day()
    pipeline.world.put(film(64, popularity=9.0, overview="Another story."))
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.one("select count(*) from pipeline.id_history") == before


def test_the_successor_of_a_merged_film_is_found_by_its_imdb_id(small: Make) -> None:
    pipeline = small(film(64, imdb_id="tt0000064"), *(film(128 + 64 * n) for n in range(20)))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    del pipeline.world.films[64]
    pipeline.world.put(film(65, imdb_id="tt0000064"))
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.one("select successor_id from catalog.successors where tmdb_id = 64") == 65
    pipeline.run_all("fetch_details")
    assert pipeline.serving.requests["find"] == {200: 1}


# The funnel


def test_the_funnel_adds_up_to_the_catalogue(small: Make) -> None:
    pipeline = small(film(64), film(65, runtime=10), film(66, vote_count=1), film(67, popularity=0.1))
    pipeline.with_profile(target=10)
    pipeline.run_all("read_the_day", "fetch_details")
    with pipeline.database.transaction() as connection:
        steps = connection.exec_driver_sql("select * from pipeline.funnel order by step").all()
    assert (steps[0].kept, steps[-1].kept, steps[-1].target) == (4, 1, 10)
    assert {step.rule: step.dropped for step in steps if step.dropped} == {
        "popularity": 1, "vote_count": 1, "runtime": 1,
    }  # fmt: skip
    assert all(before.kept - after.dropped == after.kept for before, after in pairwise(steps))


def test_a_rank_keeps_the_most_popular_ids(small: Make) -> None:
    pipeline = small(*(film(64 * n, popularity=float(n)) for n in range(1, 11)))
    pipeline.with_profile(min_popularity=0.0, popularity_rank=3)
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.movies == [512, 576, 640]


# The log of calls


def test_the_calls_of_each_run_are_kept(small: Make) -> None:
    pipeline = small(film(64), film(65))
    (read, fetched) = pipeline.run_all("read_the_day", "fetch_details")
    with pipeline.database.transaction() as connection:
        found = connection.exec_driver_sql("select * from pipeline.api_calls order by endpoint").all()
    assert {(row.endpoint, row.status, row.calls) for row in found} == {
        ("changes", "200", 1), ("discover", "200", 1), ("export", "200", 1), ("movie", "200", 2),
    }  # fmt: skip
    assert {row.run_id for row in found} == {read.run_id, fetched.run_id}
    assert all(0 < row.p50_ms <= row.p95_ms <= row.max_ms and row.bytes > 0 for row in found)
    assert "| movie | 200 | 2 |" in figures(fetched, "every_batch_is_covered")["calls"]


def test_retries_and_waits_are_kept_too(small: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("movie_assets.resources.tmdb.backoff", lambda *_: 0.01)
    pipeline = small(*(film(64 * n) for n in range(1, 31)))
    pipeline.run_all("read_the_day")
    pipeline.serving.faults = {"503": 0.3}
    pipeline.run("fetch_details")
    retries, waited = (
        pipeline.column("select retries from pipeline.api_calls where status = '503'"),
        pipeline.one("select seconds_waited from pipeline.api_calls where status = '503'"),
    )
    assert retries[0] > 0
    assert waited > 0
