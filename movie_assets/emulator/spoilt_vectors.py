"""Ways in which the vectors of an embeddings reply can be wrong; when they are belongs to `faults`."""

import json
from dataclasses import replace

import numpy as np

from movie_assets.emulator.answers import ServedResponse, compact_json
from movie_assets.emulator.embedding_reply import EmbeddingReply


def shuffled(reply: EmbeddingReply) -> EmbeddingReply:
    """The vectors backwards, each with its index."""
    return replace(reply, vectors=reply.vectors[::-1], indices=reply.indices[::-1])


def short(reply: EmbeddingReply) -> EmbeddingReply:
    """All but the last vector."""
    return replace(reply, vectors=reply.vectors[:-1], indices=reply.indices[:-1])


def quarter_width(reply: EmbeddingReply) -> EmbeddingReply:
    """A quarter of each vector, as a client makes of base64 that it takes for numbers."""
    return replace(reply, vectors=reply.vectors[:, : max(1, reply.vectors.shape[1] // 4)])


def duplicate_index(reply: EmbeddingReply) -> EmbeddingReply:
    """All vectors under the first index."""
    return replace(reply, indices=(reply.indices[0],) * len(reply.indices))


def without_cursed(reply: EmbeddingReply) -> EmbeddingReply:
    """No vectors for cursed inputs."""
    left = [n for n in range(len(reply.indices)) if n not in reply.cursed]
    return replace(reply, vectors=reply.vectors[left], indices=tuple(range(len(left))))


def one_more(reply: EmbeddingReply) -> EmbeddingReply:
    """The first vector once more in the end."""
    return replace(
        reply, vectors=np.vstack([reply.vectors, reply.vectors[:1]]), indices=(*reply.indices, len(reply.indices))
    )


def all_alike(reply: EmbeddingReply) -> EmbeddingReply:
    """The first vector for every input."""
    return replace(reply, vectors=np.repeat(reply.vectors[:1], len(reply.vectors), axis=0))


def without_usage(answer: ServedResponse) -> ServedResponse:
    """The same reply without the tokens that were charged."""
    return replace(answer, body=compact_json({**json.loads(answer.body), "usage": None}))


def scaled(reply: EmbeddingReply) -> EmbeddingReply:
    """Vectors of length 7."""
    return replace(reply, vectors=reply.vectors * 7)


def of_another_model(reply: EmbeddingReply) -> EmbeddingReply:
    """The same vectors under another model's name."""
    return replace(reply, model="another-model")
