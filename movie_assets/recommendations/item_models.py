"""Models that score films for people from the films that they liked: popularity, neighbours, EASE, ALS, profiles.

A model is fitted on a matrix of likes (persons by films). It returns scores for such a matrix, also for people it was
not fitted on. `recommendations.model` selects the served model and its parameters.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

Matrix = npt.NDArray[np.float32]
Ids = npt.NDArray[np.integer]
CHUNK = 128  # films in one dense piece, which fits in a processor's cache
MAX_SPARSE = 0.05  # share of a matrix that is not 0, up to which it is multiplied as a sparse one
PAIRS = 4_000_000  # of films that are compared at once: some 100 MB


class Model(Protocol):
    """The interface of all models."""

    def scores(self, likes: sp.csr_matrix) -> Matrix:
        """Return scores, persons (rows of likes) by films. Only their order within a row has a meaning."""
        ...


class ItemModel(Model, Protocol):
    """A model that consists of a weight from each film to each other one."""

    def weights_from(self, films: Ids) -> Matrix:
        """Return the weights from the films at some places to all films; 0 from a film to itself."""
        ...


@dataclass(frozen=True)
class Popularity:
    """The same scores for all people: log(1 + n) for n people who liked a film, scaled to 0-1."""

    prior: Matrix

    @classmethod
    def fit(cls, likes: sp.csr_matrix) -> "Popularity":
        """Count the people who liked each film."""
        logs = np.log1p(np.asarray(likes.astype(bool).sum(axis=0)).ravel()).astype(np.float32)
        return cls(logs / max(float(logs.max(initial=0)), 1e-9))

    def scores(self, likes: sp.csr_matrix) -> Matrix:
        """Return the prior for each person."""
        return np.tile(self.prior, (likes.shape[0], 1))


@dataclass(frozen=True)
class Sparse:
    """A model with a sparse matrix of weights, films by films."""

    weights: sp.csr_matrix

    def scores(self, likes: sp.csr_matrix) -> Matrix:
        """Return the sums of the weights from all films that a person liked."""
        return np.asarray((likes @ self.weights).todense(), dtype=np.float32)


def item_knn(likes: sp.csr_matrix, neighbours: int = 100, shrink: float = 10.0) -> Sparse:
    """Fit item-based nearest neighbours: cosines of the people who liked two films (Sarwar et al. 2001).

    `shrink` lowers the cosines of films that few people liked. The `neighbours` nearest of each film are kept. The
    cosines are computed in chunks: all pairs of a large catalogue would take gigabytes.
    """
    films = likes.shape[1]
    columns = likes.T.tocsr()
    norms = np.sqrt(np.asarray(columns.multiply(columns).sum(axis=1)).ravel())
    nearest, at_once = [], max(1, PAIRS // max(films, 1))
    for start in range(0, films, at_once):
        pairs = (columns[start : start + at_once] @ likes).tocoo()
        cosines = pairs.data / (norms[start + pairs.row] * norms[pairs.col] + shrink)
        cosines[start + pairs.row == pairs.col] = 0
        piece = sp.csr_matrix((cosines.astype(np.float32), (pairs.row, pairs.col)), shape=pairs.shape)
        piece.eliminate_zeros()
        nearest.append(_largest(piece, neighbours))
    # Transposed, as columns are the films that are scored.
    return Sparse(sp.vstack(nearest, format="csr").T.tocsr() if nearest else sp.csr_matrix((0, 0), dtype=np.float32))


@dataclass(frozen=True)
class Ease:
    """EASE (Steck 2019), optionally with content rows below the likes (Jeunen, Van Balen and Goethals 2020).

    With Z, the likes and the content rows, P = (Z'Z + penalty I)^-1 and B = I - P diag(1 / P_jj) is the closed form of
    the regression of each film on all others. If Z has fewer rows than films, P is not computed: by Woodbury's identity
    P = (I - Z' (Z Z' + penalty I)^-1 Z) / penalty, so that an inverse of the rows' size is enough.
    """

    rows: sp.csr_matrix
    penalty: float
    inverse: Matrix  # films by films (P), or rows by rows
    diagonal: Matrix

    @classmethod
    def fit(cls, likes: sp.csr_matrix, penalty: float, content: sp.csr_matrix | None = None) -> "Ease":
        """Fit the model. It takes four bytes times the square of the number of films or rows, whichever are fewer."""
        rows = likes if content is None else sp.vstack([likes, content], format="csr")
        by_rows = rows.shape[0] < rows.shape[1]
        inverse = inverse_of(gram_of(rows.T.tocsr() if by_rows else rows, penalty))
        if not by_rows:
            return cls(rows, penalty, inverse, inverse.diagonal().copy())
        diagonal = np.ones(rows.shape[1], dtype=np.float32)
        columns = rows.T.tocsr()
        for start in range(0, rows.shape[1], CHUNK):
            part = columns[start : start + CHUNK]
            diagonal[start : start + CHUNK] -= np.asarray(part.multiply(part @ inverse).sum(axis=1)).ravel()
        at_least = np.maximum(diagonal, np.float32(1e-6))
        return cls(rows, penalty, inverse, (at_least / np.float32(penalty)).astype(np.float32))

    def scores(self, likes: sp.csr_matrix) -> Matrix:
        """Return the likes times B."""
        dense = likes.toarray()
        scores = self._times_p(likes, dense)
        scores /= self.diagonal
        np.subtract(dense, scores, out=scores)
        return scores

    def weights_from(self, films: Ids) -> Matrix:
        """Return the rows of B."""
        each = np.arange(len(films))
        ones = sp.csr_matrix(
            (np.ones(len(films), dtype=np.float32), (each, films)), shape=(len(films), self.rows.shape[1])
        )
        weights = self.scores(ones)
        weights[each, films] = 0
        return weights

    def _times_p(self, left: sp.csr_matrix, dense: Matrix) -> Matrix:
        if self.inverse.shape[0] == self.rows.shape[1]:
            return np.asarray(left @ self.inverse)
        by_rows = left @ self.rows.T
        if by_rows.nnz > MAX_SPARSE * np.prod(by_rows.shape):
            by_rows = by_rows.toarray()  # BLAS multiplies it faster, as most people's likes have most of the content
        through = by_rows @ self.inverse
        # In C's order, and in place: SciPy would copy other arrays, and each is as large as the result.
        product: Matrix = np.ascontiguousarray((self.rows.T @ np.ascontiguousarray(through.T)).T)
        np.subtract(dense, product, out=product)
        product /= np.float32(self.penalty)
        return product


@dataclass(frozen=True)
class Als:
    """Factors of implicit feedback (Hu, Koren and Volinsky 2008), fitted by the library `implicit`.

    The likes of a person are folded in with the same weight for all people: by section 5 of the paper a score is the
    sum over the liked films of y_i' W y_j. Here W = (Y'Y + penalty I)^-1, so that it is a weight from film to film.
    """

    factors: Matrix
    inverse: Matrix

    @classmethod
    def fit(
        cls, likes: sp.csr_matrix, factors: int = 32, penalty: float = 1.0, alpha: float = 2.0, iterations: int = 15
    ) -> "Als":
        """Fit the factors. The seed is fixed, so the same likes give the same factors on the same machine."""
        from implicit.als import AlternatingLeastSquares  # noqa: PLC0415  # slow to import, and only needed here

        with threadpool_limits(1, "blas"):
            model = AlternatingLeastSquares(
                factors=factors, regularization=penalty, alpha=alpha, iterations=iterations, random_state=7
            )
            model.fit(likes, show_progress=False)
        films = np.asarray(model.item_factors, dtype=np.float32)
        gram = films.T @ films + penalty * np.eye(films.shape[1], dtype=np.float32)
        return cls(films, np.linalg.inv(gram).astype(np.float32))

    def scores(self, likes: sp.csr_matrix) -> Matrix:
        """Return the sums of the weights from all films that a person liked."""
        return np.asarray(((likes @ self.factors) @ self.inverse) @ self.factors.T, dtype=np.float32)

    def weights_from(self, films: Ids) -> Matrix:
        """Return the rows of Y W Y' with 0 on the diagonal."""
        weights = (self.factors[films] @ self.inverse) @ self.factors.T
        weights[np.arange(len(films)), films] = 0
        return np.asarray(weights, dtype=np.float32)


@dataclass(frozen=True)
class VectorProfile:
    """A person's profile is the weighted sum of films' vectors; scores are cosines, plus the popularity times `prior`.

    The rows given to `scores` are weights, not likes: a rating minus the person's mean, for example.
    """

    vectors: Matrix  # films by dimensions, of length 1, or zeros for a film without a vector
    popularity: Popularity
    prior: float

    def scores(self, likes: sp.csr_matrix) -> Matrix:
        """Return the cosines with the persons' profiles, plus the prior."""
        people = np.asarray(likes @ self.vectors)
        people /= np.maximum(np.linalg.norm(people, axis=1, keepdims=True), 1e-9)
        return np.asarray(people @ self.vectors.T + self.prior * self.popularity.prior, dtype=np.float32)


@dataclass(frozen=True)
class WithPrior:
    """A model whose scores are increased by the popularity times `prior`."""

    model: Model
    popularity: Popularity
    prior: float

    def scores(self, likes: sp.csr_matrix) -> Matrix:
        """Return the model's scores plus the prior."""
        return self.model.scores(likes) + np.float32(self.prior) * self.popularity.prior


def gram_of(rows: sp.csr_matrix, penalty: float) -> Matrix:
    """Return R'R + penalty I for rows R, in chunks: as a sparse matrix it would take three times the memory."""
    count = rows.shape[1]
    columns, gram = rows.T.tocsr(), np.empty((count, count), dtype=np.float32)
    for start in range(0, count, CHUNK):
        gram[start : start + CHUNK] = (columns[start : start + CHUNK] @ rows).toarray()
    gram[np.diag_indices_from(gram)] += penalty
    return gram


def inverse_of(gram: Matrix) -> Matrix:
    """Return the inverse of a positive definite matrix by Cholesky decomposition. The matrix is overwritten.

    Raises numpy.linalg.LinAlgError when it is not positive definite.
    """
    from scipy.linalg import lapack  # noqa: PLC0415  # slow to import, and only needed here

    lower, failed = lapack.spotrf(gram.T, lower=1, overwrite_a=1)  # symmetric, and so in Fortran's order
    inverse, also_failed = lapack.spotri(lower, lower=1, overwrite_c=1) if not failed else (lower, failed)
    if also_failed:
        raise np.linalg.LinAlgError("the matrix is not positive definite: the penalty is too small for its numbers")
    for start in range(0, len(inverse), CHUNK):  # LAPACK fills the lower half only
        end = min(start + CHUNK, len(inverse))
        block = inverse[start:end, start:end]
        block[:] = np.tril(block) + np.tril(block, -1).T
        inverse[start:end, end:] = inverse[end:, start:end].T
    return np.asarray(inverse.T)  # symmetric, and so in C's order


def strongest(model: ItemModel, films: int, kept: int, given: Ids | None = None) -> Sparse:
    """Return a model that can be stored: with the `kept` largest weights (by absolute value) from each film.

    With `given`, the ascending places of the films that people liked or disliked, other films have no weights.
    """
    places: Ids = np.arange(films) if given is None else given
    many = min(kept, films)
    columns, values = np.zeros((len(places), many), dtype=np.int32), np.zeros((len(places), many), dtype=np.float32)
    for start in range(0, len(places), CHUNK):
        part = slice(start, start + CHUNK)
        weights = model.weights_from(places[part])
        columns[part] = np.argpartition(-np.abs(weights), many - 1, axis=1)[:, :many]
        values[part] = np.take_along_axis(weights, columns[part], axis=1)
    counts = np.zeros(films, dtype=np.int64)
    counts[places] = many
    ends = np.concatenate([[0], np.cumsum(counts)])
    whole = sp.csr_matrix((values.ravel(), columns.ravel(), ends), shape=(films, films), dtype=np.float32)
    whole.eliminate_zeros()
    whole.sort_indices()
    return Sparse(whole)


def _largest(rows: sp.csr_matrix, kept: int) -> sp.csr_matrix:
    """Return the matrix with the `kept` largest values of each row only."""
    columns, values, ends = [], [], [0]
    for row in range(rows.shape[0]):
        part = slice(rows.indptr[row], rows.indptr[row + 1])
        of_row, of_columns = rows.data[part], rows.indices[part]
        if len(of_row) > kept:
            best = np.argpartition(-of_row, kept - 1)[:kept]
            of_row, of_columns = of_row[best], of_columns[best]
        columns.append(of_columns)
        values.append(of_row)
        ends.append(ends[-1] + len(of_row))
    return sp.csr_matrix((np.concatenate(values), np.concatenate(columns), ends), shape=rows.shape, dtype=np.float32)
