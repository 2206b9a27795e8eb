"""The stored scores: when they are computed, and what their checks notice. Their values are in test_film_scores."""

from collections.abc import Callable
from typing import Any

import dagster as dg
import pytest

from movie_assets.ratings import rating_aggregates as stage
from movie_assets_tests.conftest import failed_checks, figures_of
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline

Make = Callable[..., SmallPipeline]


@pytest.fixture
def rated(small: Make) -> SmallPipeline:
    """A pipeline with forty films and their aggregates."""
    pipeline = small()
    put_films(pipeline.database, 1, 40)
    pipeline.run("publish")
    return pipeline


def scores(pipeline: SmallPipeline, scope: str) -> dict[str, Any]:
    """The aggregates of a scope by key."""
    with pipeline.database.transaction() as connection:
        sql = f"select * from catalog.rating_aggregates where scope = '{scope}'"
        return {row.key: row for row in connection.exec_driver_sql(sql)}


def test_groups_by_language_year_and_decade_add_up_to_the_films(rated: SmallPipeline) -> None:
    for scope in ("language", "year", "decade"):
        assert sum(row.films for row in scores(rated, scope).values()) == 40
    assert scores(rated, "language")["fr"].films == 13
    assert scores(rated, "decade").keys() == {"1990s"}


def test_a_film_without_votes_has_no_score(rated: SmallPipeline) -> None:
    rated.do("update catalog.movie_stats set vote_count = 0, vote_average = 0 where tmdb_id = 7")
    assert "totals_reconcile" not in failed_checks(rated.run("publish"))
    assert "7" not in scores(rated, "film")
    assert len(scores(rated, "film")) == 39


def test_a_catalogue_without_any_votes_has_no_scores(rated: SmallPipeline) -> None:
    rated.do("update catalog.movie_stats set vote_count = 0, vote_average = 0")
    assert rated.run("publish").success
    assert rated.one("select count(*) from catalog.rating_aggregates") == 0


def test_one_vote_of_ten_does_not_lead_the_list(rated: SmallPipeline) -> None:
    rated.do("update catalog.movie_stats set vote_count = 1, vote_average = 10 where tmdb_id = 1")
    rated.run("publish")
    stored = scores(rated, "film")
    assert stored["1"].score < max(row.score for row in stored.values())
    assert stored["1"].score_high - stored["1"].score_low > 8


def test_the_aggregates_are_replaced_as_a_whole(rated: SmallPipeline) -> None:
    rated.do("delete from catalog.movies where tmdb_id > 10")
    rated.do("update catalog.rating_aggregates set computed_at = '2000-01-01'")
    rated.run("publish")
    assert len(scores(rated, "film")) == 10
    assert rated.one("select min(computed_at) > '2001-01-01' from catalog.rating_aggregates")


def test_computing_twice_leaves_the_same_rows(rated: SmallPipeline) -> None:
    digest = "select md5(string_agg(t::text, ',' order by method_version, scope, key)) from catalog.rating_aggregates t"
    before = rated.one(digest)
    rated.run("publish")
    assert rated.one(digest) == before
    assert rated.column("select method_version from catalog.rating_methods") == ["pooled-sources-v2"]


@pytest.mark.parametrize(
    "harm",
    ["delete from catalog.rating_aggregates where scope = 'film' and key = '7'",
     "update catalog.rating_aggregates set votes = votes + 1 where scope = 'film' and key = '7'",
     "update catalog.rating_aggregates set films = films + 1 where scope = 'language' and key = 'fr'",
     "update catalog.rating_aggregates set films = films + 1 where scope = 'genre' and key = 'Drama'",
     "update catalog.rating_aggregates set source_scores = '{}' where source_scores is not null and key = '7'",
     "update catalog.rating_methods set is_current = false"],
)  # fmt: skip
def test_a_tampered_row_fails_the_check(rated: SmallPipeline, harm: str) -> None:
    rated.do(harm)
    result = run_checks(rated)
    assert failed_checks(result) == {"totals_reconcile"}


def run_checks(pipeline: SmallPipeline) -> Any:
    """Run the checks of the stored aggregates, without computing them again."""
    checks = dg.Definitions(
        asset_checks=[stage.totals_reconcile, stage.scores_are_within_bounds],
        resources={"database": pipeline.database, "settings": pipeline.settings},
        jobs=[dg.define_asset_job("checks", dg.AssetSelection.all_asset_checks())],
    )
    return checks.resolve_job_def("checks").execute_in_process(instance=pipeline.instance, raise_on_error=False)


NEW_RATING = (
    "insert into catalog.external_ratings (tmdb_id, source, scale_min, scale_max, raw_value, votes, seen_at) "
    "values (7, 'mine', 0, 5, 4, 10, now())"
)
VERSIONS = (
    "select method_version || ':' || scope || ':' || key || ':' || xmin from catalog.rating_aggregates order by 1"
)


def test_unchanged_scores_are_confirmed_as_of_now(rated: SmallPipeline) -> None:
    before, covered = rated.column(VERSIONS), rated.column("select computed_at from catalog.rating_methods")
    rated.do("update catalog.rating_methods set computed_at = '2020-01-01'")
    figures = figures_of(rated.run("publish"), "rating_aggregates")
    assert (figures["is_new"], figures["dagster/row_count"]) == (False, len(before))
    assert rated.column(VERSIONS) == before
    assert rated.column("select computed_at from catalog.rating_methods") == covered


@pytest.mark.parametrize(
    "change",
    [
        "update catalog.movie_stats set vote_count = vote_count + 1 where tmdb_id = 7",
        "update catalog.movies set genres = '{War}' where tmdb_id = 7",
        "update catalog.movies set countries = '{FR}' where tmdb_id = 7",
        NEW_RATING,
        "update catalog.rating_aggregates set score = score_low where scope = 'film' and key = '7'",
        "delete from catalog.rating_aggregates where scope = 'film' and key = '7'",
        "update catalog.rating_methods set is_current = false",
    ],
)
def test_scores_are_computed_again_when_their_inputs_or_they_themselves_were_changed(
    rated: SmallPipeline, change: str
) -> None:
    rated.do(change)
    result = rated.run("publish")
    assert figures_of(result, "rating_aggregates")["is_new"]
    assert failed_checks(result).isdisjoint({"totals_reconcile", "scores_are_within_bounds"})
    computed = stage.compute_scores(rated.database, rated.database.frame("stored_ratings", media="movie"), "movie").rows
    expected = {row.key: row.score for row in computed.itertuples() if row.scope == "film"}
    assert {key: row.score for key, row in scores(rated, "film").items()} == pytest.approx(expected)


def test_new_credits_are_new_groups_to_score(rated: SmallPipeline) -> None:
    rated.do("insert into catalog.people (person_id, name) values (77, 'A. Director')")
    rated.do(
        "insert into catalog.movie_crew (tmdb_id, person_id, job) select n, 77, 'Director' from generate_series(1, 5) n"
    )
    rated.run("publish")
    assert scores(rated, "person")["77"].films == 5
