"""The stored scores of all sources, compared with a second computation, also for unusual ratings."""

import json
from collections import defaultdict
from collections.abc import Callable
from typing import Any

import pytest

from movie_assets_tests.conftest import failed_checks, figures_of
from movie_assets_tests.ratings.independent_scores import Expected, SourceRating, expected_group, expected_scores
from movie_assets_tests.ratings.test_rating_aggregates import run_checks
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline

Make = Callable[..., SmallPipeline]
FILMS = 150
# Votes from one to hundreds of thousands; IMDb knows four films in five, and one that is not here.
RATINGS = """
update catalog.movie_stats set vote_average = 4 + tmdb_id * 37 %% 101 / 20.0, vote_count = 1 + tmdb_id * tmdb_id * 7;
update catalog.movie_stats set vote_average = 0, vote_count = 0 where tmdb_id in (9, 13);
insert into catalog.external_ratings (tmdb_id, source, scale_min, scale_max, raw_value, votes, seen_at)
select n, 'imdb', 1, 10, 2 + (4 + n * 37 %% 101 / 20.0) * 0.8 + n %% 7 / 10.0, 1 + n * n * 40, timestamptz '2026-10-05'
from generate_series(1, 150) n where n %% 5 > 0 and n <> 9
union all
select n, 'movielens', 0.5, 5, 1 + (4 + n * 37 %% 101 / 20.0) * 0.4 - n %% 5 / 10.0, 1 + n * 3, timestamptz '2026-10-05'
from generate_series(1, 150, 2) n where n <> 9
union all
select 99999, 'imdb', 1, 10, 9, 1000, timestamptz '2026-10-05';
update catalog.movies set countries = array['US'] || case when tmdb_id %% 4 = 0 then array['FR'] else '{}' end,
    collection_id = case when tmdb_id %% 10 < 3 then tmdb_id / 10 end, collection = 'of ten';
update catalog.movies set original_language = null, release_date = null, genres = '{}' where tmdb_id = 20;
insert into catalog.collections select n, 'Collection ' || n from generate_series(0, 15) n;
insert into catalog.people select n, 'Person ' || n from generate_series(1, 60) n;
insert into catalog.movie_crew select n, 1 + n %% 40, 'Director', 'Directing' from generate_series(1, 150) n;
insert into catalog.movie_crew select n, 50, 'Writer', 'Writing' from generate_series(1, 150) n;
insert into catalog.movie_cast
select n, 1 + (n + r) %% 55, r, 'Role' from generate_series(1, 150) n, generate_series(0, 5) r;
"""
# Each scope's groups, in SQL of its own: scope, key, film.
GROUPS = """
select 'genre', g, tmdb_id from catalog.movies, unnest(genres) g
union select 'year', extract(year from release_date)::text, tmdb_id from catalog.movies where release_date is not null
union select 'decade', left(release_date::text, 3) || '0s', tmdb_id from catalog.movies where release_date is not null
union select 'language', original_language, tmdb_id from catalog.movies where original_language is not null
union select 'country', c, tmdb_id from catalog.movies, unnest(countries) c
union select 'collection', collection_id::text, tmdb_id from catalog.movies where collection_id is not null
union select 'person', person_id::text, tmdb_id from catalog.movie_crew where job = 'Director'
union select 'person', person_id::text, tmdb_id from catalog.movie_cast where billing < 3
"""


@pytest.fixture
def rated(small: Make) -> SmallPipeline:
    """A pipeline with films of three sources and their scores."""
    pipeline = small()
    put_films(pipeline.database, 1, FILMS)
    for statement in RATINGS.strip().split(";\n"):
        pipeline.do(statement.rstrip(";"))
    assert published(pipeline)
    return pipeline


def published(pipeline: SmallPipeline) -> bool:
    """Publish; whether the scores' checks passed. Those of vectors, which are not there, did not."""
    result = pipeline.run("publish")
    return result.success and not failed_checks(result) & {"totals_reconcile", "scores_are_within_bounds"}


def all_rows(pipeline: SmallPipeline, sql: str) -> list[Any]:
    with pipeline.database.transaction() as connection:
        return list(connection.exec_driver_sql(sql))


def recomputed(pipeline: SmallPipeline) -> Expected:
    """The scores that the stored ratings of the catalogue's films lead to."""
    stored = all_rows(pipeline, "select s.tmdb_id, 'tmdb' as source, vote_average * 10 as value, vote_count as votes "
        "from catalog.movie_stats s where vote_count > 0 union all "
        "select tmdb_id, source, (raw_value - scale_min) / (scale_max - scale_min) * 100, votes "
        "from catalog.external_ratings join catalog.movies using (tmdb_id)")  # fmt: skip
    return expected_scores(SourceRating(*row) for row in stored)


def test_film_scores_are_those_of_an_independent_computation(rated: SmallPipeline) -> None:
    expected = recomputed(rated)
    rows = all_rows(rated, "select * from catalog.film_scores")
    assert {row.tmdb_id for row in rows} == set(expected.score) == set(range(1, FILMS + 1)) - {9}
    for row in rows:
        assert row.votes == expected.votes[row.tmdb_id]
        assert row.score == pytest.approx(expected.score[row.tmdb_id])
        assert (row.score_low, row.score_high) == pytest.approx(expected.bounds(row.tmdb_id))
    assert {name for name, (_, slope) in expected.calibrations.items() if slope != 1} == {"imdb", "movielens"}


def test_group_scores_are_those_of_an_independent_computation(rated: SmallPipeline) -> None:
    expected = recomputed(rated)
    members: dict[str, dict[str, list[int]]] = defaultdict(lambda: defaultdict(list))
    for scope, key, tmdb_id in all_rows(rated, GROUPS):
        if tmdb_id in expected.score:
            members[scope][key].append(tmdb_id)
    wanted = {
        (scope, key): films
        for scope, groups in members.items()
        for key, films in groups.items()
        if scope != "person" or len(films) >= 3
    }
    rows = all_rows(rated, "select * from catalog.group_scores")
    assert {(row.scope, row.key) for row in rows} == set(wanted)
    assert {row.scope for row in rows} == {"genre", "year", "decade", "language", "country", "collection", "person"}
    for row in rows:
        right = expected_group(expected, wanted[row.scope, row.key], list(members[row.scope].values()))
        assert (row.films, row.votes, row.score, row.score_low, row.score_high) == pytest.approx(right), row


def test_the_ratings_of_each_source_are_stored_beside_the_scores(rated: SmallPipeline) -> None:
    (film,) = all_rows(rated, "select source_scores from catalog.film_scores where tmdb_id = 11")
    sources = film.source_scores
    assert sources["imdb"]["votes"] == 1 + 11 * 11 * 40
    assert sources["tmdb"]["score"] == sources["tmdb"]["value"]
    assert sources.keys() == {"tmdb", "imdb", "movielens"}
    for row in all_rows(rated, "select votes, source_scores from catalog.group_scores"):
        assert sum(rating["votes"] for rating in row.source_scores.values()) == row.votes


def test_groups_have_names(rated: SmallPipeline) -> None:
    labels = {(row.scope, row.key): row.label for row in all_rows(rated, "select * from catalog.group_scores")}
    assert (labels["person", "7"], labels["collection", "2"]) == ("Person 7", "Collection 2")
    assert labels["country", "FR"] == "FR"


def test_computing_twice_leaves_the_same_rows(rated: SmallPipeline) -> None:
    digest = (
        "select md5(string_agg(t::text, ',' order by method_version, scope, key)) || "
        "(select string_agg(m::text, ',' order by method_version) from catalog.rating_methods m) "
        "from catalog.rating_aggregates t"
    )
    before = rated.one(digest)
    rated.run("publish")
    assert rated.one(digest) == before


def test_a_film_that_only_another_source_has_votes_for_is_scored(rated: SmallPipeline) -> None:
    rated.do("insert into catalog.external_ratings values (9, 'imdb', 1, 10, 8, default, 5000, '2026-10-05')")
    assert published(rated)
    rows = rated.one("select score from catalog.film_scores where tmdb_id = 9")
    assert rows == pytest.approx(recomputed(rated).score[9])
    by_method = "select method_version from catalog.rating_aggregates where scope = 'film' and key = '9'"
    assert rated.column(by_method) == ["pooled-sources-v2"]


def test_one_vote_of_ten_does_not_lead(rated: SmallPipeline) -> None:
    rated.do("update catalog.movie_stats set vote_average = 10, vote_count = 1 where tmdb_id = 13")
    rated.do("delete from catalog.external_ratings where tmdb_id = 13")
    rated.run("publish")
    assert rated.one("select tmdb_id from catalog.film_scores order by score desc limit 1") != 13
    assert rated.one("select score_high - score_low > 20 from catalog.film_scores where tmdb_id = 13")


def test_without_other_sources_the_scores_are_tmdbs_alone(rated: SmallPipeline) -> None:
    rated.do("truncate catalog.title_ratings")
    assert published(rated)
    assert rated.one("select count(*) from catalog.film_scores") == FILMS - 2
    sources = "select distinct jsonb_object_keys(source_scores) from catalog.rating_aggregates"
    assert rated.column(sources) == ["tmdb"]


def test_the_method_and_what_it_estimated_are_stored(rated: SmallPipeline) -> None:
    (current,) = all_rows(rated, "select * from catalog.rating_methods where is_current")
    expected = recomputed(rated)
    assert current.method_version == "pooled-sources-v2"
    assert current.parameters["prior_mean"] == pytest.approx(expected.prior_mean)
    assert current.parameters["prior_votes"] == pytest.approx(20.5**2 / expected.prior_deviation**2)
    assert current.parameters["calibrations"]["imdb"]["slope"] == pytest.approx(expected.calibrations["imdb"][1])


def test_a_run_has_tables_of_the_scores(rated: SmallPipeline) -> None:
    rated.do("update catalog.movie_stats set vote_count = vote_count + 1 where vote_count > 0")
    figures = figures_of(rated.run("publish"), "rating_aggregates")
    scored = {name: sum(row["films"] for row in figures[name]) for name in ("distribution", "score_by_votes")}
    assert scored["distribution"] == scored["score_by_votes"] > 100
    assert {row["source"]: row["films"] for row in figures["sources"]}["imdb"] == 119
    assert (figures["films_by_tmdb"], figures["films_by_imdb"], figures["films_by_movielens"]) == (148, 119, 74)


def test_ratings_of_one_source_that_are_not_counted_fail_the_check(rated: SmallPipeline) -> None:
    rated.do("update catalog.external_ratings set votes = votes + 1 where tmdb_id = 11 and source = 'imdb'")
    result = run_checks(rated)
    assert failed_checks(result) == {"totals_reconcile"}
    (evaluation,) = [e for e in result.get_asset_check_evaluations() if not e.passed]
    assert "votes by imdb" in str(evaluation.description)


@pytest.mark.parametrize("value", ["'NaN'", "'Infinity'", "-1", "11"])
def test_the_database_takes_no_absurd_value(rated: SmallPipeline, value: str) -> None:
    with pytest.raises(Exception, match="violates check constraint"):
        rated.do(f"update catalog.external_ratings set raw_value = {value} where tmdb_id = 11 and source = 'imdb'")
    json.dumps(all_rows(rated, "select parameters from catalog.rating_methods where is_current")[0].parameters)
