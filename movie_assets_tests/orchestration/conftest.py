"""Fixtures that several test modules of this room use."""

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

import dagster as dg
import pytest

from movie_assets_tests.support.clock import start_of_today


@pytest.fixture
def instance(tmp_path: Path) -> Iterator[dg.DagsterInstance]:
    # A schedule opens its instance by reference, which one in memory has none of.
    with dg.DagsterInstance.local_temp(str(tmp_path)) as opened:
        yield opened


@pytest.fixture
def today() -> datetime:
    return start_of_today()
