"""When a film is due, why, how much of it a day may take, and what TMDB's terms ask for."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest

from movie_assets.catalog.movie_details import WantedFilm
from movie_assets.tmdb.movies import ANSWER_VERSION
from movie_assets_tests.conftest import failed_checks, figures
from movie_assets_tests.support.detail_runs import NOON, due, due_at
from movie_assets_tests.support.small_pipelines import FIRST_DAY, SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]


@pytest.mark.parametrize(
    ("released", "days"),
    [("2026-10-30", 2), ("2026-10-12", 2), ("2026-09-20", 2), ("2026-08-20", 7), ("2026-05-01", 7),
     ("2026-03-01", 14), ("2025-11-15", 14), ("2025-01-01", 30), ("1999-03-31", 30)],
)  # fmt: skip
def test_a_copy_is_stale_after_days_that_its_release_date_decides(small: Make, released: str, days: float) -> None:
    pipeline = small(film(64, release_date=released))
    pipeline.run_all("read_the_day", "fetch_details")
    assert due_at(pipeline, NOON + timedelta(days=days, seconds=-1)) == {}
    assert due_at(pipeline, NOON + timedelta(days=days)) == {64: "stale"}


def test_a_rejected_film_is_looked_at_again_when_it_is_stale(small: Make) -> None:
    pipeline = small(film(64, vote_count=3, release_date="2026-09-20"))
    pipeline.run_all("read_the_day", "fetch_details")
    assert due_at(pipeline, NOON + timedelta(days=2)) == {64: "stale"}


def test_what_grows_stale_before_the_next_day_is_read_is_fetched_with_what_is(small: Make) -> None:
    pipeline = small(film(64, release_date="2026-10-30"), film(65, release_date="2026-10-30"))
    pipeline.run_all("read_the_day", "fetch_details")
    for tmdb_id, time in ((64, "08:31"), (65, "19:00")):
        pipeline.do(
            f"update pipeline.movie_ids set fetched_at = '{FIRST_DAY} {time}+00', changed_at = null "
            f"where tmdb_id = {tmdb_id}"
        )
    half_past_eight = NOON.replace(hour=8, minute=30)

    def fetched_at(as_of: datetime, room: int | None = None) -> list[int]:
        films = pipeline.database.fetch(
            WantedFilm,
            "films_to_fetch",
            media="movie",
            as_of=as_of,
            batches=[0, 1],
            by_hand=False,
            reasons=[],
            room=room,
            force=False,
            forced_since=None,
        )
        return [film.title_id for film in films]

    assert fetched_at(half_past_eight + timedelta(days=1)) == []
    assert fetched_at(half_past_eight + timedelta(days=2, seconds=-1)) == []
    assert due_at(pipeline, half_past_eight + timedelta(days=2, minutes=2)) == {64: "stale"}
    assert fetched_at(half_past_eight + timedelta(days=2, minutes=2)) == [64, 65]
    assert fetched_at(half_past_eight + timedelta(days=2, minutes=2), room=5) == [64]


def test_a_daily_limit_takes_the_most_urgent_first_and_reports_the_rest(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day(40)
    pipeline.world.put(film(66), film(67))
    pipeline.world.changed[pipeline.day] = [65]
    pipeline.with_settings(daily_films=2)
    (_, result) = pipeline.run_all("read_the_day", "fetch_details")
    counts = figures(result, "every_batch_is_covered")
    assert (counts["due"], counts["fetched"], counts["put_off"]) == (4, 2, 2)
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
    pipeline = small(film(64, runtime=5), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    assert due(pipeline, days=100) == {65: "stale"}
    pipeline.turn_day()
    pipeline.world.put(film(64))
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.movies == [64, 65]


def test_a_failure_does_not_take_its_urgency_from_a_film(small: Make) -> None:
    pipeline = small(film(64), film(65), film(66))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.do("insert into pipeline.requested_ids (tmdb_id) values (66)")
    pipeline.do(
        f"update pipeline.movie_ids set attempts = 3, next_attempt_at = '{NOON}'::timestamptz + interval '1 day'"
    )
    assert due_at(pipeline, NOON + timedelta(hours=23)) == {}
    assert due_at(pipeline, NOON + timedelta(hours=25)) == {64: "failed", 65: "failed", 66: "requested"}
    assert due_at(pipeline, NOON + timedelta(days=170)) == {64: "six months", 65: "six months", 66: "requested"}


# TMDB's terms


def test_a_film_near_six_months_comes_before_everything_but_requests(small: Make) -> None:
    pipeline = small(film(64, runtime=5), film(65))
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
    pipeline = small(film(64, runtime=5), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.do(f"update pipeline.raw_details set fetched_at = '{FIRST_DAY}'::date - 181 where tmdb_id = 64")
    result = pipeline.run("fetch_details")
    assert "nothing_is_kept_for_six_months" in failed_checks(result)
