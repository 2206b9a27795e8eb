"""The served model: its kind, its input, and the choice of its parameters."""

from dataclasses import replace

import numpy as np
import pytest

from movie_assets.recommendations import model as recommendation_model
from movie_assets.recommendations.histories import Histories, histories_of, latest
from movie_assets.recommendations.item_models import Als, Ease
from movie_assets.recommendations.model import (
    EASE_LIMIT,
    Parameters,
    fit,
    fit_items,
    input_weights,
    kind_for,
    served,
    tune,
)
from movie_assets.recommendations.quality import centred_weights, compare, naive_weights


def camps(people: int = 60, films: int = 80, each: int = 15) -> Histories:
    """Half of the people watch films of the first half and love them, the others of the second half."""
    chance = np.random.default_rng(4)
    half = films // 2
    chosen = [chance.permutation(half)[:each] + 1 + (n % 2) * half for n in range(people)]
    return histories_of(
        [f"p{n:02}" for n in range(people)],
        [films_of.astype(np.int64) for films_of in chosen],
        [chance.choice([100.0, 90.0, 60.0], each) for _ in chosen],
        [np.ones(each, dtype=np.bool_) for _ in chosen],
    )


def one_person(*ratings: float) -> Histories:
    count = len(ratings)
    return histories_of(
        ["me"], [np.arange(count, dtype=np.int64)], [np.array(ratings)], [np.ones(count, dtype=np.bool_)]
    )


def test_ease_is_served_as_long_as_films_or_rows_are_few() -> None:
    assert kind_for(EASE_LIMIT, 10**6) == "ease"
    assert kind_for(10**6, EASE_LIMIT) == "ease"
    assert kind_for(EASE_LIMIT + 1, EASE_LIMIT + 1) == "als"


def test_beyond_them_als_is(monkeypatch: pytest.MonkeyPatch) -> None:
    histories = camps()
    likes = histories.matrix(histories.is_liked)
    assert isinstance(fit_items(likes, None, Parameters()), Ease)
    monkeypatch.setattr(recommendation_model, "EASE_LIMIT", 10)
    assert isinstance(fit_items(likes, None, Parameters()), Als)
    assert fit(histories, None, Parameters()).kind == "als"
    assert tune(histories, None).penalty == Parameters().penalty


def test_recent_likes_count_more_and_dislikes_below_nothing() -> None:
    histories = one_person(100, 90, 20, 60, 80)
    given = input_weights(histories, Parameters(half_life=1.0, dislike=0.25)).toarray()[0]
    assert given == pytest.approx([0.5 ** (2 / 3), 0.5 ** (1 / 3), -0.25, 0, 1])
    assert input_weights(histories, Parameters(half_life=0, dislike=0)).toarray()[0].tolist() == [1, 1, 0, 0, 1]


def test_the_stored_model_recommends_ones_own_camp() -> None:
    histories = camps()
    parameters = Parameters(penalty=10.0)
    fitted = fit(histories, None, parameters)
    scores = served(fitted, parameters).scores(input_weights(histories, parameters))
    assert scores[0, :40].mean() > scores[0, 40:].mean()
    assert scores[1, 40:].mean() > scores[1, :40].mean()


def test_parameters_are_chosen_without_the_films_that_evaluation_asks_for() -> None:
    histories = camps()
    last_fifth = latest(histories, 0.2)
    ratings = np.where(last_fifth, 160 - histories.rating, histories.rating)  # liked ones disliked and the reverse
    assert tune(histories, None) == tune(replace(histories, rating=ratings), None)


def test_the_comparison_has_each_model_by_each_protocol() -> None:
    histories = camps()
    measured = list(compare(histories, None, None, Parameters(penalty=10.0), lambda: 0.0))
    models = ["popularity", "item-kNN", "ALS", "EASE", "hybrid", "served"]
    assert [(m.protocol, m.model) for m in measured] == [(p, m) for p in ("last 20 %", "last one") for m in models]
    by_name = {(m.protocol, m.model): m for m in measured}
    ease, popularity = by_name["last 20 %", "EASE"], by_name["last 20 %", "popularity"]
    assert ease.ndcg.mean > popularity.ndcg.mean
    assert ease.over_popularity.mean == pytest.approx(ease.ndcg.mean - popularity.ndcg.mean)
    assert ease.over_popularity.low > 0
    assert popularity.over_popularity.mean == 0
    assert 0 < ease.coverage <= 1


def test_profiles_are_compared_where_there_are_vectors() -> None:
    histories = camps()
    vectors = np.repeat(np.eye(2, dtype=np.float32), 40, axis=0)
    by_name = {
        m.model: m for m in compare(histories, None, vectors, Parameters(), lambda: 0.0) if m.protocol == "last one"
    }
    assert {"naive profile", "centred profile", "live"} <= by_name.keys()
    assert by_name["live"].ndcg.mean > by_name["popularity"].ndcg.mean


def test_nobody_with_dated_films_means_nothing_to_compare() -> None:
    histories = camps()
    undated = replace(histories, is_dated=np.zeros(len(histories.film), dtype=np.bool_))
    assert list(compare(undated, None, None, Parameters(), lambda: 0.0)) == []
    assert tune(undated, None) == Parameters()


def test_profiles_weigh_films_naively_or_by_the_persons_mean() -> None:
    histories = one_person(100, 80, 60, 20, float("nan"))
    assert naive_weights(histories).tolist() == [1, 0.6, 0, -0.8, 0.6]
    mean = (100 + 80 + 60 + 20 + 10 * 70) / 14
    assert centred_weights(histories) == pytest.approx([100 - mean, 80 - mean, 60 - mean, 20 - mean, 10])
    assert (centred_weights(one_person(90, 90, 90)) > 0).all()
    assert (centred_weights(one_person(40)) < 0).all()
