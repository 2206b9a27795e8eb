"""Measures of how good a ranked list of films is. Each is between 0 and 1, and 1 is the best.

`found` has ids in the order in which a search returned them, `wanted` the ids that are right. A mean over questions is
the measure of a search: of reciprocal ranks the mean reciprocal rank (MRR), of gains the NDCG.
"""

import math
import statistics
from collections.abc import Collection, Sequence

EQUAL = 1e-6  # similarities that differ by less are the same, as pgvector computes them in single precision


def reciprocal_rank(found: Sequence[int], wanted: Collection[int]) -> float:
    """Return 1 / the rank of the first film that is wanted; 0 if none was found."""
    return next((1 / rank for rank, film in enumerate(found, start=1) if film in wanted), 0.0)


def ndcg(found: Sequence[int], wanted: Collection[int], depth: int = 10) -> float:
    """Return the normalised discounted cumulative gain of the first `depth` films.

    A wanted film at a rank counts 1 / log2(1 + rank), and the sum is divided by the largest one that is possible.
    """
    gains = [1 / math.log2(1 + rank) for rank in range(1, depth + 1)]
    best = sum(gains[: len(wanted)])
    return sum(gain for gain, film in zip(gains, found, strict=False) if film in wanted) / best if best else 0.0


def precision(found: Sequence[int], wanted: Collection[int], depth: int) -> float:
    """Return the share of the first `depth` films that is wanted, of the largest share that is possible."""
    possible = min(depth, len(wanted))
    return len(set(found[:depth]) & set(wanted)) / possible if possible else 0.0


def recall_of_similarities(approximate: Sequence[float], exact: Sequence[float]) -> float | None:
    """Return the share of the nearest films that an approximate search found; None if there are none.

    Both have similarities. A film as near as the last one of the exact search is as good as that one.
    """
    if not exact:
        return None
    least = min(exact) - EQUAL
    return min(1.0, sum(similarity >= least for similarity in approximate) / len(exact))


def mean_and_error(values: Sequence[float]) -> tuple[float | None, float | None]:
    """Return the mean and its standard error; None for what there are too few values for."""
    mean = statistics.fmean(values) if values else None
    error = statistics.stdev(values) / math.sqrt(len(values)) if len(values) > 1 else None
    return mean, error
