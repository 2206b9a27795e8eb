"""Whether vectors may be stored: their number, width, finiteness and length."""

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.float32]


class UnusableVectorsError(ValueError):
    """The vectors are not what was asked for; the message names what to look at."""


def usable(vectors: Matrix, count: int, dimensions: int) -> Matrix:
    """Return vectors of unit length, or raise UnusableVectorsError.

    `vectors` is (count, dimensions). A wrong width means that model and MOVIE_ASSETS_EMBEDDING_DIMENSIONS do
    not agree; NaN, infinity and zeros have no cosine, and equal vectors for all of several texts come from a
    server that is stuck.
    """
    if vectors.ndim != 2 or len(vectors) != count:  # noqa: PLR2004  # a matrix
        raise UnusableVectorsError(f"{count} vectors were asked for, the answer has the shape {vectors.shape}")
    if vectors.shape[1] != dimensions:
        raise UnusableVectorsError(
            f"the vectors have {vectors.shape[1]} dimensions and {dimensions} were asked for; "
            "check MOVIE_ASSETS_EMBEDDING_MODEL and MOVIE_ASSETS_EMBEDDING_DIMENSIONS"
        )
    if not np.isfinite(vectors).all():
        raise UnusableVectorsError("a vector has components that are not finite numbers")
    lengths = np.linalg.norm(vectors.astype(np.float64), axis=1, keepdims=True)
    if count and lengths.min() < 1e-6:  # noqa: PLR2004  # no direction to speak of
        raise UnusableVectorsError("a vector is all zeros")
    if count > 1 and (vectors == vectors[0]).all():
        raise UnusableVectorsError(f"{count} different texts got one and the same vector")
    return np.asarray(vectors / lengths, dtype=np.float32)
