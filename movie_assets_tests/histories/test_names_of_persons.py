"""Dagster's records, which nothing expires, have no person's name; `forget` finds those that earlier versions wrote."""

from collections.abc import Iterator
from pathlib import Path

import dagster as dg
import psycopg
import pytest

from movie_assets.config.paths import CHECKOUT
from movie_assets.database.addresses import url_of
from movie_assets.database.creation import ensure_database
from movie_assets.histories.forgetting import dagster_records_naming
from movie_assets_tests.conftest import failed_checks
from movie_assets_tests.histories.test_imports_of_trackers import tables_with
from movie_assets_tests.histories.test_watch_histories import CHECK, RATINGS, Make, live
from movie_assets_tests.support.world import film

WHO = "Jörg (the 2nd) of the canaries"


@pytest.fixture
def instance(empty_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[dg.DagsterInstance]:
    ensure_database(empty_address)
    url = url_of(empty_address, "psycopg2").render_as_string(hide_password=False)
    monkeypatch.setenv("MOVIE_ASSETS_DAGSTER_DATABASE_URL", url)
    monkeypatch.setenv("MOVIE_ASSETS_DAGSTER_FILES", str(tmp_path / "dagster"))
    monkeypatch.setenv("DAGSTER_HOME", str(CHECKOUT))
    with dg.DagsterInstance.get() as opened:
        yield opened


def rows_of(address: str, table: str) -> int:
    with psycopg.connect(address) as connection:
        row = connection.execute(f"select count(*) from {table}".encode()).fetchone()
    assert row is not None
    return int(row[0])


def test_a_day_with_imports_leaves_no_name_with_dagster(
    small: Make, instance: dg.DagsterInstance, empty_address: str, tmp_path: Path
) -> None:
    folder = tmp_path / "inbox" / WHO
    folder.mkdir(parents=True)
    (folder / f"of {WHO}.csv").write_text(
        RATINGS + f"2026-01-01,Film 64,2020,u1,4\n2026-01-01,{WHO},2020,u1,4\nnonsense,{WHO},,,99\n"
    )
    (folder / f"broken {WHO}.csv").write_text("what,is,this\n")
    (tmp_path / "inbox" / "other").mkdir()
    (tmp_path / "inbox" / "other" / "ratings.csv").write_text(RATINGS + "2026-01-01,Film 64,2020,u1,4\n")
    pipeline = small(film(64))
    pipeline.instance = instance
    pipeline.with_settings(inbox=tmp_path / "inbox")
    results = live(pipeline)
    assert CHECK in failed_checks(results[-1])
    assert tables_with(pipeline.database, WHO) >= {"catalog.watched_titles", "pipeline.refusals", "pipeline.imports"}
    assert rows_of(empty_address, "event_logs") > 100
    assert dagster_records_naming(empty_address, WHO) == []
    assert dagster_records_naming(empty_address, "canaries") == []
    written = [file.read_text(errors="replace") for file in (tmp_path / "dagster").rglob("*") if file.is_file()]
    assert not [text for text in written if "canaries" in text]
    pipeline.database.execute("forget_person", person=WHO)
    assert tables_with(pipeline.database, "canaries") == set()


@pytest.mark.parametrize("who", [WHO, "ann", 'a "b" \\ c', "x.*|y"])
def test_records_of_earlier_versions_are_listed(instance: dg.DagsterInstance, empty_address: str, who: str) -> None:
    report = [{"source": "letterboxd", "person": who}]
    instance.report_runless_asset_event(
        dg.AssetMaterialization("watch_histories", metadata={"imports": dg.MetadataValue.json(report)})
    )
    matches = {each.table: each for each in dagster_records_naming(empty_address, who)}
    assert "event_logs" in matches
    assert matches["event_logs"].rows == 1
    assert matches["event_logs"].sentence().startswith("1 rows of Dagster's table event_logs")
    for other in (f"{who}a", f"b{who}", "nobody"):
        assert dagster_records_naming(empty_address, other) == []


def test_a_database_that_does_not_exist_names_nobody(empty_address: str) -> None:
    assert dagster_records_naming(empty_address, WHO) == []
