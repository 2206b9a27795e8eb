"""What each step of each run leaves in the run log, whether it ends well, fails, is stopped or killed."""

import ast
import re
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest

from movie_assets.config.paths import PACKAGE, SQL
from movie_assets.database.run_lock import run_lock
from movie_assets.embeddings.embedder import BudgetAccount, ResultChunk
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.embeddings.roles import Role
from movie_assets.runs.metadata_tables import plain
from movie_assets.runs.presentation import table_of
from movie_assets.runs.run_log import FIGURES, log_work, logged
from movie_assets.runs.run_time import trigger_of
from movie_assets_tests.conftest import figures_of
from movie_assets_tests.support.definitions import defs
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]


def row(pipeline: SmallPipeline, step: str, status: str = "succeeded") -> dict[str, Any]:
    """The newest row of a step."""
    with pipeline.database.transaction() as connection:
        sql = f"select * from pipeline.run_log where step = '{step}' order by log_id desc limit 1"
        found = dict(connection.exec_driver_sql(sql).one()._mapping)
    assert found["status"] == status
    return found


def figures_of_last(result: Any, step: str) -> dict[str, Any]:
    """What the last materialization of a step says, the one that the web UI shows."""
    *_, last = [event for event in result.get_asset_materialization_events() if event.step_key == step]
    return plain(last.step_materialization_data.materialization.metadata)


def figures(found: dict[str, Any]) -> dict[str, float]:
    return {name: found[name] for name in FIGURES if found[name]}


class StoppedEmbedder(LocalEmbedder):
    """Embeds one text, then a signal comes."""

    def stream(
        self,
        texts: Sequence[str],
        budget: BudgetAccount,  # noqa: ARG002  # it costs nothing
        bytes_per_token: float = 4.0,  # noqa: ARG002  # nor is anything booked
        role: Role = "document",
    ) -> Iterator[ResultChunk]:
        vectors = self.embed(texts[:1], role)
        yield ResultChunk((0,), vectors.vectors, vectors.tokens, 0.25)
        raise KeyboardInterrupt


def test_a_day_leaves_a_row_for_each_step_with_its_figures(small: Make) -> None:
    pipeline = small(film(64), film(65), film(66, vote_count=3))
    pipeline.run_all()
    export, details, vectors = (row(pipeline, step) for step in ("tmdb_export", "movie_details", "movie_vectors"))
    assert figures(export) == {"checked": 3, "fetched": 3}
    assert figures(details) == {"checked": 2, "fetched": 2, "changed": 2}
    assert figures(vectors) == {"checked": 2, "changed": 2}
    embedded = row(pipeline, "movie_embeddings")
    assert (embedded["checked"], embedded["embedded"], embedded["tokens"] > 0) == (2, 2, True)
    assert details["duration"] > 0
    assert details["moment"].date() == pipeline.day
    assert pipeline.one("select count(distinct step) from pipeline.run_log") == 11


def test_a_day_without_change_is_looked_at_and_skipped(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all()
    pipeline.run_all()
    assert figures(row(pipeline, "movie_details")) == {"checked": 2, "skipped": 2}
    assert figures(row(pipeline, "movie_embeddings")) == {"checked": 2, "skipped": 2}


def test_what_failed_and_what_is_gone_is_counted(small: Make) -> None:
    pipeline = small(film(64), film(65), film(66))
    pipeline.run_all("read_the_day")
    pipeline.world.withheld = {65}
    pipeline.world.responses[66] = b'{"id": 4}'
    pipeline.run("fetch_details")
    assert figures(row(pipeline, "movie_details")) == {"checked": 3, "fetched": 1, "changed": 1, "failed": 1, "gone": 1}


def test_a_run_that_fails_has_its_reason_and_what_it_did(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day")
    pipeline.serving.faults = {"401": 1.0}
    assert not pipeline.run("fetch_details").success
    found = row(pipeline, "movie_details", "failed")
    assert figures(found) == {"checked": 2}
    assert "TMDB_API_TOKEN" in found["reason"]
    assert found["ended_at"] >= found["started_at"]


def test_a_run_that_is_stopped_keeps_the_figures_of_its_chunks(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.embedder = StoppedEmbedder("hashing-v1", 64)
    assert not pipeline.run("embed_texts").success
    found = row(pipeline, "movie_embeddings", "stopped")
    assert (found["embedded"], float(found["dollars"])) == (1, 0.25)


def test_a_killed_step_is_found_by_the_next_and_one_that_lives_is_left_alone(small: Make) -> None:
    pipeline = small(film(64))
    for step in ("dead", "alive"):
        pipeline.do(
            "insert into pipeline.run_log (run_id, job, step, trigger, moment, fetched, worked_at) "
            f"values ('{step}', 'a_job', '{step}', 'sensor', now(), 100, now() + interval '1 minute')"
        )
    with run_lock(pipeline.database, "alive"):
        pipeline.run_all("read_the_day")
        row(pipeline, "alive", "running")
    dead = row(pipeline, "dead", "killed")
    assert (dead["fetched"], dead["ended_at"]) == (100, dead["worked_at"])
    assert "vanished" in dead["reason"]
    with pipeline.database.transaction() as connection:
        log_work(connection, "dead", "dead", fetched=1)  # it lives: its lock was away while Postgres restarted
    assert row(pipeline, "dead", "running")["ended_at"] is None


def test_a_run_adds_its_steps_up(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    with pipeline.database.transaction() as connection:
        runs = {r.job: r for r in connection.exec_driver_sql("select * from pipeline.runs")}
    assert (runs["read_the_day"].steps, runs["read_the_day"].status) == (4, "succeeded")
    assert (runs["fetch_details"].fetched, runs["fetch_details"].calls) == (2, 2)


def observation(result: Any) -> Any:
    """The one observation of a run."""
    (observed,) = [
        event.asset_observation_data.asset_observation
        for event in result.all_events
        if event.event_type_value == "ASSET_OBSERVATION"
    ]
    return observed


def test_the_web_ui_has_the_figures_of_a_step_that_fails_too(small: Make) -> None:
    pipeline = small(film(64), film(128))
    pipeline.run_all("read_the_day")
    pipeline.world.responses[64] = pipeline.world.responses[128] = b'{"id": 4}'
    result = pipeline.run("fetch_details")
    assert not result.success
    assert observation(result).metadata["failed"].value == 2


def test_the_web_ui_has_the_figures_of_a_step_that_fails_in_one_batch_only(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day")
    assert pipeline.run("fetch_details", batches=("batch_01", "batch_01")).success
    pipeline.serving.faults = {"401": 1.0}
    result = pipeline.run("fetch_details")
    assert not result.success
    assert observation(result).metadata["checked"].value == 2


def test_the_web_ui_has_the_figures_under_the_same_names(small: Make) -> None:
    pipeline = small(film(64), film(65))
    read, fetched = pipeline.run_all("read_the_day", "fetch_details")
    ids = figures_of(read, "movie_ids")
    assert {name for name in FIGURES if name in ids} == {"checked", "skipped", "changed", "gone"}, (
        "its own figures, no others"
    )
    assert ids["duration"] > 0
    observed = observation(fetched)
    assert observed.partition is None
    assert observed.metadata["fetched"].value == 2
    assert not {"embedded", "tokens", "dollars"} & observed.metadata.keys()


def test_every_asset_shows_how_many_rows_its_table_has(small: Make) -> None:
    pipeline = small(film(64), film(65), film(66))
    for result in pipeline.run_all("read_the_day", "fetch_details", "embed_texts", "publish", "reconcile"):
        for name in {event.step_key for event in result.get_asset_materialization_events()}:
            table = table_of(name)
            assert table is not None, name
            rows = pipeline.one(f"select count(*) from {table.name}")
            assert figures_of_last(result, name)["dagster/row_count"] == rows, name


def test_a_batch_shows_its_own_rows_beside_those_of_all(small: Make) -> None:
    pipeline = small(film(64), film(65), film(129))
    for result in pipeline.run_all("read_the_day", "fetch_details", "embed_texts")[1:]:
        shown = {
            event.partition: (
                event.step_materialization_data.materialization.metadata["dagster/partition_row_count"].value,
                event.step_materialization_data.materialization.metadata["dagster/row_count"].value,
            )
            for event in result.get_asset_materialization_events()
        }
        assert {batch: rows for batch, (rows, _) in shown.items()} == {
            "batch_00": 1, "batch_01": 2, "batch_02": 0, "batch_03": 0,
        }  # fmt: skip
        assert max(total for _, total in shown.values()) == 3


def test_a_figure_of_the_assets_own_is_not_replaced_by_one_of_the_log(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.do("update pipeline.movie_ids set fetched_at = fetched_at - interval '200 days' where tmdb_id = 65")
    pipeline.do("update pipeline.raw_details set fetched_at = fetched_at - interval '200 days' where tmdb_id = 65")
    (read,) = pipeline.run_all("read_the_day")
    ids = figures_of(read, "movie_ids")
    assert (ids["purged"], ids["gone"]) == (1, ids["ids_gone"])
    assert figures(row(pipeline, "movie_ids"))["gone"] == 1 + ids["gone"]


@pytest.mark.parametrize(
    ("tags", "trigger"),
    [({"dagster/schedule_name": "read_the_day_at_0830"}, ("schedule", "read_the_day_at_0830")),
     ({"dagster/sensor_name": "details_are_due"}, ("sensor", "details_are_due")),
     ({"dagster/sensor_name": "details_are_due", "dagster/from_ui": "true"}, ("person", None)),
     ({"dagster/backfill": "abc", "dagster/user": "ann"}, ("person", "ann")),
     ({"movie_assets/launched_by": "movie-assets refresh"}, ("command line", "movie-assets refresh")),
     ({}, ("person", None))],
)  # fmt: skip
def test_the_trigger_is_read_from_the_runs_tags(tags: dict[str, str], trigger: tuple[str, str | None]) -> None:
    assert trigger_of(tags) == trigger


def named_entries() -> Iterator[tuple[Path, str, str]]:
    """Each entry of metadata that an asset's `logged` names, with the asset's module and the text of the call."""
    for path in PACKAGE.rglob("*.py"):
        source = path.read_text(encoding="utf-8")
        for node in ast.walk(ast.parse(source)):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "logged":
                call = ast.get_source_segment(source, node) or ""
                names = [
                    c.value for keyword in node.keywords for c in ast.walk(keyword.value) if isinstance(c, ast.Constant)
                ]
                yield from ((path, call, name) for name in names if isinstance(name, str))


def test_each_entry_that_is_logged_is_one_that_some_code_of_its_room_reports() -> None:
    unknown = set()
    for path, call, name in named_entries():
        files = [*path.parent.rglob("*.py"), *(SQL / path.parent.name).glob("*.sql")]
        texts = [each.read_text(encoding="utf-8").replace(call, "") for each in files]
        if not any(re.search(rf"\b{name}\b", text) for text in texts):
            unknown.add(name)
    assert unknown <= {"ids_candidate", "ids_accepted", "ids_rejected", "ids_failed"}  # made of the states' names


def test_a_figure_that_the_log_does_not_have_is_refused() -> None:
    with pytest.raises(ValueError, match=r"the run log has no figures chekced; it has checked, skipped"):
        logged(chekced="rows_in")


@pytest.mark.parametrize(
    ("job", "unit", "step"),
    [
        ("embed_texts", "batch", "movie_embeddings"), ("fetch_details", "batch", "movie_details"),
        ("read_the_day", "day", "tmdb_export"),
    ],
)  # fmt: skip
def test_a_job_that_was_launched_without_a_partition_says_what_to_choose(
    small: Make, job: str, unit: str, step: str
) -> None:
    pipeline = small(film(64))
    result = defs.resolve_job_def(job).execute_in_process(
        instance=pipeline.instance, run_config={"loggers": {"console": {}}}, raise_on_error=False,
        resources=pipeline.resources(),
    )  # fmt: skip
    assert not result.success
    reason = row(pipeline, step, "failed")["reason"]
    assert f"no {unit} was chosen: launch the run for one" in reason
    assert "non-partitioned" not in reason
