"""Models that score films for people from the films that they liked: popularity, neighbours, EASE, ALS, profiles.

A model is fitted on a matrix of likes (persons by films) and answers with `scores` for such a matrix, also for people
it has never seen. Which of them is served, and with which parameters, is `recommendations.model`.
"""

from dataclasses import dataclass
from typing import Protocol

import numpy as np
import numpy.typing as npt
import scipy.sparse as sp
from threadpoolctl import threadpool_limits

Matrix = npt.NDArray[np.float32]
CHUNK = 512  # films or people in one dense piece
PAIRS = 4_000_000  # of films that are compared at once: some 100 MB


class Model(Protocol):
    """What can be asked of every model."""

    def scores(self, likes: sp.csr_matrix) -> Matrix:
        """A score for each person (a row of likes) and film; only their order within a row means something."""
        ...


class ItemModel(Model, Protocol):
    """A model that is a weight from each film to each other one."""

    def weights_from(self, films: slice) -> Matrix:
        """Weights from some films to all; 0 from a film to itself."""
        ...


@dataclass(frozen=True)
class Popularity:
    """The same films for everybody: how many people liked each, as log(1 + n), 0 to 1."""

    prior: Matrix

    @classmethod
    def fit(cls, likes: sp.csr_matrix) -> "Popularity":
        """Count."""
        logs = np.log1p(np.asarray(likes.astype(bool).sum(axis=0)).ravel()).astype(np.float32)
        return cls(logs / max(float(logs.max(initial=0)), 1e-9))

    def scores(self, likes: sp.csr_matrix) -> Matrix:
        """The prior, for each person."""
        return np.tile(self.prior, (likes.shape[0], 1))


@dataclass(frozen=True)
class Sparse:
    """A model as its weights: films by films."""

    weights: sp.csr_matrix

    def scores(self, likes: sp.csr_matrix) -> Matrix:
        """The weights from all that a person liked, added up."""
        return np.asarray((likes @ self.weights).todense(), dtype=np.float32)


def item_knn(likes: sp.csr_matrix, neighbours: int = 100, shrink: float = 10.0) -> Sparse:
    """Item-based nearest neighbours: cosines of who liked two films (Sarwar et al. 2001), lower where few did.

    Made in pieces of which the nearest are kept: all pairs of a large catalogue would be gigabytes.
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
    # The nearest of each film that is scored: the columns.
    return Sparse(sp.vstack(nearest, format="csr").T.tocsr() if nearest else sp.csr_matrix((0, 0), dtype=np.float32))


@dataclass(frozen=True)
class Ease:
    """EASE (Steck 2019), with content rows under the likes where there are any (Jeunen, Van Balen and Goethals 2020).

    With Z, the likes and the content rows, P = (Z'Z + penalty I)^-1 and B = I - P diag(1 / P_jj): the closed form of
    the regression of each film on all others. Where Z has fewer rows than films, P is not made: by Woodbury's identity
    P = (I - Z' (Z Z' + penalty I)^-1 Z) / penalty, an inverse of the rows' size, so that few people cost little.
    """

    rows: sp.csr_matrix
    penalty: float
    inverse: Matrix  # of P's size, or of the rows'
    diagonal: Matrix

    @classmethod
    def fit(cls, likes: sp.csr_matrix, penalty: float, content: sp.csr_matrix | None = None) -> "Ease":
        """Invert; memory is four bytes times the square of films or rows, whichever are fewer."""
        rows = likes if content is None else sp.vstack([likes, content], format="csr")
        by_rows = rows.shape[0] < rows.shape[1]
        inverse = inverse_of(gram_of(rows.T.tocsr() if by_rows else rows, penalty))
        if not by_rows:
            return cls(rows, penalty, inverse, inverse.diagonal().copy())
        diagonal = np.ones(rows.shape[1], dtype=np.float32)
        columns = rows.tocsc()
        for start in range(0, rows.shape[1], CHUNK):
            part = columns[:, start : start + CHUNK]
            diagonal[start : start + CHUNK] -= np.asarray(part.multiply(inverse @ part).sum(axis=0)).ravel()
        at_least = np.maximum(diagonal, np.float32(1e-6))
        return cls(rows, penalty, inverse, (at_least / np.float32(penalty)).astype(np.float32))

    def scores(self, likes: sp.csr_matrix) -> Matrix:
        """The likes times B."""
        dense = likes.toarray()
        return np.asarray(dense - self._times_p(likes, dense) / self.diagonal, dtype=np.float32)

    def weights_from(self, films: slice) -> Matrix:
        """Rows of B."""
        count = self.rows.shape[1]
        places = np.arange(*films.indices(count))
        ones = sp.csr_matrix(
            (np.ones(len(places), dtype=np.float32), (np.arange(len(places)), places)), shape=(len(places), count)
        )
        weights = self.scores(ones)
        weights[np.arange(len(places)), places] = 0
        return weights

    def _times_p(self, left: sp.csr_matrix, dense: Matrix) -> Matrix:
        if self.inverse.shape[0] == self.rows.shape[1]:
            return np.asarray(left @ self.inverse)
        through = (left @ self.rows.T) @ self.inverse
        return np.asarray((dense - through @ self.rows) / self.penalty)


@dataclass(frozen=True)
class Als:
    """Factors of implicit feedback (Hu, Koren and Volinsky 2008), found by the library `implicit`.

    What a person liked is folded in with the same weight for everybody: by section 5 of the paper a score is the sum
    over the films liked of y_i' W y_j, here with W = (Y'Y + penalty I)^-1, which makes it a weight from film to film.
    """

    factors: Matrix
    inverse: Matrix

    @classmethod
    def fit(
        cls, likes: sp.csr_matrix, factors: int = 32, penalty: float = 1.0, alpha: float = 2.0, iterations: int = 15
    ) -> "Als":
        """Alternate; the seed is fixed, so the same likes give the same factors on the same machine."""
        from implicit.als import AlternatingLeastSquares  # noqa: PLC0415  # no run but this one needs it

        with threadpool_limits(1, "blas"):
            model = AlternatingLeastSquares(
                factors=factors, regularization=penalty, alpha=alpha, iterations=iterations, random_state=7
            )
            model.fit(likes, show_progress=False)
        films = np.asarray(model.item_factors, dtype=np.float32)
        gram = films.T @ films + penalty * np.eye(films.shape[1], dtype=np.float32)
        return cls(films, np.linalg.inv(gram).astype(np.float32))

    def scores(self, likes: sp.csr_matrix) -> Matrix:
        """The weights from all that a person liked, added up; a film adds nothing to its own score."""
        return np.asarray(((likes @ self.factors) @ self.inverse) @ self.factors.T, dtype=np.float32)

    def weights_from(self, films: slice) -> Matrix:
        """Rows of Y W Y'."""
        weights = (self.factors[films] @ self.inverse) @ self.factors.T
        places = np.arange(*films.indices(len(self.factors)))
        weights[np.arange(len(places)), places] = 0
        return np.asarray(weights, dtype=np.float32)


@dataclass(frozen=True)
class FilterProfile:
    """A person as the weighted sum of films' vectors, and the films near it; plus the popularity times `prior`.

    The rows given to `scores` are weights, not likes: a rating minus the person's mean, for example.
    """

    vectors: Matrix  # of length 1, or zeros where a film has none
    popularity: Popularity
    prior: float

    def scores(self, likes: sp.csr_matrix) -> Matrix:
        """The cosine with the person's vector, and the prior."""
        people = np.asarray(likes @ self.vectors)
        people /= np.maximum(np.linalg.norm(people, axis=1, keepdims=True), 1e-9)
        return np.asarray(people @ self.vectors.T + self.prior * self.popularity.prior, dtype=np.float32)


@dataclass(frozen=True)
class WithPrior:
    """A model, and the popularity times `prior` on top of it."""

    model: Model
    popularity: Popularity
    prior: float

    def scores(self, likes: sp.csr_matrix) -> Matrix:
        """Both."""
        return self.model.scores(likes) + np.float32(self.prior) * self.popularity.prior


def gram_of(rows: sp.csr_matrix, penalty: float) -> Matrix:
    """R'R + penalty I for rows R, made in pieces: as a sparse matrix it would take three times the memory."""
    count = rows.shape[1]
    columns, gram = rows.T.tocsr(), np.empty((count, count), dtype=np.float32)
    for start in range(0, count, CHUNK):
        gram[start : start + CHUNK] = (columns[start : start + CHUNK] @ rows).toarray()
    gram[np.diag_indices_from(gram)] += penalty
    return gram


def inverse_of(gram: Matrix) -> Matrix:
    """The inverse of a positive definite matrix by Cholesky, in the memory of the matrix itself."""
    from scipy.linalg import lapack  # noqa: PLC0415  # no run but the model's needs it

    lower, failed = lapack.spotrf(gram.T, lower=1, overwrite_a=1)  # symmetric, and so in Fortran's order
    inverse, also_failed = lapack.spotri(lower, lower=1, overwrite_c=1) if not failed else (lower, failed)
    if also_failed:
        raise np.linalg.LinAlgError("the matrix is not positive definite: the penalty is too small for its numbers")
    for start in range(0, len(inverse), CHUNK):  # LAPACK fills the lower half only
        end = min(start + CHUNK, len(inverse))
        block = inverse[start:end, start:end]
        block[:] = np.tril(block) + np.tril(block, -1).T
        inverse[start:end, end:] = inverse[end:, start:end].T
    return np.asarray(inverse)


def strongest(model: ItemModel, films: int, kept: int) -> Sparse:
    """A model with the largest weights (by their absolute value) from each film only: what can be stored."""
    parts = []
    for start in range(0, films, CHUNK):
        weights = model.weights_from(slice(start, min(start + CHUNK, films)))
        many = min(kept, films)
        columns = np.argpartition(-np.abs(weights), many - 1, axis=1)[:, :many]
        values = np.take_along_axis(weights, columns, axis=1)
        ends = np.arange(0, values.size + 1, many)
        parts.append(sp.csr_matrix((values.ravel(), columns.ravel(), ends), shape=weights.shape))
    whole = sp.vstack(parts, format="csr") if parts else sp.csr_matrix((films, films), dtype=np.float32)
    whole.eliminate_zeros()
    whole.sort_indices()
    return Sparse(whole)


def _largest(rows: sp.csr_matrix, kept: int) -> sp.csr_matrix:
    """The largest values of each row."""
    columns, values, ends = [], [], [0]
    for row in range(rows.shape[0]):
        part = slice(rows.indptr[row], rows.indptr[row + 1])
        of_row, where = rows.data[part], rows.indices[part]
        if len(of_row) > kept:
            best = np.argpartition(-of_row, kept - 1)[:kept]
            of_row, where = of_row[best], where[best]
        columns.append(where)
        values.append(of_row)
        ends.append(ends[-1] + len(of_row))
    return sp.csr_matrix((np.concatenate(values), np.concatenate(columns), ends), shape=rows.shape, dtype=np.float32)
