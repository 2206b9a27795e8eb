"""What TMDB's lists of films with enough votes do to the state of an id."""

from collections.abc import Callable

from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]


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


def test_a_film_that_was_rejected_for_its_votes_enters_without_a_call_once_it_is_listed(small: Make) -> None:
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
    assert pipeline.world.asked[65] == 1
    assert pipeline.movies == [64, 65]


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
