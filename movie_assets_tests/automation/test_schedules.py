"""What the clock launches."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from movie_assets.definitions import defs


def test_half_past_eight_gives_the_days_partition() -> None:
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 10, 5, 8, 30, tzinfo=UTC))
    request: Any = defs.resolve_schedule_def("read_the_day_at_0830")(context)
    assert isinstance(request, dg.RunRequest)
    assert request.partition_key == "2026-10-05"
    assert request.run_key == "2026-10-05"


def test_the_clock_is_utc_and_strikes_once_a_day() -> None:
    schedule = defs.resolve_schedule_def("read_the_day_at_0830")
    assert schedule.cron_schedule == "30 8 * * *"
    assert schedule.execution_timezone == "UTC"


def ratings_at_half_past_ten() -> Any:
    context = dg.build_schedule_context(scheduled_execution_time=datetime(2026, 10, 5, 10, 30, tzinfo=UTC))
    return defs.resolve_schedule_def("read_ratings_at_1030")(context)


@pytest.mark.parametrize(
    ("variables", "assets"),
    [({"MOVIE_ASSETS_IMDB_RATINGS": "r.gz"}, ["imdb_ratings"]),
     ({"MOVIE_ASSETS_MOVIELENS_RATINGS": "ml", "MOVIE_ASSETS_RATINGS_CSV": "r.csv"},
      ["movielens_ratings", "csv_ratings"])],
)  # fmt: skip
def test_only_ratings_that_a_setting_names_are_read(
    variables: dict[str, str], assets: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    request = ratings_at_half_past_ten()
    assert [key.to_user_string() for key in request.asset_selection] == assets
    assert request.run_key == "2026-10-05"


def test_without_any_ratings_the_schedule_says_how_to_switch_them_on() -> None:
    assert "MOVIE_ASSETS_IMDB_RATINGS" in str(ratings_at_half_past_ten().skip_message)
