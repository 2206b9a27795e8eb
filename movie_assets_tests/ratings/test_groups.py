"""The groups of films."""

from collections.abc import Sequence
from typing import Any

import pandas as pd

from movie_assets.ratings.groups import MIN_FILMS, large_enough, membership_of

COLUMNS = ["title_id", "genres", "release_year", "original_language", "vote_average", "vote_count"]
Movie = tuple[int, list[str], int | None, str | None, float, int]
FILMS: list[Movie] = [
    (1, ["Drama", "Crime"], 1999, "en", 8.5, 1000),
    (2, ["Drama"], 1994, "fr", 6.0, 200),
    (3, ["Comedy"], 2004, "en", 10.0, 1),
    (4, [], None, None, 5.0, 50),
    (5, ["Drama"], 1999, "en", 9.0, 0),
    (6, ["Crime"], 1999, "en", 7.25, 431),
]


def frame(films: Sequence[Movie] = FILMS) -> pd.DataFrame:
    whole = pd.DataFrame(films, columns=COLUMNS).assign(collection_id=None)
    nowhere: Any = [[]] * len(whole)
    return whole.assign(countries=nowhere)


def test_a_film_is_in_each_of_its_groups() -> None:
    table = membership_of(frame())
    mine = table[table["title_id"] == 1]
    assert set(zip(mine["scope"], mine["key"], strict=True)) == {
        ("genre", "Drama"), ("genre", "Crime"), ("year", "1999"), ("decade", "1990s"), ("language", "en"),
    }  # fmt: skip


def test_a_film_without_year_language_and_genres_is_in_no_group() -> None:
    assert 4 not in set(membership_of(frame())["title_id"])


def test_years_are_written_without_a_decimal_point() -> None:
    table = membership_of(frame())
    assert set(table[table["scope"] == "year"]["key"]) == {"1999", "1994", "2004"}


def test_people_of_few_films_have_no_score_and_other_groups_may_be_small() -> None:
    groups = pd.DataFrame(
        {"scope": ["person", "person", "genre"], "key": ["1", "2", "Western"], "films": [MIN_FILMS - 1, MIN_FILMS, 1]}
    )
    assert list(large_enough(groups)["key"]) == ["2", "Western"]
