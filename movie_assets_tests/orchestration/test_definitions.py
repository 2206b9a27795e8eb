"""What Dagster loads, and what it shows of it. FILE of `registered` lists the names."""

import os
import subprocess
import sys
import tomllib
from datetime import date, datetime, timedelta
from typing import Any, cast

import dagster as dg
import pytest
from dagster_shared.yaml_utils import load_yaml_from_path

from movie_assets.catalog.media_assets import MOVIE_ASSETS, SERIES_ASSETS, switched_off
from movie_assets.config.paths import CHECKOUT
from movie_assets.database.database import Database
from movie_assets.operations.ages import ALLOWED_AGES
from movie_assets.orchestration import rooms
from movie_assets.orchestration.freshness import FRESHNESS, with_freshness
from movie_assets.orchestration.jobs import assets_of
from movie_assets.orchestration.launch_decisions import WAIT_UNTIL
from movie_assets.ratings.rating_sources import imdb_ratings
from movie_assets.runs.locations import LOCATION
from movie_assets.runs.partitions import BATCH_COUNT, batch_of, batches
from movie_assets_tests.orchestration.registered import FILE, listed, registered, write
from movie_assets_tests.support.definitions import definitions_of, defs

LISTED = listed()
ASSETS = list(LISTED["assets"])
MADE = {key.to_user_string() for each in rooms.ASSETS for key in each.keys}


def asset(name: str) -> dg.AssetsDefinition:
    return defs.resolve_assets_def(name)


def test_dagster_accepts_the_definitions() -> None:
    dg.Definitions.validate_loadable(defs)


def test_assets_and_checks_of_series_are_there_only_where_the_catalogue_has_them() -> None:
    both = definitions_of("movies", "series")
    dg.Definitions.validate_loadable(both)
    of_movies, of_both = (
        {key.to_user_string() for key in each.resolve_asset_graph().get_all_asset_keys()} for each in (defs, both)
    )
    assert of_both - of_movies == {name for name in SERIES_ASSETS.names if name in MADE}
    assert of_movies < of_both
    embedded = both.resolve_asset_graph().get(dg.AssetKey("movie_embeddings"))
    assert {key.to_user_string() for key in embedded.parent_keys} == {MOVIE_ASSETS.details, SERIES_ASSETS.details}
    assert assets_of("read_the_day") == list(MOVIE_ASSETS.names[:-1])
    assert set(assets_of("read_the_day", ("movie", "series"))) == {
        *MOVIE_ASSETS.names[:-1], *SERIES_ASSETS.names[:-1],
    }  # fmt: skip
    checks = {(key.asset_key.to_user_string(), key.name) for key in both.resolve_asset_graph().asset_check_keys}
    stages = dict(zip(MOVIE_ASSETS.names[:-1], SERIES_ASSETS.names[:-1], strict=True))
    assert {(stages[name], check) for name, check in checks if name in stages} <= checks


def test_what_is_registered_is_what_the_file_lists() -> None:
    assert registered(defs) == LISTED, "make docs writes new names"


def test_a_name_that_is_no_longer_registered_is_refused() -> None:
    without = dg.Definitions(assets=[asset("movie_ids"), asset("tmdb_export")])
    before = FILE.read_text()
    with pytest.raises(ValueError, match=r"no longer registered: assets: .*jobs: read_the_day.*delete them from"):
        write(without)
    assert FILE.read_text() == before


@pytest.mark.parametrize("name", ASSETS)
def test_every_asset_has_a_description_a_group_and_kinds(name: str) -> None:
    spec = asset(name).get_asset_spec()
    assert spec.group_name in ("source", "catalogue", "search", "histories", "recommendations", "operations")
    assert len(spec.description or "") > 40
    assert "postgres" in spec.kinds


def test_every_check_has_a_description() -> None:
    graph = defs.resolve_asset_graph()
    assert all(graph.get_check_spec(key).description for key in graph.asset_check_keys)


def test_a_description_says_by_itself_what_it_describes() -> None:
    """Lists are sorted by name and show the first words, so that none may refer to what stands elsewhere."""
    repository, graph = defs.get_repository_def(), defs.resolve_asset_graph()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    launchers = {each.name: each.description or "" for each in repository.schedule_defs}
    launchers |= {each.name: each.description or "" for each in repository.sensor_defs}
    texts = {job.name: job.description or "" for job in jobs} | launchers
    texts |= {key.name: graph.get_check_spec(key).description or "" for key in graph.asset_check_keys}
    texts |= {key.to_user_string(): graph.get(key).description or "" for key in graph.get_all_asset_keys()}
    first = {name: text.split("\n\n")[0] for name, text in texts.items()}
    assert {name: text for name, text in first.items() if len(text) < 40 or text.startswith(("The same", "As "))} == {}
    verbs = [
        "Checks",
        "Compares",
        "Deletes",
        "Embeds",
        "Fetches",
        "Imports",
        "Launches",
        "Looks",
        "Marks",
        "Reads",
        "Sends",
        "Updates",
        "Writes",
    ]
    assert {name for name in (*(job.name for job in jobs), *launchers) if texts[name].split()[0] not in verbs} == set()


def test_nothing_is_on_unless_it_was_switched_on() -> None:
    repository = defs.get_repository_def()
    assert {sensor.default_status for sensor in repository.sensor_defs} == {dg.DefaultSensorStatus.STOPPED}
    assert {schedule.default_status for schedule in repository.schedule_defs} == {dg.DefaultScheduleStatus.STOPPED}


def test_workspace_and_dg_name_the_same_module_and_location() -> None:
    workspace = cast("dict[str, Any]", load_yaml_from_path(str(CHECKOUT / "workspace.yaml")))
    (location,) = workspace["load_from"]
    project = cast("dict[str, Any]", tomllib.loads((CHECKOUT / "pyproject.toml").read_text())["tool"]["dg"]["project"])
    assert location["python_module"]["module_name"] == project["code_location_target_module"]
    assert location["python_module"]["location_name"] == project["code_location_name"] == LOCATION


def test_the_batches_are_the_databases(database: Database) -> None:
    assert len(batches.get_partition_keys()) == BATCH_COUNT
    with database.transaction() as connection:
        found = connection.exec_driver_sql(
            "select n, pipeline.batch_of(n) from generate_series(0::bigint, 200) n "
            "union all select 9007199254740991, pipeline.batch_of(9007199254740991)"
        )
        assert all(batch_of(tmdb_id) == f"batch_{batch:02}" for tmdb_id, batch in found)


def test_tmdb_has_one_caller_at_a_time() -> None:
    callers = {name for name in ASSETS if "tmdb" in asset(name).required_resource_keys}
    pools = {name: asset(name).op.pool for name in callers}
    assert pools.pop("health") is None  # it sends one request
    # Their few calls, and those for images, do not wait for those of details.
    assert pools.pop("tmdb_lists") == pools.pop("tmdb_configuration") == "tmdb_lists"
    assert pools.pop("title_images") == "tmdb_images"
    assert set(pools.values()) == {"tmdb"}


def test_every_asset_but_batches_may_be_so_old_and_no_older() -> None:
    without = {name for name in ASSETS if asset(name).get_asset_spec().freshness_policy is None}
    assert without == {
        "movie_details", "movie_embeddings",  # their ages are checks
        "watch_histories", "recommendation_model", "recommendations", "recommendation_quality",  # made when one changed
        "imdb_ratings", "movielens_ratings", "csv_ratings", "omdb_ratings", "exports", "title_images",  # switched off
    }  # fmt: skip
    assert set(FRESHNESS) - switched_off(["movie"]) <= set(ASSETS)


def test_a_source_of_ratings_may_be_so_old_when_it_is_switched_on() -> None:
    (dated,) = with_freshness([imdb_ratings], off=["csv_ratings"])
    assert dated.get_asset_spec().freshness_policy == FRESHNESS["imdb_ratings"]


def test_an_export_that_is_waited_for_until_the_last_moment_is_not_late() -> None:
    first, latest = datetime(2026, 11, 24, 8, 30), datetime.combine(date(2026, 11, 25), WAIT_UNTIL)  # noqa: DTZ001
    assert ALLOWED_AGES["tmdb_export"].warn > latest - first + timedelta(hours=1)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("MOVIE_ASSETS_TMDB_RATE", "fast", "SettingsError: MOVIE_ASSETS_TMDB_RATE: Input should be a valid number"),
        (
            "MOVIE_ASSETS_PROFILES_FILE",
            "/nowhere.toml",
            "SettingsError: MOVIE_ASSETS_PROFILES: /nowhere.toml cannot be read",
        ),
    ],
)
def test_a_wrong_setting_fails_the_code_location_and_not_the_import(name: str, value: str, sentence: str) -> None:
    code = "import movie_assets.definitions as d; print('imported', flush=True); d.location()"
    done = subprocess.run(
        [sys.executable, "-c", code], env={**os.environ, name: value}, capture_output=True, text=True, check=False
    )
    assert done.stdout == "imported\n"
    assert done.returncode != 0
    assert sentence in done.stderr
