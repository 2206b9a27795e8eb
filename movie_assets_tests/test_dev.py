"""What `movie-assets dev` tells Dagster's processes; that they run is tried by `pytest -m daemon`."""

import subprocess
import sys

import pytest

from movie_assets.dev import environment_for
from movie_assets.startup import CHECKOUT

WHAT_IS_ON = """
from movie_assets.definitions import defs
repository = defs.get_repository_def()
print({each.default_status.name for each in (*repository.schedule_defs, *repository.sensor_defs)})
"""


def test_schedules_and_sensors_are_on_whatever_the_environment_says(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MOVIE_ASSETS_AUTOMATION", "0")
    told = subprocess.run(
        [sys.executable, "-c", WHAT_IS_ON], cwd=CHECKOUT, env=environment_for(3000), capture_output=True, text=True,
        check=True,
    )  # fmt: skip
    assert told.stdout == "{'RUNNING'}\n"


def test_links_in_alerts_lead_to_this_web_ui_unless_a_setting_says_otherwise(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MOVIE_ASSETS_WEB_URL", raising=False)
    assert environment_for(3005)["MOVIE_ASSETS_WEB_URL"] == "http://127.0.0.1:3005"
    monkeypatch.setenv("MOVIE_ASSETS_WEB_URL", "https://dagster.example.org")
    assert environment_for(3005)["MOVIE_ASSETS_WEB_URL"] == "https://dagster.example.org"
