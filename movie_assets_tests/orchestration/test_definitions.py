"""What Dagster is given: names written out, so that a renaming or a forgotten registration is seen."""

import os
import subprocess
import sys
import tomllib
from datetime import date, datetime, timedelta
from typing import Any, cast

import dagster as dg
import pytest
from dagster_shared.yaml_utils import load_yaml_from_path

from movie_assets.config.paths import CHECKOUT
from movie_assets.database.database import Database
from movie_assets.operations.ages import ALLOWED_AGES
from movie_assets.orchestration.freshness import FRESHNESS, with_freshness
from movie_assets.orchestration.launch_decisions import WAIT_UNTIL
from movie_assets.ratings.rating_sources import imdb_ratings
from movie_assets.runs.locations import LOCATION
from movie_assets.runs.partitions import BATCH_COUNT, batch_of, batches
from movie_assets_tests.support.definitions import defs

GROUPS = {
    "tmdb_export": "source",
    "movie_ids": "source",
    "tmdb_changes": "source",
    "tmdb_discoveries": "source",
    "movie_details": "catalogue",
    "movie_embeddings": "catalogue",
    "movie_vectors": "search",
    "search_documents": "search",
    "search_quality": "search",
    "similar_movies": "search",
    "imdb_ratings": "source",
    "movielens_ratings": "source",
    "csv_ratings": "source",
    "rating_aggregates": "search",
    "watch_histories": "histories",
    "recommendation_model": "recommendations",
    "recommendations": "recommendations",
    "recommendation_quality": "recommendations",
    "reconciliation": "operations",
    "retention": "operations",
    "health": "operations",
}


def asset(name: str) -> dg.AssetsDefinition:
    return defs.resolve_assets_def(name)


def test_dagster_accepts_the_definitions() -> None:
    dg.Definitions.validate_loadable(defs)


def test_the_assets_are_these() -> None:
    keys = {key.to_user_string() for key in defs.resolve_all_asset_keys()}
    assert keys == set(GROUPS)


def test_the_checks_are_these() -> None:
    keys = defs.resolve_asset_graph().asset_check_keys
    assert sorted(f"{key.asset_key.to_user_string()}: {key.name}" for key in keys) == [
        "health: nothing_is_broken",
        "health: nothing_needs_a_look",
        "movie_details: details_are_within_their_age",
        "movie_details: every_batch_is_covered",
        "movie_details: metadata_is_complete",
        "movie_details: nothing_is_kept_for_six_months",
        "movie_embeddings: every_text_is_embedded_as_it_stands",
        "movie_embeddings: every_vector_has_the_declared_dimensions",
        "movie_embeddings: every_vector_is_finite_and_not_zero",
        "movie_embeddings: the_run_is_within_its_budgets",
        "movie_ids: every_export_line_has_one_id",
        "movie_ids: no_unusual_loss_of_ids",
        "movie_ids: popularity_has_not_drifted",
        "movie_ids: share_kept_is_within_bounds",
        "movie_vectors: the_index_is_valid",
        "movie_vectors: the_wanted_set_is_searched",
        "movie_vectors: vectors_agree_with_the_catalogue",
        "rating_aggregates: scores_are_within_bounds",
        "rating_aggregates: totals_reconcile",
        "recommendation_quality: the_model_beats_popularity",
        "reconciliation: everything_agrees",
        "search_documents: documents_agree_with_the_catalogue",
        "search_quality: collections_stay_together",
        "search_quality: golden_pairs_are_near",
        "search_quality: searches_are_as_fast_as_usual",
        "search_quality: searches_find_the_nearest",
        "search_quality: similarities_mean_what_they_meant",
        "similar_movies: lists_are_what_a_search_finds",
        "tmdb_export: export_can_be_believed",
        "tmdb_export: the_export_is_of_the_day",
        "watch_histories: every_file_in_the_inbox_is_imported",
    ]


@pytest.mark.parametrize(
    ("job", "assets"),
    [("read_the_day", {"tmdb_export", "movie_ids", "tmdb_changes", "tmdb_discoveries"}),
     ("fetch_details", {"movie_details"}), ("fetch_missing", {"movie_details"}),
     ("embed_texts", {"movie_embeddings"}),
     ("embed_in_bulk", {"movie_embeddings"}),
     ("publish", {"movie_vectors", "search_quality", "search_documents", "similar_movies", "rating_aggregates"}),
     ("read_ratings", {"imdb_ratings", "movielens_ratings", "csv_ratings"}),
     ("recommend", {"watch_histories", "recommendation_model", "recommendations", "recommendation_quality"}),
     ("reconcile", {"reconciliation"}), ("clean_up", {"retention"}), ("look_at_health", {"health"})],
)  # fmt: skip
def test_each_job_has_its_assets(job: str, assets: set[str]) -> None:
    selected = defs.resolve_job_def(job).asset_layer.selected_asset_keys
    assert {key.to_user_string() for key in selected} == assets


def test_the_jobs_schedules_and_sensors_are_these() -> None:
    repository = defs.get_repository_def()
    assert {name for name in repository.job_names if not name.startswith("__")} == {
        "read_the_day", "read_the_lists", "fetch_details", "fetch_missing", "embed_texts", "embed_in_bulk", "publish",
        "recommend", "read_ratings", "reconcile", "clean_up", "look_at_health",
    }  # fmt: skip
    assert sorted(schedule.name for schedule in repository.schedule_defs) == [
        "clean_up_on_the_first",
        "look_at_health_hourly",
        "read_ratings_at_1030",
        "read_the_day_at_0830",
        "reconcile_on_sundays",
    ]
    assert sorted(sensor.name for sensor in repository.sensor_defs) == [
        "details_are_due", "lists_were_not_read", "no_day_was_read_yet", "recommendations_are_due",
        "runs_without_a_process", "something_broke_or_recovered", "texts_are_not_embedded",
        "the_catalogue_is_not_published",
    ]  # fmt: skip


@pytest.mark.parametrize("name", GROUPS)
def test_every_asset_has_a_description_a_group_and_kinds(name: str) -> None:
    spec = asset(name).get_asset_spec()
    assert spec.group_name == GROUPS[name]
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
    pools = {name: asset(name).op.pool for name in GROUPS}
    assert pools == {
        "tmdb_export": "tmdb", "movie_ids": None, "tmdb_changes": "tmdb", "tmdb_discoveries": "tmdb",
        "movie_details": "tmdb", "movie_embeddings": "embedder", "movie_vectors": None,
        "search_quality": None, "search_documents": None, "similar_movies": None, "rating_aggregates": None,
        "watch_histories": None,
        "imdb_ratings": None, "movielens_ratings": None, "csv_ratings": None,
        "health": None,
        "recommendation_model": None, "recommendations": None, "recommendation_quality": None,
        "reconciliation": None, "retention": None,
    }  # fmt: skip


def test_every_asset_but_batches_may_be_so_old_and_no_older() -> None:
    without = {name for name in GROUPS if asset(name).get_asset_spec().freshness_policy is None}
    assert without == {
        "movie_details", "movie_embeddings",  # their ages are checks
        "watch_histories", "recommendation_model", "recommendations", "recommendation_quality",  # made when one changed
        "imdb_ratings", "movielens_ratings", "csv_ratings",  # switched off
    }  # fmt: skip
    assert set(FRESHNESS) <= set(GROUPS)


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
