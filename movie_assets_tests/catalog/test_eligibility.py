"""Which films belong in the catalogue as votes and days pass, for several profiles, and what that costs in calls."""

import itertools
import random
from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

from movie_assets.config.filter_profiles import DETAIL_RULES, OF_SERIES, FilterProfile, FilterProfiles
from movie_assets.config.profiles import profiles_of
from movie_assets_tests.catalog.test_requests import request, request_fetch
from movie_assets_tests.support.expected_eligibility import first_failed, reason_to_reject
from movie_assets_tests.support.small_pipelines import FIRST_DAY, SmallPipeline
from movie_assets_tests.support.world import film
from movie_assets_tests.tmdb.bodies import film as film_as_read

Make = Callable[..., SmallPipeline]
DAY = ("read_the_day", "fetch_details")
COMBINED = profiles_of(["quality", "new_releases"])


def combined(make: Make, *films: dict[str, Any]) -> SmallPipeline:
    """A catalogue of `quality new_releases` over some films, and film 64, which is always in it."""
    pipeline = make(film(64), *films)
    pipeline.thresholds = COMBINED
    pipeline.run_all("read_the_day")
    return pipeline


def with_stored_response(pipeline: SmallPipeline, *tmdb_ids: int) -> None:
    """Have films fetched that no profile wants today, as an application may ask for them."""
    request(pipeline, *tmdb_ids, keep=False)
    pipeline.run_all("fetch_details")


def calls(pipeline: SmallPipeline) -> int:
    """Calls for details in the pipeline's own log; the world has to have counted as many."""
    counted = int(pipeline.one("select coalesce(sum(calls), 0) from pipeline.api_calls where endpoint = 'movie'"))
    assert counted == pipeline.world.asked.total()
    return counted


# Stored responses are evaluated again each day


def test_a_rejection_keeps_one_reason_for_each_profile(small: Make) -> None:
    pipeline = combined(small, film(65, vote_count=60))
    by_the_lists = pipeline.one("select failed_rules from pipeline.movie_ids where tmdb_id = 65")
    with_stored_response(pipeline, 65)
    by_the_details = pipeline.one("select failed_rules from pipeline.movie_ids where tmdb_id = 65")
    assert by_the_lists == by_the_details == {"quality": "vote_count", "new_releases": "release_date"}
    assert pipeline.state_of(65) == ("rejected", "release_date")


def test_a_film_whose_votes_rise_enters_without_a_call(small: Make) -> None:
    pipeline = combined(small, film(65, vote_count=60))
    with_stored_response(pipeline, 65)
    assert pipeline.movies == [64]
    pipeline.turn_day(3)
    pipeline.world.put(film(65, vote_count=150))
    pipeline.run_all(*DAY)
    assert pipeline.movies == [64, 65]
    assert pipeline.one("select vote_count from catalog.movie_stats where tmdb_id = 65") == 150
    assert calls(pipeline) == 2


def test_a_film_whose_votes_rise_long_after_its_fetch_enters_and_is_fetched_once(small: Make) -> None:
    pipeline = combined(small, film(65, vote_count=60))
    with_stored_response(pipeline, 65)
    pipeline.turn_day(39)
    pipeline.run_all(*DAY)
    assert (pipeline.world.asked[65], pipeline.movies) == (1, [64])
    pipeline.world.put(film(65, vote_count=150))
    pipeline.turn_day()
    pipeline.run_all(*DAY)
    assert (pipeline.world.asked[65], pipeline.movies) == (2, [64, 65])


def test_a_film_that_is_released_after_its_fetch_enters_on_its_day(small: Make) -> None:
    pipeline = combined(small, film(65, vote_count=60, release_date=str(FIRST_DAY + timedelta(days=2))))
    with_stored_response(pipeline, 65)
    entered = []
    for _ in range(3):
        entered.append(65 in pipeline.movies)
        pipeline.turn_day()
        pipeline.run_all(*DAY)
    assert entered == [False, False, True]
    assert pipeline.world.asked[65] == 2  # the copy of a new film is renewed after two days


def test_a_film_that_grew_too_old_leaves_without_a_call(small: Make) -> None:
    pipeline = combined(small, film(65, vote_count=60, release_date=str(FIRST_DAY - timedelta(days=364))))
    pipeline.run_all("fetch_details")
    stayed = []
    for _ in range(3):
        stayed.append(65 in pipeline.movies)
        pipeline.turn_day()
        pipeline.run_all(*DAY)
    assert stayed == [True, True, False]
    assert pipeline.state_of(65) == ("rejected", "release_date")
    assert calls(pipeline) == 2


def test_dates_are_compared_with_today_even_when_the_lists_cannot_be_read(small: Make) -> None:
    pipeline = combined(small, film(65, vote_count=60, release_date=str(FIRST_DAY - timedelta(days=365))))
    pipeline.run_all("fetch_details")
    assert pipeline.movies == [64, 65]
    pipeline.turn_day()
    pipeline.world.columns = lambda day: 1 / 0  # type: ignore[assignment,return-value,method-assign]  # noqa: ARG005
    assert not pipeline.run("read_the_day").success
    pipeline.run_all("fetch_details")
    assert pipeline.movies == [64]


def test_what_the_lists_say_of_average_date_and_language_counts_for_stored_responses(small: Make) -> None:
    pipeline = combined(small, film(65), film(66), film(67))
    pipeline.run_all("fetch_details")
    pipeline.turn_day()
    pipeline.world.put(
        film(65, vote_average=4.9), film(66, release_date="1989-01-01"), film(67, original_language="sv")
    )
    pipeline.run_all(*DAY)
    assert [pipeline.state_of(n)[1] for n in (65, 66, 67)] == ["vote_average", "release_date", "language"]
    failed = pipeline.column("select failed_rules ->> 'quality' from pipeline.movie_ids order by tmdb_id")
    assert failed == [None, "vote_average", "release_date", "language"]
    assert pipeline.movies == [64]
    assert calls(pipeline) == 4


def test_details_that_are_newer_than_the_lists_count(small: Make) -> None:
    pipeline = combined(small, film(65))
    pipeline.run_all("fetch_details")
    pipeline.world.put(film(65, vote_average=4.0))
    request_fetch(pipeline, 65)
    pipeline.run_all("fetch_details")
    assert pipeline.movies == [64]
    pipeline.run_all(*DAY)  # the lists are not read again within eight hours, so their values are older
    assert pipeline.movies == [64]


def test_a_day_on_which_nothing_moved_writes_no_id(small: Make) -> None:
    pipeline = combined(small, film(65, vote_count=60), film(66, vote_count=3))
    with_stored_response(pipeline, 65)
    pipeline.turn_day()
    pipeline.run_all(*DAY)
    before = pipeline.column("select xmin::text from pipeline.title_ids order by title_id")
    pipeline.turn_day()
    pipeline.run_all(*DAY)
    assert pipeline.column("select xmin::text from pipeline.title_ids order by title_id") == before


# Other profiles


def test_other_profiles_on_the_same_day_fetch_nothing_that_is_stored(small: Make) -> None:
    pipeline = small(film(64), film(65, vote_count=60), film(66, runtime=50), film(67, original_language="sv"))
    pipeline.run_all(*DAY)
    with_stored_response(pipeline, 65)
    assert (pipeline.movies, calls(pipeline)) == ([64], 3)
    noir = FilterProfile("noir", min_vote_count=50, min_runtime=40)
    pipeline.thresholds = FilterProfiles((*profiles_of(["quality"]).profiles, noir))
    pipeline.run_all(*DAY)
    assert pipeline.movies == [64, 65, 66, 67]
    assert pipeline.world.asked == {64: 1, 65: 1, 66: 1, 67: 1}
    pipeline.thresholds = profiles_of(["quality"])
    pipeline.run_all("fetch_details")
    assert pipeline.movies == [64]
    pipeline.run_all(*DAY)
    assert (pipeline.movies, calls(pipeline)) == ([64], 4)


def test_the_database_says_which_profiles_are_in_use(small: Make) -> None:
    pipeline = combined(small)
    assert pipeline.column("select name from pipeline.profiles order by 1") == ["new_releases", "quality"]
    pipeline.thresholds = profiles_of(["broad"])
    pipeline.run_all("fetch_details")
    assert pipeline.column("select name from pipeline.profiles") == ["broad"]


def test_the_funnel_adds_up_with_several_profiles(small: Make) -> None:
    upcoming = str(FIRST_DAY + timedelta(days=30))
    pipeline = combined(
        small, film(65, vote_count=60), film(66, vote_count=3), film(67, release_date=upcoming, runtime=5)
    )
    pipeline.run_all("fetch_details")
    with pipeline.database.transaction() as connection:
        steps = connection.exec_driver_sql("select * from pipeline.funnel order by step").all()
    assert {step.rule: step.dropped for step in steps if step.dropped} == {
        "vote_count": 1, "release_date": 1, "runtime": 1,
    }  # fmt: skip
    assert all(before.kept - after.dropped == after.kept for before, after in itertools.pairwise(steps))
    assert steps[-1].kept == len(pipeline.movies) == 1


# The rules in SQL and in Python


def test_the_rules_have_the_same_order_in_sql_and_python(small: Make) -> None:
    assert tuple(small().one("select pipeline.detail_rules()")) == (*DETAIL_RULES, *OF_SERIES)


def test_sql_evaluates_films_as_the_rules_say(small: Make) -> None:
    chance = random.Random(24)  # noqa: S311  # repeatable
    day = date(2026, 10, 5)
    profiles = (
        *profiles_of(["quality", "new_releases", "broad"]).profiles,
        FilterProfile("all"),
        FilterProfile(
            "some", released_since=date(2000, 1, 1), released_within_days=9000, max_runtime=100, languages=("fr",)
        ),
    )
    pipeline = small()
    for number in range(300):
        thresholds = FilterProfiles(tuple(chance.sample(profiles, chance.randint(1, 4))))
        read = replace(
            film_as_read(), vote_count=chance.choice([0, 9, 10, 99, 100, 500]),
            vote_average=chance.choice([0.0, 4.999, 5.0, 7.0]),
            release_date=chance.choice(
                [None, date(1989, 12, 31), date(1990, 1, 1), day - timedelta(365), day - timedelta(366), day,
                 day + timedelta(1)]),
            runtime_minutes=chance.choice([None, 39, 40, 59, 60, 100, 240, 241, 500]),
            original_language=chance.choice([None, "en", "fr", "sv"]),
            adult=chance.random() < 0.05, video=chance.random() < 0.05, softcore=chance.random() < 0.05,
        )  # fmt: skip
        with pipeline.database.transaction() as connection:
            connection.exec_driver_sql(
                "select pipeline.evaluate(%(day)s, %(profiles)s::jsonb, %(rules)s, now(), false)",
                {"day": day, "profiles": thresholds.as_json, "rules": str(number)},
            )
            reason, failed = connection.exec_driver_sql(
                "select * from pipeline.evaluate_film(%(day)s, true, %(adult)s, %(video)s, %(softcore)s, "
                "%(vote_count)s, %(vote_average)s, %(release_date)s, %(runtime_minutes)s, %(original_language)s)",
                {"day": day, **read.__dict__},
            ).one()
        assert reason == reason_to_reject(thresholds, read, day)
        expected = {profile.name: first_failed(profile, read, day) for profile in thresholds.profiles}
        assert (failed or {}) == {name: rule for name, rule in expected.items() if rule}
