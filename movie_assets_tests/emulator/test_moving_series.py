"""Series from day to day: what moves, and what the feed of changes names."""

from datetime import date, timedelta
from itertools import pairwise

import pytest

from movie_assets.emulator.broadcasts import AT_ONCE, NEVER, WEEKDAYS, WEEKLY, Broadcast
from movie_assets.emulator.lifecycle import Lifecycle, day_index
from movie_assets.emulator.moving_series import MovingSeries
from movie_assets.emulator.series import Series
from movie_assets.emulator.series_edits import series_edits
from movie_assets.emulator.timelines import SCRIPTED, Timeline, timeline
from movie_assets_tests.emulator.conftest import TODAY

World = dict[int, Series]
CALENDAR = [TODAY + timedelta(days=offset) for offset in range(41)]


def numbers_of(series: Series) -> dict[int, tuple[int, int]]:
    """Season and episode number by the id of an episode."""
    return {
        episode.episode_id: (season.number, episode.number) for season in series.seasons for episode in season.episodes
    }


@pytest.fixture(scope="module")
def moving() -> MovingSeries:
    return MovingSeries(100, 4)


@pytest.fixture(scope="module")
def days(moving: MovingSeries) -> list[World]:
    return [{series.tmdb_id: series for series in moving.all_series(day)} for day in CALENDAR]


def test_the_feed_names_every_edit_and_little_else(moving: MovingSeries, days: list[World]) -> None:
    named = idle = 0
    for before, after, day in zip(days, days[1:], CALENDAR[1:], strict=False):
        feed = moving.changes(day)
        assert {change.tmdb_id for change in feed if change.adult is None} == before.keys() - after.keys()
        edited = {number for number, series in after.items() if series_edits(before.get(number), series, day)}
        listed = {change.tmdb_id for change in feed if change.adult is not None}
        assert edited <= listed
        named, idle = named + len(listed), idle + len(listed - edited)
    assert idle < named / 10


def test_an_airing_is_no_edit(moving: MovingSeries, days: list[World]) -> None:
    silent = 0
    for before, after, day in zip(days, days[1:], CALENDAR[1:], strict=False):
        listed = {change.tmdb_id for change in moving.changes(day)}
        silent += sum(
            before[number].last_episode != series.last_episode
            for number, series in after.items()
            if number in before and number not in listed
        )
    assert silent


def test_episodes_air_on_their_days(days: list[World]) -> None:
    for day, series_by_id in zip(CALENDAR, days, strict=True):
        for series in series_by_id.values():
            if series.episode_count > 1000:
                continue
            dates = [one.air_date for season in series.numbered for one in season.episodes if one.air_date]
            last, following = series.last_episode, series.next_episode
            assert (last.air_date if last else None) == max((air for air in dates if air < day), default=None)
            assert (following.air_date if following else None) == min(
                (air for air in dates if air >= day), default=None
            )


def test_what_can_happen_to_series_happens(days: list[World]) -> None:
    happened: set[str] = set()
    for before, after in pairwise(days):
        for number, series in after.items():
            old = before.get(number)
            if old is None:
                happened.add("added")
                continue
            if series.episode_count > 1000:
                continue
            known, listed = numbers_of(old), numbers_of(series)
            happened |= {"more episodes"} if listed.keys() - known.keys() else set()
            happened |= {"fewer episodes"} if known.keys() - listed.keys() else set()
            happened |= {"numbers moved"} if any(known[i] != listed[i] for i in known.keys() & listed.keys()) else set()
            happened |= {"renewed"} if len(series.seasons) > len(old.seasons) else set()
            happened |= {f"{old.status} → {series.status}"} if old.status != series.status else set()
        happened |= {"deleted"} if before.keys() - after.keys() else set()
    assert happened >= {
        "added", "deleted", "more episodes", "fewer episodes", "numbers moved", "renewed", "Returning Series → Ended",
    }  # fmt: skip


def test_votes_and_popularity_drift(days: list[World]) -> None:
    both = days[0].keys() & days[1].keys()
    assert all(days[0][number].popularity != days[1][number].popularity for number in both)
    assert any(days[0][number].vote_count < days[-1][number].vote_count for number in both & days[-1].keys())


def test_a_merged_series_leaves_its_name_and_its_ids_to_another(moving: MovingSeries, days: list[World]) -> None:
    merged = 0
    for before, after, day in zip(days, days[1:], CALENDAR[1:], strict=False):
        for number in before.keys() - after.keys():
            heir = moving.merged_into(number, day)
            if heir is None:
                continue
            merged += 1
            old, new = before[number], after[heir]
            assert (new.imdb_id, new.tvdb_id) == (old.imdb_id, old.tvdb_id)
            assert old.name in new.other_names
            assert heir in {change.tmdb_id for change in moving.changes(day)}
            if old.imdb_id:
                results = moving.find("imdb_id", old.imdb_id, day)["tv_results"]
                assert [result["id"] for result in results] == [heir]
    assert merged


def test_the_same_seed_and_day_give_the_same_series_and_another_seed_others() -> None:
    one, same, other = MovingSeries(50, 7), MovingSeries(50, 7), MovingSeries(50, 8)
    parts = ("season/1", "aggregate_credits", "external_ids")
    for tmdb_id in one.ids(TODAY):
        assert one.body(tmdb_id, TODAY, parts) == same.body(tmdb_id, TODAY, parts)
    assert [one.detail(i, TODAY) for i in one.ids(TODAY)] != [other.detail(i, TODAY) for i in one.ids(TODAY)]


def test_ids_of_series_seasons_and_episodes_are_unique(days: list[World]) -> None:
    seasons = [season for series in days[0].values() for season in series.seasons]
    episodes = [episode.episode_id for season in seasons for episode in season.episodes]
    assert len({season.season_id for season in seasons}) == len(seasons)
    assert len(set(episodes)) == len(episodes)
    assert max(episodes) < 2**31


def test_columns_agree_with_the_truth(moving: MovingSeries, days: list[World]) -> None:
    columns = moving.columns(TODAY)
    for row, number in enumerate(columns.tmdb_id.tolist()):
        series = days[0][number]
        assert series.popularity == columns.popularity[row]
        assert series.vote_count == columns.vote_count[row]
        assert series.vote_average == columns.vote_average[row]
        assert series.language == columns.language[row]
        assert (series.first_air_date.toordinal() if series.first_air_date else 0) == columns.release[row]


def life_of(word: int) -> Timeline:
    return timeline(SCRIPTED, word, -2000, 1, 1)


def test_a_series_can_end_return_and_end_again() -> None:
    lives = [[status for _, status in life_of(word).statuses] for word in range(300)]
    assert any(life[-3:] == ["Ended", "Returning Series", "Ended"] for life in lives)
    assert any("Canceled" in life and life[-1] != "Canceled" for life in lives)
    assert all(
        [day for day, _ in life_of(word).statuses] == sorted(day for day, _ in life_of(word).statuses)
        for word in range(300)
    )


def test_a_settled_season_is_edited_no_more() -> None:
    seasons = [season for word in range(100) for season in life_of(word).seasons]
    for season in seasons:
        last = max(edit for edit in season.edit_days() if edit < NEVER)
        settled = next(day for day in range(season.last, season.last + 2000) if season.is_settled(day))
        assert last <= settled


def test_seasons_can_be_renumbered_and_keep_their_ids() -> None:
    moved = [season for word in range(200) for season in life_of(word).seasons if season.moved_on > -NEVER]
    assert moved
    for season in moved:
        assert season.season_number(season.moved_on - 1) == season.season_number(season.moved_on) + 1


SEASON = Broadcast(
    season_id=1, first_episode_id=1, number=1, word=5, announced=-50, start=0, count=10, step=WEEKLY, lead=7
)


@pytest.mark.parametrize(("step", "days"), [(WEEKLY, [0, 7, 14]), (AT_ONCE, [0, 0, 0]), (WEEKDAYS, [0, 1, 2])])
def test_a_season_airs_in_its_rhythm(step: int, days: list[int]) -> None:
    season = Broadcast(1, 1, 1, 5, announced=-50, start=0, count=10, step=step, lead=7)
    assert [season.planned(episode) for episode in range(3)] == days


def test_episodes_are_added_before_they_air_postponed_lost_and_renumbered() -> None:
    assert SEASON.listed(-8) == []
    assert SEASON.listed(0) == [0, 1]
    season = Broadcast(
        1, 1, 1, 5, announced=-50, start=0, count=10, step=WEEKLY, lead=7, offset=20, renumbered_on=30, lost=1,
        lost_on=40, closes=True, slips_from=5, slips_on=33,
    )  # fmt: skip
    assert season.listed(40) == [0, 2, 3, 4, 5, 6]
    assert [season.episode_number(2, day) for day in (29, 30, 40)] == [23, 3, 2]
    assert [season.airs(5, day) for day in (32, 33)] == [35, 42]
    assert season.airs(4, 33) == 28


@pytest.mark.parametrize("slots", [1, 3, 7, 99])
def test_the_end_of_a_number_is_the_day_of_its_deletion(slots: int) -> None:
    life = Lifecycle(slots)
    for day in range(1, 250):
        for number in life.deleted(day).tolist():
            assert life.end(number) == day
            assert next(life.ended(life.slot(number), day)) == number
    assert all(life.end(number) is None or number % 5 in {0, 3} for number in range(slots))


def test_twenty_thousand_series_are_not_made_before_they_are_asked_for() -> None:
    world = MovingSeries(20_000, 1)
    tmdb_id = world.ids(date(2026, 1, 1))[1000]
    assert world.series(tmdb_id, date(2026, 1, 1)) is not None
    assert world._made_up.timeline.cache_info().currsize == 1
    assert day_index(TODAY) > 0
