"""The stored scores by TMDB's votes alone (`shrunk-mean-v1`), and what holds for the scores of every method.

Those of all sources are in test_film_scores.
"""

import math
import statistics
from collections import defaultdict
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
        sql = f"select * from catalog.rating_aggregates where method_version = 'shrunk-mean-v1' and scope = '{scope}'"
        return {row.key: row for row in connection.exec_driver_sql(sql)}


def films(pipeline: SmallPipeline) -> list[Any]:
    with pipeline.database.transaction() as connection:
        return list(connection.exec_driver_sql(
            "select m.*, s.vote_average, s.vote_count from catalog.movies m join catalog.movie_stats s using (tmdb_id)"
        ))  # fmt: skip


def expected_film_scores(rows: list[Any]) -> dict[str, tuple[float, float]]:
    """Score and half interval, on 0-100: votes and 100 votes of the usual average, one vote deviating by 2.1."""
    usual = math.fsum(f.vote_average * f.vote_count for f in rows) / sum(f.vote_count for f in rows)
    return {
        str(f.tmdb_id): (
            10 * (f.vote_average * f.vote_count + usual * 100) / (f.vote_count + 100),
            10 * 1.96 * 2.1 / math.sqrt(f.vote_count + 100),
        )
        for f in rows
    }


def test_film_scores_agree_with_an_independent_computation(rated: SmallPipeline) -> None:
    stored = scores(rated, "film")
    expected = expected_film_scores(films(rated))
    assert stored.keys() == expected.keys()
    for key, (score, margin) in expected.items():
        assert stored[key].score == pytest.approx(score)
        assert stored[key].score_low == pytest.approx(max(0, score - margin))
        assert stored[key].score_high == pytest.approx(min(100, score + margin))


def test_genre_scores_agree_with_an_independent_computation(rated: SmallPipeline) -> None:
    by_film = expected_film_scores(films(rated))
    members: dict[str, list[float]] = defaultdict(list)
    votes: dict[str, int] = defaultdict(int)
    for f in films(rated):
        for genre in f.genres:
            members[genre].append(by_film[str(f.tmdb_id)][0])
            votes[genre] += f.vote_count
    stored = scores(rated, "genre")
    assert stored.keys() == members.keys() == {"Drama", "Comedy"}
    for genre, values in members.items():
        margin = 1.96 * statistics.stdev(values) / math.sqrt(len(values))
        assert (stored[genre].films, stored[genre].votes) == (20, votes[genre])
        assert stored[genre].score == pytest.approx(statistics.fmean(values))
        assert stored[genre].score_low == pytest.approx(statistics.fmean(values) - margin)


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
    assert rated.column("select method_version from catalog.rating_methods order by 1") == [
        "pooled-sources-v2", "shrunk-mean-v1",
    ]  # fmt: skip


@pytest.mark.parametrize(
    "harm",
    ["delete from catalog.rating_aggregates where scope = 'film' and key = '7'",
     "delete from catalog.rating_aggregates where method_version = 'shrunk-mean-v1' and key = '7'",
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
        resources={"database": pipeline.database},
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
        "delete from catalog.rating_methods where not is_current",
    ],
)
def test_scores_are_computed_again_when_their_inputs_or_they_themselves_were_changed(
    rated: SmallPipeline, change: str
) -> None:
    rated.do(change)
    result = rated.run("publish")
    assert figures_of(result, "rating_aggregates")["is_new"]
    assert failed_checks(result).isdisjoint({"totals_reconcile", "scores_are_within_bounds"})
    stored, expected = scores(rated, "film"), expected_film_scores(films(rated))
    assert {key: row.score for key, row in stored.items()} == pytest.approx({k: v[0] for k, v in expected.items()})


def test_new_credits_are_new_groups_to_score(rated: SmallPipeline) -> None:
    rated.do("insert into catalog.people (person_id, name) values (77, 'A. Director')")
    rated.do(
        "insert into catalog.movie_crew (tmdb_id, person_id, job) select n, 77, 'Director' from generate_series(1, 5) n"
    )
    rated.run("publish")
    assert scores(rated, "person")["77"].films == 5
