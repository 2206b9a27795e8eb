"""A pipeline for the tests of files of ratings."""

from collections.abc import Callable

import pytest

from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline


@pytest.fixture
def rated(small: Callable[..., SmallPipeline]) -> SmallPipeline:
    """A pipeline with films 1 to 120; each has the IMDb id tt0000000 and its number, film 120 that of film 119."""
    pipeline = small()
    put_films(pipeline.database, 1, 120)
    pipeline.do(
        "insert into catalog.movie_external_ids "
        "select tmdb_id, 'imdb', 'tt' || lpad(least(tmdb_id, 119)::text, 7, '0') from catalog.movies"
    )
    return pipeline
