"""Slices of TMDB's lists by release date."""

from datetime import UTC, date, datetime, timedelta

import pytest

from movie_assets.tmdb import list_slices
from movie_assets.tmdb.list_slices import Slice
from movie_assets.tmdb.responses import ListedMovie

FIRST, TODAY = date(1950, 1, 1), date(2026, 10, 1)
LAST = TODAY + timedelta(days=1000)


def made_of(*days: date) -> list[ListedMovie]:
    return [ListedMovie(n, 50, 7.0, day, "en") for n, day in enumerate(days, 1)]


def test_a_slice_that_grew_is_cut_between_days() -> None:
    movies = made_of(*(date(2020, 1, 1) + timedelta(days=n // 2) for n in range(480)))
    ranges = list_slices.cut(date(2019, 1, 1), date(2021, 1, 1), movies)
    second, third = date(2020, 3, 21), date(2020, 6, 9)
    assert ranges == [
        (date(2019, 1, 1), second - timedelta(days=1)),
        (second, third - timedelta(days=1)),
        (third, date(2021, 1, 1)),
    ]
    homes = [list_slices.slice_of(movie, ranges) for movie in movies]
    assert [homes.count(since) for since, _ in ranges] == [160] * 3
    assert list_slices.slice_of(ListedMovie(1, 50, 7.0, None, "en"), ranges) is None


def test_many_films_of_one_day_stay_one_slice() -> None:
    day = date(2020, 1, 1)
    assert list_slices.cut(day, day, made_of(*[day] * 500)) == [(day, day)]


AS_OF = datetime(2026, 10, 1, 9, tzinfo=UTC)


@pytest.mark.parametrize(
    "borders",
    [[], [(1951, 2030)], [(1950, 1980), (1982, 2030)], [(1950, 1980), (1970, 2030)]],
    ids=["none", "late", "gap", "overlap"],
)
def test_slices_that_do_not_cover_all_days_are_of_no_use(borders: list[tuple[int, int]]) -> None:
    slices = [Slice(date(a, 1, 1), date(b, 12, 31), 0, AS_OF) for a, b in borders]
    assert list_slices.extended(slices, FIRST, LAST) == []


def test_the_last_slice_grows_with_the_days() -> None:
    slices = [Slice(FIRST, date(2000, 1, 1), 0, AS_OF), Slice(date(2000, 1, 2), LAST, 0, AS_OF)]
    later = LAST + timedelta(days=9)
    assert [each.until for each in list_slices.extended(slices, FIRST, later)] == [date(2000, 1, 1), later]
    assert list_slices.extended(slices, FIRST, TODAY) == slices
