"""Health is judged by what the last runs met at the embeddings service, for each set: real runs, with faults."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest
from click.testing import CliRunner

from movie_assets.cli.main import main
from movie_assets.embeddings import bulk_run, openai_call, request_queue
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.http_client import retries
from movie_assets.operations.health.findings import Finding, merged
from movie_assets.operations.health.report import probe_database, probe_services
from movie_assets_tests.conftest import database_of_ones_own, failed_checks
from movie_assets_tests.embeddings.test_movie_embeddings import openai, rewrite, with_films
from movie_assets_tests.support.small_pipelines import SmallPipeline, small_pipelines

Make = Callable[..., SmallPipeline]
DEAD = "http://127.0.0.1:9/v1"


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """No test waits as long as production does."""
    monkeypatch.setattr(request_queue, "backoff", lambda *_: 0.002)
    monkeypatch.setattr(retries, "backoff", lambda *_: 0.002)
    monkeypatch.setattr(bulk_run, "FIRST_POLL", 0.02)


def findings(pipeline: SmallPipeline) -> dict[str, Finding]:
    """All findings at noon of the pipeline's day; the service is well while it is asked."""
    faults, pipeline.serving.faults = pipeline.serving.faults, {}
    noon = datetime.combine(pipeline.day, datetime.min.time(), UTC).replace(hour=12)
    services = probe_services(pipeline.settings, pipeline.database, pipeline.embedder)
    found = merged([*services, *probe_database(pipeline.settings, pipeline.database, noon)])
    pipeline.serving.faults = faults
    return {each.name: each for each in found}


def outcome(pipeline: SmallPipeline) -> tuple[Any, ...]:
    """The outcome of the set of the last run."""
    with pipeline.database.transaction() as connection:
        sql = (
            "select o.texts, o.embedded, o.refused, o.in_flight, o.problem from pipeline.embedding_outcomes o "
            "join pipeline.embedding_sets s using (set_id) order by s.last_run_at desc limit 1"
        )
        return tuple(connection.exec_driver_sql(sql).one())


@pytest.fixture(scope="module")
def searched(server: str, template: str) -> Iterator[str]:
    """Name of a database with a catalogue of which a set is searched, to be copied."""
    with database_of_ones_own(server, template) as database, small_pipelines(database) as make:
        pipeline = with_films(make, 64, 65, 66)
        for tmdb_id in (64, 65, 66):
            rewrite(pipeline, tmdb_id, f"unembeddable story {tmdb_id}")
        pipeline.run_all("embed_texts", "publish")
        database.close()  # a database that somebody uses cannot be copied
        yield str(database.url.database)


@pytest.fixture
def building(server: str, searched: str) -> Iterator[SmallPipeline]:
    """A catalogue of which a set is searched, and another is to be built from a service; no text is old."""
    with database_of_ones_own(server, searched) as database, small_pipelines(database) as make:
        pipeline = make()
        pipeline.embedder = openai(pipeline.serving.openai_url)
        assert findings(pipeline)["embedder"].severity == "ok"
        yield pipeline


@pytest.mark.parametrize(
    ("fault", "says"),
    [
        ("oa_cursed_400", "maximum context length"),  # every text is refused, and a word is not
        ("oa_401", "refused the key"),
        ("oa_429quota", "quota is used up"),
        ("oa_500", "attempts to embed"),
        ("oa_wrong_width", "MOVIE_ASSETS_EMBEDDING_DIMENSIONS"),
    ],
)
def test_a_service_that_embeds_nothing_is_broken_until_a_run_ends_well(
    building: SmallPipeline, fault: str, says: str
) -> None:
    building.serving.faults = {fault: 1.0}
    building.run("embed_texts")
    texts, embedded, _, _, problem = outcome(building)
    assert (texts, embedded) == (3, 0)
    assert says in problem
    found = findings(building)
    assert found["embedder"].severity == "error"
    assert "being built" in found["embedder"].message
    assert says in found["embedder"].message
    assert "embed_texts" in found["embedder"].next_step
    assert found["stale embeddings"].message == "3 texts wait for their vectors, none for more than six hours"
    building.serving.faults = {}
    building.do("update pipeline.refused_texts set next_attempt_at = '2026-10-01'")
    building.run_all("embed_texts")
    found = findings(building)
    assert found["embedder"].severity == "ok"
    assert found["stale embeddings"].message == "every text has its vector"


def test_a_dead_address_is_told_with_the_clients_own_message(building: SmallPipeline) -> None:
    building.embedder = openai(DEAD)
    building.run("embed_texts")
    (found,) = [each for each in probe_database(building.settings, building.database, datetime.now(UTC))
                if each.name == "embedder"]  # fmt: skip
    assert (found.severity, found.count) == ("error", 3)
    assert "attempts to embed 3 texts failed" in found.message


def test_the_set_that_is_searched_is_judged_too(small: Make) -> None:
    pipeline = with_films(small, 64, 65)
    pipeline.embedder = openai(pipeline.serving.openai_url)
    pipeline.run_all("embed_texts", "publish")
    rewrite(pipeline, 64, "quite another story")
    pipeline.serving.faults = {"oa_401": 1.0}
    pipeline.run("embed_texts")
    pipeline.serving.faults = {}
    found = findings(pipeline)["embedder"]
    assert (found.severity, found.count) == ("error", 1)
    assert "searched): the embeddings service refused the key" in found.message


def test_both_sets_are_told_and_one_that_was_given_up_is_not(building: SmallPipeline) -> None:
    building.serving.faults = {"oa_401": 1.0}
    building.run("embed_texts")
    rewrite(building, 64, "a text that no set has")
    building.do("update catalog.movies set changed_at = '2026-10-01'")
    building.do("update pipeline.embedding_sets set created_at = '2026-10-01'")
    late = findings(building)["stale embeddings"]
    assert (late.severity, late.count) == ("error", 3)
    assert late.message.count("texts have waited") == 2
    building.embedder = LocalEmbedder("hashing-v1", 64)
    building.run_all("embed_texts")
    found = findings(building)
    assert found["embedder"].severity == "ok"  # nobody builds the other set any more
    assert found["stale embeddings"].message == "every text has its vector"


def test_a_run_without_texts_to_embed_leaves_what_the_run_before_met(building: SmallPipeline) -> None:
    building.serving.faults = {"oa_cursed_400": 1.0}
    building.run("embed_texts")
    building.serving.faults = {}
    before = outcome(building)
    building.run("embed_texts", batches=("batch_10", "batch_10"))
    assert outcome(building) == before
    assert findings(building)["embedder"].severity == "error"


def test_a_run_that_is_stopped_by_hand_leaves_what_the_run_before_met(
    building: SmallPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    building.serving.faults = {"oa_401": 1.0}
    building.run("embed_texts")
    before = outcome(building)

    def interrupted(*_: Any) -> Any:
        raise KeyboardInterrupt

    monkeypatch.setattr(openai_call, "ask", interrupted)
    assert not building.run("embed_texts").success
    assert outcome(building) == before


def test_an_error_of_our_own_is_recorded_and_raised(building: SmallPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: Any) -> Any:
        raise ZeroDivisionError("a defect")

    monkeypatch.setattr(openai_call, "ask", broken)
    assert not building.run("embed_texts").success
    assert outcome(building) == (3, 0, 0, 0, "ZeroDivisionError: a defect")


def test_a_budget_that_ends_the_run_is_told_with_its_variable(building: SmallPipeline) -> None:
    building.settings = building.settings.model_copy(update={"run_dollars": 1e-9})
    building.run("embed_texts")
    found = findings(building)["embedder"]
    assert found.severity == "error"
    assert "MOVIE_ASSETS_RUN_DOLLARS=1e-09 is used up" in found.message


def in_bulk(pipeline: SmallPipeline, wait_minutes: float) -> Any:
    config = {"bulk": True, "wait_minutes": wait_minutes}
    return pipeline.run("embed_in_bulk", config={"ops": {"movie_embeddings": {"config": config}}})


def test_texts_in_a_bulk_job_are_no_failure_and_a_job_that_fails_is(building: SmallPipeline) -> None:
    assert in_bulk(building, 0).success
    assert outcome(building)[:4] == (3, 0, 0, 3)
    assert findings(building)["embedder"].severity == "ok"


def test_a_bulk_job_without_its_texts_is_told(building: SmallPipeline) -> None:
    building.serving.faults = {"oa_batch_failed": 1.0}
    in_bulk(building, 1)
    found = findings(building)["embedder"]
    assert found.severity == "error"
    assert "ended a batch without all of its texts" in found.message


def test_the_check_of_health_fails_alone_and_passes_after_a_good_run(building: SmallPipeline) -> None:
    key = dg.AssetCheckKey(dg.AssetKey("health"), "nothing_is_broken")
    building.serving.faults = {"oa_401": 1.0}
    building.run("embed_texts")
    building.serving.faults = {}
    (result,) = building.run_all("look_at_health")
    assert "nothing_is_broken" in failed_checks(result)
    (broken,) = [e for e in result.get_asset_check_evaluations() if e.check_name == "nothing_is_broken"]
    assert broken.metadata["parts"].value == ["embedder"]
    building.run_all("embed_texts")
    (alone,) = building.check(key).get_asset_check_evaluations()
    assert "embedder" not in alone.metadata["parts"].value


def test_the_command_tells_it(building: SmallPipeline, tmp_path: Any) -> None:
    variables = {
        "MOVIE_ASSETS_DATABASE_URL": building.database.url.render_as_string(hide_password=False),
        "MOVIE_ASSETS_HOME": str(tmp_path),
        "MOVIE_ASSETS_EMBEDDER": "openai",
        "MOVIE_ASSETS_EMBEDDING_DIMENSIONS": "64",
        "OPENAI_API_KEY": "a-key",
        "OPENAI_BASE_URL": building.serving.openai_url,
    }
    building.serving.faults = {"oa_429quota": 1.0}
    building.run("embed_texts")
    building.serving.faults = {}
    told = CliRunner().invoke(main, ["health"], env=variables)
    (line,) = [line for line in told.stdout.splitlines() if " embedder " in line]
    assert told.exit_code == 2
    assert line.startswith("BROKEN")
    assert "embedded none of 3 texts" in line
    building.run_all("embed_texts")
    told = CliRunner().invoke(main, ["health"], env=variables)
    (line,) = [line for line in told.stdout.splitlines() if " embedder " in line]
    assert line.startswith("ok")
