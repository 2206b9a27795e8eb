"""Numbers, dates and flags of TMDB's answers: what cannot be right is unknown, and noted."""

import json
from datetime import date
from typing import Any

import pytest

from movie_assets.tmdb.json_values import read_json
from movie_assets.tmdb.movies import read_movie
from movie_assets_tests.tmdb.bodies import details, details_without, film, sent

# Numbers


@pytest.mark.parametrize("runtime", [-5, 100_000, "139", True, 136.5, 10**400, [136]])
def test_an_impossible_runtime_is_unknown_and_noted(runtime: Any) -> None:
    read = film(runtime=runtime)
    assert (read.runtime_minutes, read.repairs) == (None, ("runtime",))


@pytest.mark.parametrize("runtime", [0, None, 0.0])
def test_no_runtime_is_unknown(runtime: Any) -> None:
    read = film(runtime=runtime)
    assert (read.runtime_minutes, read.repairs) == (None, ())


def test_a_runtime_with_a_decimal_point_is_whole_minutes() -> None:
    assert film(runtime=169.0).runtime_minutes == 169


@pytest.mark.parametrize("average", [11, -1, "8.2", True, 1e308])
def test_an_impossible_average_counts_as_none_and_is_noted(average: Any) -> None:
    read = film(vote_average=average)
    assert (read.vote_average, read.repairs) == (0.0, ("vote_average",))


def test_an_average_that_is_nan_counts_as_none() -> None:
    body = json.dumps(details(vote_average=float("nan"))).encode()
    assert read_movie(read_json(body), 603).vote_average == 0.0


def test_negative_votes_are_none_and_leave_the_film_unrated() -> None:
    read = film(vote_count=-1)
    assert (read.vote_count, read.vote_average, read.repairs) == (0, 0.0, ("vote_count",))


def test_an_average_without_votes_is_none() -> None:
    assert film(vote_average=7.5, vote_count=0).vote_average == 0.0


def test_money_beyond_four_bytes_is_kept() -> None:
    assert film(revenue=2_923_706_026).revenue == 2_923_706_026


@pytest.mark.parametrize("field", ["budget", "revenue"])
@pytest.mark.parametrize(("value", "noted"), [(0, False), (None, False), (-1, True), (10**30, True), ("1", True)])
def test_no_money_or_impossible_money_is_unknown(field: str, value: Any, noted: bool) -> None:
    read = film(**{field: value})
    assert (getattr(read, field), bool(read.repairs)) == (None, noted)


@pytest.mark.parametrize("value", [-1, "5", True, None, [5]])
def test_an_impossible_popularity_is_zero(value: Any) -> None:
    assert film(popularity=value).popularity == 0.0


# Dates


@pytest.mark.parametrize(
    "value",
    [
        "0000-00-00",
        "2023-02-30",
        "9999-12-31",
        "1600-01-01",
        "soon",
        "1999",
        1999,
        1999.5,
        True,
        ["1999-03-31"],
        {"a": 1},
    ],
)
def test_an_impossible_release_date_is_unknown_and_noted(value: Any) -> None:
    read = film(release_date=value)
    assert (read.release_date, read.repairs) == (None, ("release_date",))


@pytest.mark.parametrize("value", ["", None])
def test_no_release_date_is_unknown(value: str | None) -> None:
    read = film(release_date=value)
    assert (read.release_date, read.repairs) == (None, ())


def test_a_release_date_with_a_time_is_its_day() -> None:
    assert film(release_date="1999-03-31T00:00:00.000Z").release_date == date(1999, 3, 31)


def test_a_film_of_the_first_years_keeps_its_date() -> None:
    assert film(release_date="1874-12-09").release_date == date(1874, 12, 9)


# Flags


@pytest.mark.parametrize("flag", ["adult", "video", "softcore"])
def test_a_flag_is_what_tmdb_says(flag: str) -> None:
    assert getattr(film(**{flag: True}), flag) is True
    assert getattr(film(**{flag: None}), flag) is False
    assert getattr(sent(details_without(flag)), flag) is False


@pytest.mark.parametrize("value", ["False", "true", 0, 1, []])
def test_a_flag_of_another_type_is_noted(value: Any) -> None:
    assert film(adult=value).repairs == ("adult",)
