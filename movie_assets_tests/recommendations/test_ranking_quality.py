"""Figures of a ranking, worked out by hand."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp

from movie_assets.recommendations.ranking_quality import Ranking, coverage_of, diversity_of, first_of, interval_of, rank

FILMS = 30


@dataclass(frozen=True)
class Descending:
    """Film 0 first, then 1, 2 …"""

    def scores(self, likes: sp.csr_matrix) -> npt.NDArray[np.float32]:
        return np.tile(-np.arange(FILMS, dtype=np.float32), (likes.shape[0], 1))


def rows(*films: list[int]) -> sp.csr_matrix:
    matrix = np.zeros((len(films), FILMS), dtype=np.float32)
    for person, of_person in enumerate(films):
        matrix[person, of_person] = 1
    return sp.csr_matrix(matrix)


def test_recall_and_ndcg_are_those_of_the_definitions() -> None:
    hidden = rows([2, 20], [], [0])
    seen = rows([0], [5], [])
    ranking = rank(Descending(), seen, seen, hidden)
    assert len(ranking.ndcg) == 2  # the second has nothing hidden
    assert ranking.lists[0].tolist() == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10]
    assert ranking.recall.tolist() == [0.5, 1.0]
    ideal = 1 + 1 / np.log2(3)
    assert ranking.ndcg == pytest.approx([1 / np.log2(3) / ideal, 1.0])


def test_more_hidden_films_than_places_can_all_be_found() -> None:
    hidden = rows(list(range(15)))
    ranking = rank(Descending(), rows([]), rows([]), hidden)
    assert ranking.recall.tolist() == [1.0]
    assert ranking.ndcg.tolist() == pytest.approx([1.0])


def test_lists_can_be_chosen_in_another_way() -> None:
    ranking = rank(Descending(), rows([]), rows([]), rows([29]), lambda scores: first_of(-scores, 10))
    assert ranking.recall.tolist() == [1.0]


def test_of_equal_scores_the_first_film_is_first() -> None:
    assert first_of(np.zeros((1, 5), dtype=np.float32), 3).tolist() == [[0, 1, 2]]
    assert first_of(np.array([[1, 3, 2]], dtype=np.float32), 5).tolist() == [[1, 2, 0]]


def test_an_interval_holds_the_mean_and_narrows_with_more_people() -> None:
    chance = np.random.default_rng(1)
    few, many = interval_of(chance.random(50)), interval_of(chance.random(5000))
    assert few.low < few.mean < few.high
    assert many.high - many.low < (few.high - few.low) / 5
    assert many.high - many.low == pytest.approx(4 * 0.2887 / 5000**0.5, rel=0.15)
    assert interval_of(np.zeros(0)).mean == 0


def test_coverage_is_the_share_of_films_in_some_list() -> None:
    ranking = Ranking(np.array([[0, 1], [1, 2]]), np.zeros(2), np.zeros(2))
    assert coverage_of(ranking, FILMS) == 3 / FILMS


def test_diversity_is_one_minus_the_mean_cosine_of_the_films_of_a_list() -> None:
    likes = rows([0, 1], [0, 1], [2])
    ranking = Ranking(np.array([[0, 1], [0, 2], [3, 4]]), np.zeros(3), np.zeros(3))
    assert diversity_of(ranking, likes) == pytest.approx([0, 1, 1], abs=1e-6)
