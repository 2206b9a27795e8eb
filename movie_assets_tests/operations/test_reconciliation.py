"""The weekly recount: it agrees after a day's work, finds each slip, and has it put right."""

from collections.abc import Callable, Iterator
from typing import Any

import dagster as dg
import pytest

from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.operations.derived_comparison import SCORES
from movie_assets.operations.response_comparison import RESPONSES
from movie_assets_tests.conftest import DAY, Pipeline, database_of_ones_own, failed_checks, settings_for
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

SECOND = "(select min(tmdb_id) from catalog.movies where tmdb_id > (select min(tmdb_id) from catalog.movies))"


@pytest.fixture(scope="module")
def lived(server: str, template: str) -> Iterator[Pipeline]:
    """The pipeline after a day's work, once for the module: each test leaves it as it found it."""
    options = EmulatorOptions(movies=90, today=DAY, rate_limit=0)
    with (
        database_of_ones_own(server, template) as database,
        TmdbEmulator(options) as tmdb_emulator,
        dg.DagsterInstance.ephemeral() as instance,
    ):
        pipeline = Pipeline(database, settings_for(tmdb_emulator), instance, LocalEmbedder("hashing-v1", 64))
        assert all(result.success for result in pipeline.run_day())
        yield pipeline


def recounted(pipeline: Pipeline) -> tuple[bool, dict[str, Any]]:
    """Whether everything agrees, and what differs with how much of it was repaired."""
    result = pipeline.run("reconcile")
    assert result.success
    with pipeline.database.transaction() as connection:
        rows = connection.exec_driver_sql(
            "select agreement, rows_compared, rows_differing, repaired from pipeline.reconciliations "
            "where run_id = %(run)s", {"run": result.run_id},
        ).all()  # fmt: skip
        connection.exec_driver_sql("delete from pipeline.reconciliations")
    assert len(rows) == 16
    # Scores whose votes or ratings moved since are computed by the next publication, and not compared before it.
    assert all(row.rows_compared >= 50 for row in rows if row.agreement != SCORES), rows
    differing = {row.agreement: (row.rows_differing, row.repaired) for row in rows if row.rows_differing}
    assert bool(differing) is ("everything_agrees" in failed_checks(result))
    return not differing, differing


def test_after_a_days_work_everything_agrees_and_nothing_is_due(lived: Pipeline) -> None:
    assert recounted(lived) == (True, {})
    derivation = lived.one("select max(judged_by) from pipeline.movie_ids")
    assert lived.one(f"select count(*) from pipeline.to_judge('{derivation}', now())") == 0


def test_a_film_that_is_not_what_its_response_says_is_written_again(lived: Pipeline) -> None:
    lived.do(f"update catalog.movies set runtime_minutes = null, poster_path = null where tmdb_id = {SECOND}")
    lived.do(f"delete from catalog.movie_genres where tmdb_id = {SECOND}")
    agrees, differing = recounted(lived)
    assert not agrees
    assert differing[RESPONSES][0] > 1
    assert lived.one(f"select runtime_minutes from catalog.movies where tmdb_id = {SECOND}") is not None
    assert lived.run("publish").success
    assert recounted(lived) == (True, {})
    assert lived.one(f"select count(*) from catalog.movie_genres where tmdb_id = {SECOND}") > 0


def test_an_answer_that_cannot_be_read_is_fetched_again(lived: Pipeline) -> None:
    lived.do(f"update pipeline.raw_details set body = '[]' where tmdb_id = {SECOND}")
    lived.do("update pipeline.raw_details set fetched_at = fetched_at - interval '1 hour'")
    lived.do("update pipeline.movie_ids set fetched_at = fetched_at - interval '1 hour'")  # all days begin at noon here
    _, differing = recounted(lived)
    assert differing == {RESPONSES: (1, 1)}
    assert lived.one("select count(*) from pipeline.due_at('2026-11-19 12:00:01+00') where reason = 'changed'") == 1
    assert lived.run("fetch_details").success
    assert lived.run("publish").success
    assert recounted(lived) == (True, {})


def test_a_vector_that_nobody_paid_for_is_taken_out_and_put_in_anew(lived: Pipeline) -> None:
    table = f"catalog.title_vectors_{lived.one('select set_id from pipeline.embedding_sets')}"
    lived.do(
        f"update {table} set embedding = (select embedding from {table} order by title_id desc limit 1) "
        f"where title_id = {SECOND}"
    )
    _, differing = recounted(lived)
    assert differing["each vector that is searched is the one that was paid for"] == (1, 1)
    assert lived.run("publish").success
    assert recounted(lived) == (True, {})


def test_a_document_that_was_lost_is_due_and_written_again(lived: Pipeline) -> None:
    found_by = f"select words from catalog.search_documents where tmdb_id = {SECOND}"
    words = lived.one(found_by)
    lived.do(f"delete from catalog.search_documents where tmdb_id = {SECOND}")
    _, differing = recounted(lived)
    assert differing["each film is found by the words that it has now"] == (1, 1)
    assert lived.run("publish").success
    assert lived.one(found_by) == words
    assert recounted(lived) == (True, {})


def test_a_word_that_was_counted_wrong_is_counted_right(lived: Pipeline) -> None:
    lived.do("update catalog.vocabulary set films = films + 1 where word = (select max(word) from catalog.vocabulary)")
    lived.do("delete from catalog.vocabulary where word = (select min(word) from catalog.vocabulary)")
    assert recounted(lived) == (False, {"each word of the vocabulary is counted right": (2, 2)})
    assert recounted(lived) == (True, {})


def test_scores_of_several_sources_agree_and_one_that_lacks_a_sources_votes_does_not(lived: Pipeline) -> None:
    lived.do(
        "insert into catalog.external_ratings (tmdb_id, source, scale_min, scale_max, raw_value, votes, seen_at) "
        "select tmdb_id, 'imdb', 1, 10, 7, 1000, now() from catalog.movies"
    )
    assert lived.run("publish").success
    assert recounted(lived) == (True, {})
    lived.do(f"update catalog.external_ratings set votes = 2000 where tmdb_id = {SECOND}")
    assert recounted(lived) == (False, {"each film with votes has its score, of as many votes": (1, 0)})
    lived.do("delete from catalog.external_ratings")
    assert lived.run("publish").success
    assert recounted(lived) == (True, {})


@pytest.mark.parametrize(
    ("damage", "agreement", "jobs"),
    [
        (f"delete from pipeline.document_sources where tmdb_id = {SECOND}",
         "each film is found by the words that it has now", ["publish"]),
        (f"delete from catalog.similar_movies where tmdb_id = {SECOND}",
         "each film that is searched has its list of similar films", ["publish"]),
        (f"delete from catalog.rating_aggregates where scope = 'film' and key = {SECOND}::text",
         "each film with votes has its score, of as many votes", ["publish"]),
        (f"delete from catalog.movies where tmdb_id = {SECOND}", RESPONSES, ["publish"]),
    ],
)  # fmt: skip
def test_what_differs_is_told_and_made_right_by_the_usual_run(
    damage: str, agreement: str, jobs: list[str], lived: Pipeline
) -> None:
    lived.do(damage)
    _, differing = recounted(lived)
    assert agreement in differing
    assert all(lived.run(job).success for job in jobs)
    assert recounted(lived) == (True, {})


def company(country: str) -> list[dict[str, Any]]:
    return [{"id": 7, "name": "Seven Pictures", "origin_country": country, "logo_path": None}]


def reconciled(pipeline: SmallPipeline) -> dict[str, tuple[int, int]]:
    """What differed, and how much of it was repaired, by agreement."""
    pipeline.run_all("reconcile")
    with pipeline.database.transaction() as connection:
        found = connection.exec_driver_sql(
            "select agreement, rows_differing, repaired from pipeline.reconciliations where rows_differing > 0"
        ).all()
        connection.exec_driver_sql("delete from pipeline.reconciliations")
    return {row.agreement: (row.rows_differing, row.repaired) for row in found}


def test_what_a_movie_that_left_said_of_a_company_is_no_difference(small: Callable[..., SmallPipeline]) -> None:
    country = "select country from catalog.companies where company_id = 7"
    pipeline = small(film(65, production_companies=company("US")))
    pipeline.run_all()
    pipeline.turn_day()
    pipeline.world.put(film(64, production_companies=company("CA")))
    pipeline.run_all()
    assert pipeline.one(country) == "CA"
    pipeline.turn_day()
    pipeline.world.put(film(64, production_companies=company("CA"), vote_count=10))
    pipeline.run_all()
    assert pipeline.movies == [65]
    assert reconciled(pipeline) == {}
    assert pipeline.one(country) == "US"  # what the movies that are left say
    pipeline.do("update catalog.companies set country = 'FR' where company_id = 7")
    assert [*reconciled(pipeline).values()] == [(1, 1)]
    assert pipeline.one(country) == "US"
