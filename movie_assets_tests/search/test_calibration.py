"""Quantiles and limits of similarities, on vectors whose result is known."""

import numpy as np
import pytest

from movie_assets.search.calibration import (
    QUANTILES,
    Matrix,
    limits_of,
    pair_similarities,
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
