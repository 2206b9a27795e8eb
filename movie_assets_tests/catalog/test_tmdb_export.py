"""Which exports are loaded, which are refused, and what is left behind."""

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pytest

from movie_assets.emulator.faults import FAULTS, Fault, Situation
from movie_assets.emulator.world import ExportRow
from movie_assets.tmdb.export import DOWNLOADS
from movie_assets_tests.conftest import failed_checks
from movie_assets_tests.support.small_pipelines import FIRST_DAY, SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]
ACCEPT_UNLIKE = {"ops": {"tmdb_export": {"config": {"accept_unlike": True}}}}


def figures_of(result: Any) -> dict[str, Any]:
    """The metadata of the export's materialization."""
    (event,) = [e for e in result.get_asset_materialization_events() if e.step_key == "tmdb_export"]
    return {k: v.value for k, v in event.step_materialization_data.materialization.metadata.items()}


def message_of(result: Any) -> str:
    """Why the export's step failed."""
    (event,) = [e for e in result.all_events if e.event_type_value == "STEP_FAILURE" and e.step_key == "tmdb_export"]
    return str(event.step_failure_data.user_failure_data.description)


def loaded_days(pipeline: SmallPipeline) -> list[date]:
    return pipeline.column("select export_date from pipeline.exports order by 1")


def bad_lines(count: int) -> list[ExportRow]:
    """Lines whose id cannot be one."""
    return [ExportRow(False, -n, "no id", 1.0, False, None) for n in range(1, count + 1)]


def test_a_day_that_is_not_out_yet_falls_back_to_the_one_before(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.serving.today = FIRST_DAY - timedelta(days=2)
    (result,) = pipeline.run_all("read_the_day")
    assert loaded_days(pipeline) == [FIRST_DAY - timedelta(days=2)]
    assert figures_of(result)["asked_for"] == "2026-10-05"
    assert figures_of(result)["export_date"] == "2026-10-03"


def test_seven_days_back_is_the_furthest(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.serving.today = FIRST_DAY - timedelta(days=7)
    pipeline.run_all("read_the_day")
    assert loaded_days(pipeline) == [FIRST_DAY - timedelta(days=7)]


def test_no_export_in_eight_days_fails_and_changes_nothing(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day")
    pipeline.turn_day(8)
    pipeline.serving.today = FIRST_DAY - timedelta(days=1)
    result = pipeline.run("read_the_day")
    assert not result.success
    assert "7 days before" in message_of(result)
    assert loaded_days(pipeline) == [FIRST_DAY]
    assert pipeline.state_of(64) == ("candidate", None)


def test_half_an_export_is_refused_and_the_ids_stay(small: Make) -> None:
    pipeline = small(*(film(64 * n) for n in range(1, 41)))
    pipeline.run_all("read_the_day")
    pipeline.turn_day()
    pipeline.serving.faults = {"export_half": 1.0}
    result = pipeline.run("read_the_day")
    assert failed_checks(result) == {"export_can_be_believed"}
    assert "20 lines where the load before had 40" in message_of(result)
    assert loaded_days(pipeline) == [FIRST_DAY]
    assert pipeline.one("select count(*) from pipeline.movie_ids where state = 'candidate'") == 40
    alone = pipeline.check(dg.AssetCheckKey(dg.AssetKey("tmdb_export"), "export_can_be_believed"))
    assert failed_checks(alone) == {"export_can_be_believed"}  # the refusal stands until an export is accepted
    pipeline.serving.faults = {}
    assert failed_checks(pipeline.run("read_the_day")) == set()


def test_nothing_of_a_refused_export_is_kept(small: Make) -> None:
    pipeline = small(*(film(64 * n) for n in range(1, 41)))
    pipeline.run_all("read_the_day")
    pipeline.turn_day()
    pipeline.serving.faults = {"export_half": 1.0}
    pipeline.run("read_the_day")
    assert pipeline.column("select distinct export_date from pipeline.export_lines") == [FIRST_DAY]


def test_half_an_export_is_loaded_when_a_person_accepts_it(small: Make) -> None:
    pipeline = small(*(film(64 * n) for n in range(1, 41)))
    pipeline.run_all("read_the_day")
    pipeline.turn_day()
    pipeline.serving.faults = {"export_half": 1.0}
    assert pipeline.run("read_the_day", config=ACCEPT_UNLIKE).success
    assert pipeline.one("select count(*) from pipeline.movie_ids where state = 'gone'") == 20


def test_an_export_that_lost_less_than_a_tenth_is_loaded(small: Make) -> None:
    pipeline = small(*(film(64 * n) for n in range(1, 41)))
    pipeline.run_all("read_the_day")
    for n in range(1, 4):
        del pipeline.world.films[64 * n]
    pipeline.turn_day()
    pipeline.run_all("read_the_day")
    assert pipeline.one("select count(*) from pipeline.movie_ids where state = 'gone'") == 3


@pytest.mark.parametrize("config", [None, ACCEPT_UNLIKE])
def test_too_many_unreadable_lines_are_refused_even_when_a_smaller_export_is_accepted(
    small: Make, config: dict[str, Any] | None
) -> None:
    pipeline = small(*(film(64 * n) for n in range(1, 41)))
    pipeline.world.listed = bad_lines(1)
    result = pipeline.run("read_the_day", config=config)
    assert not result.success
    assert "1 of its 41 lines could not be read" in message_of(result)
    assert loaded_days(pipeline) == []


def test_lines_of_a_refused_export_are_kept_as_rejects(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.world.listed = bad_lines(3)
    pipeline.run("read_the_day")
    assert pipeline.column("select reason from pipeline.rejects where stage = 'tmdb_export'") == ["bad_id"] * 3


def test_one_unreadable_line_in_two_hundred_is_rejected_with_a_sample(small: Make) -> None:
    pipeline = small(*(film(n) for n in range(1, 201)))
    pipeline.serving.faults = {"export_corrupt_lines": 1.0}
    (result,) = pipeline.run_all("read_the_day")
    assert figures_of(result)["rows_rejected"] == 1
    assert figures_of(result)["rows_out"] == 199
    assert pipeline.one("select reason from pipeline.rejects") == "not_json"
    assert pipeline.one("select sample from pipeline.rejects").startswith('{"adult":false,"id":100')


def test_a_popularity_that_is_none_is_zero_and_counted(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.world.listed = [ExportRow(False, 65, "odd", -1.0, False, None)]
    (result,) = pipeline.run_all("read_the_day")
    assert (figures_of(result)["rows_out"], figures_of(result)["rows_repaired"]) == (2, 1)


def test_a_rejects_sample_has_at_most_500_characters(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.world.listed = [ExportRow(False, -1, "é" * 900, 1.0, False, None)]
    pipeline.run("read_the_day")
    assert pipeline.one("select length(sample) from pipeline.rejects") == 500


def test_of_duplicate_lines_the_first_wins_and_the_others_are_counted(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.world.listed = [ExportRow(False, 64, "another", 9.0, False, None)] * 2
    (result,) = pipeline.run_all("read_the_day")
    assert figures_of(result)["duplicates"] == 2
    assert pipeline.column("select original_title from pipeline.movie_ids") == ["Film 64"]


@pytest.fixture
def pipeline(small: Make, monkeypatch: pytest.MonkeyPatch) -> SmallPipeline:
    """A pipeline on forty films that waits little for another download: of eight days, three times each."""
    monkeypatch.setattr("movie_assets.http_client.retries.backoff", lambda *_: 0.01)
    return small(*(film(64 * n) for n in range(1, 41)))


def test_a_truncated_export_is_not_believed(pipeline: SmallPipeline) -> None:
    pipeline.serving.faults = {"export_truncated": 1.0}
    result = pipeline.run("read_the_day")
    assert not result.success
    assert "arrived damaged" in message_of(result)
    assert loaded_days(pipeline) == []


def test_an_export_that_ends_within_a_line_is_downloaded_again_and_not_believed(pipeline: SmallPipeline) -> None:
    pipeline.serving.faults = {"export_last_line": 1.0}
    result = pipeline.run("read_the_day")
    assert not result.success
    assert "arrived damaged 3 times (it ends within a line: b'{" in message_of(result)
    assert loaded_days(pipeline) == []
    pipeline.serving.faults = {"export_last_line": 0.5}
    pipeline.run_all("read_the_day")
    assert pipeline.one("select count(*) from pipeline.movie_ids") == 40


def test_an_export_that_stays_damaged_is_read_from_the_day_before(
    pipeline: SmallPipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    spoilt = iter(range(DOWNLOADS))

    def three_times(pieces: Iterator[bytes], situation: Situation) -> Iterator[bytes]:
        cut = next(spoilt, None) is not None
        return FAULTS["export_truncated"].effect(pieces, situation) if cut else pieces

    monkeypatch.setitem(FAULTS, "damaged today", Fault("export_gzip", three_times, "cut the first three times"))
    pipeline.serving.faults = {"damaged today": 1.0}
    pipeline.run_all("read_the_day")
    assert loaded_days(pipeline) == [FIRST_DAY - timedelta(days=1)]


def test_an_export_of_another_source_is_refused_with_the_remedy(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day")
    pipeline.do("update pipeline.exports set source = 'tmdb'")
    pipeline.turn_day()
    result = pipeline.run("read_the_day")
    assert not result.success
    assert "built from tmdb and the export comes from stand-in" in message_of(result)
    assert "MOVIE_ASSETS_HOME" in message_of(result)
    assert "MOVIE_ASSETS_DATABASE_URL" in message_of(result)
    assert loaded_days(pipeline) == [FIRST_DAY]


def test_at_most_two_days_of_lines_are_kept(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day")
    for _ in range(4):
        pipeline.turn_day()
        pipeline.run_all("read_the_day")
        assert pipeline.one("select count(distinct export_date) from pipeline.export_lines") <= 2
    assert pipeline.one("select count(*) from pipeline.export_lines where export_date = '2026-10-09'") == 2
    assert len(loaded_days(pipeline)) == 5


def test_loading_a_day_again_replaces_its_lines(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day")
    pipeline.world.put(film(64, popularity=7.5))
    pipeline.run_all("read_the_day")
    assert pipeline.column("select popularity from pipeline.export_lines order by tmdb_id") == [7.5, 5.0]


def test_titles_that_postgres_could_not_store_are_stored_without_what_it_cannot(small: Make) -> None:
    pipeline = small(film(64, original_title="Nul\x00 and half \ud83d"))
    pipeline.run_all("read_the_day")
    assert pipeline.one("select original_title from pipeline.movie_ids") == "Nul and half ?"


def test_an_export_of_other_ids_is_refused_and_can_be_accepted(small: Make) -> None:
    pipeline = small(*(film(64 * n) for n in range(1, 41)))
    pipeline.run_all("read_the_day")
    pipeline.turn_day()
    pipeline.world.films = {64 * n: film(64 * n) for n in range(11, 51)}
    result = pipeline.run("read_the_day")
    assert "lists 30 of the 40 ids of the load before" in message_of(result)
    assert pipeline.one("select count(*) from pipeline.movie_ids where state = 'gone'") == 0
    assert pipeline.run("read_the_day", config=ACCEPT_UNLIKE).success


def test_an_export_on_another_scale_of_popularity_is_refused(small: Make) -> None:
    pipeline = small(*(film(64 * n) for n in range(1, 41)))
    pipeline.run_all("read_the_day")
    pipeline.turn_day()
    pipeline.world.put(*(film(64 * n, popularity=100.0) for n in range(1, 41)))
    assert "median popularity is 100 where the load before had 5" in message_of(pipeline.run("read_the_day"))
