"""Ways in which the vectors of an embeddings response can be wrong. `faults` has the table of all faults."""

import json
from dataclasses import replace

import numpy as np

from movie_assets.emulator.embedding_response import EmbeddingResponse
from movie_assets.emulator.responses import ServedResponse, compact_json


def shuffled(response: EmbeddingResponse) -> EmbeddingResponse:
    """Reverse the vectors, each with its index."""
    return replace(response, vectors=response.vectors[::-1], indices=response.indices[::-1])


def short(response: EmbeddingResponse) -> EmbeddingResponse:
    """Leave out the last vector."""
    return replace(response, vectors=response.vectors[:-1], indices=response.indices[:-1])


def quarter_width(response: EmbeddingResponse) -> EmbeddingResponse:
    """Cut each vector to a quarter of its width, as a client does that decodes base64 wrongly."""
    return replace(response, vectors=response.vectors[:, : max(1, response.vectors.shape[1] // 4)])


def duplicate_index(response: EmbeddingResponse) -> EmbeddingResponse:
    """Give all vectors the first index."""
    return replace(response, indices=(response.indices[0],) * len(response.indices))


def without_cursed(response: EmbeddingResponse) -> EmbeddingResponse:
    """Leave out the vectors of the inputs that faults are tied to."""
    left = [n for n in range(len(response.indices)) if n not in response.cursed]
    return replace(response, vectors=response.vectors[left], indices=tuple(range(len(left))))


def one_more(response: EmbeddingResponse) -> EmbeddingResponse:
    """Repeat the first vector at the end."""
    return replace(
        response,
        vectors=np.vstack([response.vectors, response.vectors[:1]]),
        indices=(*response.indices, len(response.indices)),
    )


def all_equal(response: EmbeddingResponse) -> EmbeddingResponse:
    """Give every input the first vector."""
    return replace(response, vectors=np.repeat(response.vectors[:1], len(response.vectors), axis=0))


def without_usage(response: ServedResponse) -> ServedResponse:
    """Leave out the number of tokens that were charged."""
    return replace(response, body=compact_json({**json.loads(response.body), "usage": None}))


def scaled(response: EmbeddingResponse) -> EmbeddingResponse:
    """Scale the vectors to length 7."""
    return replace(response, vectors=response.vectors * 7)


def of_another_model(response: EmbeddingResponse) -> EmbeddingResponse:
    """Name another model in the response."""
    return replace(response, model="another-model")
