"""A soak of three small days with the troubles that strike from outside. Takes minutes: pytest -m daemon."""

import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path

import psycopg
import pytest

from movie_assets_tests.soak import truth
from movie_assets_tests.soak.__main__ import derived, living
from movie_assets_tests.soak.troubles import ErrorClass
from movie_assets_tests.webserver.test_daemon import home  # noqa: F401  # a fixture

pytestmark = [pytest.mark.daemon, pytest.mark.skipif(sys.platform != "linux", reason="memory is read from /proc")]
PLAN: tuple[list[ErrorClass], ...] = (
    [ErrorClass("killed", "fetch_details", strike="kill the run")],
    [
        ErrorClass("restarted", "publish", strike="restart Postgres"),
        ErrorClass("late", "read_the_day", {"export_missing": 1.0}),
    ],
    [],
)


def test_three_days_end_in_the_truth_and_harm_is_noticed(home: Path) -> None:  # noqa: F811
    first = datetime.now(UTC).date() - timedelta(days=len(PLAN) - 1)
    with living(home, 400, 1, first, embedding_dimensions=64) as life:
        days = list(life.days(first, PLAN))
        assert [criterion.what for criterion in derived(life, days) if criterion.holds is False] == []
        assert days[1].tries["read_the_day"] == 2
        gauged = ("daemon", "web", "code", "postgres", "buffers")
        assert all(day.gauges["memory"][name] > 5 for day in days for name in gauged)
        address = life.deployment.settings.database_url
        assert address is not None
        with psycopg.connect(address.get_secret_value()) as connection:
            film = connection.execute("select min(tmdb_id) from catalog.movie_vectors").fetchone()
            connection.execute("update catalog.movies set overview = 'another' where tmdb_id = %s", film)
            connection.execute("delete from catalog.movie_vectors where tmdb_id = %s", film)
            span = (first, first + timedelta(days=len(PLAN) - 1))
            found = truth.derived(connection, life.world, span, life.deployment.settings.thresholds)
        assert (found.lost, found.duplicated, found.wrong) == (1, 0, 2)
