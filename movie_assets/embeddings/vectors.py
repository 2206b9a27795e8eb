"""Decides which vectors of a response may be stored: checks their number, order, width, finiteness and length."""

import base64
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
import numpy.typing as npt

from movie_assets.config.embedding_limits import MAX_WIDTH, MIN_WIDTH

Matrix = npt.NDArray[np.float32]
Components = Sequence[object] | Matrix  # of one vector, as a response has them

VECTOR_KEYS = ("embedding", "vector", "values", "float", "dense")
WITHOUT_DIRECTION = {"zero": "has only zeros", "not_finite": "holds NaN, infinity or null"}
FROM_URLS = str.maketrans("-_", "+/")  # base64 that is safe in addresses has these instead
_NOTHING = object()
LISTED = re.compile(r"[\[,.]")  # base64 has none of these
LEAST_LENGTH = 1e-3  # of a vector that is read from half or double precision
MIN_LENGTH = 1e-6  # below it the direction of a vector is rounding error

# width: the service returns other dimensions than the settings name. stuck: all texts got the same vector. count: the
# response has not exactly one vector for each text.
# zero, not_finite: no vector of the response has a direction.
Flaw = Literal["width", "stuck", "count", "zero", "not_finite"]
REASONS = {
    "vector_is_zero": "the vector has only zeros",
    "vector_not_finite": "the vector holds NaN, infinity or null",
    "no_vector": "the response holds no vector for the text",
}


class UnusableVectorsError(ValueError):
    """The vectors of a response cannot be used; the message says why and what to check."""

    def __init__(self, flaw: Flaw, problem: str) -> None:
        super().__init__(problem)
        self.flaw = flaw


@dataclass(frozen=True)
class CheckedVectors:
    """Unit vectors, (n, dimensions), of the texts at `positions`, and a reason for each other text, by position."""

    positions: tuple[int, ...]
    vectors: Matrix
    flawed: dict[int, str]


def vectors_by_index(entries: object, count: int, dimensions: int) -> CheckedVectors:
    """Return the vectors of a response's entries (`index`, `embedding`) in the order of `count` texts.

    An entry without an index is taken by its place; indices may count from 1. A vector is a list of numbers, a list
    written as text, or base64 of little-endian floats. An entry without a vector rejects its own text only. Raises
    UnusableVectorsError when no vector of the response can be used: not one entry for each text, another width, the
    same vector for all of several texts, no vector with a direction.
    """
    rows = [_components(vector, dimensions) for vector in _in_order(entries, count)]
    missing = [n for n, row in enumerate(rows) if not len(row)]
    widths = {len(row) for row in rows if len(row)}
    if not widths:
        raise UnusableVectorsError("count", "the response holds no vector")
    if widths != {dimensions}:
        raise _of_other_width(sorted(widths), dimensions)
    for n in missing:
        rows[n] = [None] * dimensions
    try:
        # A JSON null in place of a number becomes NaN.
        matrix = np.array(rows, dtype=np.float32)
    except (TypeError, ValueError):
        raise UnusableVectorsError("count", "a vector of the response holds something else than numbers") from None
    checked = normalized(matrix)
    if not checked.positions:
        flaw: Flaw = "zero" if "vector_is_zero" in checked.flawed.values() else "not_finite"
        what = "the vector" if count == 1 else f"each of {count} vectors"
        raise UnusableVectorsError(flaw, f"{what} of the response {WITHOUT_DIRECTION[flaw]}")
    return replace(checked, flawed=checked.flawed | dict.fromkeys(missing, "no_vector"))


def _in_order(entries: object, count: int) -> list[object]:
    """Return exactly one vector for each text, by the entries' index, or by their place where they have none."""
    by_index: dict[object, object] = {}
    if not isinstance(entries, list):
        raise _without_vectors(entries)
    for place, entry in enumerate(entries):
        given = entry.get("index") if isinstance(entry, dict) else None
        index = int(given) if isinstance(given, str) and given.strip().isdecimal() else given
        if isinstance(index, list | dict):
            raise _without_vectors(entries)
        vector = _vector_of(entry)
        if vector is not _NOTHING:
            by_index[place if index is None else index] = vector
    if len(entries) == 1 == count:
        return list(by_index.values()) or [None]
    if by_index.keys() == set(range(1, count + 1)):
        by_index = {place: by_index[place + 1] for place in range(count)}
    if len(entries) != count or by_index.keys() != set(range(count)):
        raise UnusableVectorsError(
            "count",
            f"the response does not hold one vector for each of {count} texts but {len(entries)} entries"
            + ("; a smaller MOVIE_ASSETS_EMBEDDING_TEXTS_PER_REQUEST may help" if len(entries) < count else ""),
        )
    return [by_index[position] for position in range(count)]


def _vector_of(entry: object) -> object:
    """Return the vector of an entry, which is a list itself with servers that send no objects."""
    if isinstance(entry, list):
        return entry
    if not isinstance(entry, dict):
        raise _without_vectors(entry)
    vector = next((entry[name] for name in VECTOR_KEYS if name in entry), _NOTHING)
    if isinstance(vector, dict):
        return _vector_of(vector)
    is_nested = isinstance(vector, list) and len(vector) == 1 and isinstance(vector[0], list)
    return vector[0] if is_nested and isinstance(vector, list) else vector


def _without_vectors(entries: object) -> UnusableVectorsError:
    return UnusableVectorsError("count", f"the response does not hold vectors: {str(entries)[:200]}")


def _components(vector: object, dimensions: int) -> Components:
    """Return the components of a vector as a list or array; an empty list for a missing vector."""
    if isinstance(vector, str):
        try:
            text = vector.rpartition("base64,")[2]
            return _written_numbers(text) if LISTED.search(text) else _from_base64(text, dimensions)
        except ValueError:
            raise UnusableVectorsError("count", f"a vector is neither numbers nor base64: {vector[:40]}") from None
    if vector is None:
        return []
    if not isinstance(vector, list):
        raise UnusableVectorsError("count", f"the response holds no lists of numbers: {str(vector)[:80]}")
    return vector


def _written_numbers(text: str) -> Components:
    """Return the numbers of a list that is written as text: "[0.1, 0.2]", "0.1 0.2"."""
    return [float(number) for number in re.split(r"[\s,]+", text.strip(" \t\r\n[](){}"))]


def _from_base64(text: str, dimensions: int) -> Components:
    """Return the numbers of base64: single precision, or half or double if only that gives a vector of the width."""
    text = "".join(text.split()).translate(FROM_URLS).rstrip("=")
    content = base64.b64decode(text + "=" * (-len(text) % 4), validate=True)
    for kind in ("<f2", "<f8"):
        if len(content) == dimensions * np.dtype(kind).itemsize:
            numbers = np.frombuffer(content, kind).astype(np.float64)
            # Read with another precision, the bytes of a vector are numbers of any size.
            if LEAST_LENGTH < float(np.linalg.norm(numbers)) < 1 / LEAST_LENGTH:
                return numbers.astype(np.float32)
    return np.frombuffer(content, "<f4")


def normalized(matrix: Matrix) -> CheckedVectors:
    """Return the usable rows of a matrix (n, dimensions), scaled to length 1, and a reason for each other row.

    A row with NaN or infinity, and a row of zeros, has no cosine. Raises UnusableVectorsError when several rows are
    usable and all of them are equal.
    """
    with np.errstate(over="ignore", invalid="ignore"):
        lengths = np.linalg.norm(matrix.astype(np.float64), axis=1)
    is_finite: npt.NDArray[np.bool_] = np.asarray(np.isfinite(matrix).all(axis=1))
    is_good = is_finite & (lengths > MIN_LENGTH)
    good = np.flatnonzero(is_good)
    if len(good) > 1 and (matrix[good] == matrix[good[0]]).all():
        raise UnusableVectorsError("stuck", f"{len(good)} different texts got one and the same vector")
    flawed = {int(n): "vector_is_zero" if is_finite[n] else "vector_not_finite" for n in np.flatnonzero(~is_good)}
    vectors = np.asarray(matrix[good] / lengths[good, None], dtype=np.float32)
    return CheckedVectors(tuple(good.tolist()), vectors, flawed)


def _of_other_width(widths: list[int], dimensions: int) -> UnusableVectorsError:
    returned = "/".join(map(str, widths))
    if len(widths) > 1:
        to_do = "check OPENAI_BASE_URL, MOVIE_ASSETS_EMBEDDING_MODEL and MOVIE_ASSETS_EMBEDDING_DIMENSIONS"
    elif MIN_WIDTH <= widths[0] <= MAX_WIDTH:
        to_do = f"set MOVIE_ASSETS_EMBEDDING_DIMENSIONS={widths[0]}, or another MOVIE_ASSETS_EMBEDDING_MODEL"
    else:
        to_do = (
            f"MOVIE_ASSETS_EMBEDDING_DIMENSIONS takes {MIN_WIDTH} to {MAX_WIDTH}, so another "
            "MOVIE_ASSETS_EMBEDDING_MODEL is needed"
        )
    problem = f"the vectors have {returned} dimensions and {dimensions} were asked for"
    return UnusableVectorsError("width", f"{problem}; {to_do}")
