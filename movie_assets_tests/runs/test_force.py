"""Runs that are launched with `force: true` do again what is done; without it, only what is due."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

import dagster as dg
import numpy as np

from movie_assets.embeddings.embedder import Embedded
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.embeddings.roles import Role
from movie_assets_tests.embeddings.test_budgets import spent, with_films
from movie_assets_tests.embeddings.test_movie_embeddings import ALL_BATCHES
from movie_assets_tests.support.definitions import defs
from movie_assets_tests.support.detail_runs import goes_down_after
from movie_assets_tests.support.selections import Ran, execute_again, launch
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]
DETAILS, EMBEDDINGS = "movie_details", "movie_embeddings"


def forced(asset: str, **config: Any) -> dict[str, Any]:
    return {"ops": {asset: {"config": {"force": True, **config}}}}


def built(small: Make, *films: dict[str, Any]) -> SmallPipeline:
    """A pipeline whose day is done."""
    pipeline = small(*films)
    pipeline.run_all()
    pipeline.world.asked.clear()
    return pipeline


def vectors(pipeline: SmallPipeline) -> dict[int, np.ndarray[Any, Any]]:
    """The vectors that searches see."""
    with pipeline.database.transaction() as connection:
        found = connection.exec_driver_sql("select title_id, embedding::text from catalog.title_vectors_1")
        return {tmdb_id: np.array(text.strip("[]").split(","), float) for tmdb_id, text in found}


def first_line(ran: Ran) -> str:
    return ran.messages()[0]


def test_without_force_only_what_is_due_is_fetched_and_the_first_line_says_so(small: Make) -> None:
    pipeline = built(small, film(64), film(128))
    ran = launch(pipeline, DETAILS, partition="batch_00")
    assert first_line(ran) == (
        "fetching only what is due: 0 films; to do every one of the batch again, launch with force: true"
    )
    assert not pipeline.world.asked


def test_with_force_every_accepted_film_of_the_batch_is_fetched_again(small: Make) -> None:
    pipeline = built(small, film(64), film(128), film(192, runtime=1), film(65))
    pipeline.world.put(film(64, title="Another title"))
    ran = launch(pipeline, DETAILS, partition="batch_00", config=forced(DETAILS))
    assert ran.status == "SUCCESS"
    assert first_line(ran) == "force: true, so fetching 2 films again, and 0 that are due"
    assert pipeline.world.asked == {64: 1, 128: 1}
    assert pipeline.one("select title from catalog.movies where tmdb_id = 64") == "Another title"


def test_a_forced_run_that_is_repeated_goes_on_where_it_was_stopped(small: Make) -> None:
    pipeline = built(small, *(film(64 * n) for n in range(1, 301)))
    pipeline.turn_day()
    goes_down_after(pipeline, 250)
    ran = launch(pipeline, DETAILS, partition="batch_00", config=forced(DETAILS))
    assert ran.status == "FAILURE"
    again = "select count(*) from pipeline.raw_details where fetched_at >= '2026-10-06'"
    done = pipeline.one(again)
    assert 200 <= done < 300
    pipeline.serving.faults = {}
    pipeline.world.before_answer = lambda: None
    pipeline.world.asked.clear()
    repeated = execute_again(pipeline, ran)
    assert (repeated.status, pipeline.one(again)) == ("SUCCESS", 300)
    assert pipeline.world.asked.total() == 300 - done


def test_the_days_limit_holds_for_a_forced_run_which_then_ends_red(small: Make) -> None:
    pipeline = built(small, film(64), film(128))
    pipeline.turn_day()
    pipeline.with_settings(daily_films=1)
    ran = launch(pipeline, DETAILS, partition="batch_00", config=forced(DETAILS))
    assert (ran.status, ran.materialized()) == ("FAILURE", {})
    assert pipeline.world.asked.total() == 1


class OtherVectors(LocalEmbedder):
    """An embedder of the same set whose vectors are others than before."""

    def embed(self, texts: Sequence[str], role: Role = "document") -> Embedded:
        embedded = super().embed(texts, role)
        return replace(embedded, vectors=-embedded.vectors)


def test_with_force_every_text_is_embedded_again_and_searches_see_the_new_vectors(small: Make) -> None:
    pipeline = built(small, film(64), film(128), film(65))
    before = vectors(pipeline)
    lists = pipeline.one("select count(*) from pipeline.similar_lists")
    pipeline.embedder = OtherVectors("hashing-v1", 64)
    unforced = launch(pipeline, EMBEDDINGS, partition="batch_00")
    assert first_line(unforced) == (
        "embedding only what is due: 0 texts; to do every one of the batch again, launch with force: true"
    )
    ran = launch(pipeline, EMBEDDINGS, partition="batch_00", config=forced(EMBEDDINGS))
    assert ran.status == "SUCCESS"
    assert first_line(ran) == "force: true, so embedding 2 texts again, and 0 that are due"
    assert pipeline.one("select sum(texts) from pipeline.embedding_costs") == 5
    assert pipeline.one("select count(*) from pipeline.embeddings where is_replaced") == 2
    assert launch(pipeline, "movie_vectors", "similar_movies").status == "SUCCESS"
    after = vectors(pipeline)
    assert {n: bool(np.allclose(after[n], -before[n], atol=1e-3)) for n in before} == {64: True, 128: True, 65: False}
    assert pipeline.one("select count(*) from pipeline.embeddings where is_replaced") == 0
    assert pipeline.one("select count(*) from pipeline.similar_lists") == lists


def test_the_runs_budget_holds_for_a_forced_run(small: Make) -> None:
    pipeline = with_films(small, films=64)  # one in each batch
    launch(pipeline, EMBEDDINGS, batches=ALL_BATCHES)
    paid = spent(pipeline)
    pipeline.with_settings(run_dollars=paid / 2)
    ran = launch(pipeline, EMBEDDINGS, batches=ALL_BATCHES, config=forced(EMBEDDINGS))
    evaluations = [each for each in (record.asset_check_evaluation for record in ran.records) if each]
    of_the_run = next(each for each in evaluations if each.check_name == "the_run_is_within_its_budgets")
    assert (ran.status, of_the_run.passed) == ("FAILURE", False)
    assert 0 < spent(pipeline) - paid <= paid / 2
    assert 0 < len(ran.materialized()[EMBEDDINGS]) < 64


def test_the_budget_of_a_forced_run_is_evaluated_for_what_it_does(small: Make) -> None:
    pipeline = with_films(small, films=64)
    launch(pipeline, EMBEDDINGS, batches=ALL_BATCHES)
    paid = spent(pipeline)
    pipeline.with_settings(run_dollars=2 * paid, daily_dollars=3 * paid)
    ran = launch(pipeline, EMBEDDINGS, batches=ALL_BATCHES, config=forced(EMBEDDINGS))
    assert ran.status == "SUCCESS"
    evaluations = [each for each in (record.asset_check_evaluation for record in ran.records) if each]
    of_budget = [each for each in evaluations if each.check_name == "the_run_is_within_its_budgets"]
    assert [each.metadata["texts"].value for each in of_budget] == [64, 64]  # by the asset's step, then by the check's
    assert all(each.metadata == of_budget[0].metadata and each.passed for each in of_budget)


def test_the_launchpad_shows_force_and_what_it_does() -> None:
    for asset in (DETAILS, EMBEDDINGS):
        definition = next(a for a in defs.assets or () if isinstance(a, dg.AssetsDefinition) and a.key.path == [asset])
        schema: Any = definition.op.config_schema
        field = schema.config_type.fields["force"]
        assert (field.default_value, "whole batch" in str(field.description)) == (False, True)
        assert "`force: true`" in str(definition.descriptions_by_key[definition.key])
