"""What a look's rows mean: how bad, how many, which, what to do."""

from datetime import UTC, date, datetime, timedelta
from types import SimpleNamespace as Row
from typing import Any

import pytest

from movie_assets.operations.ages import ALLOWED, Allowed
from movie_assets.operations.health import data as health_of_data
from movie_assets.operations.health import findings as health
from movie_assets.operations.health.findings import GIB, Finding, ServiceProbe, by_severity, worst

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OK, WARN, ERROR = (Finding(name, name, "") for name in ("ok", "warn", "error"))


def test_the_exit_code_is_that_of_the_worst() -> None:
    unknown = Finding("x", "unknown", "")
    assert [worst(found) for found in ([], [OK], [OK, unknown], [OK, WARN], [WARN, ERROR, OK])] == [0, 0, 1, 1, 2]
    assert by_severity([OK, WARN, ERROR, unknown]) == [ERROR, WARN, unknown, OK]


@pytest.mark.parametrize(
    ("reach", "source", "credential"),
    [
        (ServiceProbe("200"), "ok", "ok"), (ServiceProbe("401", "Invalid API key"), "ok", "error"),
        (ServiceProbe("403"), "ok", "error"),
     (ServiceProbe("429"), "warn", "unknown"), (ServiceProbe("ConnectError", "refused"), "error", "unknown"),
     (ServiceProbe("503"), "error", "unknown"), (ServiceProbe("no JSON", "text/html"), "error", "unknown")],
)  # fmt: skip
def test_one_call_tells_of_the_source_and_of_the_credential(reach: ServiceProbe, source: str, credential: str) -> None:
    assert health.of_source(reach).severity == source
    assert health.of_credential(reach, "tmdb").severity == credential


def test_a_lost_token_is_an_error_only_where_tmdb_was_the_source() -> None:
    assert health.of_credential(None, "tmdb").severity == "error"
    assert health.of_credential(None, "stand-in seed 1").severity == "ok"
    assert health.of_source(None).severity == "ok"


@pytest.mark.parametrize(
    ("reach", "severity"),
    [(ServiceProbe("local"), "ok"), (ServiceProbe("200", seconds=0.4), "ok"), (ServiceProbe("200", seconds=11), "warn"),
     (ServiceProbe("failed", "the key was refused"), "error")],
)  # fmt: skip
def test_the_embedder_answers_fast_slowly_or_not(reach: ServiceProbe, severity: str) -> None:
    assert health.of_embedder(reach).severity == severity


@pytest.mark.parametrize(("free", "severity"), [(9, "ok"), (4, "warn"), (0.5, "error")])
def test_room_on_the_disk(free: float, severity: str) -> None:
    assert health.of_disk(int(free * GIB), 100 * GIB, "/data", has_catalogue=True).severity == severity


@pytest.mark.parametrize(
    ("has_catalogue", "whose", "action"),
    [
        (True, "at /data (the catalogue's disk)", "KEEP_SETS"),
        (False, "this machine's disk, not PostgreSQL's", "its own machine"),
    ],
)
def test_it_is_said_whose_disk_that_is(has_catalogue: bool, whose: str, action: str) -> None:
    found = health.of_disk(GIB, 100 * GIB, "/data", has_catalogue=has_catalogue)
    assert whose in found.says
    assert action in found.next_step


@pytest.mark.parametrize(("days", "severity"), [(0, "ok"), (1, "ok"), (2, "warn"), (4, "warn"), (5, "error")])
def test_the_age_of_the_ids(days: int, severity: str) -> None:
    today = date(2026, 11, 20)
    assert health.of_export(today - timedelta(days=days), today).severity == severity


def test_a_catalogue_without_an_export_warns() -> None:
    assert health.of_export(None, date(2026, 11, 20)).severity == "warn"


@pytest.mark.parametrize(
    ("read_only", "connections", "severity"), [(False, 10, "ok"), (False, 90, "warn"), (True, 10, "error")]
)
def test_a_database_that_answers(read_only: bool, connections: int, severity: str) -> None:
    found = health.of_database("18.4", 2**20, is_read_only=read_only, connections=connections, most_connections=100)
    assert found.severity == severity


def tier(films: int, overdue: int, hours: int = 48) -> Row:
    return Row(allowed_hours=hours, films=films, within=films - overdue, overdue=overdue, examples=[5, 6])


@pytest.mark.parametrize(("overdue", "severity"), [(0, "ok"), (2, "ok"), (3, "warn"), (21, "error")])
def test_freshness_is_judged_by_the_worst_age(overdue: int, severity: str) -> None:
    found = health_of_data.freshness([tier(100, overdue), tier(10_000, 0, 720)])
    assert (found.severity, found.count) == (severity, overdue)


def failures(ids: int, stubborn: int = 0, of: int = 1000) -> list[Row]:
    return [Row(reason="http_500", ids=ids, stubborn=stubborn, examples=[1, 2], of=of)] if ids else []


@pytest.mark.parametrize(
    ("rows", "severity"),
    [
        (failures(0), "ok"),
        (failures(3), "ok"),
        (failures(3, 1), "warn"),
        (failures(30), "warn"),
        (failures(300), "error"),
    ],
)
def test_failed_ids_are_borne_unless_they_are_many_or_stubborn(rows: list[Row], severity: str) -> None:
    assert health_of_data.failed_ids(rows).severity == severity


@pytest.mark.parametrize(
    ("films", "hours_ago", "severity"), [(50, 100, "ok"), (200, 2, "warn"), (200, 30, "error"), (200, None, "error")]
)
def test_a_backlog_is_broken_when_nobody_works_on_it(films: int, hours_ago: int | None, severity: str) -> None:
    worked_at = None if hours_ago is None else NOW - timedelta(hours=hours_ago)
    row = Row(reason="stale", films=films, examples=[1], movies=1000, worked_at=worked_at)
    assert health_of_data.due_backlog([row], NOW).severity == severity


def texts(**changes: Any) -> list[Row]:
    """The row of the set that is searched."""
    well = {
        "movies": 100, "missing": 0, "stale": 0, "refused": 0, "examples": None, "name": "openai a-model",
        "is_active": True,
        "run_texts": None, "run_embedded": None, "run_refused": None, "run_in_flight": None, "problem": None,
        "begun_by": None, "answered_by": None,
        "ended_at": NOW, "run_id": "a-run",
    }  # fmt: skip
    return [Row(**well | changes)]


@pytest.mark.parametrize(
    ("rows", "severity"),
    [(texts(), "ok"), (texts(missing=5), "ok"), (texts(missing=1, refused=1), "warn"),
     (texts(missing=5, stale=5), "warn"), (texts(missing=30, stale=30), "error"), (texts(is_active=False), "error"),
     (texts(movies=0, is_active=False), "ok"), (texts() + texts(is_active=False, missing=30, stale=30), "warn"),
     (texts(missing=30, stale=30) + texts(is_active=False), "error")],
)  # fmt: skip
def test_texts_without_their_vector(rows: list[Row], severity: str) -> None:
    assert health_of_data.stale_embeddings(rows).severity == severity


def test_not_every_text_has_its_vector_while_one_waits() -> None:
    says = [health_of_data.stale_embeddings(texts(missing=missing)).says for missing in (0, 3)]
    assert says == [
        "every text has its vector", "3 texts wait for their vectors, none for more than six hours",
    ]  # fmt: skip


def met(embedded: int, *, refused: int = 0, in_flight: int = 0, problem: str | None = None) -> dict[str, Any]:
    """What a run with ten texts met."""
    return {
        "run_texts": 10, "run_embedded": embedded, "run_refused": refused, "run_in_flight": in_flight,
        "problem": problem,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "severity"),
    [
        (texts(missing=10), "ok"),  # no run met anything yet
        (texts(missing=10, **met(0, problem="no quota")), "error"),
        (texts(missing=10, **met(0, refused=10, problem="too long")), "error"),
        (texts(missing=0, **met(0, problem="no quota")), "ok"),  # the films have left
        (texts(missing=6, **met(4, problem="no quota")), "warn"),
        (texts(missing=1, **met(9, refused=1, problem="too long")), "ok"),  # one text is to blame, not the service
        (texts(missing=10, **met(0, in_flight=10)), "ok"),
        (texts(missing=6, **met(4, in_flight=6)), "ok"),
        (texts(**met(10), begun_by="one", answered_by="one"), "ok"),
        (texts(**met(10), begun_by="one", answered_by="two"), "warn"),
        (texts(**met(10), begun_by="one"), "ok"),  # a service may give no name
        (texts(**met(10)) + texts(is_active=False, missing=10, **met(0, problem="no quota")), "error"),
    ],
)
def test_the_embedder_is_judged_by_what_the_last_run_of_each_set_met(rows: list[Row], severity: str) -> None:
    found = health_of_data.embedding_runs(rows)
    assert found.severity == severity
    assert ("no quota" in found.says) == (severity != "ok" and any(row.problem == "no quota" for row in rows))


def test_findings_of_one_name_are_one_the_worst() -> None:
    good, other = Finding("embedder", "ok", "it answers"), Finding("embedder", "ok", "all embedded")
    bad = Finding("embedder", "error", "no quota", 3, ("a",), "raise it")
    worse = Finding("embedder", "error", "no answer", 1, ("b",), "wait")
    assert health.merged([good, OK, bad]) == health.merged([bad, OK, good]) == [bad, OK]
    assert health.merged([good, other])[0].says == "it answers; all embedded"
    assert health.merged([bad, worse]) == [
        Finding("embedder", "error", "no quota; no answer", 4, ("a", "b"), "raise it; wait"),
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("has_index", "is_valid", "vectors", "says"),
    [(True, True, 9, "is valid"), (False, False, 9, "is missing"), (True, False, 9, "not built to its end"),
     (False, False, 0, "no vectors yet")],
)  # fmt: skip
def test_the_index(has_index: bool, is_valid: bool, vectors: int, says: str) -> None:
    found = health_of_data.index([Row(vectors=vectors, set_id=1, has_index=has_index, is_valid=is_valid)])
    assert says in found.says
    assert found.severity == ("error" if vectors and not is_valid else "ok")


def test_gaps_warn_only_where_tmdb_has_nearly_all() -> None:
    rows = [Row(what=what, films=100, missing=10, examples=[7]) for what in ("posters", "keywords", "runtimes")]
    assert [found.severity for found in health_of_data.gaps(rows)] == ["warn", "ok", "warn"]


ALLOWED_HERE = {"publish": Allowed(timedelta(hours=50), timedelta(hours=74))}


def step(status: str, hours_ago: int, succeeded_hours_ago: int | None, name: str = "publish") -> Row:
    succeeded_at = None if succeeded_hours_ago is None else NOW - timedelta(hours=succeeded_hours_ago)
    started = NOW - timedelta(hours=hours_ago)
    return Row(step=name, status=status, reason="why", run_id="r1", started_at=started, succeeded_at=succeeded_at)


@pytest.mark.parametrize(
    ("rows", "severity"),
    [([], "ok"), ([step("succeeded", 1, 1)], "ok"), ([step("failed", 1, 24)], "error"),
     ([step("killed", 1, 9)], "error"), ([step("stopped", 1, 9)], "ok"),
     ([step("succeeded", 49, 49)], "ok"), ([step("succeeded", 60, 60)], "warn"), ([step("stopped", 60, None)], "warn"),
     ([step("succeeded", 60, 60, "made_on_demand")], "ok"), ([step("failed", 60, 99, "made_on_demand")], "error"),
     ([step("failed", 60, 60, "switched_off")], "ok")],
)  # fmt: skip
def test_how_each_step_ended_last(rows: list[Row], severity: str) -> None:
    assert health_of_data.steps(rows, NOW, ALLOWED_HERE, off=["switched_off"]).severity == severity


@pytest.mark.parametrize(("days", "late"), [(2, 0), (7, 0), (9, 1), (34, 2)])
def test_weekly_and_monthly_upkeep_is_not_late_before_its_time(days: int, late: int) -> None:
    rows = [step("succeeded", 24 * days, 24 * days, name) for name in ("reconciliation", "retention")]
    assert health_of_data.steps(rows, NOW, ALLOWED).count == late


@pytest.mark.parametrize(("failed", "severity"), [(0, "ok"), (2, "ok"), (5, "warn"), (30, "error")])
def test_the_rate_of_failed_calls(failed: int, severity: str) -> None:
    rows = [Row(status="200", calls=100 - failed), Row(status="timeout", calls=failed)]
    found = health_of_data.calls(rows)
    assert (found.severity, found.count) == (severity, failed)
    assert health_of_data.calls([Row(status="404", calls=9)]).severity == "ok"


@pytest.mark.parametrize(("slowed", "severity"), [(0, "ok"), (5, "ok"), (6, "warn"), (90, "warn")])
def test_calls_that_tmdb_asks_to_slow_down_warn_when_they_are_many(slowed: int, severity: str) -> None:
    found = health_of_data.calls([Row(status="200", calls=100 - slowed), Row(status="429", calls=slowed)])
    assert found.severity == severity
    assert ("TMDB_RATE" in found.next_step) == (severity == "warn")
    assert found.says.startswith("0.0% of 100 calls")


@pytest.mark.parametrize(("minutes", "severity"), [(1, "ok"), (20, "warn"), (90, "error")])
def test_a_sensor_that_is_silent(minutes: int, severity: str) -> None:
    rows = [Row(name="details_are_due", beat_at=NOW - timedelta(minutes=minutes))]
    assert health_of_data.heartbeats(rows, NOW).severity == severity
    assert health_of_data.heartbeats(None, NOW).severity == "ok"


def trigger(name: str, job: str, given_up_at: datetime | None) -> Row:
    return Row(name=name, job=job, given_up_at=given_up_at, says="gave up: 9 are left after 8 runs in vain")


def test_a_trigger_that_gave_up_is_broken() -> None:
    well = [trigger("details_are_due", "fetch_details", None)]
    assert health_of_data.triggers(well).severity == health_of_data.triggers([]).severity == "ok"
    found = health_of_data.triggers([*well, trigger("the_catalogue_is_not_published", "publish", NOW)])
    assert (found.severity, found.count, found.examples) == ("error", 1, ("the_catalogue_is_not_published",))
    assert "has launched publish no more since 2026-11-20 12:00 UTC (gave up: 9 are left" in found.says
    assert "Jobs: publish" in found.next_step


def destination(minutes: int) -> Row:
    return Row(destination="slack", failing_since=NOW - timedelta(minutes=minutes), last_error="503", failures=8)


@pytest.mark.parametrize(("minutes", "severity"), [(2, "ok"), (60, "ok"), (61, "error")])
def test_a_destination_that_was_not_reached_for_an_hour_is_broken(minutes: int, severity: str) -> None:
    found = health_of_data.destinations([destination(minutes)], NOW)
    assert found.severity == severity
    assert ("slack" in found.says) == (severity == "error")
    assert health_of_data.destinations([], NOW).severity == "ok"


def test_whatever_is_not_well_says_what_to_do() -> None:
    bad = [
        health.of_source(ServiceProbe("503")),
        health.of_credential(ServiceProbe("401"), None),
        health.of_embedder(ServiceProbe("failed", "x")),
        health.of_disk(1, 100, "/", has_catalogue=True),
        health.of_export(None, date(2026, 1, 1)),
        health_of_data.freshness([tier(1, 1)]),
        health_of_data.failed_ids(failures(300)),
        health_of_data.stale_embeddings(texts(stale=9)),
        health_of_data.duplicates([Row(identity="IMDb id tt1", ids=[1, 2])]),
        health_of_data.steps([step("failed", 1, 1)], NOW, ALLOWED),
        health_of_data.terms([Row(expired=1, soon=2)]),
        health_of_data.calls([Row(status="500", calls=9)]),
        health_of_data.calls([Row(status="429", calls=9)]),
        health_of_data.triggers([trigger("details_are_due", "fetch_details", NOW)]),
        health_of_data.destinations([destination(90)], NOW),
    ]
    assert all(found.severity != "ok" and found.next_step for found in bad)
