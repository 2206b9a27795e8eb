import math

import pytest

from movie_assets.search.relevance import ndcg, precision, recall_of_similarities, reciprocal_rank


def test_the_reciprocal_rank_is_that_of_the_first_film_that_is_wanted() -> None:
    assert reciprocal_rank([7, 8, 9], {9, 8}) == 1 / 2
    assert reciprocal_rank([7, 8, 9], {1}) == 0
    assert reciprocal_rank([], {1}) == 0


def test_ndcg_is_one_when_all_that_is_wanted_comes_first_and_less_when_it_comes_later() -> None:
    assert ndcg([1, 2, 7], {1, 2}) == pytest.approx(1)
    assert ndcg([7, 1, 8], {1}) == pytest.approx(1 / math.log2(3))
    assert ndcg([7, 8], {1}) == 0
    assert ndcg([7, 8], set()) == 0


def test_ndcg_looks_at_as_many_films_as_it_is_told_and_can_always_reach_one() -> None:
    many = set(range(1, 30))
    assert ndcg(sorted(many)[:10], many) == pytest.approx(1)
    assert ndcg([7, 1], {1}, depth=1) == 0


def test_precision_is_of_what_is_possible() -> None:
    assert precision([1, 7, 8, 9, 6], {1}, 5) == 1
    assert precision([1, 7, 8, 9, 6], {1, 2}, 5) == 1 / 2
    assert precision([1, 2, 3, 4, 5, 6], set(range(20)), 5) == 1
    assert precision([1], set(), 5) == 0


def test_recall_counts_a_film_as_near_as_the_last_one_as_found() -> None:
    assert recall_of_similarities([0.9, 0.5], [0.9, 0.5]) == 1
    assert recall_of_similarities([0.9, 0.4], [0.9, 0.5]) == 1 / 2
    assert recall_of_similarities([0.9, 0.5 - 1e-7], [0.9, 0.5]) == 1
    assert recall_of_similarities([], []) is None
