"""Ratings and scores of series: their own prior and calibration, and nothing that movies have changes by them."""

import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from movie_assets_tests.conftest import database_of_ones_own, failed_checks, figures_of
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline, small_pipelines

SERIES = 1_000_000_000
OF_MOVIES = {
    "rating_aggregates": "select to_jsonb(a) - 'computed_at' from catalog.rating_aggregates a "
    "where method_version = 'pooled-sources-v2' order by scope, key",
    "rating_methods": "select to_jsonb(m) - 'computed_at' from catalog.rating_methods m where media_type = 'movie'",
} | {
    name: f"select to_jsonb(v) - 'computed_at' from catalog.{name} v order by to_jsonb(v)"
    for name in (
        "rating_sources", "film_scores", "group_scores", "scored_films", "trending", "hidden_gems", "by_genre",
        "new_releases", "upcoming", "award_worthy", "external_ratings",
    )
}  # fmt: skip
TITLES = {
    "trending_titles": "trending", "hidden_gem_titles": "hidden_gems", "titles_by_genre": "by_genre",
    "newly_released_titles": "new_releases", "upcoming_titles": "upcoming", "award_worthy_titles": "award_worthy",
}  # fmt: skip
# Films of other days of release and other popularities, so that each list has some.
SPREAD = """
update catalog.titles t set release_date = case catalog.tmdb_id(title_id) % 4
    when 0 then current_date - 10 when 1 then current_date + 10 else date '2001-01-01' end
where title_id between {0} + 1 and {0} + 60;
update catalog.title_stats set popularity = catalog.tmdb_id(title_id)
where title_id between {0} + 1 and {0} + 60;
update catalog.title_stats set vote_average = case when vote_count < 120 then 9 else vote_average end;
insert into catalog.title_stats_history (title_id, day, popularity, vote_average, vote_count)
select title_id, d::date, 1 + title_id % 7 * (d::date - date '2024-01-01'), 7, vote_count
from catalog.title_stats cross join generate_series(date '2024-01-01', date '2024-01-05', '1 day') d
on conflict do nothing;
insert into catalog.title_external_ids (title_id, source, value)
select title_id, 'imdb', 'tt' || lpad((title_id % 900000000)::text, 9, '0')
from catalog.titles where title_id between {0} + 1 and {0} + 60;
"""


def imdb_file(path: Path) -> str:
    """Write a file of IMDb's with ratings of the movies, of the series and of an episode that nothing is known of."""
    lines = ["tconst\taverageRating\tnumVotes", "tt8888888\t9.9\t12"]
    for first in (0, SERIES):
        for n in range(1, 61):
            value = 6 + n % 30 / 10 if not first else 5 + n % 30 / 20
            lines.append(f"tt{(first + n) % 900_000_000:09d}\t{value:.1f}\t{500 + n}")
    path.write_bytes(gzip.compress(("\n".join(lines) + "\n").encode()))
    return str(path)


@pytest.fixture(scope="module")
def scored(
    server: str, template: str, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[SmallPipeline, dict[str, Any], Any]]:
    """The pipeline after series were switched on, what movies had before that, and the publication of both."""
    path = imdb_file(tmp_path_factory.mktemp("imdb") / "title.ratings.tsv.gz")
    with database_of_ones_own(server, template) as database, small_pipelines(database) as make:
        pipeline = make()
        pipeline.with_settings(imdb_ratings=path)
        put_films(database, 1, 60)
        pipeline.do(SPREAD.format(0).replace("%", "%%"))
        pipeline.run_all("read_ratings", "publish")
        pipeline.do("select pipeline.refresh_trends()")
        before = {name: pipeline.column(statement) for name, statement in OF_MOVIES.items()}
        put_films(database, SERIES + 1, SERIES + 60)
        pipeline.do(SPREAD.format(SERIES).replace("%", "%%"))
        pipeline.do("update catalog.title_stats set vote_average = 4 + vote_average / 4 where title_id > 1000000000")
        pipeline.with_settings(imdb_ratings=path, media=("movies", "series"))
        _, published = pipeline.run_all("read_ratings", "publish")
        pipeline.do("select pipeline.refresh_trends()")
        yield pipeline, before, published


def test_series_change_no_score_and_no_list_of_movies(scored: tuple[SmallPipeline, dict[str, Any], Any]) -> None:
    pipeline, before, published = scored
    assert figures_of(published, "rating_aggregates")["is_new"] is False
    for name, statement in OF_MOVIES.items():
        assert pipeline.column(statement) == before[name], name
        assert len(before[name]) > 0, name


def test_series_are_rated_and_scored_by_a_prior_of_their_own(
    scored: tuple[SmallPipeline, dict[str, Any], Any],
) -> None:
    pipeline, _, published = scored
    assert {"totals_reconcile", "scores_are_within_bounds"}.isdisjoint(failed_checks(published))
    rated = "select count(*) from catalog.title_ratings where source = 'imdb' and title_id / 1000000000 = {}"
    assert (pipeline.one(rated.format(0)), pipeline.one(rated.format(1))) == (60, 60)
    figures = figures_of(published, "rating_aggregates")
    assert figures["series_is_new"] is True
    means = "select (parameters ->> 'prior_mean')::float from catalog.rating_methods where media_type = '{}'"
    average = "select avg(score) from catalog.title_scores where media_type = '{}'"
    for media in ("movie", "series"):
        assert pipeline.one(means.format(media)) == pytest.approx(pipeline.one(average.format(media)), abs=1)
    assert pipeline.one(means.format("movie")) - pipeline.one(means.format("series")) > 10
    assert pipeline.one("select count(*) from catalog.title_scores where title_id <> tmdb_id "
                        f"and (media_type, title_id) = ('series', {SERIES} + tmdb_id)") == 60  # fmt: skip
    assert pipeline.one("select sum(films) from catalog.title_group_scores where (media_type, scope) = "
                        "('series', 'language')") == 60  # fmt: skip
    assert pipeline.run("publish").success
    assert pipeline.one("select count(*) from pipeline.reconcile('film-v1') a where a.rows_differing > 0 "
                        "and a.agreement like '%%has its score%%'") == 0  # fmt: skip


@pytest.mark.parametrize("name", TITLES)
def test_lists_rank_each_media_type_by_itself(scored: tuple[SmallPipeline, dict[str, Any], Any], name: str) -> None:
    pipeline, _, _ = scored
    columns = "array[rank, tmdb_id]" if name != "titles_by_genre" else "array[rank, tmdb_id, ascii(genre)]"
    by_media = f"select {columns} from catalog.{name} where media_type = '{{}}' order by 1"
    movies = pipeline.column(by_media.format("movie"))
    assert movies == pipeline.column(f"select {columns} from catalog.{TITLES[name]} order by 1")
    assert len(pipeline.column(by_media.format("series"))) > 0
    ranks = f"select bool_and(title_id / 1000000000 = (media_type = 'series')::integer) from catalog.{name}"
    assert pipeline.one(ranks)
    assert pipeline.one(f"select count(*) from catalog.{name} where media_type = 'series' and rank = 1") >= 1
