"""The nearest films of many films by comparing all vectors, which is exact and cheaper than searching a graph for each.

Vectors of words are mostly zeros and are kept as a sparse matrix. Films are multiplied with all others in blocks. With
more than `MAX_FILMS`, searching the graph takes less time.
"""

from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from scipy.sparse import csr_array

MAX_FILMS = 100_000
SPARSE = 0.1  # share of components that are not zero, up to which vectors are kept as a sparse matrix
ROWS = 32  # films that are compared with all others at once
COLUMNS = 8192
HEADER = 4  # bytes before the components in `halfvec_send`: the number of dimensions, and two unused bytes
SHORT_HEADER = 12  # in `sparsevec_send`: the numbers of dimensions and of components, and four unused bytes
Half = npt.NDArray[np.float16]
Floats = npt.NDArray[np.float32]


class SearchedVector(NamedTuple):
    """A film's vector as `halfvec_send` has it, or as `sparsevec_send` (`is_short`), and the hash of its text."""

    title_id: int
    text_hash: str
    embedding: bytes
    is_short: bool


class Neighbour(NamedTuple):
    """A film near another one, with the cosine of their vectors."""

    title_id: int
    similar_id: int
    similarity: float


class FilmVectors:
    """The vectors of all films of a set, ordered by the films' ids."""

    def __init__(self, pages: Iterable[Sequence[SearchedVector]]) -> None:
        """Read pages of vectors, ordered by id; none of them is a zero vector."""
        ids, hashes, lengths = [np.zeros(0, np.int64)], [np.zeros(0, "S1")], [np.zeros(0, np.float32)]
        parts: list[Half | csr_array] = []
        for page in pages:  # nothing of a page is kept as Python's objects: the next one takes the same memory
            ids.append(np.array([row.title_id for row in page], np.int64))
            hashes.append(np.array([row.text_hash.encode() for row in page]))
            parts.append(_read(page))
            lengths.append(_lengths(parts[-1]))
        self.ids, self._hashes, self._lengths = map(np.concatenate, (ids, hashes, lengths))
        self._matrix = _joined(parts)

    def hash_of(self, title_id: int) -> str | None:
        """Return the hash of the text of a film's vector; None without a vector."""
        row = self._row(title_id)
        return None if row is None else bytes(self._hashes[row]).decode()

    def nearest(self, films: Sequence[int], count: int) -> list[Neighbour]:
        """Return the nearest films of each of some films that have a vector, the nearest first, equals by their ids."""
        rows = [row for film in films if (row := self._row(film)) is not None]
        neighbours: list[Neighbour] = []
        for start in range(0, len(rows), ROWS):
            block = rows[start : start + ROWS]
            for row, similarities in zip(block, self._compared(block), strict=True):
                neighbours += self._best(row, similarities, count)
        return neighbours

    def _row(self, title_id: int) -> int | None:
        row = int(np.searchsorted(self.ids, title_id))
        return row if row < len(self.ids) and self.ids[row] == title_id else None

    def _compared(self, rows: Sequence[int]) -> Floats:
        """Return the cosines of some vectors with all, (rows, films)."""
        matrix = self._matrix
        if isinstance(matrix, np.ndarray):
            products = np.empty((len(rows), len(self.ids)), np.float32)
            wanted = matrix[list(rows)].astype(np.float32)
            for start in range(0, len(self.ids), COLUMNS):
                part = matrix[start : start + COLUMNS].astype(np.float32)
                products[:, start : start + COLUMNS] = wanted @ part.T
        else:
            wanted = np.ascontiguousarray(matrix[list(rows)].toarray().T)
            products = np.ascontiguousarray((matrix @ wanted).T)
        for n, row in enumerate(rows):
            products[n] /= self._lengths[row] * self._lengths
        return products

    def _best(self, row: int, similarities: Floats, count: int) -> list[Neighbour]:
        similarities[row] = -np.inf
        count = min(count, len(self.ids) - 1)
        if count < 1:
            return []
        last = np.partition(similarities, -count)[-count]
        candidates = np.flatnonzero(similarities >= last)
        order = np.lexsort((self.ids[candidates], -similarities[candidates]))[:count]
        film = int(self.ids[row])
        return [Neighbour(film, int(self.ids[each]), float(similarities[each])) for each in candidates[order]]


def _read(page: Sequence[SearchedVector]) -> "Half | csr_array":
    """Return the vectors of a page: a sparse matrix if one of them is short, or if most components are zero."""
    if not any(row.is_short for row in page):
        return _compact(np.stack([np.frombuffer(row.embedding, ">f2", offset=HEADER) for row in page]))
    from scipy.sparse import csr_array  # noqa: PLC0415  # takes a third of a second

    rows = [components_of(row.embedding, row.is_short) for row in page]
    ends = np.cumsum([0, *(len(places) for places, _ in rows)], dtype=np.int32)  # or scipy takes 8 bytes for a place
    places, values = (np.concatenate([row[n] for row in rows]) for n in (0, 1))
    width = next(dimensions_of(row.embedding, row.is_short) for row in page if row.is_short)
    return csr_array((values.astype(np.float32), places.astype(np.int32), ends), shape=(len(page), width))


def dimensions_of(embedding: bytes, is_short: bool) -> int:
    """Return the number of dimensions of a vector as Postgres sends it."""
    return int.from_bytes(embedding[: 4 if is_short else 2])


def components_of(embedding: bytes, is_short: bool) -> tuple[npt.NDArray[np.integer], npt.NDArray[np.floating]]:
    """Return the places and values of the components that are not zero of a vector as Postgres sends it."""
    if is_short:
        places, values = np.frombuffer(embedding, ">i4", offset=SHORT_HEADER).reshape(2, -1)
        return places, values.view(">f4")
    vector = np.frombuffer(embedding, ">f2", offset=HEADER)
    places = np.flatnonzero(vector)
    return places, vector[places]


def _compact(vectors: npt.NDArray[np.generic]) -> "Half | csr_array":
    """Return big-endian vectors as halves, or as a sparse matrix if most components are zero."""
    halves = vectors.astype(np.float16)
    if np.count_nonzero(halves) > SPARSE * halves.size:
        return halves
    from scipy.sparse import csr_array  # noqa: PLC0415  # takes a third of a second

    return csr_array(halves.astype(np.float32))


def _joined(parts: "list[Half | csr_array]") -> "Half | csr_array":
    """Return the parts as one matrix, and empty the list, so that hardly more than one of both is in memory."""
    if not parts:
        return np.zeros((0, 0), np.float16)
    count, width = sum(part.shape[0] for part in parts), parts[0].shape[1]
    if all(isinstance(part, np.ndarray) for part in parts):
        joined = np.empty((count, width), np.float16)
        for start in accumulate([part.shape[0] for part in parts[:-1]], initial=0):
            part = parts.pop(0)
            joined[start : start + part.shape[0]] = part
        return joined
    from scipy.sparse import csr_array  # noqa: PLC0415  # as above

    sparse = [csr_array(part.astype(np.float32)) if isinstance(part, np.ndarray) else part for part in parts]
    ends = np.cumsum([0, *(count for part in sparse for count in np.diff(part.indptr))], dtype=np.int32)
    places, values = [part.indices for part in sparse], [part.data for part in sparse]
    parts.clear()
    sparse.clear()
    joined_places = np.concatenate(places)
    places.clear()
    return csr_array((np.concatenate(values), joined_places, ends), shape=(count, width))


def _lengths(matrix: "Half | csr_array") -> Floats:
    if isinstance(matrix, np.ndarray):
        squares = [np.einsum("ij,ij->i", part, part) for part in _parts(matrix)]
        return np.sqrt(np.concatenate(squares)) if squares else np.zeros(0, np.float32)
    return np.asarray(np.sqrt(matrix.multiply(matrix).sum(axis=1)), np.float32).ravel()


def _parts(matrix: Half) -> Iterable[Floats]:
    return (matrix[start : start + COLUMNS].astype(np.float32) for start in range(0, len(matrix), COLUMNS))
