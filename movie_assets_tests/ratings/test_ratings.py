"""Scores, computed again here in plain Python and compared."""

import math
import random
import statistics
from collections.abc import Iterable, Sequence
from typing import Any

import pandas as pd
import pytest

from movie_assets.ratings.scores import PRIOR_VOTES, VOTE_DEVIATION, film_scores, group_scores, membership_of

COLUMNS = ["tmdb_id", "genres", "release_year", "original_language", "vote_average", "vote_count"]
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


def expected_film(films: Sequence[Movie], tmdb_id: int) -> tuple[float, float, float]:
    """Score, low and high of a film on 0-100 by the documented formula."""
    rated = [(average, votes) for *_, average, votes in films if votes]
    usual = sum(average * votes for average, votes in rated) / sum(votes for _, votes in rated)
    (film,) = [f for f in films if f[0] == tmdb_id]
    average, votes = film[4], film[5]
    score = (average * votes + usual * PRIOR_VOTES) / (votes + PRIOR_VOTES)
    margin = 1.96 * VOTE_DEVIATION / math.sqrt(votes + PRIOR_VOTES)
    return 10 * score, 10 * max(0.0, score - margin), 10 * min(10.0, score + margin)


def scored(films: Sequence[Movie] = FILMS) -> dict[int, Any]:
    rows: Iterable[Any] = film_scores(frame(films)).itertuples()
    return {row.tmdb_id: row for row in rows}


def groups(films: Sequence[Movie] = FILMS) -> dict[tuple[str, str], Any]:
    table = frame(films)
    rows: Iterable[Any] = group_scores(film_scores(table), membership_of(table)).itertuples()
    return {(row.scope, row.key): row for row in rows}


@pytest.mark.parametrize("tmdb_id", [1, 2, 3, 4, 6])
def test_a_films_score_is_the_documented_formula(tmdb_id: int) -> None:
    row = scored()[tmdb_id]
    assert (row.score, row.score_low, row.score_high) == pytest.approx(expected_film(FILMS, tmdb_id))


def test_a_film_without_votes_has_no_score() -> None:
    assert 5 not in scored()


def test_one_vote_of_ten_does_not_lead() -> None:
    scores = scored()
    assert scores[3].score < scores[1].score
    assert abs(scores[3].score - expected_film(FILMS, 3)[0]) < 1e-9


def test_many_votes_outweigh_the_prior() -> None:
    films: list[Movie] = [(1, [], 2000, "en", 9.0, 1_000_000), (2, [], 2000, "en", 4.0, 1_000_000)]
    assert scored(films)[1].score == pytest.approx(90, abs=0.1)


def test_more_votes_make_the_interval_narrower() -> None:
    scores = scored()
    assert scores[1].score_high - scores[1].score_low < scores[2].score_high - scores[2].score_low


@pytest.mark.parametrize("average", [0.0, 10.0])
def test_an_interval_stays_within_the_scale(average: float) -> None:
    row = scored([(1, [], 2000, "en", average, 3)])[1]
    assert 0 <= row.score_low <= row.score <= row.score_high <= 100


def test_scores_and_intervals_are_in_order_for_any_votes() -> None:
    dice = random.Random(7)  # noqa: S311  # repeatable, not secret
    films: list[Movie] = [
        (n, ["Drama"], 1980 + n % 40, "en", round(dice.uniform(0, 10), 3), dice.choice([0, 1, 5, 100, 30_000]))
        for n in range(1, 400)
    ]
    for row in [*scored(films).values(), *groups(films).values()]:
        assert 0 <= row.score_low <= row.score <= row.score_high <= 100


def test_a_groups_score_is_the_mean_of_its_films() -> None:
    scores = [expected_film(FILMS, tmdb_id)[0] for tmdb_id in (1, 2)]
    drama = groups()["genre", "Drama"]
    margin = 1.96 * statistics.stdev(scores) / math.sqrt(2)
    assert drama.score == pytest.approx(statistics.mean(scores))
    assert drama.score_low == pytest.approx(statistics.mean(scores) - margin)
    assert drama.score_high == pytest.approx(min(100, statistics.mean(scores) + margin))


def test_a_group_counts_the_films_and_votes_that_have_scores() -> None:
    drama = groups()["genre", "Drama"]
    assert (drama.films, drama.votes) == (2, 1200)


def test_a_group_of_one_film_has_that_films_interval() -> None:
    comedy = groups()["genre", "Comedy"]
    assert comedy.films == 1
    assert (comedy.score, comedy.score_low, comedy.score_high) == pytest.approx(expected_film(FILMS, 3))


def test_a_film_is_in_each_of_its_groups() -> None:
    table = membership_of(frame())
    mine = table[table["tmdb_id"] == 1]
    assert set(zip(mine["scope"], mine["key"], strict=True)) == {
        ("genre", "Drama"), ("genre", "Crime"), ("year", "1999"), ("decade", "1990s"), ("language", "en"),
    }  # fmt: skip


def test_a_film_without_year_language_and_genres_is_in_no_group() -> None:
    assert 4 not in set(membership_of(frame())["tmdb_id"])


def test_years_are_written_without_a_decimal_point() -> None:
    table = membership_of(frame())
    assert set(table[table["scope"] == "year"]["key"]) == {"1999", "1994", "2004"}


def test_a_group_whose_films_have_no_votes_is_left_out() -> None:
    films: list[Movie] = [*FILMS, (9, ["Western"], 1950, "de", 0.0, 0)]
    assert ("genre", "Western") not in groups(films)


def test_no_films_give_no_scores() -> None:
    table = frame([])
    scores = film_scores(table)
    assert len(scores) == 0
    assert len(group_scores(scores, membership_of(table))) == 0


def test_films_without_any_vote_give_no_scores() -> None:
    assert groups([(1, ["Drama"], 1999, "en", 0.0, 0)]) == {}


def test_films_of_which_none_has_a_group_give_no_group() -> None:
    assert groups([(1, [], None, None, 7.0, 10)]) == {}
