"""Every check is executed alone, as its button "Execute" does: on a catalogue, on an empty one, and after a repair."""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest

from movie_assets.operations.alerts import sensor
from movie_assets.operations.alerts.destinations import Destinations
from movie_assets.operations.alerts.sensor import Cursor, watch
from movie_assets_tests.support.definitions import defs
from movie_assets_tests.support.indexes import ALWAYS_INDEXED
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]
CHECKS = sorted(defs.resolve_asset_graph().asset_check_keys, key=lambda key: (key.asset_key.to_user_string(), key.name))


def evaluation(result: Any, name: str) -> Any:
    (found,) = [each for each in result.get_asset_check_evaluations() if each.check_name == name]
    return found


def test_the_web_ui_offers_to_execute_each() -> None:
    graph = defs.get_repository_def().asset_graph
    together = {key.name: graph.get_execution_set_asset_and_check_keys(key) for key in CHECKS}
    assert {name: len(keys) for name, keys in together.items() if len(keys) > 1} == {}


def test_no_check_waits_for_a_pool() -> None:
    graph = defs.get_repository_def().asset_graph
    pools = {key.name: graph.assets_def_for_key(key).node_def.pools for key in CHECKS}
    assert {name: names for name, names in pools.items() if names} == {}


@pytest.fixture
def filled(small: Make) -> SmallPipeline:
    """A catalogue on which every job ran."""
    pipeline = small(*(film(64 + n, imdb_id=f"tt{n:07}", runtime=100 + n) for n in range(3)))
    pipeline.run_all(
        "read_the_day",
        "read_list_snapshots",
        "fetch_details",
        "embed_texts",
        "read_ratings",
        "publish",
        "recommend",
        "reconcile",
        "replay_events",
        "write_exports",
        "read_images",
        "look_at_health",
    )
    return pipeline


def test_each_is_evaluated_and_nothing_is_materialized(filled: SmallPipeline) -> None:
    filled.serving.faults = {"500": 1.0}  # no check calls TMDB
    asked = filled.world.asked.total()
    for key in CHECKS:
        result = filled.check(key)
        assert result.success, key
        assert [e.asset_check_key for e in result.get_asset_check_evaluations()] == [key]
        assert result.get_asset_materialization_events() == []
    assert filled.world.asked.total() == asked


def test_each_is_evaluated_on_an_empty_catalogue(small: Make) -> None:
    pipeline = small()
    for key in CHECKS:
        result = pipeline.check(key)
        assert result.success, key
        assert len(result.get_asset_check_evaluations()) == 1


def test_a_run_of_an_asset_evaluates_its_checks_too(filled: SmallPipeline) -> None:
    latest = filled.instance.event_log_storage.get_latest_asset_check_execution_by_key(CHECKS)
    assert {key.name for key in CHECKS} - {key.name for key in latest} == set()


def tick(pipeline: SmallPipeline) -> set[str]:
    """Let the alerts' sensor look once; returns the checks that have an open alert."""
    context = dg.build_sensor_context(pipeline.instance, definitions=defs, sensor_name=sensor.NAME)
    watch(context, pipeline.database, Destinations(), Cursor().next(datetime.now(UTC)))
    return set(pipeline.column("select name from pipeline.alerts where kind = 'check' and ended_at is null"))


def key_of(name: str) -> dg.AssetCheckKey:
    (found,) = [key for key in CHECKS if key.name == name]
    return found


# By check: what breaks it, and what repairs it.
DAMAGES = {
    "every_export_line_has_one_id": (
        "insert into pipeline.export_lines values ('2026-10-05', 1, 'Lost', 1, false, false, false)",
        "delete from pipeline.export_lines where tmdb_id = 1",
    ),
    "every_text_is_embedded_as_it_stands": (
        "update catalog.movies set embedding_text = embedding_text || ' spoilt' where tmdb_id = 64",
        "update catalog.movies set embedding_text = replace(embedding_text, ' spoilt', '')",
    ),
    "nothing_is_kept_for_six_months": (
        "update pipeline.raw_details set fetched_at = '2026-01-01' where tmdb_id = 64",
        "update pipeline.raw_details set fetched_at = '2026-10-05 12:00+00'",
    ),
    "everything_agrees": (
        "update catalog.movies set embedding_text = embedding_text || ' spoilt' where tmdb_id = 64",
        "update catalog.movies set embedding_text = replace(embedding_text, ' spoilt', '')",
    ),
    "nothing_is_broken": (
        "update catalog.movies set text_hash = 'other', changed_at = '2026-10-01' where tmdb_id = 64",
        "update catalog.movies m set text_hash = e.text_hash from pipeline.embeddings e where e.tmdb_id = m.tmdb_id",
    ),
    "the_index_is_valid": (
        ALWAYS_INDEXED,
        "select pipeline.build_vector_index(1)",
    ),
    "documents_agree_with_the_catalogue": (
        "update catalog.search_documents set tmdb_id = -64 where tmdb_id = 64",
        "update catalog.search_documents set tmdb_id = 64 where tmdb_id = -64",
    ),
    "totals_reconcile": (
        "update catalog.rating_aggregates set votes = votes + 1",
        "update catalog.rating_aggregates set votes = votes - 1",
    ),
    "export_can_be_believed": (
        "insert into pipeline.refusals values ('tmdb_export', '', 'half of the lines', 'a run', now())",
        "delete from pipeline.refusals",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_after_a_repair_the_button_turns_the_check_green_and_closes_its_alert(filled: SmallPipeline, name: str) -> None:
    break_it, repair_it = DAMAGES[name]
    before = tick(filled)
    assert name not in before
    filled.do(break_it)
    assert not evaluation(filled.check(key_of(name)), name).passed
    assert tick(filled) - before == {name}
    filled.do(repair_it)
    assert tick(filled) - before == {name}
    assert evaluation(filled.check(key_of(name)), name).passed
    assert tick(filled) == before


def test_the_recount_alone_names_what_differs(filled: SmallPipeline) -> None:
    filled.do(DAMAGES["everything_agrees"][0])
    assert (
        "(64 titles: embedding_text)"
        in evaluation(filled.check(key_of("everything_agrees")), "everything_agrees").description
    )


def test_a_blocking_check_that_fails_alone_is_one_alert(filled: SmallPipeline) -> None:
    filled.do(DAMAGES["export_can_be_believed"][0])
    key = key_of("export_can_be_believed")
    result = filled.check(key)
    assert not result.success
    # Runs in this process do not record their selection; those of the web UI do.
    run = filled.instance.get_run_by_id(result.run_id)
    assert run is not None
    filled.instance.run_storage.delete_run(run.run_id)
    filled.instance.add_run(run._replace(asset_check_selection=frozenset({key})))
    tick(filled)
    assert filled.column("select name from pipeline.alerts where kind <> 'check'") == []


def test_these_checks_block_what_comes_after_them() -> None:
    graph = defs.resolve_asset_graph()
    assert {key.name for key in graph.asset_check_keys if graph.get_check_spec(key).blocking} == {
        "export_can_be_believed",
        "share_kept_is_within_bounds",
    }
