"""Seasons and episodes: of the list of a series, appended to it, and of a season alone."""

from datetime import date
from typing import Any

import pytest

from movie_assets.tmdb.json_values import JsonObject, UnusableResponseError
from movie_assets.tmdb.seasons import (
    Notes,
    Season,
    appended_seasons,
    median_runtime,
    read_season,
    with_stored_seasons,
    without_guests,
)
from movie_assets_tests.tmdb.series_bodies import episode, listed_season, season, series, series_details

NOT_FOUND = {"success": False, "status_code": 34, "status_message": "The resource could not be found."}
NULL_STUB = {"id": None, "season_number": None, "name": None, "episodes": None}


def with_season(number: int, body: Any, **changes: Any) -> Any:
    return series(**{f"season/{number}": body}, **changes)


def episodes_of(read: Any) -> list[tuple[int, int, int]]:
    """The season, number and id of each episode."""
    return [(e.season_number, e.episode_number, e.episode_id) for each in read.fetched for e in each.episodes]


# The list of seasons


def test_the_seasons_of_a_series_are_sorted_by_number_with_the_specials() -> None:
    read = series(seasons=[listed_season(2), listed_season(0, 5), listed_season(1)])
    assert [(each.season_number, each.episode_count) for each in read.seasons] == [(0, 5), (1, 3), (2, 3)]
    assert read.seasons[1] == Season(5001, 1, "Season 1", None, date(2020, 3, 1), 3, "/season.jpg", 7.1)


@pytest.mark.parametrize("missing", ["name", "overview", "air_date", "episode_count", "poster_path", "vote_average"])
def test_a_season_needs_no_more_than_an_id_and_a_number(missing: str) -> None:
    (read,) = series(seasons=[{k: v for k, v in listed_season(1).items() if k != missing}]).seasons
    assert getattr(read, missing) is None


@pytest.mark.parametrize("odd", [None, "x", [], {}, listed_season(1, id=None), listed_season(1, season_number=None)])
def test_a_season_without_id_or_number_is_left_out_and_noted(odd: Any) -> None:
    read = series(seasons=[odd, listed_season(2)])
    assert [each.season_number for each in read.seasons] == [2]
    assert read.rejects == ("seasons[0]: no id or number",)


@pytest.mark.parametrize("again", [listed_season(1, id=9), listed_season(7, id=5001)], ids=["number", "id"])
def test_of_seasons_with_the_same_number_or_id_the_first_counts(again: Any) -> None:
    read = series(seasons=[listed_season(1), again])
    assert [(each.season_number, each.season_id) for each in read.seasons] == [(1, 5001)]
    assert read.rejects == ("seasons[1]: an id or a number that comes twice",)


@pytest.mark.parametrize("seasons", ["x", {}, 5, True])
def test_a_list_of_seasons_of_another_shape_rejects_the_series(seasons: Any) -> None:
    with pytest.raises(UnusableResponseError, match="seasons") as refused:
        series(seasons=seasons)
    assert refused.value.reason == "bad_seasons"


def test_a_missing_list_of_seasons_is_noted_and_appended_seasons_count() -> None:
    read = with_season(1, season(1), seasons=None)
    assert ([each.season_number for each in read.seasons], len(episodes_of(read))) == ([1], 3)
    assert read.rejects == ("seasons: missing",)


@pytest.mark.parametrize(
    ("field", "value"), [("air_date", "soon"), ("episode_count", -1), ("vote_average", 11), ("name", 5)]
)
def test_an_impossible_value_of_a_season_is_unknown_and_noted(field: str, value: Any) -> None:
    read = series(seasons=[listed_season(1, **{field: value}), listed_season(2, **{field: value})])
    assert [getattr(each, field) for each in read.seasons] == [None, None]
    assert read.repairs == (f"seasons.{field}",)


# Appended seasons


def test_an_appended_season_gives_its_episodes() -> None:
    read = with_season(2, season(2))
    assert episodes_of(read) == [(2, 1, 102_001), (2, 2, 102_002), (2, 3, 102_003)]
    first = read.fetched[0].episodes[0]
    assert (first.name, first.overview, first.air_date) == ("Tide 1", "The lamp goes out.", date(2021, 3, 1))
    assert (first.runtime_minutes, first.episode_type, first.still_path) == (41, "standard", "/still.jpg")
    assert (first.production_code, first.vote_average, first.vote_count) == (None, 7.5, 4)


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (NOT_FOUND, "not_a_season"),
        (NULL_STUB, "not_a_season"),
        (None, "not_a_season"),
        ([], "not_a_season"),
        (season(1) | {"success": False}, "not_a_season"),
        (season(2), "other_season"),
        (season(1, season_number="1"), "other_season"),
        (season(1, id=None), "bad_id"),
        (season(1) | {"episodes": None}, "bad_episodes"),
        (season(1) | {"episodes": {}}, "bad_episodes"),
    ],
    ids=["404", "null stub", "null", "array", "no success", "another", "text", "no id", "no episodes", "odd episodes"],
)
def test_an_appended_season_of_another_shape_is_no_row_and_noted(body: Any, reason: str) -> None:
    read = with_season(1, body)
    assert (read.fetched, read.rejects) == ((), (f"season/1: {reason}",))
    assert [each.season_number for each in read.seasons] == [0, 1, 2]
    with pytest.raises(UnusableResponseError) as refused:
        read_season(body, 1, Notes())
    assert refused.value.reason == reason


def test_a_season_that_the_series_does_not_list_has_no_rows() -> None:
    read = with_season(9, season(9))
    assert (read.fetched, read.rejects) == ((), ())
    assert with_season(9, NOT_FOUND).rejects == ()


def test_only_keys_with_a_plain_number_are_seasons() -> None:
    body: JsonObject = {"season/1": {}, "season/0": {}, "season/01": {}, "season/x": {}, "season/²": {}, "seasons": []}
    assert appended_seasons(body) == [1, 0]


# Episodes


@pytest.mark.parametrize(
    "odd", [None, "x", {}, episode(1, 2, id=None), episode(1, 2, id=True), episode(1, 2, id=2**60)]
)
def test_an_episode_without_an_id_is_left_out_and_noted(odd: Any) -> None:
    read = with_season(1, season(1, [episode(1, 1), odd]))
    assert episodes_of(read) == [(1, 1, 101_001)]
    assert read.rejects == ("season/1.episodes[1]: no id or number",)


def test_an_episode_without_a_number_is_left_out() -> None:
    assert with_season(1, season(1, [episode(1, 1, episode_number=None)])).fetched[0].episodes == ()


def test_numbers_of_episodes_may_have_gaps_and_come_twice() -> None:
    read = with_season(1, season(1, [episode(1, 4), episode(1, 9), episode(1, 4, id=8)]))
    assert episodes_of(read) == [(1, 4, 101_004), (1, 9, 101_009), (1, 4, 8)]


def test_of_episodes_with_the_same_id_the_first_counts() -> None:
    read = with_season(1, season(1, [episode(1, 1, name="One"), episode(1, 2, id=101_001)]))
    assert [each.name for each in read.fetched[0].episodes] == ["One"]
    assert read.rejects == ("season/1.episodes[1]: an id that comes twice",)


def test_an_episode_of_two_seasons_is_left_to_the_later_one() -> None:
    moved = episode(2, 4, id=101_003)
    read = series(**{"season/1": season(1), "season/2": season(2, [moved])})
    assert episodes_of(read) == [(1, 1, 101_001), (1, 2, 101_002), (2, 4, 101_003)]
    assert read.rejects == ("season/1: episodes that a later season has too",)


def test_an_episode_belongs_to_the_season_that_has_it() -> None:
    assert episodes_of(with_season(1, season(1, [episode(1, 1, season_number=4)]))) == [(1, 1, 101_001)]


@pytest.mark.parametrize(
    ("key", "value", "field"),
    [("runtime", -5, "runtime_minutes"), ("runtime", 10**9, "runtime_minutes"), ("air_date", "soon", "air_date"),
     ("name", 5, "name"), ("episode_type", [], "episode_type"), ("still_path", True, "still_path")],
)  # fmt: skip
def test_an_impossible_value_of_an_episode_is_unknown_and_noted_once(key: str, value: Any, field: str) -> None:
    read = with_season(1, season(1, [episode(1, n, **{key: value}) for n in (1, 2)]))
    assert [getattr(each, field) for each in read.fetched[0].episodes] == [None, None]
    assert read.repairs == (f"season/1.episodes.{key}",)


@pytest.mark.parametrize("key", ["last_episode_to_air", "next_episode_to_air"])
def test_the_last_and_the_next_episode(key: str) -> None:
    field = key.removesuffix("_to_air")
    read = getattr(series(**{key: episode(2, 3, episode_type="finale")}), field)
    assert (read.episode_id, read.season_number, read.episode_number, read.episode_type) == (102_003, 2, 3, "finale")
    assert getattr(series(**{key: None}), field) is None
    odd = series(**{key: {"name": "no id"}})
    assert (getattr(odd, field), odd.rejects) == (None, (f"{key}: no id or number",))


# Runtime


@pytest.mark.parametrize(
    ("runtimes", "median"),
    [([40, 50, 90], 50), ([40, 50], 40), ([0, None, 45], 45), ([0, None], None), ([], None)],
    ids=["odd", "even", "unknown ones", "none known", "no episode"],
)
def test_the_runtime_is_the_median_of_the_known_ones_and_never_0(
    runtimes: list[int | None], median: int | None
) -> None:
    episodes = [episode(1, n + 1, runtime=runtime) for n, runtime in enumerate(runtimes)]
    read = with_season(1, season(1, episodes))
    assert read.runtime_minutes == median
    assert median_runtime(read.fetched[0].episodes) == median


def test_specials_do_not_count_in_the_runtime() -> None:
    specials = season(0, [episode(0, n, runtime=5) for n in range(1, 9)])
    assert series(**{"season/0": specials, "season/1": season(1)}).runtime_minutes == 42
    assert series(**{"season/0": specials}).runtime_minutes is None


# What is stored


def test_guests_are_taken_out_and_nothing_else() -> None:
    body = series_details(**{"season/1": season(1), "season/2": NOT_FOUND, "season/0": season(0, [None])})  # type: ignore[list-item]
    slim = without_guests(body)
    assert slim["season/1"]["episodes"][0].keys() == episode(1, 1).keys() - {"crew", "guest_stars"}  # type: ignore[index]
    assert {**slim, "season/1": body["season/1"]} == body


def test_stored_seasons_complete_a_response_that_lists_them() -> None:
    stored = series_details(**{"season/1": season(1), "season/2": season(2), "season/8": season(8)})
    newer = season(2, [episode(2, 1, name="New")])
    whole = with_stored_seasons(series_details(**{"season/2": newer}), stored)
    assert (whole["season/1"], whole["season/2"]) == (stored["season/1"], newer)
    assert "season/8" not in whole
