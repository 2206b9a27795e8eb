"""The models against their formulas, written out plainly."""

import tracemalloc

import numpy as np
import numpy.typing as npt
import pytest
import scipy.sparse as sp

from movie_assets.recommendations import item_models
from movie_assets.recommendations.content_rows import content_rows
from movie_assets.recommendations.item_models import (
    Als,
    Ease,
    Popularity,
    VectorProfile,
    WithPrior,
    gram_of,
    inverse_of,
    item_knn,
    strongest,
)

PENALTY = 3.0
Values = npt.NDArray[np.float64]


def likes_of(people: int, films: int, seed: int = 1) -> sp.csr_matrix:
    """Two camps: the first half of the people likes films of the first half."""
    chance = np.random.default_rng(seed)
    camp = (np.arange(people)[:, None] < people / 2) == (np.arange(films)[None, :] < films / 2)
    return sp.csr_matrix((chance.random((people, films)) < np.where(camp, 0.6, 0.05)).astype(np.float32))


def ease_by_hand(
    rows: np.ndarray[tuple[int, ...], np.dtype[np.float64]],
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Algorithm 1 of Steck 2019."""
    inverse = np.linalg.inv(rows.T @ rows + PENALTY * np.eye(rows.shape[1]))
    weights = -inverse / np.diag(inverse)
    np.fill_diagonal(weights, 0)
    return weights


@pytest.mark.parametrize(("people", "films"), [(60, 20), (20, 60)])
def test_ease_is_its_closed_form_whichever_side_is_inverted(people: int, films: int) -> None:
    likes = likes_of(people, films)
    model = Ease.fit(likes, PENALTY)
    assert len(model.inverse) == min(people, films)
    by_hand = ease_by_hand(likes.toarray().astype(np.float64))
    assert np.allclose(model.weights_from(np.arange(0, films)), by_hand, atol=1e-4)
    assert np.allclose(model.scores(likes), likes.toarray() @ by_hand, atol=1e-3)


@pytest.mark.parametrize("people", [20, 300])
def test_content_rows_are_rows_like_people(people: int) -> None:
    likes, content = likes_of(people, 60), likes_of(8, 60, seed=2)
    model = Ease.fit(likes, PENALTY, content)
    by_hand = ease_by_hand(np.vstack([likes.toarray(), content.toarray()]).astype(np.float64))
    assert np.allclose(model.weights_from(np.arange(5, 9)), by_hand[5:9], atol=1e-4)


def test_a_film_that_nobody_saw_is_found_by_what_it_has() -> None:
    likes = likes_of(20, 60).tolil()
    likes[:, 7] = 0
    content = content_rows([np.arange(5, 12), np.array([40, 41])], np.arange(60))
    weights = Ease.fit(likes.tocsr(), PENALTY, content).weights_from(np.arange(5, 6))[0]
    assert weights[7] > weights[50]


def test_an_inverse_needs_a_penalty() -> None:
    with pytest.raises(np.linalg.LinAlgError, match="penalty is too small"):
        inverse_of(np.zeros((3, 3), dtype=np.float32))


def test_a_gram_matrix_and_its_inverse_are_made_in_pieces() -> None:
    rows = likes_of(40, 1200)
    gram = gram_of(rows, 1.0)
    assert np.array_equal(gram, (rows.T @ rows).toarray() + np.eye(1200))
    assert np.allclose(inverse_of(gram.copy()) @ gram, np.eye(1200), atol=1e-3)


def test_popularity_is_the_same_for_everybody() -> None:
    likes = sp.csr_matrix(np.array([[1, 1, 0], [1, 0, 0], [1, 0, 0]], dtype=np.float32))
    scores = Popularity.fit(likes).scores(likes)
    assert scores[0].tolist() == scores[2].tolist()
    assert scores[0] == pytest.approx([1, np.log(2) / np.log(4), 0])


def test_item_knn_is_a_shrunk_cosine_among_the_nearest() -> None:
    likes = likes_of(40, 12)
    dense = likes.toarray()
    norms = np.linalg.norm(dense, axis=0)
    cosines = dense.T @ dense / (np.outer(norms, norms) + 10.0)
    np.fill_diagonal(cosines, 0)
    assert np.allclose(item_knn(likes, 12).weights.toarray(), cosines, atol=1e-5)
    few = item_knn(likes, 3).weights.toarray()
    assert (few > 0).sum(axis=0).max() == 3
    assert np.allclose(few[few > 0], cosines[few > 0], atol=1e-5)


@pytest.mark.parametrize("pairs", [1, 12 * 5, 12 * 12])
def test_item_knn_is_the_same_whatever_is_compared_at_once(monkeypatch: pytest.MonkeyPatch, pairs: int) -> None:
    likes = likes_of(40, 12)
    whole = item_knn(likes, 3).weights.toarray()
    monkeypatch.setattr(item_models, "PAIRS", pairs)
    assert np.array_equal(item_knn(likes, 3).weights.toarray(), whole)


def test_item_knn_of_many_films_does_not_hold_all_their_pairs() -> None:
    chance = np.random.default_rng(3)
    films, people = 5_000, 40
    rows = np.repeat(np.arange(people), 2_000)
    likes = sp.csr_matrix(
        (np.ones(len(rows), dtype=np.float32), (rows, chance.integers(0, films, len(rows)))), shape=(people, films)
    )
    likes.data[:] = 1
    tracemalloc.start()
    kept = item_knn(likes).weights
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert np.diff(kept.tocsc().indptr).max() == 100
    assert peak < 200_000_000  # all pairs at once are 800 MB


def test_als_scores_films_of_ones_own_camp_higher() -> None:
    likes = likes_of(60, 40)
    model = Als.fit(likes, factors=8)
    scores = model.scores(likes)
    assert scores[:30, :20].mean() > scores[:30, 20:].mean()
    assert scores[30:, 20:].mean() > scores[30:, :20].mean()
    weights = model.weights_from(np.arange(0, 40))
    assert np.diag(weights).tolist() == [0] * 40
    assert weights[:20, :20].mean() > weights[:20, 20:].mean()


def test_the_same_likes_give_the_same_factors() -> None:
    likes = likes_of(60, 40)
    assert np.allclose(Als.fit(likes, factors=8).factors, Als.fit(likes, factors=8).factors)


def test_a_profile_is_a_direction_among_films() -> None:
    likes = likes_of(4, 3)
    vectors = np.eye(3, dtype=np.float32)
    profile = VectorProfile(vectors, Popularity.fit(likes), 0.0)
    wishes = sp.csr_matrix(np.array([[3, -4, 0]], dtype=np.float32))
    assert profile.scores(wishes)[0] == pytest.approx([0.6, -0.8, 0])


def test_a_prior_is_added() -> None:
    likes = likes_of(40, 12)
    popularity = Popularity.fit(likes)
    model = item_knn(likes)
    both = WithPrior(model, popularity, 0.5).scores(likes)
    assert np.allclose(both, model.scores(likes) + 0.5 * popularity.prior)


def test_the_strongest_weights_are_kept_with_their_sign() -> None:
    likes = likes_of(60, 20)
    model = Ease.fit(likes, PENALTY)
    whole = model.weights_from(np.arange(0, 20))
    kept = strongest(model, 20, 5).weights.toarray()
    assert (np.count_nonzero(kept, axis=1) == 5).all()
    assert np.allclose(kept[kept != 0], whole[kept != 0])
    assert np.abs(whole[kept == 0]).min() >= 0
    assert (np.abs(kept).max(axis=1) == np.abs(whole).max(axis=1)).all()
    assert np.allclose(strongest(model, 20, 500).weights.toarray(), whole)


def test_weights_of_the_given_films_alone_give_the_same_scores() -> None:
    likes, content = likes_of(60, 700), likes_of(12, 700, seed=3)
    model = Ease.fit(likes, PENALTY, content)
    given = np.unique(likes[:20].indices)
    whole, some = strongest(model, 700, 50), strongest(model, 700, 50, given)
    others = np.setdiff1d(np.arange(700), given)
    assert len(others)
    assert not some.weights[others].nnz
    assert np.allclose(some.weights[given].toarray(), whole.weights[given].toarray(), atol=1e-6)
    assert np.allclose(some.scores(likes[:20]), whole.scores(likes[:20]), atol=1e-5)
    assert not strongest(model, 700, 50, np.zeros(0, dtype=np.int64)).weights.nnz
