"""Which seasons are fetched, in which calls: at first, when nothing changed, when something did, and of huge series."""

from collections.abc import Sequence
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from movie_assets.tmdb.media import SERIES
from movie_assets.tmdb.season_plan import (
    MAX_EPISODES_OF_A_CALL,
    MAX_FURTHER_CALLS,
    MAX_PARTS,
    MAX_SEASON_AGE,
    RECENT,
    KnownSeries,
    appended,
    first_seasons,
    further_calls,
    known_series,
)
from movie_assets_tests.tmdb.series_bodies import episode, listed_season, season, series

NOW = datetime(2026, 11, 20, 4, tzinfo=UTC)
SLOTS = MAX_PARTS - len(SERIES.appended)
LONG_AGO = "2020-01-01"
DORMANT: dict[str, Any] = {"last_episode_to_air": episode(2, 3, air_date=LONG_AGO), "next_episode_to_air": None}


def of_seasons(numbers: Sequence[int], episodes: int = 10, /, **changes: Any) -> Any:
    """A series with some seasons of so many episodes, of which nothing was aired lately."""
    return series(**{"seasons": [listed_season(number, episodes) for number in numbers], **DORMANT, **changes})


def known(numbers: Sequence[int], age: timedelta = timedelta(days=7), /, **changes: Any) -> KnownSeries:
    """A series that was fetched whole some time ago."""
    return known_series(of_seasons(numbers, **changes), dict.fromkeys(numbers, NOW - age))


# The first call


def test_a_series_of_which_nothing_is_known_is_asked_for_its_first_seasons() -> None:
    assert SLOTS == 12
    assert first_seasons(None, NOW, SLOTS) == list(range(12))
    assert first_seasons(KnownSeries([]), NOW, SLOTS) == list(range(12))


def test_the_first_call_never_has_more_than_20_parts() -> None:
    old = known(range(100), MAX_SEASON_AGE)
    for before in (None, old):
        parts = appended(SERIES.appended, first_seasons(before, NOW, SLOTS)).split(",")
        assert len(parts) <= MAX_PARTS
        assert len(set(parts)) == len(parts)
    assert parts[0] == "aggregate_credits"


def test_of_a_series_that_rests_only_a_new_season_is_asked_for() -> None:
    assert first_seasons(known([0, 1, 2]), NOW, SLOTS) == [3]


def test_the_seasons_of_the_next_and_of_a_recent_episode_are_asked_for() -> None:
    recent = episode(2, 9, air_date=str((NOW - RECENT).date()))
    airing = known([0, 1, 2, 3], last_episode_to_air=recent, next_episode_to_air=episode(3, 1, air_date="2027-01-01"))
    assert first_seasons(airing, NOW, SLOTS) == [3, 2, 4]
    before = episode(2, 9, air_date=str((NOW - RECENT).date() - timedelta(days=1)))
    assert first_seasons(known([0, 1, 2, 3], last_episode_to_air=before), NOW, SLOTS) == [4]


def test_the_seasons_of_specials_that_were_aired_lately_are_asked_for() -> None:
    moving = known_series(of_seasons([0, 1, 2]), dict.fromkeys(range(3), NOW), [0])
    assert first_seasons(moving, NOW, SLOTS) == [3, 0]


def test_seasons_whose_episodes_are_old_or_missing_are_asked_for_the_newest_first() -> None:
    assert first_seasons(known([0, 1, 2], MAX_SEASON_AGE), NOW, SLOTS) == [3, 2, 1, 0]
    assert first_seasons(known([0, 1, 2], MAX_SEASON_AGE - timedelta(seconds=1)), NOW, SLOTS) == [3]
    never = known_series(of_seasons([0, 1, 2]), {1: NOW, 2: NOW})
    assert first_seasons(never, NOW, SLOTS) == [3, 0]


def test_the_first_call_brings_a_bounded_number_of_episodes() -> None:
    sizes = {1: 300, 2: 450, 3: 200, 4: 40}
    old = series(seasons=[listed_season(number, size) for number, size in sizes.items()], **DORMANT)
    numbers = first_seasons(known_series(old, {}), NOW, SLOTS)
    assert numbers == [5, 4, 3]
    assert sum(sizes.get(number, 0) for number in numbers) <= MAX_EPISODES_OF_A_CALL


# Further calls


def test_a_series_of_nine_seasons_takes_one_call() -> None:
    brought = {f"season/{number}": season(number) for number in range(9)}
    assert further_calls(of_seasons(range(9), **brought), None, NOW) == []


def test_seasons_that_the_first_call_did_not_bring_are_fetched_together() -> None:
    brought = {f"season/{number}": season(number) for number in range(13)}
    assert further_calls(of_seasons(range(41), **brought), None, NOW) == [
        list(range(40, 20, -1)),
        list(range(20, 12, -1)),
    ]


def test_nothing_is_fetched_again_of_a_series_that_did_not_change() -> None:
    assert further_calls(of_seasons([0, 1, 2]), known([0, 1, 2]), NOW) == []


@pytest.mark.parametrize(
    "change",
    [{"id": 9}, {"episode_count": 11}, {"episode_count": 0}, {"episode_count": None}, {"air_date": "2020-03-02"}],
    ids=["id", "more episodes", "none", "unknown", "date"],
)
def test_a_season_that_the_list_shows_to_have_changed_is_fetched_again(change: dict[str, Any]) -> None:
    now = of_seasons([], seasons=[listed_season(1, 10, **change), listed_season(2, 10)])
    assert further_calls(now, known([1, 2]), NOW) == [[1]]


@pytest.mark.parametrize(
    "change", [{"name": "Book One"}, {"overview": "x"}, {"vote_average": 1}, {"poster_path": None}]
)
def test_what_a_series_lists_of_a_season_itself_needs_no_call(change: dict[str, Any]) -> None:
    now = of_seasons([], seasons=[listed_season(1, 10, **change), listed_season(2, 10)])
    assert further_calls(now, known([1, 2]), NOW) == []


def test_a_new_season_is_fetched_unless_it_has_no_episode() -> None:
    assert further_calls(of_seasons([1, 2, 3]), known([1, 2]), NOW) == [[3]]
    without = of_seasons([], seasons=[listed_season(1, 10), listed_season(2, 10), listed_season(3, 0)])
    assert further_calls(without, known([1, 2]), NOW) == []


@pytest.mark.parametrize(
    ("key", "now", "fetched"),
    [
        ("last_episode_to_air", episode(2, 4), [[2]]),
        ("last_episode_to_air", episode(2, 3, air_date="2020-01-02"), [[2]]),
        ("last_episode_to_air", episode(2, 3, air_date=LONG_AGO, name="Renamed"), [[2]]),
        ("last_episode_to_air", episode(2, 3, air_date=LONG_AGO, runtime=99), [[2]]),
        ("last_episode_to_air", episode(1, 3, air_date=LONG_AGO), [[2, 1]]),
        ("last_episode_to_air", None, [[2]]),
        ("last_episode_to_air", episode(2, 3, air_date=LONG_AGO, vote_count=99, vote_average=9), []),
        ("next_episode_to_air", episode(1, 4), [[1]]),
    ],
    ids=["another", "moved", "renamed", "runtime", "another season", "none", "only votes", "next"],
)
def test_a_season_of_which_the_last_or_next_episode_says_something_new(
    key: str, now: dict[str, Any] | None, fetched: list[list[int]]
) -> None:
    assert further_calls(of_seasons([1, 2], **{key: now}), known([1, 2]), NOW) == fetched


def test_an_episode_that_was_the_next_and_is_the_last_is_nothing_new() -> None:
    aired = episode(2, 4)
    before = known([1, 2], last_episode_to_air=None, next_episode_to_air=aired)
    assert further_calls(of_seasons([1, 2], last_episode_to_air=aired, next_episode_to_air=None), before, NOW) == []


def test_seasons_are_fetched_again_when_their_episodes_are_old_though_nothing_changed() -> None:
    assert further_calls(of_seasons([0, 1]), known([0, 1], MAX_SEASON_AGE), NOW) == [[1, 0]]
    assert further_calls(of_seasons([0, 1]), known([0, 1], MAX_SEASON_AGE - timedelta(seconds=1)), NOW) == []


def test_a_season_that_the_first_call_brought_is_not_fetched_twice() -> None:
    brought = {"season/2": season(2)}
    assert further_calls(of_seasons([1, 2], **brought), known([1, 2], MAX_SEASON_AGE), NOW) == [[1]]


@pytest.mark.parametrize("stub", [{"success": False, "status_code": 34}, None, season(2) | {"episodes": None}])
def test_a_season_that_came_in_another_shape_is_fetched_by_itself(stub: Any) -> None:
    assert further_calls(of_seasons([2], **{"season/2": stub}), None, NOW) == [[2]]


# Huge series


def test_calls_are_bounded_by_episodes() -> None:
    sizes = [200, 200, 200, 3677, 10, 10]
    now = of_seasons([], seasons=[listed_season(n, size) for n, size in enumerate(sizes)])
    assert further_calls(now, None, NOW) == [[5, 4], [3], [2, 1], [0]]


def test_a_series_of_thousands_of_seasons_costs_a_bounded_number_of_calls_and_the_rest_is_due_next_time() -> None:
    numbers = range(3000)
    calls = further_calls(of_seasons(numbers, 5), None, NOW)
    assert len(calls) == MAX_FURTHER_CALLS
    assert calls[0][0] == 2999
    fetched = {number for call in calls for number in call}
    left = known_series(of_seasons(numbers, 5), dict.fromkeys(fetched, NOW))
    again = further_calls(of_seasons(numbers, 5), left, NOW + timedelta(days=1))
    assert fetched.isdisjoint(number for call in again for number in call)
    assert again[0][0] == max(set(numbers) - fetched)


def test_a_hundred_seasons_take_six_calls() -> None:
    brought = {f"season/{number}": season(number) for number in first_seasons(None, NOW, SLOTS)}
    assert 1 + len(further_calls(of_seasons(range(100), 3, **brought), None, NOW)) == 6


def test_what_is_known_is_what_the_response_listed() -> None:
    before = known_series(series(), {1: NOW})
    assert [(each.season_id, each.season_number, each.fetched_at) for each in before.seasons] == [
        (5000, 0, None), (5001, 1, NOW), (5002, 2, None),
    ]  # fmt: skip
    assert before.last_episode is not None
    assert (before.last_episode.episode_id, before.last_episode.air_date) == (102_003, date(2021, 3, 3))
