"""Fixtures that several test modules of this room use."""

from collections.abc import Iterator

import pytest

from movie_assets.database.database import Database
from movie_assets.search.search_documents import update_documents
from movie_assets_tests.conftest import database_of_ones_own
from movie_assets_tests.histories.history_imports import run
from movie_assets_tests.support.made_films import FILMS, put


@pytest.fixture
def catalogue(server: str, template: str) -> Iterator[Database]:
    with database_of_ones_own(server, template) as opened:
        put(opened, FILMS)
        update_documents(opened)
        run(opened, "insert into catalog.movie_external_ids values (1, 'imdb', 'tt0000079'), (7, 'imdb', 'tt0000021')")
        yield opened
