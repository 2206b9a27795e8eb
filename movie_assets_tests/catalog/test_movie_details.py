"""The details batch by batch: what a run fetches, stores, evaluates again and reports to Dagster."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest
from dagster._core.definitions.data_version import extract_data_version_from_entry

from movie_assets.catalog.detail_store import BatchFilms
from movie_assets.catalog.movie_details import CHUNK
from movie_assets_tests.conftest import failed_checks, figures
from movie_assets_tests.support.detail_runs import DETAILS, NOON, goes_down_after, green, message_of
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]


def data_version(pipeline: SmallPipeline, batch: str) -> str:
    """The data version that Dagster has of a batch."""
    result = pipeline.instance.fetch_materializations(
        dg.AssetRecordsFilter(asset_key=DETAILS, asset_partitions=[batch]), limit=1
    )
    version = extract_data_version_from_entry(result.records[0].event_log_entry)
    assert version is not None
    return version.value


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
    stored = pipeline.column("select count(*) from pipeline.title_details group by fetched_at, xmin order by 1")
    assert max(stored) == CHUNK
    assert 2 * CHUNK < sum(stored) <= 230


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
    stored = pipeline.database.fetch_one(BatchFilms, "batch_contents", batches=[0], media="movie")
    assert data_version(pipeline, "batch_00") == stored.content


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


def test_the_checks_tell_what_the_run_did(small: Make) -> None:
    pipeline = small(film(64), film(65, runtime=1))
    (_, result) = pipeline.run_all("read_the_day", "fetch_details")
    counts = figures(result, "every_batch_is_covered")
    assert (counts["due"], counts["fetched"], counts["accepted"], counts["rejected"]) == (2, 2, 1, 1)
    assert counts["calls_by_status"] == {"200": 2}


def test_missing_posters_are_a_warning_by_name_beside_every_other_field_that_lacks(small: Make) -> None:
    pipeline = small(*(film(64 * n, poster_path=None if n > 2 else "/p.jpg", overview="") for n in range(1, 5)))
    pipeline.run_all("read_the_day")
    result = pipeline.run("fetch_details")
    (evaluation,) = [e for e in result.get_asset_check_evaluations() if e.check_name == "metadata_is_complete"]
    assert not evaluation.passed
    assert "poster_path (50.0%" in (evaluation.description or "")
    assert "overview (0.0%" in (evaluation.description or "")


def test_films_that_few_know_or_that_were_requested_do_not_count_as_incomplete(small: Make) -> None:
    pipeline = small(film(64), film(128, poster_path=None, vote_count=40), film(192, poster_path=None))
    pipeline.with_profile(min_vote_count=10)
    pipeline.do("insert into pipeline.requested_ids (tmdb_id) values (192)")
    pipeline.run_all("read_the_day")
    result = pipeline.run("fetch_details")
    assert pipeline.movies == [64, 128, 192]
    assert "metadata_is_complete" not in failed_checks(result)
    assert figures(result, "metadata_is_complete")["films"] == 1


def test_films_without_a_plot_fail_the_completeness_check_by_name(small: Make) -> None:
    pipeline = small(film(64), film(65, overview=""))
    pipeline.run_all("read_the_day")
    result = pipeline.run("fetch_details")
    assert failed_checks(result) == {"metadata_is_complete"}
    (evaluation,) = [e for e in result.get_asset_check_evaluations() if not e.passed]
    assert evaluation.description == "too few of 2 films have overview (50.0%, at least 98% should)"


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


def test_a_film_that_was_deleted_by_hand_is_restored_from_its_stored_answer(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.do("delete from catalog.movies where tmdb_id = 64")
    pipeline.run_all("fetch_details")
    assert pipeline.movies == [64, 65]
    assert pipeline.world.asked[64] == 1
