"""Whether vectors may be stored: their number, order, width, finiteness and length."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]

SHORTEST = 1e-6  # a vector below this length has no direction to speak of

# width: the settings and the service do not agree. stuck: one vector for all. count: not one for each text.
Flaw = Literal["width", "stuck", "count"]


class UnusableVectorsError(ValueError):
    """The vectors are not what was asked for; the message names what to look at."""

    def __init__(self, flaw: Flaw, problem: str) -> None:
        super().__init__(problem)
        self.flaw = flaw


@dataclass(frozen=True)
class Sorted:
    """Unit vectors of the texts that have a usable one, and why the others have none (by position)."""

    positions: tuple[int, ...]
    vectors: Matrix
    flawed: dict[int, str]


def by_index(entries: Sequence[Any], count: int, dimensions: int) -> Sorted:
    """Vectors of an answer's entries (`index`, `embedding`) in the order of `count` texts.

    Raises UnusableVectorsError when the answer as a whole cannot be used: entries that are not one for each text, a
    wrong width, one vector for all of several texts.
    """
    try:
        found = {entry["index"]: entry["embedding"] for entry in entries}
    except (TypeError, KeyError):
        raise UnusableVectorsError("count", f"the answer does not hold vectors: {str(entries)[:200]}") from None
    if len(entries) != count or found.keys() != set(range(count)):
        raise UnusableVectorsError(
            "count", f"the answer does not hold one vector for each of {count} texts but {len(entries)} entries"
        )
    rows = [found[position] for position in range(count)]
    if any(isinstance(row, str) for row in rows):
        raise UnusableVectorsError(
            "width", "the service answers in base64 where numbers were asked for; check OPENAI_BASE_URL"
        )
    if not all(isinstance(row, list) for row in rows):
        raise UnusableVectorsError("count", f"the answer holds no lists of numbers: {str(rows[0])[:80]}")
    widths = {len(row) for row in rows}
    if widths != {dimensions}:
        raise _of_other_width("/".join(map(str, sorted(widths))), dimensions)
    try:
        # A JSON null where a number belongs becomes NaN.
        matrix = np.array(rows, dtype=np.float32)
    except (TypeError, ValueError):
        raise UnusableVectorsError("count", "the answer holds something else than numbers in a vector") from None
    return examined(matrix)


def examined(matrix: Matrix) -> Sorted:
    """Tell usable vectors, brought to length 1, from those without a cosine: NaN, infinity, zeros."""
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(matrix.astype(np.float64), axis=1)
    is_finite: npt.NDArray[np.bool_] = np.asarray(np.isfinite(matrix).all(axis=1))
    is_good = is_finite & (lengths > SHORTEST)
    good = np.flatnonzero(is_good)
    if len(good) > 1 and (matrix[good] == matrix[good[0]]).all():
        raise UnusableVectorsError("stuck", f"{len(good)} different texts got one and the same vector")
    flawed = {int(n): "vector_is_zero" if is_finite[n] else "vector_not_finite" for n in np.flatnonzero(~is_good)}
    vectors = np.asarray(matrix[good] / lengths[good, None], dtype=np.float32)
    return Sorted(tuple(good.tolist()), vectors, flawed)


def _of_other_width(width: str, dimensions: int) -> UnusableVectorsError:
    return UnusableVectorsError(
        "width",
        f"the vectors have {width} dimensions and {dimensions} were asked for; "
        "check MOVIE_ASSETS_EMBEDDING_MODEL and MOVIE_ASSETS_EMBEDDING_DIMENSIONS",
    )
