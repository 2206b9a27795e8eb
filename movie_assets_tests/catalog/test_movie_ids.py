"""What a day's export does to the state of an id, and which days are refused."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import dagster as dg
import pytest

from movie_assets.config.filter_profiles import FilterProfiles
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.conftest import Pipeline, failed_checks, figures
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]


def ids_of(pipeline: SmallPipeline) -> list[Any]:
    with pipeline.database.transaction() as connection:
        return list(connection.exec_driver_sql("select * from pipeline.movie_ids order by tmdb_id").all())


def test_a_new_id_is_a_candidate(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day")
    assert pipeline.state_of(64) == ("candidate", None)


@pytest.mark.parametrize(
    ("line", "reason"),
    [({"adult": True}, "adult"), ({"video": True}, "video"), ({"softcore": True}, "softcore"),
     ({"popularity": 0.9}, "popularity")],
)  # fmt: skip
def test_a_line_that_fails_a_rule_is_rejected_and_not_fetched(small: Make, line: dict[str, Any], reason: str) -> None:
    pipeline = small(film(64), film(65, **line))
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.state_of(65) == ("rejected", reason)
    assert pipeline.world.asked == {64: 1}


def test_a_fetched_film_is_accepted(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.state_of(64) == ("accepted", None)


def test_an_id_that_left_the_export_is_gone_with_its_film_and_keeps_its_tombstone(small: Make) -> None:
    pipeline = small(film(64), *(film(128 + 64 * n) for n in range(20)))
    pipeline.run_all()
    del pipeline.world.films[64]
    pipeline.turn_day()
    pipeline.run_all("read_the_day")
    assert pipeline.state_of(64) == ("gone", "left_export")
    assert 64 not in pipeline.movies


def test_the_vector_of_a_gone_film_leaves_with_the_next_publication(small: Make) -> None:
    pipeline = small(film(64), *(film(128 + 64 * n) for n in range(20)))
    pipeline.run_all()
    assert 64 in pipeline.found
    del pipeline.world.films[64]
    pipeline.turn_day()
    pipeline.run_all("read_the_day", "publish")
    assert 64 not in pipeline.found
    assert len(pipeline.found) == 20


def test_an_id_that_returns_is_fetched_and_found_again(small: Make) -> None:
    pipeline = small(film(64), *(film(128 + 64 * n) for n in range(20)))
    pipeline.run_all()
    left = pipeline.world.films.pop(64)
    pipeline.turn_day()
    pipeline.run_all()
    pipeline.world.put(left)
    pipeline.turn_day()
    pipeline.run_all()
    assert pipeline.state_of(64) == ("accepted", None)
    assert pipeline.world.asked[64] == 2
    assert 64 in pipeline.found


def test_an_id_that_a_corrected_export_of_the_same_day_lists_comes_back(small: Make) -> None:
    pipeline = small(film(64), *(film(128 + 64 * n) for n in range(20)))
    pipeline.run_all("read_the_day", "fetch_details")
    left = pipeline.world.films.pop(64)
    pipeline.turn_day()
    pipeline.run_all("read_the_day")
    pipeline.world.put(left)
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.state_of(64) == ("accepted", None)


def test_a_film_below_the_popularity_threshold_leaves_the_catalogue(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all()
    pipeline.world.put(film(64, popularity=0.5))
    pipeline.turn_day()
    pipeline.run_all("read_the_day", "publish")
    assert pipeline.state_of(64) == ("rejected", "popularity")
    assert pipeline.movies == pipeline.found == [65]


def test_a_film_above_the_popularity_threshold_again_returns_without_a_call(small: Make) -> None:
    pipeline = small(film(64, popularity=0.5), film(65))
    pipeline.world.put(film(64))
    pipeline.run_all()
    pipeline.world.put(film(64, popularity=0.5))
    pipeline.turn_day()
    pipeline.run_all()
    pipeline.world.put(film(64, popularity=4.0))
    pipeline.turn_day()
    pipeline.run_all()
    assert pipeline.movies == pipeline.found == [64, 65]
    assert pipeline.world.asked == {64: 1, 65: 1}


def test_a_film_that_returns_without_a_call_has_the_popularity_of_the_day(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all()
    pipeline.world.put(film(64, popularity=0.5))
    pipeline.turn_day()
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.world.put(film(64, popularity=4.25))
    pipeline.turn_day()
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.one("select popularity from catalog.movie_stats where tmdb_id = 64") == 4.25


def test_popularity_moves_every_day_without_touching_the_facts(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    before = pipeline.one("select xmin::text from catalog.titles")
    pipeline.world.put(film(64, popularity=8.5))
    pipeline.turn_day()
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.one("select popularity from catalog.movie_stats") == 8.5
    assert pipeline.one("select xmin::text from catalog.titles") == before


def test_an_older_day_changes_nothing(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.turn_day()
    pipeline.run_all("read_the_day", "fetch_details")
    before = ids_of(pipeline)
    pipeline.world.put(film(64, popularity=0.5))
    pipeline.turn_day(-1)
    pipeline.run_all("read_the_day")
    assert ids_of(pipeline) == before


def test_the_same_day_again_changes_nothing(small: Make) -> None:
    pipeline = small(film(64), film(65, popularity=0.5), film(66))
    pipeline.run_all("read_the_day", "fetch_details")
    before = ids_of(pipeline)
    pipeline.run_all("read_the_day")
    assert ids_of(pipeline) == before


def test_a_share_out_of_bounds_is_refused_and_leaves_the_states(small: Make) -> None:
    pipeline = small(*(film(64 * n) for n in range(1, 21)))
    pipeline.run_all("read_the_day")
    before = ids_of(pipeline)
    pipeline.world.put(*(film(64 * n, popularity=0.9) for n in range(1, 19)))
    pipeline.turn_day()
    result = pipeline.run("read_the_day")
    assert not result.success
    assert "share_kept_is_within_bounds" in failed_checks(result)
    assert ids_of(pipeline) == before
    alone = pipeline.check(dg.AssetCheckKey(dg.AssetKey("movie_ids"), "share_kept_is_within_bounds"))
    assert failed_checks(alone) == {"share_kept_is_within_bounds"}


def test_no_id_that_passes_is_refused_even_on_the_first_day(small: Make) -> None:
    pipeline = small(film(64, popularity=0.1))
    assert not pipeline.run("read_the_day").success
    assert ids_of(pipeline) == []


def test_a_refused_day_is_made_good_by_the_next_one(small: Make) -> None:
    pipeline = small(*(film(64 * n) for n in range(1, 21)))
    pipeline.run_all("read_the_day")
    pipeline.world.put(*(film(64 * n, popularity=0.9) for n in range(1, 19)))
    pipeline.turn_day()
    pipeline.run("read_the_day")
    pipeline.world.put(*(film(64 * n) for n in range(1, 22)))
    pipeline.turn_day()
    pipeline.run_all("read_the_day")
    assert pipeline.one("select count(*) from pipeline.movie_ids where state = 'candidate'") == 21


def test_a_median_popularity_that_halves_is_a_warning(small: Make) -> None:
    pipeline = small(*(film(64 * n, popularity=10.0) for n in range(1, 11)))
    pipeline.run_all("read_the_day")
    pipeline.world.put(*(film(64 * n, popularity=4.0) for n in range(1, 11)))
    pipeline.turn_day()
    (result,) = pipeline.run_all("read_the_day")
    assert failed_checks(result) == {"popularity_has_not_drifted"}
    assert figures(result, "popularity_has_not_drifted")["ratio"] == pytest.approx(0.4)


def test_without_any_export_the_ids_ask_for_one(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.turn_day(-9)
    pipeline.serving.faults = {"export_missing": 1.0}
    result = pipeline.run("read_the_day")
    assert not result.success
    assert pipeline.one("select count(*) from pipeline.movie_ids") == 0


def test_a_threshold_that_a_person_changed_is_no_drift(pipeline: Pipeline, tmdb_emulator: TmdbEmulator) -> None:
    assert pipeline.run("read_the_day").success
    pipeline.day += timedelta(days=1)
    tmdb_emulator.today = pipeline.day
    (profile,) = pipeline.settings.thresholds.profiles
    pipeline.thresholds = FilterProfiles((replace(profile, min_popularity=30.0),))
    assert pipeline.run("read_the_day").success
    assert pipeline.one("select count(*) from pipeline.movie_ids where export_reason = 'popularity'") > 300
