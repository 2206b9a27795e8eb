"""Days on which most slices of TMDB's lists are read by their first page only: what is stored, and what survives."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from movie_assets.config.filter_profiles import FilterProfiles
from movie_assets.tmdb import list_slices
from movie_assets_tests.chaos.conftest import BY_NAME, strike
from movie_assets_tests.support.detail_runs import due
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film
from movie_assets_tests.tmdb.tmdb_calls import shorten_waits

Make = Callable[..., SmallPipeline]
COUNT = 600
STORED = "select (tmdb_id, vote_count, slice, read_at)::text from pipeline.discovered order by tmdb_id"
SLICES = "select (since, until, unshown, walked_at)::text from pipeline.list_slices order by since"


@pytest.fixture
def many(small: Make, monkeypatch: pytest.MonkeyPatch) -> SmallPipeline:
    """A catalogue of many films after its first day; the details of few are fetched."""
    monkeypatch.setattr(list_slices, "FILMS_OF_A_SLICE", 40)
    monkeypatch.setattr(list_slices, "POPULAR_PAGES", 1)
    shorten_waits(monkeypatch)
    pipeline = small(
        *(film(64 * n, **_of(n)) for n in range(1, 4)), *(film(64 * n + 5, **_of(n)) for n in range(COUNT))
    )
    pipeline.run_all("read_the_day", "fetch_details")
    assert calls(pipeline) > COUNT / 20
    return pipeline


def _of(n: int) -> dict[str, Any]:
    released = date(1990, 1, 1) + timedelta(days=n * 18)
    return {"release_date": str(released), "vote_count": 100 + n * 7 % 900, "popularity": 2 + n * 13 % 100}


def calls(pipeline: SmallPipeline) -> int:
    return sum(pipeline.serving.requests["discover"].values())


def read_a_day(pipeline: SmallPipeline) -> int:
    """Read the next day's lists; return the number of calls."""
    pipeline.turn_day()
    pipeline.serving.reset_counts()
    pipeline.run_all("read_the_day")
    return calls(pipeline)


def votes_of(pipeline: SmallPipeline) -> dict[int, int]:
    with pipeline.database.transaction() as connection:
        rows = connection.exec_driver_sql("select tmdb_id, vote_count from pipeline.discovered").all()
    return {row[0]: row[1] for row in rows}


def test_votes_of_a_day_without_change_take_few_calls_and_are_a_week_old_at_most(many: SmallPipeline) -> None:
    for tmdb_id, body in many.world.films.items():
        many.world.put(body | {"vote_count": body["vote_count"] + tmdb_id % 2})
    truth = {tmdb_id: body["vote_count"] for tmdb_id, body in many.world.films.items()}
    assert 0 < read_a_day(many) < COUNT / 20
    assert votes_of(many) != truth
    for _ in range(5):
        assert 0 < read_a_day(many) < COUNT / 20
    assert votes_of(many) == truth
    assert many.one("select max(read_at) - min(read_at) from pipeline.discovered") < timedelta(days=7)


def test_who_crosses_the_votes_of_a_profile_is_noticed_on_the_day(many: SmallPipeline) -> None:
    (profile,) = many.settings.thresholds.profiles
    many.thresholds = FilterProfiles((profile, replace(profile, name="famous", min_vote_count=600)))
    many.world.put(film(640, vote_count=90), film(704, vote_count=590))
    assert read_a_day(many) > COUNT / 20  # other numbers of votes are asked for: everything is read
    read_a_day(many)
    many.world.put(film(640, vote_count=101), film(704, vote_count=650), film(128, **_of(2) | {"vote_count": 99}))
    assert read_a_day(many) < COUNT / 20
    votes = votes_of(many)
    assert (votes[640], votes[704], 128 in votes) == (101, 650, False)
    assert due(many)[128] == "unlisted"
    many.run_all("fetch_details")
    assert many.state_of(640) == ("accepted", None)
    assert many.state_of(128) == ("rejected", "vote_count")


def test_days_without_a_run_are_made_up_for(many: SmallPipeline) -> None:
    many.turn_day(9)
    many.world.put(film(640, vote_count=101))
    assert read_a_day(many) >= COUNT / 20
    assert many.one("select count(distinct read_at) from pipeline.discovered") == 1
    assert votes_of(many)[640] == 101


def test_a_past_day_that_is_read_again_loses_no_film(many: SmallPipeline) -> None:
    read_a_day(many)
    before = votes_of(many)
    many.day -= timedelta(days=1)
    many.run_all("read_the_day")
    assert votes_of(many) == before
    many.day += timedelta(days=1)
    read_a_day(many)
    assert votes_of(many) == before


def test_exact_reads_all_lists(many: SmallPipeline) -> None:
    many.with_settings(votes_days="exact")
    for _ in range(2):
        assert read_a_day(many) >= COUNT / 20
        assert many.one("select count(distinct read_at) from pipeline.discovered") == 1


@pytest.mark.parametrize("fault", ["outage", "killed"])
def test_a_reading_that_ends_midway_changes_nothing_and_is_made_up_for(many: SmallPipeline, fault: str) -> None:
    before = many.column(STORED), many.column(SLICES)
    many.world.put(film(640, vote_count=101), film(128, **_of(2) | {"vote_count": 99}))
    many.turn_day()
    many.serving.reset_counts()
    columns, is_struck = many.world.columns, True

    def sometimes(day: date) -> Any:
        if is_struck and fault == "outage" and calls(many) > 5:
            raise RuntimeError("TMDB is down")
        return columns(day)

    def kill() -> None:
        if is_struck:
            raise KeyboardInterrupt

    many.world.columns = sometimes  # type: ignore[method-assign]
    if fault == "killed":
        strike(many.database, BY_NAME["lists"], kill, "after")
    try:
        assert not many.run("read_the_day").success
    except KeyboardInterrupt:
        assert fault == "killed"
    assert (many.column(STORED), many.column(SLICES)) == before
    is_struck = False
    many.run_all("read_the_day")
    votes = votes_of(many)
    assert (votes[640], 128 in votes) == (101, False)
    assert calls(many) > 5


def test_calls_that_tmdb_refuses_for_their_rate_are_made_again(many: SmallPipeline) -> None:
    many.world.put(film(640, vote_count=101))
    many.serving.faults = {"429none": 0.2}
    read_a_day(many)
    assert many.serving.requests["discover"][429] > 0
    assert votes_of(many)[640] == 101
    many.serving.faults = {}
    assert read_a_day(many) < COUNT / 20
