"""What TMDB's change feed marks, and what it does not mark twice."""

from collections.abc import Callable
from datetime import date, timedelta

from movie_assets_tests.conftest import figures_of
from movie_assets_tests.support.small_pipelines import FIRST_DAY, SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]


def due(pipeline: SmallPipeline) -> list[tuple[int, str]]:
    """Ids that are due at noon of the pipeline's day, with the reason."""
    sql = f"select tmdb_id, reason from pipeline.due_at('{pipeline.day} 12:00+00') order by 1"
    with pipeline.database.transaction() as connection:
        return [(row[0], row[1]) for row in connection.exec_driver_sql(sql)]


def test_a_film_that_changed_after_its_fetch_is_due(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    pipeline.world.changed[pipeline.day] = [64]
    (result,) = pipeline.run_all("read_the_day")
    assert due(pipeline) == [(64, "changed")]
    assert figures_of(result, "tmdb_changes")["known_ids_changed"] == 1


def test_a_changed_film_is_fetched_once_and_its_new_facts_are_stored(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    pipeline.world.put(film(64, title="Another title"))
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.world.asked == {64: 2, 65: 1}
    assert pipeline.one("select title from catalog.movies where tmdb_id = 64") == "Another title"


def test_the_same_day_again_causes_no_second_fetch(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day", "fetch_details")
    (result, _) = pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.world.asked[64] == 2
    assert figures_of(result, "tmdb_changes")["rows_out"] == 0


def test_an_id_that_joins_the_feed_later_the_same_day_is_marked(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.world.changed[pipeline.day] = [64, 65]
    pipeline.turn_day()
    pipeline.run_all("read_the_day")
    assert due(pipeline) == [(65, "changed")]


def test_a_change_that_is_named_as_of_the_moment_of_the_last_fetch_is_fetched_once(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.world.put(film(64, title="Another title"))
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.one("select title from catalog.movies where tmdb_id = 64") == "Another title"
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.world.asked == {64: 2, 65: 1}
    assert due(pipeline) == []


def test_a_change_that_is_named_while_the_clock_is_behind_the_last_fetch_is_fetched_once(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.turn_day()
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day(-1)
    pipeline.world.put(film(64, title="Another title"))
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.run_all("read_the_day", "fetch_details")
    assert pipeline.one("select title from catalog.movies where tmdb_id = 64") == "Another title"
    assert pipeline.world.asked == {64: 2, 65: 1}


def test_a_change_that_is_named_after_the_moment_of_a_fetch_waits_for_the_next(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.run_all("read_the_day")
    assert pipeline.run("fetch_details", as_of=f"{pipeline.day}T11:59:00+00:00").success
    assert due(pipeline) == [(64, "changed")]
    pipeline.run_all("fetch_details")
    assert due(pipeline) == []
    assert pipeline.world.asked == {64: 3}


def test_days_that_were_missed_are_read_too(small: Make) -> None:
    pipeline = small(film(64), film(65), film(66))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.world.changed = {FIRST_DAY + timedelta(days=1): [64], FIRST_DAY + timedelta(days=2): [65]}
    pipeline.turn_day(3)
    (result,) = pipeline.run_all("read_the_day")
    assert [tmdb_id for tmdb_id, _ in due(pipeline)] == [64, 65]
    assert figures_of(result, "tmdb_changes")["days_read"] == 4


def test_at_most_thirteen_days_are_caught_up(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day")
    pipeline.turn_day(20)
    (result,) = pipeline.run_all("read_the_day")
    assert figures_of(result, "tmdb_changes")["days_read"] == 14


def test_unknown_ids_of_the_feed_are_no_ids_of_ours(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.world.changed[FIRST_DAY] = [64, 999]
    pipeline.run_all("read_the_day")
    assert pipeline.column("select tmdb_id from pipeline.movie_ids") == [64]


def test_a_feed_that_cannot_be_read_fails_and_is_read_by_the_next_run(small: Make) -> None:
    pipeline = small(film(64))
    pipeline.run_all("read_the_day", "fetch_details")
    pipeline.turn_day()
    pipeline.world.changed[pipeline.day] = [64]
    pipeline.serving.faults = {"401": 1.0}
    assert not pipeline.run("read_the_day").success
    pipeline.serving.faults = {}
    pipeline.turn_day()
    pipeline.run_all("read_the_day")
    assert due(pipeline) == [(64, "changed")]
    assert pipeline.column("select change_date from pipeline.change_days order by 1") == [
        FIRST_DAY, date(2026, 10, 6), date(2026, 10, 7),
    ]  # fmt: skip


def test_the_calls_of_the_feed_and_of_the_export_are_shown_with_them(small: Make) -> None:
    (result,) = small(film(64)).run_all("read_the_day")
    for step, endpoint in (("tmdb_export", "export"), ("tmdb_changes", "changes")):
        (calls,) = figures_of(result, step)["calls"]
        assert (calls["endpoint"], calls["status"], calls["calls"]) == (endpoint, "200", 1)
