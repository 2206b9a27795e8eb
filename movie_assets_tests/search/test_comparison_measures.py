import numpy as np
import numpy.typing as npt
import pytest

from movie_assets.search.comparison_measures import franchise_gains, plot_ranks
from movie_assets.search.relevance import mean_and_error

NOTHING = [0.0, 0.0, 0.0]


def unit(*rows: list[float]) -> npt.NDArray[np.float32]:
    vectors = np.array(rows, np.float32)
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.where(lengths == 0, 1, lengths), np.float32)


FILMS = unit([1, 0, 0], [1, 1, 0], [0, 1, 0], NOTHING)


def test_a_rank_counts_the_films_that_are_nearer() -> None:
    questions = unit([1, 0, 0], [1, 0.1, 0], [0, 0, 1])
    assert plot_ranks(FILMS, questions, [0, 2, 1]) == [1, 3, 1]


def test_a_film_or_a_question_without_a_vector_has_no_rank() -> None:
    assert plot_ranks(FILMS, unit([1, 0, 0], NOTHING), [3, 0]) == [None, None]


def test_a_film_is_not_its_own_neighbour_and_one_without_a_vector_is_found_by_none() -> None:
    assert franchise_gains(FILMS, {0: frozenset({1}), 1: frozenset({0})}) == [1, 1]
    assert franchise_gains(FILMS, {0: frozenset({2})}) == [pytest.approx(0.6309, abs=1e-4)]
    assert franchise_gains(FILMS, {3: frozenset({0}), 0: frozenset({3})}) == [0, 0]


def test_a_mean_has_an_error_when_there_are_two_values() -> None:
    assert mean_and_error([]) == (None, None)
    assert mean_and_error([1]) == (1, None)
    assert mean_and_error([0, 1]) == (0.5, 0.5)
