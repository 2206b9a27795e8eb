"""Scores from several sources, held against a second computation in plain Python, and what odd ratings do to them."""

import math
import random
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import pandas as pd
import pytest

from movie_assets.ratings.pooled_scores import (
    film_sources,
    group_sources,
    matched,
    pooled_groups,
    pooled_scores,
    usable,
)
from movie_assets_tests.ratings.independent_scores import SourceRating, expected_group, expected_scores

COLUMNS = ["title_id", "source", "value", "votes"]


def frame(ratings: Iterable[Any]) -> pd.DataFrame:
    return pd.DataFrame(list(ratings), columns=COLUMNS)


def listed(table: pd.DataFrame) -> list[Any]:
    return list(table.itertuples())


def scored(ratings: Iterable[Any]) -> dict[int, Any]:
    return {row.title_id: row for row in listed(pooled_scores(frame(ratings))[0])}


def worlds(films: int = 300, seed: int = 7) -> list[SourceRating]:
    """Films of known quality at three sources with scales of their own, votes from one to a million, some missing."""
    dice = random.Random(seed)  # noqa: S311  # repeatable, not secret
    ratings = []
    for film in range(1, films + 1):
        quality = dice.gauss(66, 8)
        for source, shift, slope, share in (("tmdb", 0, 1, 0.97), ("imdb", 10, 0.8, 0.8), ("movielens", -8, 1.3, 0.5)):
            if dice.random() > share:
                continue
            votes = math.ceil(10 ** dice.uniform(0, 6))
            value = shift + slope * (quality + dice.gauss(0, 2)) + dice.gauss(0, 20.5) / math.sqrt(votes)
            ratings.append(SourceRating(film, source, min(100.0, max(0.0, value)), votes))
    return ratings


@pytest.mark.parametrize("seed", range(5))
def test_scores_are_those_of_an_independent_computation(seed: int) -> None:
    ratings = worlds(seed=seed)
    scores, model = pooled_scores(frame(ratings))
    expected = expected_scores(ratings)
    assert model.disagreement == pytest.approx(expected.disagreement)
    assert model.prior_mean == pytest.approx(expected.prior_mean)
    assert model.prior_deviation == pytest.approx(expected.prior_deviation)
    assert {n: (c.shift, c.slope) for n, c in model.calibrations.items()} == {
        name: pytest.approx(calibration) for name, calibration in expected.calibrations.items()
    }
    assert set(scores["title_id"]) == set(expected.score)
    for row in listed(scores):
        assert row.votes == expected.votes[row.title_id]
        assert row.score == pytest.approx(expected.score[row.title_id])
        assert (row.score_low, row.score_high) == pytest.approx(expected.bounds(row.title_id))
        assert row.variance == pytest.approx(expected.deviation[row.title_id] ** 2)


def test_the_parameters_of_the_made_up_world_are_estimated() -> None:
    _, model = pooled_scores(frame(worlds(films=3000)))
    assert model.disagreement == pytest.approx(2, abs=0.2)
    assert model.prior_mean == pytest.approx(66, abs=0.5)
    assert model.prior_deviation == pytest.approx(8, abs=0.4)
    assert model.calibrations["imdb"].slope == pytest.approx(1 / 0.8, abs=0.06)
    assert model.calibrations["movielens"].slope == pytest.approx(1 / 1.3, abs=0.06)


def test_the_interval_holds_the_quality_of_95_films_in_100() -> None:
    dice = random.Random(3)  # noqa: S311
    quality = {film: dice.gauss(66, 8) for film in range(1, 3001)}
    ratings = []
    for film, true in quality.items():
        for source in ("tmdb", "imdb"):
            votes = math.ceil(10 ** dice.uniform(0, 5))
            value = true + dice.gauss(0, 2) + dice.gauss(0, 20.5) / math.sqrt(votes)
            ratings.append(SourceRating(film, source, min(100.0, max(0.0, value)), votes))
    held = [row.score_low <= quality[film] <= row.score_high for film, row in scored(ratings).items()]
    assert sum(held) / len(held) == pytest.approx(0.95, abs=0.015)


def groups_of(ratings: Sequence[SourceRating]) -> list[list[int]]:
    films = sorted({r.tmdb_id for r in ratings})
    return [films[:1], films[1:4], films[2:100], films]


def test_groups_are_those_of_an_independent_computation() -> None:
    ratings = worlds()
    groups = groups_of(ratings)
    members = [(film, "genre", str(n)) for n, films in enumerate(groups) for film in films]
    membership = pd.DataFrame(members, columns=["title_id", "scope", "key"])
    scores = pooled_groups(pooled_scores(frame(ratings))[0], membership)
    expected = expected_scores(ratings)
    assert len(scores) == len(groups)
    for row in scores.itertuples():
        right = expected_group(expected, groups[int(str(row.key))], groups)
        assert (row.films, row.votes, row.score, row.score_low, row.score_high) == pytest.approx(right)


def test_groups_of_one_film_each_differ_as_all_films_do() -> None:
    ratings = worlds(50)
    membership = pd.DataFrame([(f, "person", str(f)) for f in range(1, 51)], columns=["title_id", "scope", "key"])
    expected = expected_scores(ratings)
    alone = [[film] for film in expected.score]
    for row in pooled_groups(pooled_scores(frame(ratings))[0], membership).itertuples():
        right = expected_group(expected, [int(str(row.key))], alone)
        assert (row.films, row.votes, row.score, row.score_low, row.score_high) == pytest.approx(right)


def test_one_vote_of_ten_does_not_lead_and_has_a_wide_interval() -> None:
    scores = scored([*worlds(), SourceRating(999, "tmdb", 100.0, 1)])
    best = max(scores.values(), key=lambda row: row.score)
    assert best.title_id != 999
    assert scores[999].score_high - scores[999].score_low > 20
    assert sorted(scores.values(), key=lambda row: -row.score_low).index(scores[999]) > 100


def test_a_film_that_only_one_source_knows_has_its_score() -> None:
    scores = scored([*worlds(), SourceRating(901, "imdb", 74.0, 5000), SourceRating(902, "movielens", 40.0, 5000)])
    assert scores[901].score == pytest.approx((74 - 10) / 0.8, abs=2.5)
    assert scores[902].score == pytest.approx((40 + 8) / 1.3, abs=2.5)


def test_no_number_of_votes_silences_the_other_source() -> None:
    scores = scored([*worlds(), SourceRating(901, "tmdb", 50.0, 10_000), SourceRating(901, "imdb", 74.0, 10**10)])
    assert 60 < scores[901].score < 70  # the middle of 50 and 80
    assert scores[901].score_high - scores[901].score_low > 3


def test_a_missing_source_takes_nothing_from_the_others() -> None:
    only_tmdb = [r for r in worlds() if r.source == "tmdb"]
    scores, model = pooled_scores(frame(only_tmdb))
    assert len(scores) == len(only_tmdb)
    assert model.disagreement == 2.0
    assert list(model.calibrations) == ["tmdb"]


def test_few_shared_films_calibrate_nothing() -> None:
    ratings = worlds(20)
    _, model = pooled_scores(frame(ratings))
    assert {(c.shift, c.slope, c.films) for c in model.calibrations.values()} == {(0.0, 1.0, 0)}
    assert (model.disagreement, model.prior_deviation) == (2.0, 7.0)


@pytest.mark.parametrize(
    ("value", "votes"),
    [(math.nan, 100), (math.inf, 100), (-math.inf, 100), (-1.0, 100), (110.0, 100), (70.0, 0), (70.0, -5)],
)
def test_what_is_no_rating_changes_nothing(value: float, votes: int) -> None:
    ratings = worlds(60)
    odd = frame([*ratings, (1, "critics", value, votes), (777, "tmdb", value, votes)])
    assert pooled_scores(odd)[0].equals(pooled_scores(frame(ratings))[0])
    assert 777 not in film_sources(odd, pooled_scores(odd)[1].calibrations)


def test_a_source_with_one_value_for_all_films_is_not_stretched() -> None:
    flat = [SourceRating(film, "flat", 50.0, 1000) for film in range(1, 200)]
    scores, model = pooled_scores(frame([*worlds(200), *flat]))
    assert model.calibrations["flat"].slope == 1.0
    assert np.isfinite(scores[["score", "score_low", "score_high"]].to_numpy()).all()


def test_a_source_with_opposite_ratings_stays_within_bounds() -> None:
    ratings = [r for r in worlds(200) if r.source == "tmdb"]
    opposite = [SourceRating(r.tmdb_id, "contrary", 100 - r.value, 10**6) for r in ratings]
    scores, model = pooled_scores(frame([*ratings, *opposite]))
    assert model.disagreement > 5
    ordered = scores[["score_low", "score", "score_high"]].to_numpy()
    assert ((ordered >= 0) & (ordered <= 100)).all()
    assert (np.diff(ordered) >= 0).all()


def test_films_with_nearly_equal_ratings_are_ordered() -> None:
    scores = scored([SourceRating(film, "tmdb", 60.0 + film / 1000, 10**6) for film in range(100)])
    assert [film for film, _ in sorted(scores.items(), key=lambda item: item[1].score)] == list(range(100))


@pytest.mark.parametrize("ratings", [[], [(1, "tmdb", 70.0, 0)]])
def test_no_ratings_give_no_scores(ratings: list[Any]) -> None:
    scores, model = pooled_scores(frame(ratings))
    assert len(scores) == 0
    assert model.prior_deviation == 7.0
    membership = pd.DataFrame([(1, "genre", "Drama")], columns=["title_id", "scope", "key"])
    assert len(pooled_groups(scores, membership)) == 0


def test_one_film_has_a_score() -> None:
    (row,) = scored([SourceRating(1, "tmdb", 70.0, 10)]).values()
    assert row.score == pytest.approx(70)
    assert row.score_low < 70 < row.score_high


def test_the_ratings_of_each_source_are_returned() -> None:
    ratings = frame(
        [SourceRating(1, "tmdb", 70.0, 10), SourceRating(1, "imdb", 80.0, 20), SourceRating(2, "imdb", 60.0, 5)]
    )
    sources = film_sources(ratings, pooled_scores(ratings)[1].calibrations)
    assert sources == {
        1: {"tmdb": {"score": 70.0, "value": 70.0, "votes": 10}, "imdb": {"score": 80.0, "value": 80.0, "votes": 20}},
        2: {"imdb": {"score": 60.0, "value": 60.0, "votes": 5}},
    }
    membership = pd.DataFrame([(1, "genre", "A"), (2, "genre", "A")], columns=["title_id", "scope", "key"])
    assert group_sources(ratings, membership) == {
        ("genre", "A"): {"imdb": {"films": 2, "votes": 25}, "tmdb": {"films": 1, "votes": 10}}
    }


def test_only_films_with_votes_at_both_sources_are_matched() -> None:
    ratings = frame(
        [
            SourceRating(1, "tmdb", 70, 50),
            SourceRating(1, "imdb", 80, 50),
            SourceRating(2, "tmdb", 70, 49),
            SourceRating(2, "imdb", 80, 900),
        ]
    )
    assert matched(usable(ratings), "imdb")["title_id"].tolist() == [1]
