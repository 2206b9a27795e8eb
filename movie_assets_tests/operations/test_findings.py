"""Findings on rows and probes: severity, number, examples, next step."""

from datetime import UTC, date, datetime, timedelta

import pytest

from movie_assets.catalog.detail_ages import AgeTier, ExpiredResponses
from movie_assets.operations.ages import ALLOWED_AGES, AllowedAge
from movie_assets.operations.health import data as health_of_data
from movie_assets.operations.health import findings as health
from movie_assets.operations.health.findings import GIB, Finding, ServiceProbe, by_severity, worst
from movie_assets.operations.health.rows import (
    CallCount,
    DatabaseState,
    DueFilms,
    DuplicateFilms,
    FailedIds,
    FieldGap,
    Heartbeat,
    StepOutcome,
    TriggerState,
    UnreachableDestination,
)

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)
OK, WARN, ERROR = (Finding(name, name, "") for name in ("ok", "warn", "error"))


def test_the_exit_code_is_that_of_the_worst() -> None:
    unknown = Finding("x", "unknown", "")
    assert [worst(found) for found in ([], [OK], [OK, unknown], [OK, WARN], [WARN, ERROR, OK])] == [0, 0, 1, 1, 2]
    assert by_severity([OK, WARN, ERROR, unknown]) == [ERROR, WARN, unknown, OK]


@pytest.mark.parametrize(
    ("probe", "source", "credential"),
    [
        (ServiceProbe("200"), "ok", "ok"), (ServiceProbe("401", "Invalid API key"), "ok", "error"),
        (ServiceProbe("403"), "ok", "error"),
     (ServiceProbe("429"), "warn", "unknown"), (ServiceProbe("ConnectError", "refused"), "error", "unknown"),
     (ServiceProbe("503"), "error", "unknown"), (ServiceProbe("no JSON", "text/html"), "error", "unknown")],
)  # fmt: skip
def test_one_call_tells_of_the_source_and_of_the_credential(probe: ServiceProbe, source: str, credential: str) -> None:
    assert health.of_source(probe).severity == source
    assert health.of_credential(probe, "tmdb").severity == credential


def test_a_lost_token_is_an_error_only_where_tmdb_was_the_source() -> None:
    assert health.of_credential(None, "tmdb").severity == "error"
    assert health.of_credential(None, "stand-in seed 1").severity == "ok"
    assert health.of_source(None).severity == "ok"


@pytest.mark.parametrize(
    ("probe", "severity"),
    [(ServiceProbe("local"), "ok"), (ServiceProbe("200", seconds=0.4), "ok"), (ServiceProbe("200", seconds=11), "warn"),
     (ServiceProbe("failed", "the key was refused"), "error")],
)  # fmt: skip
def test_the_embedder_answers_fast_slowly_or_not(probe: ServiceProbe, severity: str) -> None:
    assert health.of_embedder(probe).severity == severity


@pytest.mark.parametrize(("free", "severity"), [(9, "ok"), (4, "warn"), (0.5, "error")])
def test_room_on_the_disk(free: float, severity: str) -> None:
    assert health.of_disk(int(free * GIB), 100 * GIB, "/data", has_catalogue=True).severity == severity


@pytest.mark.parametrize(
    ("has_catalogue", "whose", "action"),
    [
        (True, "at /data (the catalogue's disk)", "KEEP_SETS"),
        (False, "this machine's disk, not PostgreSQL's", "own machine"),
    ],
)
def test_it_is_said_whose_disk_that_is(has_catalogue: bool, whose: str, action: str) -> None:
    found = health.of_disk(GIB, 100 * GIB, "/data", has_catalogue=has_catalogue)
    assert whose in found.message
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
    state = DatabaseState("18.4", "0.8.1", 2**20, read_only, connections, max_connections=100)
    assert health.of_database(state).severity == severity


def tier(films: int, overdue: int, hours: int = 48) -> AgeTier:
    return AgeTier(hours, films, films - overdue, overdue, oldest=NOW, median_hours=1.0, examples=[5, 6])


@pytest.mark.parametrize(("overdue", "severity"), [(0, "ok"), (2, "ok"), (3, "warn"), (21, "error")])
def test_freshness_is_judged_by_the_worst_age(overdue: int, severity: str) -> None:
    found = health_of_data.freshness([tier(100, overdue), tier(10_000, 0, 720)])
    assert (found.severity, found.count) == (severity, overdue)


def failures(ids: int, failed_often: int = 0) -> list[FailedIds]:
    return [FailedIds("http_500", ids, failed_often, examples=[1, 2], all_ids=1000)] if ids else []


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
def test_failed_ids_are_borne_unless_they_are_many_or_stubborn(rows: list[FailedIds], severity: str) -> None:
    assert health_of_data.failed_ids(rows).severity == severity


@pytest.mark.parametrize(
    ("films", "hours_ago", "severity"), [(50, 100, "ok"), (200, 2, "warn"), (200, 30, "error"), (200, None, "error")]
)
def test_a_backlog_is_broken_when_nobody_works_on_it(films: int, hours_ago: int | None, severity: str) -> None:
    succeeded_at = None if hours_ago is None else NOW - timedelta(hours=hours_ago)
    row = DueFilms("stale", films, examples=[1], movies=1000, succeeded_at=succeeded_at)
    assert health_of_data.due_backlog([row], NOW).severity == severity


def test_findings_of_one_name_are_one_the_worst() -> None:
    good, other = Finding("embedder", "ok", "it answers"), Finding("embedder", "ok", "all embedded")
    bad = Finding("embedder", "error", "no quota", 3, ("a",), "raise it")
    worse = Finding("embedder", "error", "no answer", 1, ("b",), "wait")
    assert health.merged([good, OK, bad]) == health.merged([bad, OK, good]) == [bad, OK]
    assert health.merged([good, other])[0].message == "it answers; all embedded"
    assert health.merged([bad, worse]) == [
        Finding("embedder", "error", "no quota; no answer", 4, ("a", "b"), "raise it; wait"),
    ]  # fmt: skip


def test_gaps_warn_only_where_tmdb_has_nearly_all() -> None:
    rows = [FieldGap(field, films=100, missing=10, examples=[7]) for field in ("posters", "keywords", "runtimes")]
    assert [found.severity for found in health_of_data.gaps(rows)] == ["warn", "ok", "warn"]


ALLOWED_HERE = {"publish": AllowedAge(timedelta(hours=50), timedelta(hours=74))}


def step(status: str, hours_ago: int, succeeded_hours_ago: int | None, name: str = "publish") -> StepOutcome:
    succeeded_at = None if succeeded_hours_ago is None else NOW - timedelta(hours=succeeded_hours_ago)
    started = NOW - timedelta(hours=hours_ago)
    return StepOutcome(name, status, "why", "r1", started, succeeded_at)


@pytest.mark.parametrize(
    ("rows", "severity"),
    [([], "ok"), ([step("succeeded", 1, 1)], "ok"), ([step("failed", 1, 24)], "error"),
     ([step("killed", 1, 9)], "error"), ([step("stopped", 1, 9)], "ok"),
     ([step("succeeded", 49, 49)], "ok"), ([step("succeeded", 60, 60)], "warn"), ([step("stopped", 60, None)], "warn"),
     ([step("succeeded", 60, 60, "made_on_demand")], "ok"), ([step("failed", 60, 99, "made_on_demand")], "error"),
     ([step("failed", 60, 60, "switched_off")], "ok")],
)  # fmt: skip
def test_how_each_step_ended_last(rows: list[StepOutcome], severity: str) -> None:
    assert health_of_data.steps(rows, NOW, ALLOWED_HERE, off=["switched_off"]).severity == severity


@pytest.mark.parametrize(("days", "late"), [(2, 0), (7, 0), (9, 1), (34, 2)])
def test_weekly_and_monthly_upkeep_is_not_late_before_its_time(days: int, late: int) -> None:
    rows = [step("succeeded", 24 * days, 24 * days, name) for name in ("reconciliation", "retention")]
    assert health_of_data.steps(rows, NOW, ALLOWED_AGES).count == late


@pytest.mark.parametrize(("failed", "severity"), [(0, "ok"), (2, "ok"), (5, "warn"), (30, "error")])
def test_the_rate_of_failed_calls(failed: int, severity: str) -> None:
    rows = [CallCount("200", 100 - failed), CallCount("timeout", failed)]
    found = health_of_data.calls(rows)
    assert (found.severity, found.count) == (severity, failed)
    assert health_of_data.calls([CallCount("404", 9)]).severity == "ok"


@pytest.mark.parametrize(("slowed", "severity"), [(0, "ok"), (5, "ok"), (6, "warn"), (90, "warn")])
def test_calls_that_tmdb_asks_to_slow_down_warn_when_they_are_many(slowed: int, severity: str) -> None:
    found = health_of_data.calls([CallCount("200", 100 - slowed), CallCount("429", slowed)])
    assert found.severity == severity
    assert ("TMDB_RATE" in found.next_step) == (severity == "warn")
    assert found.message.startswith("0.0% of 100 calls")


@pytest.mark.parametrize(("minutes", "severity"), [(1, "ok"), (20, "warn"), (90, "error")])
def test_a_sensor_that_is_silent(minutes: int, severity: str) -> None:
    rows = [Heartbeat("details_are_due", NOW - timedelta(minutes=minutes))]
    assert health_of_data.heartbeats(rows, NOW).severity == severity
    assert health_of_data.heartbeats([], NOW).severity == "ok"


def trigger(name: str, job: str, given_up_at: datetime | None) -> TriggerState:
    return TriggerState(name, job, given_up_at, "gave up: 9 are left after 8 runs in vain")


def test_a_trigger_that_gave_up_is_broken() -> None:
    well = [trigger("details_are_due", "fetch_details", None)]
    assert health_of_data.triggers(well).severity == health_of_data.triggers([]).severity == "ok"
    found = health_of_data.triggers([*well, trigger("the_catalogue_is_not_published", "publish", NOW)])
    assert (found.severity, found.count, found.examples) == ("error", 1, ("the_catalogue_is_not_published",))
    assert "has not launched publish since 2026-11-20 12:00 UTC (gave up: 9 are left" in found.message
    assert "Jobs: publish" in found.next_step


def destination(minutes: int) -> UnreachableDestination:
    return UnreachableDestination("slack", NOW - timedelta(minutes=minutes), last_error="503", failures=8)


@pytest.mark.parametrize(("minutes", "severity"), [(2, "ok"), (60, "ok"), (61, "error")])
def test_a_destination_that_was_not_reached_for_an_hour_is_broken(minutes: int, severity: str) -> None:
    found = health_of_data.destinations([destination(minutes)], NOW)
    assert found.severity == severity
    assert ("slack" in found.message) == (severity == "error")
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
        health_of_data.duplicates([DuplicateFilms("IMDb id tt1", [1, 2])]),
        health_of_data.steps([step("failed", 1, 1)], NOW, ALLOWED_AGES),
        health_of_data.terms(ExpiredResponses(expired=1, soon=2, oldest=NOW)),
        health_of_data.calls([CallCount("500", 9)]),
        health_of_data.calls([CallCount("429", 9)]),
        health_of_data.triggers([trigger("details_are_due", "fetch_details", NOW)]),
        health_of_data.destinations([destination(90)], NOW),
    ]
    assert all(found.severity != "ok" and found.next_step for found in bad)
