"""Texts into requests: in order, as few as the limits allow."""

from collections.abc import Iterator, Sequence

from movie_assets.config.embedding_limits import TEXTS_PER_REQUEST, TOKENS_PER_REQUEST


def packed(
    sizes: Sequence[int], most_texts: int = TEXTS_PER_REQUEST, most_tokens: int = TOKENS_PER_REQUEST
) -> Iterator[range]:
    """Cut positions 0 … n into ranges of at most so many texts and tokens; `sizes` has the tokens of each text.

    A text that alone is larger than a request gets one of its own: whoever sends it has cut it before.
    """
    start = tokens = 0
    for position, size in enumerate(sizes):
        if position - start == most_texts or (position > start and tokens + size > most_tokens):
            yield range(start, position)
            start, tokens = position, 0
        tokens += size
    if start < len(sizes):
        yield range(start, len(sizes))
