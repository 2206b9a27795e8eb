"""Texts into requests: in order, as few as the limits allow."""

from collections.abc import Iterator, Sequence

TEXTS_PER_REQUEST = 256  # OpenAI takes 2,048; with several requests in flight, smaller ones lose less to a kill
TOKENS_PER_REQUEST = 300_000  # OpenAI's limit for all inputs of a request together


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
