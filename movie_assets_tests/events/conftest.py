"""One database for the tests of a module: each begins without titles, events and webhooks."""

from collections.abc import Iterator

import pytest

from movie_assets.database.database import Database
from movie_assets_tests.conftest import database_of_ones_own

EMPTY = """
delete from catalog.titles;
delete from catalog.events;
delete from pipeline.event_baseline;
delete from pipeline.webhooks;
set constraints all immediate;
update catalog.event_bounds set last_sequence = 0, deleted_to = 0
"""


@pytest.fixture(scope="module")
def shared_database(server: str, template: str) -> Iterator[Database]:
    with database_of_ones_own(server, template) as opened:
        yield opened


@pytest.fixture
def database(shared_database: Database) -> Database:
    with shared_database.transaction() as connection:
        for statement in EMPTY.split(";"):
            connection.exec_driver_sql(statement)
    return shared_database
