"""Health on a real catalogue that is broken on purpose: by the asset, and from outside."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from movie_assets.config.settings import Settings
from movie_assets.database import server_checks
from movie_assets.database.embedded import _address, _socket_folder
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets.operations.health.findings import Finding, merged, worst
from movie_assets.operations.health.report import probe_database, probe_from_outside, probe_services
from movie_assets.runs.metadata_tables import BAR
from movie_assets_tests.conftest import database_of_ones_own, failed_checks, figures_of
from movie_assets_tests.support.indexes import ALWAYS_INDEXED
from movie_assets_tests.support.small_pipelines import SmallPipeline, small_pipelines
from movie_assets_tests.support.world import film


def findings(pipeline: SmallPipeline, *, days: int = 0) -> dict[str, Finding]:
    now = datetime.combine(pipeline.day, datetime.min.time(), UTC) + timedelta(hours=13, days=days)
    services = probe_services(pipeline.settings, pipeline.database, pipeline.embedder)
    found = merged([*services, *probe_database(pipeline.settings, pipeline.database, now)])
    return {each.name: each for each in found}


def not_well(found: dict[str, Finding]) -> dict[str, str]:
    return {name: each.severity for name, each in found.items() if each.severity != "ok"}


def films() -> list[dict[str, Any]]:
    return [film(64 + n, poster_path="/p.jpg", imdb_id=f"tt{n:07}", runtime=100 + n) for n in range(3)]


@pytest.fixture(scope="module")
def well(server: str, template: str) -> Iterator[str]:
    """Name of a database with a catalogue that is well, to be copied.

    The wall's clock is not the pipeline's: what happened just now happened on the pipeline's day.
    """
    with database_of_ones_own(server, template) as database, small_pipelines(database) as make:
        pipeline = make(*films())
        pipeline.run_all()
        pipeline.do("update pipeline.run_log set started_at = moment, ended_at = moment")
        pipeline.do("update pipeline.api_calls set started_at = '2026-10-05 12:00+00'")
        database.close()  # a database that somebody uses cannot be copied
        yield str(database.url.database)


@pytest.fixture
def running(server: str, well: str) -> Iterator[SmallPipeline]:
    """A catalogue of one's own that is well."""
    with database_of_ones_own(server, well) as database, small_pipelines(database) as make:
        yield make(*films())


def test_a_catalogue_that_is_well_is_well(running: SmallPipeline) -> None:
    found = findings(running)
    assert not_well(found) == {}
    gaps = {f"missing {what}" for what in ("posters", "runtimes", "certifications", "people", "keywords", "overviews")}
    services = {
        "source",
        "credential",
        "embedder",
        "disk",
        "database",
        "schema",
        "sensors",
        "runs",
        "triggers",
        "destinations",
        "calls",
    }
    data = {
        "export",
        "freshness",
        "terms",
        "due backlog",
        "failed ids",
        "stale embeddings",
        "bulk jobs",
        "index",
        "lists",
    }
    assert found.keys() == gaps | services | data | {"duplicate identities"}


def test_a_missing_index_is_told(running: SmallPipeline) -> None:
    running.do(ALWAYS_INDEXED)
    found = findings(running)
    assert not_well(found) == {"index": "error"}
    assert "publish" in found["index"].next_step


def test_a_refused_token_is_told_without_it(running: SmallPipeline) -> None:
    running.serving.faults = {"401": 1.0}
    found = findings(running)
    assert not_well(found) == {"credential": "error"}
    assert "a-token" not in str(found)


def test_a_source_that_is_gone_is_told_within_seconds(running: SmallPipeline) -> None:
    running.settings = running.settings.model_copy(update={"tmdb_api_url": "http://127.0.0.1:9/3"})
    assert not_well(findings(running)) == {"source": "error", "credential": "unknown"}


def test_a_quota_that_is_used_up_is_told_by_the_embedders_look(running: SmallPipeline) -> None:
    running.serving.faults = {"oa_429quota": 1.0}
    running.embedder = OpenAiEmbedder("text-embedding-3-small", 64, SecretStr("sk-canary"), running.serving.openai_url)
    found = findings(running)
    assert found["embedder"].severity == "error"
    assert "sk-canary" not in str(found)
    running.serving.faults = {}
    assert findings(running)["embedder"].severity == "ok"


def test_an_old_pgvector_is_warned_of(running: SmallPipeline, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "pgvector" not in findings(running)
    monkeypatch.setattr(server_checks, "SOUND_PGVECTOR", (99, 0))
    found = findings(running)
    assert not_well(found) == {"pgvector": "warn"}
    assert "can damage an index" in found["pgvector"].message


def test_a_destination_that_is_down_is_told_until_it_is_reached(running: SmallPipeline) -> None:
    now = datetime.combine(running.day, datetime.min.time(), UTC) + timedelta(hours=11)
    running.database.execute("update_destinations", destinations=["slack", "webhook"], as_of=now)
    running.database.execute(
        "record_delivery_failure", destination="slack", error="it said 404", retry_after=0, as_of=now
    )
    found = findings(running)
    assert not_well(found) == {"destinations": "error"}
    assert found["destinations"].examples == ("slack",)
    assert "it said 404" in found["destinations"].message
    running.database.execute("record_delivery", destination="slack", alert_ids=[], events=[], severities=[], as_of=now)
    assert not_well(findings(running)) == {}


def test_an_old_catalogue_is_told_by_its_ids_age_and_steps(running: SmallPipeline) -> None:
    problems = not_well(findings(running, days=45))
    assert problems == {"export": "error", "freshness": "error"}
    assert not_well(findings(running, days=3))["runs"] == "warn"
    assert not_well(findings(running, days=175))["terms"] == "warn"


def test_texts_that_wait_for_their_vectors_are_told(running: SmallPipeline) -> None:
    running.do("update catalog.movies set text_hash = 'other', changed_at = '2026-10-01' where tmdb_id = 64")
    found = findings(running)["stale embeddings"]
    assert (found.severity, found.count, found.examples) == ("error", 1, ("64",))


def test_doubles_gaps_and_stubborn_failures_have_examples(running: SmallPipeline) -> None:
    running.do("update catalog.movies set imdb_id = 'tt0000001', poster_path = null where tmdb_id in (64, 65)")
    running.do("update pipeline.movie_ids set attempts = 6, last_error = 'http_500' where tmdb_id = 66")
    found = findings(running)
    assert found["duplicate identities"].examples == ("IMDb id tt0000001: 64, 65",)
    assert (found["missing posters"].severity, found["missing posters"].count) == ("warn", 2)
    assert found["failed ids"].examples == ("66",)


def test_the_same_film_under_two_ids_is_told_without_an_imdb_id(running: SmallPipeline) -> None:
    running.do(
        "update catalog.movies set title = 'Twin', original_title = 'Twin', runtime_minutes = 90, imdb_id = null "
        "where tmdb_id in (64, 65)"
    )
    assert findings(running)["duplicate identities"].count == 1


def test_a_failed_step_is_told_with_its_reason(running: SmallPipeline) -> None:
    running.serving.faults = {"401": 1.0}
    running.do("update pipeline.movie_ids set fetched_at = null, judged_by = null where tmdb_id = 64")
    assert not running.run("fetch_details").success
    running.serving.faults = {}
    found = findings(running)["runs"]
    assert found.severity == "error"
    assert "movie_details failed" in found.message


def test_silent_sensors_are_told_where_they_write_heartbeats(running: SmallPipeline) -> None:
    running.do("create table if not exists pipeline.heartbeats (name text primary key, beat_at timestamptz not null)")
    running.do("insert into pipeline.heartbeats values ('details_are_due', '2026-10-05 10:00+00')")
    assert not_well(findings(running)) == {"sensors": "error"}


def test_triggers_at_work_without_the_alerts_sensor_are_told_where_somebody_is_to_be_told(
    running: SmallPipeline,
) -> None:
    running.settings = running.settings.model_copy(update={"alert_slack_url": SecretStr("http://127.0.0.1:9/hook")})
    assert not_well(findings(running)) == {}  # a console alone
    running.database.execute(
        "record_trigger", name="details_are_due", job="fetch_details", work=0, tries=0, launched_at=None, gave_up=False,
        says="nothing to do", as_of=datetime.combine(running.day, datetime.min.time(), UTC),
    )  # fmt: skip
    found = findings(running)
    assert not_well(found) == {"sensors": "warn"}
    assert "nobody would receive an alert" in found["sensors"].message
    assert not_well(findings(running, days=2)).get("sensors") is None  # they are at work no more
    running.settings = running.settings.model_copy(update={"alert_slack_url": None})
    assert not_well(findings(running)) == {}


def test_a_trigger_that_gave_up_is_told(running: SmallPipeline) -> None:
    running.database.execute(
        "record_trigger", name="details_are_due", job="fetch_details", work=9, tries=8, launched_at=None, gave_up=True,
        says="gave up", as_of=datetime(2026, 10, 5, 10, tzinfo=UTC),
    )  # fmt: skip
    found = findings(running)
    assert not_well(found) == {"triggers": "error"}
    assert "details_are_due has not launched fetch_details since 2026-10-05 10:00 UTC" in found["triggers"].message


def test_one_broken_table_leaves_the_other_looks_alone(running: SmallPipeline) -> None:
    running.do("alter table pipeline.rejects rename to lost; alter table pipeline.api_calls rename to lost_calls")
    found = not_well(findings(running))
    assert found == {"calls": "error"}


def test_a_lock_that_somebody_holds_is_not_waited_for(running: SmallPipeline) -> None:
    with running.database.transaction() as connection:
        connection.exec_driver_sql("lock table pipeline.api_calls in access exclusive mode")
        found = findings(running)
    assert not_well(found) == {"calls": "error"}
    assert "lock timeout" in found["calls"].message


def test_the_asset_tells_the_same_and_its_check_fails(running: SmallPipeline) -> None:
    running.do(ALWAYS_INDEXED)
    (result,) = running.run_all("look_at_health")
    assert failed_checks(result) == {"nothing_is_broken"}
    figures = figures_of(result, "health")
    assert figures["errors"] == 1
    assert figures["coverage"] == figures["searchable"] == 1.0
    broken, look = sorted(result.get_asset_check_evaluations(), key=lambda each: each.check_name)
    assert (broken.passed, look.passed) == (False, True)
    assert broken.metadata["parts"].value == ["index"]
    assert (figures["findings"][0]["severity"], figures["findings"][0]["what"]) == ("error", "index")
    (calls,) = figures["calls_by_day"]
    assert (calls["day"], calls["200"], calls["failed"]) == ("2026-10-05", calls["calls"], 0)
    assert len(calls[""]) == BAR


def test_what_other_checks_and_alerts_tell_breaks_no_check_of_health(running: SmallPipeline) -> None:
    running.do("update pipeline.run_log set status = 'failed', reason = 'why' where step = 'movie_vectors'")
    running.do("update catalog.movies set poster_path = null where tmdb_id in (64, 65)")
    assert not_well(findings(running)) == {"runs": "error", "missing posters": "warn"}
    (result,) = running.run_all("look_at_health")
    assert failed_checks(result) == {"nothing_needs_a_look"}
    first = figures_of(result, "health")["findings"][0]
    assert (first["severity"], first["what"]) == ("error", "runs")


def test_sources_of_ratings_that_are_switched_off_are_not_late(running: SmallPipeline) -> None:
    running.do(
        "insert into pipeline.run_log (run_id, step, job, trigger, moment, started_at, ended_at, status) "
        "select run_id, 'imdb_ratings', job, trigger, moment, started_at - interval '9 days', "
        "ended_at - interval '9 days', status "
        "from pipeline.run_log where step = 'movie_vectors'"
    )
    assert "runs" not in not_well(findings(running))
    running.settings = running.settings.model_copy(update={"imdb_ratings": "title.ratings.tsv.gz"})
    assert not_well(findings(running))["runs"] == "warn"


def test_a_database_that_is_gone_still_leaves_an_answer_for_the_services(running: SmallPipeline) -> None:
    address = "postgresql://somebody:canary-password@127.0.0.1:9/nowhere"
    settings = running.settings.model_copy(update={"database_url": SecretStr(address)})
    found = probe_from_outside(settings, datetime.now(UTC))
    by_name = {each.name: each for each in found}
    assert worst(found) == 2
    assert by_name["database"].severity == "error"
    assert by_name["source"].severity == by_name["credential"].severity == by_name["embedder"].severity == "ok"
    assert by_name["freshness"].severity == "unknown"
    assert "canary-password" not in str(found)


@pytest.mark.parametrize(
    ("address", "whose"),
    [
        (None, "the catalogue's disk"),
        ("{server}", "the catalogue's disk"),
        ("postgresql://somebody@127.0.0.1:9/nowhere", "not PostgreSQL's"),
    ],
)
def test_the_disk_is_the_catalogues_only_with_the_embedded_server(
    tmp_path: Path, address: str | None, whose: str
) -> None:
    home = tmp_path
    url = SecretStr(address.format(server=_address(_socket_folder(home)))) if address else None
    settings = Settings().model_copy(update={"home": home, "embedder": "local", "database_url": url})
    found = {each.name: each for each in probe_from_outside(settings, datetime.now(UTC))}
    assert whose in found["disk"].message


@pytest.mark.parametrize(
    ("changes", "broken"),
    [({"embedder": "openai"}, "embedder"), ({"database_url": SecretStr("mysql://x")}, "database"), ({}, "database")],
)
def test_settings_that_cannot_work_are_findings(tmp_path: Path, changes: dict[str, Any], broken: str) -> None:
    settings = Settings().model_copy(update={"home": tmp_path / "none", "embedder": "local", **changes})
    found = {each.name: each for each in probe_from_outside(settings, datetime.now(UTC))}
    assert found[broken].severity == "error"
    assert not (tmp_path / "none").exists()
