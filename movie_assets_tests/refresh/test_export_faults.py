"""Faults of TMDB's export and feeds, through the assets."""

# ruff: noqa: F811  # `small` is a fixture of the assets' tests

from collections.abc import Callable

import pytest

from movie_assets_tests.refresh.export_faults import EXPORT_ROWS, ExportRow, Patch, without_name_service
from movie_assets_tests.support.small_pipelines import SmallPipeline, small  # noqa: F401  # a fixture
from movie_assets_tests.support.world import film
from movie_assets_tests.tmdb.tmdb_calls import shorten_waits


@pytest.fixture(autouse=True)
def quick(monkeypatch: Patch) -> None:
    shorten_waits(monkeypatch)


@pytest.mark.parametrize(
    "row", [pytest.param(row, id=f"{row.number}-{row.fault}-{row.holds.__name__}") for row in EXPORT_ROWS]
)
def test_a_fault_of_the_export(small: Callable[..., SmallPipeline], row: ExportRow, monkeypatch: Patch) -> None:
    without_name_service(monkeypatch)
    pipeline = small(*(film(64 * n) for n in range(1, 41)))
    pipeline.run_all("read_the_day")
    row.holds(pipeline, row)
