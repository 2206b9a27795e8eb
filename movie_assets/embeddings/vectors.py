"""Whether vectors may be stored: their number, order, width, finiteness and length."""

import base64
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal

import numpy as np
import numpy.typing as npt

from movie_assets.config.embedding_limits import MAX_WIDTH, MIN_WIDTH

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

    An entry without an index is taken by its place. A vector is a list of numbers or base64 of little-endian floats;
    an entry without one costs its own text only. Raises UnusableVectorsError when the answer as a whole cannot be used:
    entries that are not one for each text, a wrong width, one vector for all of several texts.
    """
    rows = [_numbers(entry["embedding"]) for entry in _in_order(entries, count)]
    missing = [n for n, row in enumerate(rows) if not len(row)]
    widths = {len(row) for row in rows if len(row)}
    if not widths:
        raise UnusableVectorsError("count", "the answer holds no vector")
    if widths != {dimensions}:
        raise _of_other_width(sorted(widths), dimensions)
    for n in missing:
        rows[n] = [None] * dimensions
    try:
        # A JSON null where a number belongs becomes NaN.
        matrix = np.array(rows, dtype=np.float32)
    except (TypeError, ValueError):
        raise UnusableVectorsError("count", "the answer holds something else than numbers in a vector") from None
    found = examined(matrix)
    return replace(found, flawed=found.flawed | dict.fromkeys(missing, "no_vector"))


def _in_order(entries: Sequence[Any], count: int) -> list[Any]:
    """Entries by their index, or by their place where the index is left out; one for each text."""
    try:
        indices = [n if entry.get("index") is None else entry["index"] for n, entry in enumerate(entries)]
        found = {index: entry for index, entry in zip(indices, entries, strict=True) if "embedding" in entry}
    except (TypeError, AttributeError):
        raise UnusableVectorsError("count", f"the answer does not hold vectors: {str(entries)[:200]}") from None
    if len(entries) != count or found.keys() != set(range(count)):
        raise UnusableVectorsError(
            "count", f"the answer does not hold one vector for each of {count} texts but {len(entries)} entries"
        )
    return [found[position] for position in range(count)]


def _numbers(vector: Any) -> Any:
    """A vector as a list or array; empty where there is none."""
    if isinstance(vector, str):
        try:
            return np.frombuffer(base64.b64decode(vector, validate=True), "<f4")
        except ValueError:
            raise UnusableVectorsError("count", f"a vector is neither numbers nor base64: {vector[:40]}") from None
    if vector is not None and not isinstance(vector, list):
        raise UnusableVectorsError("count", f"the answer holds no lists of numbers: {str(vector)[:80]}")
    return vector or []


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


def _of_other_width(widths: list[int], dimensions: int) -> UnusableVectorsError:
    told = "/".join(map(str, widths))
    if len(widths) > 1:
        to_do = "check OPENAI_BASE_URL, MOVIE_ASSETS_EMBEDDING_MODEL and MOVIE_ASSETS_EMBEDDING_DIMENSIONS"
    elif MIN_WIDTH <= widths[0] <= MAX_WIDTH:
        to_do = f"set MOVIE_ASSETS_EMBEDDING_DIMENSIONS={widths[0]}, or another MOVIE_ASSETS_EMBEDDING_MODEL"
    else:
        to_do = (
            f"MOVIE_ASSETS_EMBEDDING_DIMENSIONS takes {MIN_WIDTH} to {MAX_WIDTH}, so another "
            "MOVIE_ASSETS_EMBEDDING_MODEL is needed"
        )
    return UnusableVectorsError("width", f"the vectors have {told} dimensions and {dimensions} were asked for; {to_do}")
