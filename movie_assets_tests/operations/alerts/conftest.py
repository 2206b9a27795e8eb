"""Fixtures of the tests of alerts."""

from collections.abc import Iterator

import dagster as dg
import pytest

from movie_assets.database.database import Database
from movie_assets_tests.listeners import Listener, listening
from movie_assets_tests.operations.alerts.daemon import Daemon, to, webhook


@pytest.fixture
def instance() -> Iterator[dg.DagsterInstance]:
    with dg.DagsterInstance.ephemeral() as opened:
        yield opened


@pytest.fixture
def listener() -> Iterator[Listener]:
    with listening() as opened:
        yield opened


@pytest.fixture
def daemon(database: Database, instance: dg.DagsterInstance, listener: Listener) -> Daemon:
    return Daemon(database, instance, to(webhook(listener)))
