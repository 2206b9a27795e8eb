"""Comparing all vectors finds what the definition of the cosine says, for vectors of words and of meaning."""

from collections.abc import Collection, Sequence

import numpy as np
import pytest

from movie_assets.search.nearest_films import FilmVectors, SearchedVector

FILMS = 300


def sent(tmdb_id: int, vector: "np.typing.NDArray[np.float16]", *, is_short: bool = False) -> SearchedVector:
    """A row as Postgres sends it: the number of dimensions, two unused bytes, the components.

    In the short form: the numbers of dimensions and of components that are not zero, four unused bytes, the places of
    these components, their values.
    """
    places = np.flatnonzero(vector)
    if is_short:
        header = np.array([len(vector), len(places), 0], ">i4").tobytes()
        content = header + places.astype(">i4").tobytes() + vector[places].astype(">f4").tobytes()
    else:
        content = np.array([len(vector), 0], ">u2").tobytes() + vector.astype(">f2").tobytes()
    return SearchedVector(tmdb_id, f"hash {tmdb_id}", content, is_short)


def made(kind: str) -> "np.typing.NDArray[np.float16]":
    random = np.random.default_rng(5)
    vectors = random.normal(size=(FILMS, 96))
    if kind == "words":
        vectors[random.random(vectors.shape) > 0.06] = 0
        vectors[:, 0] += 0.01
    if kind == "both":  # one page of each kind
        vectors[:200][random.random((200, 96)) > 0.06] = 0
        vectors[:, 0] += 0.01
    return vectors.astype(np.float16)


def pages_of(
    vectors: "np.typing.NDArray[np.float16]", size: int = 200, short: Collection[int] = ()
) -> Sequence[Sequence[SearchedVector]]:
    rows = [sent(10 * n, vector, is_short=n in short) for n, vector in enumerate(vectors)]
    return [rows[start : start + size] for start in range(0, len(rows), size)]


@pytest.mark.parametrize("kind", ["words", "meaning", "both"])
def test_the_nearest_are_those_with_the_largest_cosine(kind: str) -> None:
    vectors = made(kind)
    compared = FilmVectors(pages_of(vectors))
    exact = vectors.astype(np.float64)
    exact /= np.linalg.norm(exact, axis=1, keepdims=True)
    cosines = exact @ exact.T
    np.fill_diagonal(cosines, -2)
    found = compared.nearest([10 * n for n in range(FILMS)], 10)
    assert len(found) == 10 * FILMS
    for n in range(FILMS):
        mine = found[10 * n : 10 * n + 10]
        assert {each.title_id for each in mine} == {10 * n}
        best = np.sort(cosines[n])[::-1][:10]
        assert [each.similarity for each in mine] == pytest.approx(best, abs=1e-4)
        assert [cosines[n][each.similar_id // 10] for each in mine] == pytest.approx(best, abs=1e-4)


def test_vectors_in_the_short_form_are_compared_like_others() -> None:
    vectors = made("words")
    films = [10 * n for n in range(FILMS)]
    whole = FilmVectors(pages_of(vectors)).nearest(films, 10)
    assert FilmVectors(pages_of(vectors, short=range(FILMS))).nearest(films, 10) == whole
    assert FilmVectors(pages_of(vectors, short=range(0, FILMS, 3))).nearest(films, 10) == whole


def test_films_that_are_equally_near_come_by_their_ids() -> None:
    vectors = np.zeros((30, 16), np.float16)
    vectors[:, 1] = 1
    compared = FilmVectors(pages_of(vectors, 7))
    assert [each.similar_id for each in compared.nearest([50], 4)] == [0, 10, 20, 30]


def test_few_films_have_short_lists_and_unknown_films_none() -> None:
    assert FilmVectors([]).nearest([1], 10) == []
    one = FilmVectors(pages_of(np.ones((1, 8), np.float16)))
    assert one.nearest([0], 10) == []
    three = FilmVectors(pages_of(np.eye(3, 8, dtype=np.float16) + np.float16(0.5)))
    assert [each.similar_id for each in three.nearest([10, 999], 10)] == [0, 20]
    assert three.hash_of(999) is None
