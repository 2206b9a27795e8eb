"""Texts into requests, and how many tokens they are at most."""

import pytest

from movie_assets.embeddings.packing import packed
from movie_assets.embeddings.tokens import ByteCounter


@pytest.mark.parametrize(
    ("sizes", "ranges"),
    [
        ([], []),
        ([5], [(0, 1)]),
        ([5, 5], [(0, 2)]),
        ([5, 6], [(0, 1), (1, 2)]),
        ([1, 1, 1, 1], [(0, 3), (3, 4)]),
        ([99, 1, 9, 1], [(0, 1), (1, 3), (3, 4)]),
    ],
    ids=["none", "one", "to the brim", "one token too many", "one text too many", "a text too large for any request"],
)
def test_texts_are_packed_in_order_and_within_both_limits(sizes: list[int], ranges: list[tuple[int, int]]) -> None:
    assert [(pack.start, pack.stop) for pack in packed(sizes, max_texts=3, max_tokens=10)] == ranges


@pytest.mark.parametrize(("text", "most"), [("abc", 3), ("é", 2), ("映画", 6), ("🎬", 4), ("", 0), ("\ud800", 3)])
def test_no_text_has_more_tokens_than_bytes(text: str, most: int) -> None:
    assert ByteCounter().count(text) <= most


@pytest.mark.parametrize(
    ("text", "most", "left"),
    [("abcdef", 4, "abcd"), ("映画", 5, "映"), ("ab", 2, "ab"), ("🎬🎬", 7, "🎬")],
)
def test_a_long_text_is_cut_between_characters(text: str, most: int, left: str) -> None:
    assert ByteCounter().cut(text, most) == left
