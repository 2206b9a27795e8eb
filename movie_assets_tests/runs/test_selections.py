"""Assets that are materialized together in one run: nothing is skipped, and a failed batch leaves only itself red."""

from collections import Counter
from collections.abc import Callable

from movie_assets.catalog.detail_store import BatchFilms
from movie_assets_tests.support.selections import execute_again, launch
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]
DETAILS, EMBEDDINGS = "movie_details", "movie_embeddings"


def test_details_and_embeddings_of_a_range_are_both_done_in_one_run(small: Make) -> None:
    pipeline = small(film(64), film(65), film(67))
    pipeline.run("read_the_day")
    ran = launch(pipeline, DETAILS, EMBEDDINGS, batches=("batch_00", "batch_03"))
    assert ran.status == "SUCCESS"
    once = Counter(["batch_00", "batch_01", "batch_02", "batch_03"])
    assert ran.materialized() == {DETAILS: once, EMBEDDINGS: once}
    assert {DETAILS, EMBEDDINGS} <= ran.steps("STEP_SUCCESS")
    assert ran.steps("STEP_SKIPPED") == set()
    assert pipeline.column("select tmdb_id from pipeline.embeddings order by 1") == [64, 65, 67]


def test_a_failed_batch_leaves_only_itself_red_and_the_run_red(small: Make) -> None:
    pipeline = failing(small)
    ran = launch(pipeline, DETAILS, EMBEDDINGS, "movie_vectors", batches=("batch_00", "batch_01"))
    assert ran.status == "FAILURE"
    assert ran.steps("STEP_FAILURE") == {DETAILS}
    assert ran.steps("STEP_SKIPPED") == set()
    assert ran.materialized() == {
        DETAILS: Counter(["batch_01"]),
        EMBEDDINGS: Counter(["batch_00", "batch_01"]),  # the texts that are there; the failed films have none yet
        "movie_vectors": Counter([None]),
    }
    assert pipeline.found == [65]


def test_a_re_execution_from_failure_repeats_the_failed_step_and_what_follows_it(small: Make) -> None:
    pipeline = failing(small)
    ran = launch(pipeline, DETAILS, EMBEDDINGS, "movie_vectors", batches=("batch_00", "batch_01"))
    pipeline.world.responses.clear()
    pipeline.world.asked.clear()
    again = execute_again(pipeline, ran)
    assert again.status == "SUCCESS"
    assert {DETAILS, EMBEDDINGS, "movie_vectors"} <= again.steps("STEP_SUCCESS")
    assert again.materialized()[DETAILS] == Counter(["batch_00", "batch_01"])
    assert pipeline.world.asked.keys() == {64, 128, 192}
    assert pipeline.found == [64, 65, 128, 192]


def test_the_data_versions_of_a_selection_are_those_of_the_batches_contents(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run("read_the_day")
    ran = launch(pipeline, DETAILS, EMBEDDINGS, batches=("batch_00", "batch_01"))
    contents = {
        row.batch: row.content
        for row in pipeline.database.fetch(BatchFilms, "batch_contents", batches=[0, 1], media="movie")
    }
    assert {n: ran.data_version(DETAILS, f"batch_0{n}") for n in (0, 1)} == contents
    assert len({ran.data_version(EMBEDDINGS, f"batch_0{n}") for n in (0, 1)}) == 2


def test_ratings_that_are_off_do_not_have_the_aggregates_skipped(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    ran = launch(pipeline, "imdb_ratings", "movielens_ratings", "csv_ratings", "rating_aggregates")
    assert (ran.status, ran.steps("STEP_SKIPPED")) == ("SUCCESS", set())
    assert ran.materialized()["rating_aggregates"] == Counter([None])


def test_everything_downstream_of_a_batch_is_done_in_one_run(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run("read_the_day")
    names = [DETAILS, EMBEDDINGS, "movie_vectors", "similar_movies", "search_documents", "csv_ratings"]
    ran = launch(pipeline, *names, "rating_aggregates", "search_quality", partition="batch_00")
    assert (ran.status, ran.steps("STEP_SKIPPED")) == ("SUCCESS", set())
    assert ran.materialized().keys() == {*names, "rating_aggregates", "search_quality"}
    assert ran.materialized()[DETAILS] == ran.materialized()[EMBEDDINGS] == Counter(["batch_00"])
    assert pipeline.found == [64]


def test_a_step_whose_upstream_never_ended_can_be_repeated_alone(small: Make) -> None:
    """Dagster would wait for ever for the output of the step before, which nobody is going to emit."""
    pipeline = small(film(64))
    pipeline.run("read_the_day")
    pipeline.world.responses = {64: b'{"id": 1}'}
    ran = launch(pipeline, DETAILS, EMBEDDINGS, partition="batch_00")
    assert (ran.status, ran.steps("STEP_FAILURE"), ran.materialized()) == ("FAILURE", {DETAILS}, {})
    again = execute_again(pipeline, ran, EMBEDDINGS)
    assert (again.status, again.steps("STEP_SUCCESS")) == ("SUCCESS", {EMBEDDINGS})


def failing(small: Make) -> SmallPipeline:
    """A pipeline whose day was read and whose batch_00 will fail: none of its films has a usable answer."""
    pipeline = small(film(64), film(128), film(192), film(65))
    pipeline.run("read_the_day")
    pipeline.world.responses = dict.fromkeys((64, 128, 192), b'{"id": 1}')
    return pipeline
