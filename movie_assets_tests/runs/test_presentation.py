"""What every asset shows in the web UI, also one that is new."""

from pathlib import Path

import dagster as dg
import pytest

from movie_assets.config.settings import Settings, SettingsError
from movie_assets.runs.presentation import TABLE_OF, TABLE_OF_STAGE, presented, table_of
from movie_assets_tests.support.definitions import definitions_of, defs

REPORTS = {"health", "retention", "exports"}  # what they did is in their metadata or in files, in no table
BOTH = definitions_of("movies", "series")
ASSETS = {spec.key.to_user_string(): spec for spec in BOTH.resolve_all_asset_specs()}


@pytest.mark.parametrize("name", sorted(ASSETS))
def test_every_asset_says_what_it_is(name: str) -> None:
    spec = ASSETS[name]
    assert len(spec.description or "") > 40, "its docstring says in one sentence what one row is"
    assert spec.group_name not in (None, "default"), "say group_name"
    assert "postgres" in spec.kinds, "say kinds, with what it is made with and where it lies"


@pytest.mark.parametrize("name", sorted(set(ASSETS) - REPORTS))
def test_every_asset_shows_its_table_with_its_columns(name: str) -> None:
    metadata = ASSETS[name].metadata
    hint = "run `make docs`; if its table has another name than the asset, add it to presentation.TABLE_OF"
    assert "dagster/table_name" in metadata, hint
    schema = metadata["dagster/column_schema"]
    assert len(schema.columns) > 1
    assert ASSETS[name].tags["schema"] in ("catalog", "pipeline")


@pytest.mark.parametrize("name", sorted(ASSETS))
def test_every_asset_leads_to_its_code(name: str) -> None:
    (reference,) = ASSETS[name].metadata["dagster/code_references"].code_references
    line = Path(reference.file_path).read_text(encoding="utf-8").splitlines()[reference.line_number - 1]
    assert line.strip().startswith("@dg.asset")


def test_no_entry_is_left_over() -> None:
    assert set(TABLE_OF) <= set(ASSETS)
    assert all(table_of(name) is not None for name in TABLE_OF)
    assert {name.rpartition("_")[2] for name in ASSETS} >= set(TABLE_OF_STAGE)


def test_every_option_of_a_launch_says_what_it_does_and_has_a_default() -> None:
    for key in defs.resolve_all_asset_keys():
        config = defs.resolve_assets_def(key).op.config_field
        for name, field in getattr(config.config_type, "fields", {}).items() if config else ():
            assert field.description, f"{key.to_user_string()}: {name}"
            assert not field.is_required, f"{key.to_user_string()}: {name}"


def test_every_job_schedule_and_sensor_says_what_it_does() -> None:
    repository = defs.get_repository_def()
    jobs = [job for job in repository.get_all_jobs() if not job.name.startswith("__")]
    descriptions = {thing.name: thing.description or "" for thing in jobs}
    descriptions |= {schedule.name: schedule.description or "" for schedule in repository.schedule_defs}
    descriptions |= {sensor.name: sensor.description or "" for sensor in repository.sensor_defs}
    assert [name for name, description in descriptions.items() if len(description) < 20] == []


@dg.asset(group_name="catalogue", pool="tmdb")
def genres() -> None:
    """A genre, as an engineer adds it who has not read this module."""


def test_owners_and_links_to_code_are_the_settings() -> None:
    settings = Settings.from_env(
        {"MOVIE_ASSETS_OWNERS": "team:films, a@example.org", "MOVIE_ASSETS_SOURCE_URL": "https://example.org/blob/v1/"}
    )
    (spec,) = presented(dg.Definitions(assets=[genres]), settings).resolve_all_asset_specs()
    assert spec.owners == ["team:films", "a@example.org"]
    assert spec.tags.items() >= {"service": "tmdb", "schema": "catalog"}.items()
    assert spec.metadata["dagster/table_name"] == "catalog.genres"
    (reference,) = spec.metadata["dagster/code_references"].code_references
    assert reference.url.startswith("https://example.org/blob/v1/movie_assets_tests/runs/test_presentation.py#L")


@pytest.mark.parametrize("owners", ["films", "team:", "a@b", "team:a b"])
def test_an_owner_that_dagster_would_refuse_is_refused_by_name(owners: str) -> None:
    with pytest.raises(SettingsError, match=r"MOVIE_ASSETS_OWNERS.*team:name"):
        Settings.from_env({"MOVIE_ASSETS_OWNERS": owners})
