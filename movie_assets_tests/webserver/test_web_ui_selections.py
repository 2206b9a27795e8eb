"""Every kind of selection that the web UI offers, launched over GraphQL on Dagster's own processes.

What is sent is what the web UI's `LaunchAssetExecutionButton` and `LaunchAssetChoosePartitionsDialog` send. Takes
minutes, so it runs only when asked for: pytest -m daemon. `test_selections.py` has the same in one process.
"""

import os
import tempfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import dagster as dg
import pytest

from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.operations.alerts.sensor import observe
from movie_assets.runs.partitions import batches
from movie_assets_tests.deployment import Deployment, deployed, free_ports
from movie_assets_tests.support.definitions import defs
from movie_assets_tests.support.world import Films, film

pytestmark = pytest.mark.daemon
FILMS = 640
DETAILS, EMBEDDINGS = "movie_details", "movie_embeddings"
BOTH = [DETAILS, EMBEDDINGS]
ALL = batches.get_partition_keys()
DAYS_READ = ["tmdb_export", "movie_ids", "tmdb_changes", "tmdb_discoveries"]
GRAPH = sorted(key.to_user_string() for key in defs.resolve_asset_graph().materializable_asset_keys)


def day(ago: int = 0) -> str:
    """A day before today, in UTC."""
    return (datetime.now(UTC) - timedelta(days=ago)).strftime("%Y-%m-%d")


@pytest.fixture(scope="module")
def films() -> Films:
    made = Films()
    made.put(*(film(tmdb_id, vote_count=500 + tmdb_id, imdb_id=f"tt{tmdb_id:07}") for tmdb_id in range(1, FILMS + 1)))
    return made


@pytest.fixture(scope="module")
def ui(films: Films) -> Iterator[Deployment]:
    """Everything, with sensors and schedules off, on a catalogue of three days of which today was read."""
    with (
        tempfile.TemporaryDirectory(prefix="ma") as folder,
        TmdbEmulator(EmulatorOptions(), world=films) as tmdb_emulator,
    ):
        os.chmod(folder, 0o755)  # noqa: S103, PTH101  # the embedded server's user has to walk through it
        with deployed(Path(folder), tmdb_emulator, free_ports()) as deployment:
            deployment.one("insert into pipeline.first_day (day) values (current_date - 2) returning day")
            deployment.kill("daemon", "web", "code")  # the days are read when the definitions are loaded
            deployment.start("code", "daemon", "web")
            run = deployment.launch("read_the_day", {"dagster/partition": day()})
            assert deployment.wait_for(run) == "SUCCESS"
            yield deployment


def events(ui: Deployment, runs: list[str]) -> list[dg.EventLogEntry]:
    """All records of some runs."""
    return [record for run in runs for record in ui.instance.all_logs(run)]


def made(ui: Deployment, runs: list[str]) -> dict[str, Counter[str | None]]:
    """How often some runs materialized each partition of each asset."""
    found: dict[str, Counter[str | None]] = {}
    for record in events(ui, runs):
        if each := record.asset_materialization:
            found.setdefault(each.asset_key.to_user_string(), Counter())[each.partition] += 1
    return found


def skipped(ui: Deployment, runs: list[str]) -> set[str]:
    """The steps of some runs that Dagster skipped."""
    found = (record.dagster_event for record in events(ui, runs))
    return {event.step_key or "" for event in found if event and event.event_type_value == "STEP_SKIPPED"}


def failures(ui: Deployment, runs: list[str]) -> list[str]:
    """Why steps of some runs failed."""
    found = (record.dagster_event for record in events(ui, runs))
    failed = (event for event in found if event and event.event_type_value == "STEP_FAILURE")
    return [f"{event.step_key}: {event.step_failure_data.error_display_string}" for event in failed]


def checks(ui: Deployment, runs: list[str]) -> dict[str, bool]:
    """Whether each check that some runs evaluated passed."""
    found = (record.asset_check_evaluation for record in events(ui, runs))
    return {each.check_name: each.passed for each in found if each}


def runs_of(ui: Deployment, backfill: str) -> list[str]:
    """The runs of a backfill."""
    return [run.run_id for run in ui.runs(tags={"dagster/backfill": backfill})]


def alerts(ui: Deployment) -> set[str]:
    """The names of jobs and backfills that the alerts' sensor would call broken now."""
    repository, now = defs.get_repository_def(), datetime.now(UTC)
    with dg.build_sensor_context(instance=ui.instance, repository_def=repository) as context:
        problems = observe(context, {}, now, now).problems
    subjects = [problem.subject for problem in problems if problem.subject.kind in ("job", "backfill")]
    return {f"{subject.kind}: {subject.name}" for subject in subjects}


def done(ui: Deployment, assets: list[str], partitions: list[str]) -> dict[str, Counter[str | None]]:
    """Run a backfill that has to succeed without skipping; tells what it materialized."""
    backfill = ui.backfill(assets, partitions)
    status, runs = ui.wait_for_backfill(backfill), runs_of(ui, backfill)
    assert (status, failures(ui, runs)) == ("COMPLETED_SUCCESS", [])
    assert {ui.status(run) for run in runs} == {"SUCCESS"}
    assert skipped(ui, runs) == set()
    assert alerts(ui) == set()
    return made(ui, runs)


def embedded(ui: Deployment) -> int:
    """How many films have a vector."""
    count: int = ui.one("select count(*) from pipeline.embeddings")
    return count


# In order: each goes on where the one before left the catalogue.


def test_details_and_embeddings_of_batches_that_do_not_touch(ui: Deployment) -> None:
    few = ["batch_00", "batch_01", "batch_05"]
    assert done(ui, BOTH, few) == {DETAILS: Counter(few), EMBEDDINGS: Counter(few)}
    assert ui.one("select count(*) from catalog.movies") == embedded(ui) == FILMS // 64 * 3


def test_both_for_one_batch_in_one_run(ui: Deployment) -> None:
    run = ui.materialize(BOTH, "batch_07")
    assert ui.wait_for(run) == "SUCCESS"
    assert made(ui, [run]) == {DETAILS: Counter(["batch_07"]), EMBEDDINGS: Counter(["batch_07"])}
    assert skipped(ui, [run]) == set()
    assert ui.one("select count(*) from pipeline.embeddings where batch = 7") == FILMS // 64


def test_a_batch_with_what_is_downstream_in_one_run(ui: Deployment) -> None:
    names = [*BOTH, "movie_vectors", "similar_movies", "search_documents", "csv_ratings", "rating_aggregates"]
    run = ui.materialize(names, "batch_08")
    assert ui.wait_for(run) == "SUCCESS"
    assert made(ui, [run]).keys() == set(names)
    assert skipped(ui, [run]) == set()
    assert ui.one("select count(*) from catalog.movie_vectors") == embedded(ui)


def test_batches_with_what_is_downstream_in_a_backfill(ui: Deployment) -> None:
    few = ["batch_09", "batch_10"]
    found = done(ui, [EMBEDDINGS, "movie_vectors", "similar_movies"], few)
    assert found == {
        EMBEDDINGS: Counter(few), "movie_vectors": Counter([None]), "similar_movies": Counter([None]),
    }  # fmt: skip


def test_a_failed_batch_leaves_only_itself_red_and_from_failure_repeats_it(ui: Deployment, films: Films) -> None:
    films.responses = {tmdb_id: b'{"id": 1}' for tmdb_id in films.films if tmdb_id % 64 == 12}
    few = ["batch_11", "batch_12", "batch_13"]
    backfill = ui.backfill(BOTH, few)
    assert ui.wait_for_backfill(backfill) == "COMPLETED_FAILED"
    (run,) = runs_of(ui, backfill)
    assert ui.status(run) == "FAILURE"
    assert made(ui, [run]) == {DETAILS: Counter(["batch_11", "batch_13"]), EMBEDDINGS: Counter(few)}
    assert skipped(ui, [run]) == set()
    assert ui.one("select count(*) from pipeline.embeddings where batch in (11, 13)") == FILMS // 64 * 2
    assert alerts(ui) == {f"backfill: {DETAILS}, {EMBEDDINGS}"}
    films.responses = {}
    again = ui.execute_again(run)
    assert ui.wait_for(again) == "SUCCESS"
    assert made(ui, [again]) == {DETAILS: Counter(few), EMBEDDINGS: Counter(few)}
    assert ui.one("select count(*) from pipeline.embeddings where batch = 12") == FILMS // 64
    assert alerts(ui) == set()


def test_assets_with_some_of_their_checks(ui: Deployment) -> None:
    chosen = [("movie_vectors", "the_index_is_valid")]
    run = ui.materialize(["movie_vectors", "search_documents"], checks=chosen)
    assert ui.wait_for(run) == "SUCCESS"
    assert made(ui, [run]).keys() == {"movie_vectors", "search_documents"}
    assert checks(ui, [run]) == {"the_index_is_valid": True}


def test_a_day_with_all_batches_that_follow_it(ui: Deployment) -> None:
    found = done(ui, ["movie_ids", *BOTH], [day()])
    assert found == {"movie_ids": Counter([day()]), DETAILS: Counter(ALL), EMBEDDINGS: Counter(ALL)}
    assert ui.one("select count(*) from catalog.movies") == embedded(ui) == FILMS


def test_old_days_change_nothing_and_end_well(ui: Deployment) -> None:
    ids = "select md5(string_agg(i::text, '' order by tmdb_id)) from pipeline.movie_ids i"
    before = ui.one(ids)
    old = [day(2), day(1)]
    assert done(ui, DAYS_READ, old) == {name: Counter(old) for name in DAYS_READ}
    assert ui.one(ids) == before


def test_old_days_and_today_with_all_batches(ui: Deployment) -> None:
    found = done(ui, ["tmdb_export", "movie_ids", *BOTH], [day(1), day()])
    days_read = Counter([day(1), day()])
    assert found == {
        "tmdb_export": days_read, "movie_ids": days_read, DETAILS: Counter(ALL), EMBEDDINGS: Counter(ALL),
    }  # fmt: skip


def test_materialize_all(ui: Deployment) -> None:
    found = done(ui, GRAPH, [day()])
    assert found.keys() == set(GRAPH)
    assert {count for counts in found.values() for count in counts.values()} == {1}
    assert found[DETAILS] == found[EMBEDDINGS] == Counter(ALL)
    assert ui.one("select count(*) from catalog.movie_vectors") == FILMS
