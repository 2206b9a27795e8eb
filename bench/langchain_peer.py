"""Load vectors with LangChain's PGVector, in an environment of its own; vector_load.py starts it.

Usage: langchain_peer.py ADDRESS VECTORS.npy ROUNDS BATCH [BATCH ...]. Prints a JSON object: the batch size that was the
fastest in a trial on the first thousand vectors, and the seconds of each round with it.
"""

import json
import logging
import sys
import time
import uuid
import warnings

import numpy as np
from langchain_core.embeddings import Embeddings
from langchain_postgres import PGVector

TRIAL = 1000


class NoEmbeddings(Embeddings):
    """Vectors are brought along."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Nothing is embedded."""
        raise NotImplementedError

    def embed_query(self, text: str) -> list[float]:
        """Nothing is embedded."""
        raise NotImplementedError


def seconds(address: str, vectors: list[list[float]], batch: int) -> float:
    """Load into an emptied collection; what is made before (lists of floats, ids) is not in the time."""
    store = PGVector(
        NoEmbeddings(),
        connection=address,
        collection_name=uuid.uuid4().hex,
        embedding_length=len(vectors[0]),
        create_extension=False,
    )
    ids = [str(n) for n in range(len(vectors))]
    texts = [f"film {n}" for n in range(len(vectors))]
    started = time.perf_counter()
    for start in range(0, len(vectors), batch):
        end = start + batch
        store.add_embeddings(texts[start:end], vectors[start:end], ids=ids[start:end])
    took = time.perf_counter() - started
    store.drop_tables()
    return took


def main() -> None:
    """Find the best batch size, then measure with it."""
    logging.disable()
    warnings.filterwarnings("ignore")  # LangChain's own deprecations
    address, path, rounds, *batches = sys.argv[1:]
    vectors = np.load(path).tolist()
    trials = {int(batch): seconds(address, vectors[:TRIAL], int(batch)) for batch in batches}
    best = min(trials, key=lambda batch: trials[batch])
    print(json.dumps({"batch": best, "seconds": [seconds(address, vectors, best) for _ in range(int(rounds))]}))


if __name__ == "__main__":
    main()
