"""Lists from scores: their films, their diversity, and the reasons for each film."""

import numpy as np
import pytest
import scipy.sparse as sp

from movie_assets.recommendations.item_models import Popularity, Sparse
from movie_assets.recommendations.lists import directions_of, diversified_lists, diversify, recommend
from movie_assets.recommendations.ranking_quality import NO_MOVIE, coverage_of, diversity_of, rank

# Films 0, 1 and 2 are liked by the same people; 3 and 4 by others.
LIKES = sp.csr_matrix(
    np.array([[1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [1, 1, 1, 0, 0], [0, 0, 0, 1, 1], [0, 0, 1, 1, 1]], dtype=np.float32)
)
WEIGHTS = Sparse(
    sp.csr_matrix(
        np.array(
            [[0, 0.5, 0.4, 0, 0], [0.5, 0, 0.3, 0, 0.1], [0, 0, 0, 0, 0], [0, 0, 0.2, 0, 0.3], [0, 0, 0, 0, 0]],
            dtype=np.float32,
        )
    )
)


def test_films_liked_by_the_same_people_have_one_direction() -> None:
    directions = directions_of(LIKES)
    assert float(directions[0] @ directions[1]) == pytest.approx(1, abs=1e-3)
    assert float(directions[0] @ directions[3]) < 0.5
    assert directions_of(sp.csr_matrix((3, 3), dtype=np.float32)).shape == (3, 1)


def test_without_diversity_a_list_is_in_the_order_of_the_scores() -> None:
    scores = np.array([1, 3, 2, 0], dtype=np.float32)
    assert diversify(scores, np.ones((4, 1), dtype=np.float32), 3, diversity=0) == [1, 2, 0]


def test_a_film_like_the_one_above_gives_way_to_another_of_nearly_its_score() -> None:
    directions = directions_of(LIKES)
    scores = np.array([1.0, 0.95, 0.9, 0.85, 0.0], dtype=np.float32)
    assert diversify(scores, directions, 3, diversity=0) == [0, 1, 2]
    assert diversify(scores, directions, 3, diversity=0.5)[:2] == [0, 3]


def test_a_list_holds_nothing_that_was_excluded_and_has_the_reasons_for_each_film() -> None:
    given = sp.csr_matrix(np.array([[1, 0.5, 0, 0, 0]], dtype=np.float32))
    scores = WEIGHTS.scores(given)
    scores[0, [0, 1, 3]] = -np.inf
    (films,) = recommend(given, scores, WEIGHTS, directions_of(LIKES), 10)
    assert [movie.movie for movie in films] == [2, 4]
    assert films[0].because == (0, 1)
    assert films[0].weights == pytest.approx((0.4, 0.15))
    assert films[1].because == (1,)


def test_a_disliked_film_speaks_for_nothing() -> None:
    given = sp.csr_matrix(np.array([[1, 0, 0, -1, 0]], dtype=np.float32))
    scores = WEIGHTS.scores(given)
    scores[0, [0, 3]] = -np.inf
    (films,) = recommend(given, scores, WEIGHTS, directions_of(LIKES), 10)
    assert {because for film in films for because in film.because} == {0}


def test_who_may_see_nothing_has_an_empty_list() -> None:
    given = sp.csr_matrix((1, 5), dtype=np.float32)
    assert recommend(given, np.full((1, 5), -np.inf, dtype=np.float32), WEIGHTS, directions_of(LIKES), 3) == [[]]


def test_lists_of_several_people_are_made_at_once() -> None:
    scores = np.array([[5, 4, 3, 2, 1], [1, 2, 3, 4, -np.inf]], dtype=np.float32)
    lists = diversified_lists(scores, directions_of(LIKES), 3)
    assert lists.shape == (2, 3)
    assert lists[0, 0] == 0
    assert 4 not in lists[1]


def test_no_film_is_in_a_list_twice_or_against_its_score_however_few_are_left() -> None:
    scores = np.array([[0.9, 0.5, *[-np.inf] * 4], [-np.inf] * 6, [6, 5, 4, 3, 2, 1]], dtype=np.float32)
    lists = diversified_lists(scores, np.eye(6, dtype=np.float32), 5)
    assert lists.tolist() == [[0, 1, *[NO_MOVIE] * 3], [NO_MOVIE] * 5, [0, 1, 2, 3, 4]]


def test_a_short_list_counts_each_hit_once() -> None:
    everything_but_two = sp.csr_matrix(np.array([[0, 0, 1, 1, 1, 1]], dtype=np.float32))
    hidden = sp.csr_matrix(np.array([[1, 0, 0, 0, 0, 0]], dtype=np.float32))
    popularity = Popularity(np.arange(6, 0, -1, dtype=np.float32))
    for choose in (None, lambda scores: diversified_lists(scores, np.eye(6, dtype=np.float32), 5)):
        ranking = rank(popularity, hidden, everything_but_two, hidden, choose)
        assert (ranking.recall.tolist(), ranking.ndcg.tolist()) == ([1.0], [1.0])
        assert coverage_of(ranking, 6) == pytest.approx(2 / 6)
        assert diversity_of(ranking, hidden).tolist() == [1.0]
