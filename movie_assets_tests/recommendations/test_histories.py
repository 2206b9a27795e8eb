"""Histories as matrices, and their division by time."""

from collections.abc import Sequence

import numpy as np

from movie_assets.recommendations.histories import Histories, among, histories_of, latest, of_some, only, within


def seen(**people: Sequence[tuple[int, float | None, bool]]) -> Histories:
    """Return the histories of people: films, ratings, and whether there is a date, in the order of time."""
    return histories_of(
        list(people),
        [np.array([film for film, _, _ in rows], dtype=np.int64) for rows in people.values()],
        [np.array([rating for _, rating, _ in rows], dtype=np.float64) for rows in people.values()],
        [np.array([is_dated for _, _, is_dated in rows], dtype=np.bool_) for rows in people.values()],
    )


ANN = [(10, 100.0, True), (30, 40.0, True), (20, None, True), (40, 80.0, True), (50, 79.0, True)]
BOB = [(20, 90.0, True), (30, 90.0, True)]


def test_liked_is_80_or_more_or_watched_without_a_rating() -> None:
    histories = seen(ann=ANN)
    assert histories.films[histories.film[histories.is_liked]].tolist() == [10, 20, 40]


def test_a_matrix_has_a_row_a_person_and_a_column_a_film() -> None:
    histories = seen(ann=ANN, bob=BOB)
    assert histories.matrix(histories.is_liked).toarray().tolist() == [[1, 1, 0, 1, 0], [0, 1, 1, 0, 0]]


def test_the_latest_share_is_rounded_up_and_short_histories_are_left_whole() -> None:
    histories = seen(ann=ANN, bob=BOB)
    assert histories.films[histories.film[latest(histories, 0.2)]].tolist() == [50]
    assert histories.films[histories.film[latest(histories, 0.3)]].tolist() == [40, 50]
    assert histories.films[histories.film[latest(histories, 0)]].tolist() == [50]


def test_films_without_a_date_are_never_the_latest() -> None:
    undated = [(n, 90.0, False) for n in range(60, 70)]
    histories = seen(ann=undated + ANN, bob=undated)
    assert histories.films[histories.film[latest(histories, 0.9)]].tolist() == [10, 30, 20, 40, 50]


def test_histories_are_cut_down_to_a_mask_or_to_films() -> None:
    histories = seen(ann=ANN, bob=BOB)
    assert only(histories, histories.rating >= 90).matrix(np.ones(3, dtype=bool)).sum() == 3
    narrow = within(histories, np.array([20, 30, 99]))
    assert narrow.matrix(np.ones(4, dtype=bool)).toarray().tolist() == [[1, 1, 0], [1, 1, 0]]


def test_films_that_nobody_saw_can_be_put_around_them() -> None:
    wide = among(seen(bob=BOB), np.array([5, 25]))
    assert wide.films.tolist() == [5, 20, 25, 30]
    assert wide.matrix(wide.is_liked).toarray().tolist() == [[0, 1, 0, 1]]


def test_nobody_has_histories_of_no_films() -> None:
    nobody = seen()
    assert latest(nobody, 0.2).size == 0
    assert nobody.matrix(nobody.is_liked).shape == (0, 0)


def test_of_many_people_the_same_some_are_drawn() -> None:
    histories = seen(**{f"p{n}": BOB for n in range(50)})
    hidden = histories.matrix(histories.is_liked)
    some = of_some(hidden, 10)
    assert (np.diff(some.indptr) > 0).sum() == 10
    assert (some != of_some(hidden, 10)).nnz == 0
    assert of_some(hidden, 50) is hidden
