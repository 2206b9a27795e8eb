"""Arithmetic on similarities: the quantiles of an embedding set, and limits derived from them.

The same similarity has another meaning with each model: with one, films of similarity 0.5 are unrelated; with another,
they are nearly the same. `search_quality` measures the similarities, and `checks` evaluates them.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)
MIN_HISTORY = 3  # measurements that a usual value needs


@dataclass(frozen=True)
class SimilarityLimits:
    """The least cosines of loosely related, related and very similar films of a set; None when it has too few films."""

    loose: float | None
    related: float | None
    very_similar: float | None


def quantiles_of(similarities: Values) -> list[float] | None:
    """Return the QUANTILES of some similarities, rounded to four digits; None without similarities."""
    return [round(float(q), 4) for q in np.quantile(similarities, QUANTILES)] if similarities.size else None


def limits_of(random: Values, nearest: Values, tenth: Values) -> SimilarityLimits:
    """Derive limits from the similarities of random pairs, and of films and their nearest and tenth nearest film.

    loose: 99 of 100 random pairs are less similar. related: half of the films have ten others of at least this
    similarity. very_similar: a quarter of the films have another one of at least this similarity. Each limit is at
    least as high as the one before it.
    """
    if not (random.size and nearest.size and tenth.size):
        return SimilarityLimits(None, None, None)
    steps = np.maximum.accumulate([np.quantile(random, 0.99), np.quantile(tenth, 0.5), np.quantile(nearest, 0.75)])
    return SimilarityLimits(*(round(float(step), 4) for step in steps))


def pair_similarities(vectors: Matrix) -> Values:
    """Return the cosines of all pairs of unit vectors: n * (n - 1) / 2 values for (n, dimensions)."""
    above_diagonal = np.triu_indices(len(vectors), 1)
    return np.asarray((vectors @ vectors.T)[above_diagonal], dtype=np.float64)


def usual(before: Sequence[float | None]) -> float | None:
    """Return the median of earlier measurements; None for fewer than MIN_HISTORY known ones."""
    known = [value for value in before if value is not None]
    return median(known) if len(known) >= MIN_HISTORY else None
