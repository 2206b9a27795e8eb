"""What searches see: the rows, the index, and the checks that watch both."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from movie_assets.search.movie_vectors import IndexState
from movie_assets_tests.conftest import failed_checks, figures, figures_of
from movie_assets_tests.support.indexes import ALWAYS_INDEXED
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import (
    SmallPipeline,
    pipeline_on_copy,
    prepared_database,
    publish_twelve_films,
)

Make = Callable[..., SmallPipeline]
VERSIONS = "select title_id || ':' || xmin from catalog.title_vectors_1 order by title_id"


@pytest.fixture(scope="module")
def twelve_films(server: str, template: str) -> Iterator[str]:
    with prepared_database(server, template, lambda make: publish_twelve_films(make, ALWAYS_INDEXED)) as name:
        yield name


@pytest.fixture
def published(server: str, twelve_films: str) -> Iterator[SmallPipeline]:
    """A pipeline with twelve films that searches see, in an index."""
    with pipeline_on_copy(server, twelve_films) as pipeline:
        yield pipeline


def index_is_valid(pipeline: SmallPipeline) -> list[bool]:
    return [row.is_valid for row in pipeline.database.fetch(IndexState, "index_state")]


def test_rows_that_did_not_move_are_not_touched(published: SmallPipeline) -> None:
    before = published.column(VERSIONS)
    put_films(published.database, 256, 256)
    results = published.run_all("embed_texts", "publish")
    after = published.column(VERSIONS)
    assert set(before) < set(after)
    assert figures_of(results[1], "movie_vectors")["rows_out"] == 1


def test_removed_films_leave(published: SmallPipeline) -> None:
    published.do("delete from catalog.movies where tmdb_id in (64, 65)")
    (result,) = published.run_all("publish")
    assert figures_of(result, "movie_vectors")["rows_removed"] == 2
    assert len(published.found) == 10


def test_a_film_whose_text_moved_keeps_its_vector_until_the_new_one_is_there(published: SmallPipeline) -> None:
    published.do("update catalog.movies set text_hash = 'moved' where tmdb_id = 64")
    result = published.run("publish")
    assert 64 in published.found
    assert failed_checks(result) == {"vectors_agree_with_the_catalogue"}
    assert figures(result, "vectors_agree_with_the_catalogue")["vectors_of_older_text"] == 1


def test_a_film_without_a_vector_fails_the_agreement(published: SmallPipeline) -> None:
    put_films(published.database, 256, 256)
    result = published.run("publish")
    assert failed_checks(result) == {"vectors_agree_with_the_catalogue"}
    assert figures(result, "vectors_agree_with_the_catalogue")["films_without_vector"] == 1


def test_a_vector_of_zeros_is_not_published(published: SmallPipeline) -> None:
    put_films(published.database, 256, 256)
    published.run_all("embed_texts")
    published.do(f"update pipeline.embeddings set embedding = '{[0] * 64}' where tmdb_id = 256")
    published.run("publish")
    assert 256 not in published.found


def test_the_index_is_built_and_valid(published: SmallPipeline) -> None:
    assert index_is_valid(published) == [True]


def test_a_valid_index_is_left_alone(published: SmallPipeline) -> None:
    (result,) = published.run_all("publish")
    assert figures_of(result, "movie_vectors")["index_built"] is False


def test_a_set_whose_searches_compare_all_has_no_index(small: Make) -> None:
    pipeline = small()
    put_films(pipeline.database, 64, 65)
    pipeline.run_all("embed_texts")
    (result,) = pipeline.run_all("publish")
    assert figures_of(result, "movie_vectors")["index_built"] is False
    assert failed_checks(result) == set()
    assert pipeline.one("select to_regclass('catalog.title_vectors_1_nearest') is null")
    assert pipeline.one("select ef_search is null from catalog.embedding_sets")


def test_an_index_that_is_not_needed_any_more_is_dropped(published: SmallPipeline) -> None:
    published.do(ALWAYS_INDEXED.replace("select 0", "select 12"))
    published.run("publish")
    assert index_is_valid(published) == [True]
    published.do(ALWAYS_INDEXED.replace("select 0", "select 16"))  # 12 films are less than four fifths
    published.run("publish")
    assert published.one("select to_regclass('catalog.title_vectors_1_nearest') is null")


@pytest.mark.parametrize(
    "harm",
    [
        "drop index catalog.title_vectors_1_nearest",
        "update pg_index set indisvalid = false where indexrelid = 'catalog.title_vectors_1_nearest'::regclass",
    ],
)
def test_a_missing_or_invalid_index_is_rebuilt(published: SmallPipeline, harm: str) -> None:
    published.do(harm)
    assert index_is_valid(published) != [True]
    (result,) = published.run_all("publish")
    assert figures_of(result, "movie_vectors")["index_built"] is True
    assert failed_checks(result) == set()
    assert index_is_valid(published) == [True]


def test_publishing_twice_leaves_the_same_rows(published: SmallPipeline) -> None:
    before = published.column(VERSIONS)
    published.run_all("publish")
    assert published.column(VERSIONS) == before


@pytest.mark.parametrize(
    ("change", "column", "value"),
    [("runtime_minutes = 222", "runtime_minutes", 222), ("certification = 'PG'", "certification", "PG"),
     ("genres = '{Western}'", "genres", ["Western"]), ("release_date = '1955-05-05'", "release_year", 1955),
     ("original_language = 'sv'", "original_language", "sv")],
)  # fmt: skip
def test_what_searches_filter_on_follows_the_film(
    published: SmallPipeline, change: str, column: str, value: Any
) -> None:
    before = published.one("select embedding::text from catalog.title_vectors_1 where title_id = 64")
    published.do(f"update catalog.movies set {change} where tmdb_id = 64")
    (result,) = published.run_all("publish")
    assert published.one(f"select {column} from catalog.title_vectors_1 where title_id = 64") == value
    assert published.one("select embedding::text from catalog.title_vectors_1 where title_id = 64") == before
    assert figures_of(result, "movie_vectors")["filters_changed"] == 1


def test_popularity_and_votes_touch_no_vector(published: SmallPipeline) -> None:
    before = published.column(VERSIONS)
    published.do("update catalog.movie_stats set popularity = 99, vote_count = 5000, seen_at = now()")
    published.run_all("publish")
    assert published.column(VERSIONS) == before


def test_a_film_that_left_is_not_found_before_the_next_publication(published: SmallPipeline) -> None:
    published.do("delete from catalog.movies where tmdb_id = 65")
    vector = published.one("select embedding::text from catalog.title_vectors_1 where title_id = 65")
    found = published.column(f"select tmdb_id from catalog.match_movies('{vector}', -1, 100)")
    assert len(found) == 11
    assert 65 not in found


def test_postgres_knows_how_many_vectors_a_new_set_has_before_it_joins_them(published: SmallPipeline) -> None:
    """Without statistics the join compared each vector with all films: 10 s of 18,914, and 18 times that of 79,973."""
    published.do("alter table pipeline.title_embeddings set (autovacuum_enabled = off)")
    published.do("update pg_class set reltuples = -1 where oid = 'pipeline.title_embeddings'::regclass")
    published.do("truncate catalog.title_vectors_1")
    published.do("select pipeline.refresh_vectors(1)")
    assert published.column("select reltuples from pg_class where relname = 'title_embeddings'") == [12]


def test_an_empty_catalogue_can_be_published(small: Make) -> None:
    pipeline = small()
    assert pipeline.run("publish").success
    assert pipeline.found == []
