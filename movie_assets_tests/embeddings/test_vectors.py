"""Which vectors may be stored, and what the refusal of others names."""

import base64
from typing import Any

import numpy as np
import pytest

from movie_assets.embeddings.vectors import Matrix, UnusableVectorsError, normalized, vectors_by_index


def matrix(*rows: list[float]) -> Matrix:
    return np.array(rows, dtype=np.float32)


def entries(*rows: Any) -> list[dict[str, Any]]:
    return [{"index": n, "embedding": row} for n, row in enumerate(rows)]


def test_vectors_come_back_with_length_one_and_their_direction() -> None:
    found = normalized(matrix([3, 4], [0, 2]))
    assert found.vectors == pytest.approx(matrix([0.6, 0.8], [0, 1]))
    assert (found.positions, found.flawed) == ((0, 1), {})


def test_vectors_stay_single_precision() -> None:
    assert normalized(matrix([3, 4])).vectors.dtype == np.float32


def test_no_vectors_for_no_texts_are_fine() -> None:
    assert normalized(np.zeros((0, 4), np.float32)).vectors.shape == (0, 4)


def test_entries_are_put_in_the_order_of_their_index() -> None:
    assert vectors_by_index(entries([1, 0], [0, 1])[::-1], 2, 2).vectors == pytest.approx(matrix([1, 0], [0, 1]))


@pytest.mark.parametrize(
    "wrong",
    [
        entries([1, 0]),
        entries([1, 0], [0, 1], [1, 1]),
        [{"index": 0, "embedding": [1, 0]}] * 2,
        [{"index": 0, "embedding": [1, 0]}, {"index": 2, "embedding": [0, 1]}],
        [{"index": 0}, {"index": 1}],
        [{"index": [0], "embedding": [1, 0]}, {"index": 1, "embedding": [0, 1]}],
        entries(None, None),
        entries("AAAA", "AAAA"),
        entries("no base64!", "no base64!"),
        [{"index": 1, "embedding": [1, 0]}, {"embedding": [0, 1]}],
        entries(["a", "b"], ["c", "d"]),
        [None, None],
        (),
    ],
    ids=[
        "fewer", "more", "one index twice", "a missing index", "no embedding", "odd index", "null",
        "three bytes", "words", "an index twice by place", "numbers in words", "no entries", "nothing",
    ],
)  # fmt: skip
def test_an_answer_without_one_vector_for_each_text_is_refused(wrong: Any) -> None:
    with pytest.raises(UnusableVectorsError) as refused:
        vectors_by_index(wrong, 2, 2)
    assert refused.value.flaw == "count"


@pytest.mark.parametrize("width", [1, 2, 9])
def test_another_width_is_refused_and_the_settings_named(width: int) -> None:
    with pytest.raises(UnusableVectorsError, match=r"dimensions and 8 .* MOVIE_ASSETS_EMBEDDING_DIMENSIONS") as refused:
        vectors_by_index(entries([1.0] * width), 1, 8)
    assert refused.value.flaw == "width"


def test_entries_without_an_index_are_taken_by_their_place() -> None:
    given = [{"embedding": [1, 0]}, {"index": None, "embedding": [0, 1]}, {"index": 2, "embedding": [3, 4]}]
    assert vectors_by_index(given, 3, 2).vectors == pytest.approx(matrix([1, 0], [0, 1], [0.6, 0.8]))


def test_base64_of_little_endian_floats_is_a_vector() -> None:
    given = [base64.b64encode(np.array(row, "<f4").tobytes()).decode() for row in ([0, 1], [3, 4])]
    assert vectors_by_index(entries(*given), 2, 2).vectors == pytest.approx(matrix([0, 1], [0.6, 0.8]))


@pytest.mark.parametrize("nothing", [None, [], ""])
def test_an_entry_without_a_vector_costs_its_own_text_only(nothing: Any) -> None:
    found = vectors_by_index(entries([1, 0], nothing, [0, 2]), 3, 2)
    assert (found.positions, found.flawed) == ((0, 2), {1: "no_vector"})


@pytest.mark.parametrize(("width", "to_do"), [(16, "MOVIE_ASSETS_EMBEDDING_DIMENSIONS=16"), (4096, "takes 8 to 4000")])
def test_a_width_that_the_settings_can_take_is_named_for_them(width: int, to_do: str) -> None:
    with pytest.raises(UnusableVectorsError, match=to_do):
        vectors_by_index(entries([1.0] * width), 1, 8)


@pytest.mark.parametrize("odd", [np.nan, np.inf, -np.inf])
def test_a_component_that_is_not_finite_costs_its_own_text_only(odd: float) -> None:
    found = normalized(matrix([1, 0], [0, odd], [0, 2]))
    assert (found.positions, found.flawed) == ((0, 2), {1: "vector_not_finite"})
    assert found.vectors == pytest.approx(matrix([1, 0], [0, 1]))


def test_null_in_place_of_a_number_is_not_finite() -> None:
    assert vectors_by_index(entries([1, 0], [None, 1]), 2, 2).flawed == {1: "vector_not_finite"}


def test_a_vector_of_zeros_costs_its_own_text_only() -> None:
    assert normalized(matrix([1, 0], [0, 0])).flawed == {1: "vector_is_zero"}


def test_one_vector_for_all_texts_is_refused() -> None:
    with pytest.raises(UnusableVectorsError, match="same vector") as refused:
        normalized(matrix([1, 2], [1, 2], [1, 2]))
    assert refused.value.flaw == "stuck"


def test_two_equal_vectors_among_others_are_fine() -> None:
    assert len(normalized(matrix([1, 2], [1, 2], [2, 1])).vectors) == 3


@pytest.mark.parametrize("size", [1e-5, 1e30])
def test_short_and_long_vectors_are_brought_to_length_one(size: float) -> None:
    assert np.linalg.norm(normalized(matrix([size, size])).vectors) == pytest.approx(1)
