"""Records of ids and calls over the days: history, successors, the funnel, the log of calls."""

from collections.abc import Callable
from itertools import pairwise

import pytest

from movie_assets_tests.conftest import figures
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]


# History and successors


def test_every_change_of_a_state_is_kept(small: Make) -> None:
    pipeline = small(film(64), film(65), *(film(128 + 64 * n) for n in range(20)))
    pipeline.run_all("read_the_day", "fetch_details")
    left = pipeline.world.films.pop(64)
    pipeline.turn_day()
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    pipeline.world.put(left)
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.column(
        "select state_before || ' → ' || state from pipeline.id_history where tmdb_id = 64 order by changed_at"
    ) == ["candidate → accepted", "accepted → gone", "gone → candidate", "candidate → accepted"]


def test_a_run_that_changes_no_state_writes_no_history(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    before = pipeline.one("select count(*) from pipeline.id_history")
    pipeline.turn_day()
    pipeline.world.put(film(64, popularity=9.0, overview="Another story."))
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.one("select count(*) from pipeline.id_history") == before


def test_the_successor_of_a_merged_film_is_found_by_its_imdb_id(small: Make) -> None:
    pipeline = small(film(64, imdb_id="tt0000064"), *(film(128 + 64 * n) for n in range(20)))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    del pipeline.world.films[64]
    pipeline.world.put(film(65, imdb_id="tt0000064"))
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.one("select successor_id from catalog.successors where tmdb_id = 64") == 65
    pipeline.run_all("fetch_details")
    assert pipeline.serving.requests["find"] == {200: 1}


# The funnel


def test_the_funnel_adds_up_to_the_catalogue(small: Make) -> None:
    pipeline = small(film(64), film(65, runtime=10), film(66, vote_count=1), film(67, popularity=0.1))
    pipeline.with_profile(target=10)
    pipeline.run_all("read_the_day", "fetch_details")
    with pipeline.database.transaction() as connection:
        steps = connection.exec_driver_sql("select * from pipeline.funnel order by step").all()
    assert (steps[0].kept, steps[-1].kept, steps[-1].target) == (4, 1, 10)
    assert {step.rule: step.dropped for step in steps if step.dropped} == {
        "popularity": 1, "vote_count": 1, "runtime": 1,
    }  # fmt: skip
    assert all(before.kept - after.dropped == after.kept for before, after in pairwise(steps))


def test_a_rank_keeps_the_most_popular_ids(small: Make) -> None:
    pipeline = small(*(film(64 * n, popularity=float(n)) for n in range(1, 11)))
    pipeline.with_profile(min_popularity=0.0, popularity_rank=3)
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.movies == [512, 576, 640]


# The log of calls


def test_the_calls_of_each_run_are_kept(small: Make) -> None:
    pipeline = small(film(64), film(65))
    (read, fetched) = pipeline.run_all("read_the_day", "fetch_details")
    with pipeline.database.transaction() as connection:
        rows = connection.exec_driver_sql("select * from pipeline.api_calls order by endpoint").all()
    assert {(row.endpoint, row.status, row.calls) for row in rows} == {
        ("changes", "200", 1), ("discover", "200", 1), ("export", "200", 1), ("movie", "200", 2),
    }  # fmt: skip
    assert {row.run_id for row in rows} == {read.run_id, fetched.run_id}
    assert all(0 < row.p50_ms <= row.p95_ms <= row.max_ms and row.bytes > 0 for row in rows)
    (calls,) = figures(fetched, "every_batch_is_covered")["calls"]
    assert (calls["endpoint"], calls["status"], calls["calls"]) == ("movie", "200", 2)


def test_retries_and_waits_are_kept_too(small: Make, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("movie_assets.http_client.retries.backoff", lambda *_: 0.01)
    pipeline = small(*(film(64 * n) for n in range(1, 31)))
    pipeline.run_all("read_the_day")
    pipeline.serving.faults = {"503": 0.3}
    pipeline.run("fetch_details")
    retries, waited = (
        pipeline.column("select retries from pipeline.api_calls where status = '503'"),
        pipeline.one("select seconds_waited from pipeline.api_calls where status = '503'"),
    )
    assert retries[0] > 0
    assert waited > 0
