"""The inbox: what becomes of ids that an application asks for, and the job that fetches what is missing."""

from collections.abc import Callable
from typing import Any

import pytest

from movie_assets.automation.jobs import ONLY_MISSING
from movie_assets_tests.assets.conftest import SmallPipeline
from movie_assets_tests.assets.detail_runs import due
from movie_assets_tests.assets.world import film

Make = Callable[..., SmallPipeline]


def request(pipeline: SmallPipeline, *tmdb_ids: int, keep: bool = True) -> None:
    """Ask for ids as an application does."""
    for tmdb_id in tmdb_ids:
        pipeline.do(
            f"insert into pipeline.requested_ids (tmdb_id, keep) values ({tmdb_id}, {keep}) "
            "on conflict (tmdb_id) do update set requested_at = now()"
        )


def outcome_of(pipeline: SmallPipeline, tmdb_id: int) -> Any:
    return pipeline.one(f"select outcome from pipeline.requested_ids where tmdb_id = {tmdb_id}")


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
