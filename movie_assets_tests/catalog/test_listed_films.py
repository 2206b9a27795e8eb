"""How TMDB's lists accept and reject ids without a call for their details."""

from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from movie_assets.emulator.world import Columns
from movie_assets_tests.catalog.test_eligibility import DAY, Make, calls, combined
from movie_assets_tests.catalog.test_requests import request
from movie_assets_tests.support.detail_runs import due
from movie_assets_tests.support.small_pipelines import FIRST_DAY
from movie_assets_tests.support.world import film


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"vote_average": 4.9}, "vote_average"),
        ({"release_date": "1989-12-31"}, "release_date"),
        ({"original_language": "sv"}, "language"),
    ],
)
def test_a_film_that_the_lists_turn_away_is_not_fetched(small: Make, changes: dict[str, Any], reason: str) -> None:
    pipeline = small(film(64), film(65, **changes))
    pipeline.run_all(*DAY)
    assert pipeline.state_of(65) == ("rejected", reason)
    assert pipeline.world.asked == {64: 1}
    pipeline.turn_day()
    pipeline.world.changed[pipeline.day] = [65]
    pipeline.run_all(*DAY)
    assert pipeline.world.asked == {64: 1}
    pipeline.turn_day()
    pipeline.world.put(film(65))
    pipeline.run_all(*DAY)
    assert pipeline.movies == [64, 65]
    assert calls(pipeline) == 2


def test_a_film_that_is_to_be_released_is_fetched_on_its_day(small: Make) -> None:
    pipeline = combined(small, film(65, vote_count=60, release_date=str(FIRST_DAY + timedelta(days=2))))
    asked = []
    for _ in range(3):
        pipeline.run_all("fetch_details")
        asked.append(pipeline.world.asked[65])
        pipeline.turn_day()
        pipeline.run_all("read_the_day")
    assert asked == [0, 0, 1]
    assert pipeline.movies == [64, 65]


def test_what_a_list_does_not_tell_is_left_to_the_details(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day")
    pipeline.do(
        "update pipeline.discovered set vote_average = null, release_date = null, original_language = null "
        "where tmdb_id = 65"
    )
    pipeline.do("update pipeline.evaluation set day = day - 1")
    pipeline.run_all("fetch_details")
    assert pipeline.movies == [64, 65]


def test_a_film_that_is_wanted_on_request_is_fetched_whatever_the_lists_say(small: Make) -> None:
    pipeline = small(film(64), film(65, vote_average=2.0, original_language="sv"), film(66, vote_average=2.0))
    pipeline.run_all("read_the_day")
    request(pipeline, 65)
    request(pipeline, 66, keep=False)
    pipeline.run_all("fetch_details")
    assert pipeline.column("select outcome from pipeline.requested_ids order by tmdb_id") == [
        "accepted", "rejected: vote_average",
    ]  # fmt: skip
    pipeline.turn_day()
    pipeline.run_all(*DAY)
    assert pipeline.movies == [64, 65]
    assert calls(pipeline) == 3


# Films that the lists stop naming


def test_an_accepted_film_that_the_lists_stop_naming_is_fetched_and_leaves(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all(*DAY)
    pipeline.turn_day()
    pipeline.world.put(film(65, vote_count=99))
    pipeline.run_all("read_the_day")
    assert due(pipeline) == {65: "unlisted"}
    pipeline.run_all("fetch_details")
    assert pipeline.state_of(65) == ("rejected", "vote_count")
    for _ in range(2):
        pipeline.turn_day(20)
        pipeline.run_all(*DAY)
    assert (pipeline.movies, pipeline.world.asked[65]) == ([64], 2)
    assert pipeline.one("select count(*) from pipeline.movie_ids where unlisted_at is not null") == 0


def test_details_that_are_younger_than_the_lists_are_not_fetched_again_for_them(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all(*DAY)
    pipeline.turn_day()
    pipeline.world.put(film(65, vote_count=99))
    pipeline.do("update pipeline.movie_ids set fetched_at = '2026-10-07' where tmdb_id = 65")
    pipeline.run_all("read_the_day")
    assert due(pipeline) == {}


def test_an_accepted_film_that_a_list_forgets_stays_and_costs_one_call(small: Make) -> None:
    pipeline = small(film(64), film(65), film(66))
    pipeline.run_all(*DAY)
    whole = pipeline.world.columns

    def without_65(day: date) -> Columns:
        columns = whole(day)
        kept = columns.tmdb_id != 65
        return replace(columns, **{name: getattr(columns, name)[kept] for name in columns.__dataclass_fields__})

    pipeline.world.columns = without_65  # type: ignore[method-assign]
    for _ in range(3):
        pipeline.turn_day()
        pipeline.run_all(*DAY)
    assert pipeline.movies == [64, 65, 66]
    assert pipeline.world.asked == {64: 1, 65: 2, 66: 1}


def test_a_film_that_is_listed_again_before_it_was_fetched_is_not_due(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all(*DAY)
    pipeline.turn_day()
    pipeline.world.put(film(65, vote_count=99))
    pipeline.run_all("read_the_day")
    pipeline.turn_day()
    pipeline.world.put(film(65, vote_count=101))
    pipeline.run_all("read_the_day")
    assert due(pipeline) == {}


def test_a_higher_floor_of_votes_makes_no_film_due(small: Make) -> None:
    pipeline = small(film(64), film(65, vote_count=150))
    pipeline.run_all(*DAY)
    pipeline.turn_day()
    pipeline.with_profile(min_vote_count=200)
    pipeline.run_all(*DAY)
    assert (pipeline.movies, calls(pipeline)) == ([64], 2)
