"""Which vectors may be stored, and what the refusal of others names."""

import numpy as np
import pytest

from movie_assets.core.vectors import Matrix, UnusableVectorsError, usable


def matrix(*rows: list[float]) -> Matrix:
    return np.array(rows, dtype=np.float32)


def test_vectors_come_back_with_length_one_and_their_direction() -> None:
    assert usable(matrix([3, 4], [0, 2]), 2, 2) == pytest.approx(matrix([0.6, 0.8], [0, 1]))


def test_vectors_stay_single_precision() -> None:
    assert usable(matrix([3, 4]), 1, 2).dtype == np.float32


def test_no_vectors_for_no_texts_are_fine() -> None:
    assert usable(np.zeros((0, 4), np.float32), 0, 4).shape == (0, 4)


@pytest.mark.parametrize("rows", [matrix([1, 0]), matrix([1, 0], [0, 1], [1, 1]), np.zeros(2, np.float32)])
def test_another_number_of_vectors_is_refused(rows: Matrix) -> None:
    with pytest.raises(UnusableVectorsError, match="2 vectors were asked for"):
        usable(rows, 2, 2)


def test_another_width_is_refused_and_the_settings_named() -> None:
    with pytest.raises(UnusableVectorsError, match=r"2 dimensions and 8 .* MOVIE_ASSETS_EMBEDDING_DIMENSIONS"):
        usable(matrix([1, 0]), 1, 8)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_components_that_are_not_finite_are_refused(odd: float) -> None:
    with pytest.raises(UnusableVectorsError, match="finite"):
        usable(matrix([1, 0], [0, odd]), 2, 2)


def test_a_vector_of_zeros_is_refused() -> None:
    with pytest.raises(UnusableVectorsError, match="zeros"):
        usable(matrix([1, 0], [0, 0]), 2, 2)


def test_one_vector_for_all_texts_is_refused() -> None:
    with pytest.raises(UnusableVectorsError, match="same vector"):
        usable(matrix([1, 2], [1, 2], [1, 2]), 3, 2)


def test_two_equal_vectors_among_others_are_fine() -> None:
    assert len(usable(matrix([1, 2], [1, 2], [2, 1]), 3, 2)) == 3


@pytest.mark.parametrize("size", [1e-5, 1e30])
def test_short_and_long_vectors_are_brought_to_length_one(size: float) -> None:
    assert np.linalg.norm(usable(matrix([size, size]), 1, 2)) == pytest.approx(1)
