"""Quantiles, thresholds and the plane of a map, on vectors small enough to know the answer."""

import numpy as np
import pytest

from movie_assets.search.calibration import (
    QUANTILES,
    Matrix,
    limits_of,
    pair_similarities,
    principal_plane,
    quantiles_of,
    usual,
)

NOTHING = np.array([])


def unit(count: int, dimensions: int = 16, seed: int = 1) -> Matrix:
    made = np.random.default_rng(seed).standard_normal((count, dimensions)).astype(np.float32)
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True))


def test_each_pair_is_counted_once() -> None:
    vectors = np.eye(3, dtype=np.float32)
    vectors[2] = vectors[1]
    assert pair_similarities(vectors).tolist() == [0, 0, 1]
    assert pair_similarities(vectors[:1]).size == 0


def test_quantiles_are_in_their_order_and_none_of_nothing() -> None:
    found = quantiles_of(np.linspace(0, 1, 1001))
    assert found == pytest.approx(QUANTILES, abs=1e-3)
    assert quantiles_of(NOTHING) is None


def test_thresholds_say_what_their_names_say() -> None:
    spread = np.linspace(0, 1, 101)
    found = limits_of(0.1 * spread, 0.5 + 0.4 * spread, 0.3 + 0.2 * spread)
    assert (found.loose, found.related, found.very_similar) == (0.099, 0.4, 0.8)


def test_a_stricter_threshold_is_never_below_a_looser_one() -> None:
    found = limits_of(np.array([0.9]), np.array([0.5]), np.array([0.1]))
    assert (found.loose, found.related, found.very_similar) == (0.9, 0.9, 0.9)


def test_without_a_pair_there_are_no_thresholds() -> None:
    assert limits_of(NOTHING, NOTHING, NOTHING).loose is None


def test_usual_needs_three_measurements() -> None:
    assert usual([1.0, 2.0]) is None
    assert usual([1.0, None, 2.0, 9.0]) == 2.0


def test_the_plane_is_the_one_in_which_vectors_differ_most() -> None:
    vectors = np.zeros((200, 8), dtype=np.float32)
    vectors[:, 5] = np.linspace(-1, 1, 200) ** 3
    vectors[:, 2] = 0.1 * np.resize([-1, 1], 200)
    places, share = principal_plane(vectors)
    assert share == pytest.approx(1)
    assert abs(np.corrcoef(places[:, 0], vectors[:, 5])[0, 1]) > 0.99
    assert abs(np.corrcoef(places[:, 1], vectors[:, 2])[0, 1]) > 0.99


@pytest.mark.parametrize("count", [0, 1, 2, 3, 50])
def test_any_number_of_vectors_has_places_within_the_map(count: int) -> None:
    places, share = principal_plane(unit(count))
    assert places.shape == (count, 2)
    assert ((places >= 0) & (places <= 1)).all()
    assert 0 <= share <= 1 + 1e-6


def test_equal_vectors_lie_in_the_middle() -> None:
    places, share = principal_plane(np.repeat(unit(1), 5, axis=0))
    assert places.tolist() == [[0.5, 0.5]] * 5
    assert share == 0
