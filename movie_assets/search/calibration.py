"""What similarities mean: quantiles of an embedding set, thresholds made of them, and whether a figure is as usual.

A similarity of 0.5 is next to nothing with one model and nearly the same film with another. What is measured, and what
follows from it for a check, is the assets' business.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]
Values = npt.NDArray[np.float64]

QUANTILES = (0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 0.999)
NOTHING = 1e-6  # what rounding leaves of it
MIN_HISTORY = 3  # measurements before "usual" means anything


@dataclass(frozen=True)
class FilterProfiles:
    """Cosines from which films of a set are loosely related, related, very similar; None where too few films are."""

    loose: float | None
    related: float | None
    very_similar: float | None


def quantiles_of(similarities: Values) -> list[float] | None:
    """QUANTILES of some similarities; None of none."""
    return [round(float(q), 4) for q in np.quantile(similarities, QUANTILES)] if similarities.size else None


def profiles_of(random: Values, nearest: Values, tenth: Values) -> FilterProfiles:
    """Thresholds from similarities of random pairs, of films and their nearest, and of films and their tenth nearest.

    loose: 99 of 100 pairs at random are less similar. related: half of the films have ten others at least so near.
    very similar: a quarter of the films have another one so near. Each is at least the one before.
    """
    if not (random.size and nearest.size and tenth.size):
        return FilterProfiles(None, None, None)
    steps = np.maximum.accumulate([np.quantile(random, 0.99), np.quantile(tenth, 0.5), np.quantile(nearest, 0.75)])
    return FilterProfiles(*(round(float(step), 4) for step in steps))


def pair_similarities(vectors: Matrix) -> Values:
    """Cosines of all pairs of some unit vectors."""
    above = np.triu_indices(len(vectors), 1)
    return np.asarray((vectors @ vectors.T)[above], dtype=np.float64)


def usual(before: Sequence[float | None]) -> float | None:
    """The median of earlier measurements, None where they are too few."""
    known = [value for value in before if value is not None]
    return median(known) if len(known) >= MIN_HISTORY else None


def principal_plane(vectors: Matrix) -> tuple[Values, float]:
    """Place vectors on the plane in which they differ most (PCA): (n, 2) between 0 and 1, and the share of variance.

    The outermost 1 % on each side are moved to the edge, so that they do not press the others together. Signs are fixed
    by the larger tail, so that a map is not mirrored from one measurement to the next.
    """
    if not len(vectors):
        return np.zeros((0, 2)), 0.0
    centred = vectors - vectors.mean(axis=0)
    # Of the products of all pairs: as many as there are vectors, which are fewer than their dimensions.
    variances, axes = np.linalg.eigh(np.asarray(centred @ centred.T, dtype=np.float64))
    variances = np.maximum(variances[::-1], 0.0)
    flat = axes[:, ::-1][:, :2] * np.sqrt(variances[:2])
    places = np.zeros((len(vectors), 2))
    places[:, : flat.shape[1]] = flat * np.where((flat**3).sum(axis=0) < 0, -1.0, 1.0)
    low, high = np.quantile(places, [0.01, 0.99], axis=0)
    extent = np.where(high - low > NOTHING, high - low, 1.0)
    spread = np.where(high - low > NOTHING, (places - low) / extent, 0.5)
    total = float(variances.sum())
    return np.clip(spread, 0.0, 1.0), float(variances[:2].sum() / total) if total > NOTHING else 0.0
