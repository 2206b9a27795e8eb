"""The inbox: what becomes of ids that an application asks for, and the job that fetches what is missing."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, time
from typing import Any

import pytest

from movie_assets.orchestration.jobs import only_missing
from movie_assets_tests.conftest import failed_checks
from movie_assets_tests.support.detail_runs import due
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]


def request(pipeline: SmallPipeline, *tmdb_ids: int, keep: bool = True) -> None:
    """Ask for ids as an application does."""
    for tmdb_id in tmdb_ids:
        pipeline.do(
            f"insert into pipeline.requested_ids (tmdb_id, keep) values ({tmdb_id}, {keep}) "
            "on conflict (tmdb_id) do update set requested_at = now()"
        )


def request_fetch(pipeline: SmallPipeline, *tmdb_ids: int, keep: bool = False) -> None:
    """Ask for ids as `movie-assets fetch` does: their stored details count as outdated."""
    as_of = datetime.combine(pipeline.day, time(), UTC)
    pipeline.database.execute("fetch_again", title_ids=list(tmdb_ids), as_of=as_of)
    pipeline.database.execute("request_ids", title_ids=list(tmdb_ids), keep=keep, requested_by="movie-assets fetch")


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
    assert pipeline.world.asked == {64: 1, 65: 1}
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


# A request stays open until it has an outcome


OTHERS = [film(128 + 64 * n) for n in range(20)]  # so that an export may lose an id


def test_a_request_for_an_id_that_no_export_names_survives_exports(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    request(pipeline, 65, 66)
    for _ in range(2):
        pipeline.turn_day()
        results = pipeline.run_all("read_the_day")
        assert "every_export_line_has_one_id" not in failed_checks(results[0])
        assert due(pipeline) == {65: "requested", 66: "requested"}
    pipeline.world.put(film(65))
    pipeline.run_all("fetch_details")
    assert (outcome_of(pipeline, 65), outcome_of(pipeline, 66)) == ("accepted", "gone: not_found")
    assert due(pipeline) == {}


def test_a_requested_film_that_the_next_export_does_not_name_either_leaves_again(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.world.responses[65] = json.dumps(film(65)).encode()  # TMDB knows it, the export does not
    request(pipeline, 65)
    pipeline.run_all("fetch_details")
    (result,) = pipeline.run_all("read_the_day")  # the export was written before the film was fetched
    assert "every_export_line_has_one_id" not in failed_checks(result)
    assert pipeline.movies == [64, 65]
    pipeline.turn_day()
    pipeline.run_all("read_the_day")
    assert pipeline.state_of(65) == ("gone", "left_export")


def test_an_open_request_for_an_id_that_leaves_the_export_is_answered(small: Make) -> None:
    pipeline = small(film(64), *OTHERS)
    pipeline.run_all("read_the_day", "fetch_details")
    request(pipeline, 64)
    del pipeline.world.films[64]
    pipeline.turn_day()
    pipeline.run_all("read_the_day", "fetch_details")
    assert outcome_of(pipeline, 64) == "gone: not_found"
    assert 64 not in pipeline.movies


def test_an_id_that_is_gone_is_asked_for_and_comes_back(small: Make) -> None:
    pipeline = small(film(64), *OTHERS)
    pipeline.run_all("read_the_day", "fetch_details")
    left = pipeline.world.films.pop(64)
    pipeline.turn_day()
    pipeline.run_all("read_the_day")
    pipeline.world.put(left)
    request(pipeline, 64)
    assert due(pipeline) == {64: "requested"}
    pipeline.run_all("fetch_details")
    assert outcome_of(pipeline, 64) == "accepted"
    pipeline.turn_day()
    pipeline.run_all("read_the_day", "fetch_details")
    assert 64 in pipeline.movies


@pytest.mark.parametrize("kind", ["adult", "video"])
def test_an_open_request_for_a_film_that_becomes_unwanted_is_answered(small: Make, kind: str) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day")
    request(pipeline, 65)
    pipeline.world.put(film(65, **{kind: True}))
    pipeline.turn_day()
    pipeline.run_all("read_the_day", "fetch_details")
    assert outcome_of(pipeline, 65) == f"rejected: {kind}"


def test_an_open_request_survives_other_profiles_and_the_loss_of_its_id(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.world.responses[65] = json.dumps(film(65)).encode()  # TMDB knows it, the export does not
    request(pipeline, 65, keep=False)
    pipeline.do("delete from pipeline.movie_ids where tmdb_id = 65")
    pipeline.with_profile(min_vote_count=300, languages=("fr",))
    pipeline.turn_day()
    pipeline.run_all("read_the_day", "fetch_details")
    assert outcome_of(pipeline, 65) == "rejected: language"


def test_a_film_without_a_usable_response_has_an_outcome_after_the_third_failure(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day")
    pipeline.world.responses[65] = json.dumps({"id": 99}).encode()
    request(pipeline, 65)
    outcomes = []
    for hour in ("12", "15", "20"):
        pipeline.run("fetch_details", as_of=f"{pipeline.day}T{hour}:00:00+00:00")
        outcomes.append(outcome_of(pipeline, 65))
    assert outcomes == [None, None, "failed: other_id"]
    del pipeline.world.responses[65]
    pipeline.turn_day()
    pipeline.run_all("fetch_details")
    assert outcome_of(pipeline, 65) == "accepted"


def test_a_request_that_failed_before_tmdb_says_that_there_is_no_film_is_answered(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.world.responses[65] = json.dumps({"id": 99}).encode()
    request(pipeline, 65)
    pipeline.run("fetch_details")
    del pipeline.world.responses[65]
    pipeline.run("fetch_details", as_of=f"{pipeline.day}T15:00:00+00:00")
    assert outcome_of(pipeline, 65) == "gone: not_found"


# A request is answered from details that are stored and young enough


def test_asking_again_is_answered_from_young_details_without_a_call(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    for keep in (True, False):
        request(pipeline, 64, keep=keep)
        assert due(pipeline) == {}
        pipeline.run_all("fetch_details")
        assert outcome_of(pipeline, 64) == "accepted"
        assert pipeline.one("select served_at is not null from pipeline.requested_ids") is True
    assert pipeline.world.asked == {64: 1, 65: 1}
    assert pipeline.movies == [64, 65]


@pytest.mark.parametrize(("keep", "outcome"), [(True, "accepted"), (False, "rejected: runtime")])
def test_a_stored_rejected_film_is_answered_without_a_call(small: Make, keep: bool, outcome: str) -> None:
    pipeline = small(film(64), film(65, runtime=20))
    pipeline.run_all("read_the_day", "fetch_details")
    request(pipeline, 65, keep=keep)
    pipeline.run_all("fetch_details")
    assert (outcome_of(pipeline, 65), pipeline.world.asked[65]) == (outcome, 1)
    assert pipeline.movies == ([64, 65] if keep else [64])


OUTDATED = {
    "too old": "fetched_at = fetched_at - interval '31 days'",
    "changed": "changed_at = now()",
    "not in the lists": "unlisted_at = now()",
    "fetched by an older version": "answer_version = 0",
}


@pytest.mark.parametrize("change", OUTDATED.values(), ids=OUTDATED.keys())
def test_a_request_for_a_film_with_outdated_details_takes_a_call(small: Make, change: str) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.do(f"update pipeline.movie_ids set {change}")
    request(pipeline, 64)
    assert due(pipeline) == {64: "requested"}
    pipeline.run_all("fetch_details")
    assert (outcome_of(pipeline, 64), pipeline.world.asked[64]) == ("accepted", 2)


def test_a_request_for_a_film_without_its_stored_response_takes_a_call(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.do("delete from pipeline.raw_details")
    request(pipeline, 64)
    pipeline.run_all("fetch_details")
    assert (outcome_of(pipeline, 64), pipeline.world.asked[64]) == ("accepted", 2)


def test_a_person_has_films_fetched_again_however_young_their_details_are(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    for _ in range(2):
        request_fetch(pipeline, 64)
        pipeline.run_all("fetch_details")
    assert pipeline.world.asked == {64: 3, 65: 1}


def test_the_missing_only_job_refreshes_nothing(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day(40)
    pipeline.world.put(film(66))
    pipeline.run_all("read_the_day")
    assert due(pipeline) == {64: "stale", 65: "stale", 66: "never fetched"}
    assert pipeline.run("fetch_missing", config=only_missing(["movie"])).success
    assert pipeline.world.asked == {64: 1, 65: 1, 66: 1}
