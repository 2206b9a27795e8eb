"""Packs texts into as few requests as the limits allow, in their order."""

from collections.abc import Iterator, Sequence

from movie_assets.config.embedding_limits import TEXTS_PER_REQUEST, TOKENS_PER_REQUEST


def packed(
    sizes: Sequence[int], max_texts: int = TEXTS_PER_REQUEST, max_tokens: int = TOKENS_PER_REQUEST
) -> Iterator[range]:
    """Yield ranges of positions that hold at most so many texts and tokens; `sizes` has the tokens of each text.

    A text that is larger than `max_tokens` gets a range of its own; the caller cuts such texts beforehand.
    """
    start = tokens = 0
    for position, size in enumerate(sizes):
        if position - start == max_texts or (position > start and tokens + size > max_tokens):
            yield range(start, position)
            start, tokens = position, 0
        tokens += size
    if start < len(sizes):
        yield range(start, len(sizes))
