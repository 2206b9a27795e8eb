"""Faults of TMDB's export, and what each of them has to lead to."""

import gzip
import socket
import tracemalloc
from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest

from movie_assets.emulator import responses
from movie_assets.emulator.faults import FAULTS, Fault
from movie_assets.tmdb import export as tmdb_export
from movie_assets_tests.conftest import failed_checks
from movie_assets_tests.support.small_pipelines import FIRST_DAY, SmallPipeline
from movie_assets_tests.tmdb.tmdb_calls import CANARY

Patch = pytest.MonkeyPatch
NOWHERE = "http://nowhere.invalid"  # a name that is reserved for not existing


def without_name_service(monkeypatch: Patch) -> list[str]:
    """Answer for names that are not addresses as a resolver does that knows none; the names that were asked for."""
    asked: list[str] = []
    look_up = socket.getaddrinfo

    def know_nothing(host: Any, *args: Any, **options: Any) -> Any:
        name = host.decode() if isinstance(host, bytes) else host
        if not str(name).endswith(".invalid"):
            return look_up(host, *args, **options)
        asked.append(name)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", know_nothing)
    return asked


# Through the assets


@dataclass(frozen=True)
class ExportRow:
    """A fault of the export on the day after a good one, and what has to come of it."""

    number: str
    fault: str
    holds: Callable[[SmallPipeline, "ExportRow"], None]


def keeps_the_ids_in_use(pipeline: SmallPipeline, _: ExportRow) -> None:
    pipeline.turn_day(2)
    pipeline.with_settings(tmdb_export_url=f"{NOWHERE}/p/exports", tmdb_api_token=CANARY)
    result = pipeline.run("read_the_day")
    assert "http://nowhere.invalid/p/exports/movie_ids_" in messages_of(result)
    assert CANARY not in messages_of(result)
    assert days_loaded(pipeline) == [FIRST_DAY]
    assert ids_in_use(pipeline) == 40


def keeps_every_film_as_it_is(pipeline: SmallPipeline, _: ExportRow) -> None:
    pipeline.with_settings(tmdb_api_url=f"{NOWHERE}/3", tmdb_api_token=CANARY)
    result = pipeline.run("fetch_details")
    assert "http://nowhere.invalid/3/movie/" in messages_of(result)
    assert CANARY not in messages_of(result)
    assert pipeline.column("select distinct state || attempts from pipeline.movie_ids") == ["candidate0"]
    pipeline.with_settings()
    pipeline.run_all("fetch_details")
    assert len(pipeline.movies) == 40


def falls_back_to_a_day_that_is_recorded(pipeline: SmallPipeline, _: ExportRow) -> None:
    pipeline.turn_day(6)
    pipeline.serving.today = FIRST_DAY + timedelta(days=3)
    pipeline.run_all("read_the_day")
    assert days_loaded(pipeline) == [FIRST_DAY, FIRST_DAY + timedelta(days=3)]


def keeps_the_ids_and_fails(pipeline: SmallPipeline, row: ExportRow) -> None:
    pipeline.turn_day(2)
    pipeline.serving.faults = {row.fault: 1.0}
    assert not pipeline.run("read_the_day").success
    assert days_loaded(pipeline) == [FIRST_DAY]
    assert ids_in_use(pipeline) == 40


def is_not_read_to_its_end_either(pipeline: SmallPipeline, _: ExportRow) -> None:
    """A bomb of lines: nothing but its size tells that it is one."""
    line = b'{"id": 1, "original_title": "", "popularity": 0.0, "adult": false, "video": false}\n'
    bomb = responses.ServedResponse(200, gzip.compress(line * 500_000), {"Content-Type": "application/gzip"})  # 42 MB
    pipeline.turn_day()
    with pytest.MonkeyPatch.context() as monkeypatch:
        monkeypatch.setitem(FAULTS, "bomb of lines", Fault("export", lambda _, __: bomb, "lines without end"))
        monkeypatch.setattr(tmdb_export, "MAX_UNPACKED_BYTES", 5 * tmdb_export.BLOCK)
        pipeline.serving.faults = {"bomb of lines": 1.0}
        tracemalloc.start()
        result = pipeline.run("read_the_day")
        most = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
    assert not result.success
    assert "more than 5,242,880 bytes unpacked" in messages_of(result)
    assert most < 2**25
    assert days_loaded(pipeline) == [FIRST_DAY]
    assert ids_in_use(pipeline) == 40


def is_refused_and_deletes_nothing(pipeline: SmallPipeline, row: ExportRow) -> None:
    pipeline.turn_day()
    pipeline.serving.faults = {row.fault: 1.0}
    assert failed_checks(pipeline.run("read_the_day")) == {"export_can_be_believed"}
    assert ids_in_use(pipeline) == 40


def is_made_up_for_by_the_next_download(pipeline: SmallPipeline, row: ExportRow) -> None:
    pipeline.turn_day()
    pipeline.serving.faults = {row.fault: 0.5}
    pipeline.run_all("read_the_day")
    assert ids_in_use(pipeline) == 40


def leaves_a_tombstone(pipeline: SmallPipeline, _: ExportRow) -> None:
    pipeline.run_all("fetch_details")
    pipeline.world.withheld = {64}
    pipeline.turn_day(40)
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.state_of(64) == ("gone", "not_found")
    assert 64 not in pipeline.movies
    asked = pipeline.world.asked[64]
    pipeline.turn_day()
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.world.asked[64] == asked


EXPORT_ROWS = (
    ExportRow("F8", "no such host", keeps_the_ids_in_use),
    ExportRow("F8", "no such host", keeps_every_film_as_it_is),
    ExportRow("F22", "404", leaves_a_tombstone),
    ExportRow("F23", "not out yet", falls_back_to_a_day_that_is_recorded),
    ExportRow("F24", "export_missing", keeps_the_ids_and_fails),
    ExportRow("F24", "export_html", keeps_the_ids_and_fails),
    ExportRow("F20", "export_bomb", keeps_the_ids_and_fails),
    ExportRow("F20", "bomb of lines", is_not_read_to_its_end_either),
    ExportRow("F25", "export_half", is_refused_and_deletes_nothing),
    ExportRow("F26", "export_truncated", keeps_the_ids_and_fails),
    ExportRow("F26", "export_corrupt", keeps_the_ids_and_fails),
    ExportRow("F26", "export_truncated", is_made_up_for_by_the_next_download),
)


def messages_of(result: Any) -> str:
    (failure,) = [e.step_failure_data for e in result.all_events if e.event_type_value == "STEP_FAILURE"]
    return str(failure.user_failure_data.description)


def days_loaded(pipeline: SmallPipeline) -> list[object]:
    return pipeline.column("select export_date from pipeline.exports order by 1")


def ids_in_use(pipeline: SmallPipeline) -> object:
    return pipeline.one("select count(*) from pipeline.movie_ids where state in ('candidate', 'accepted')")
