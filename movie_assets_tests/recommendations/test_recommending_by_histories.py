"""Recommendations in SQL from watch histories and a person's ratings."""

import numpy as np
import pytest

from movie_assets.database.database import Database
from movie_assets.recommendations.histories import among, histories_of
from movie_assets.recommendations.item_models import Popularity
from movie_assets.recommendations.quality import live
from movie_assets.recommendations.ranking_quality import NO_MOVIE
from movie_assets_tests.recommendations.recommended_films import FILMS, PLAIN, ids, recommended


def with_histories(films: Database, weights: dict[int, dict[int, float]]) -> None:
    """Serve a model with these weights from a film to others."""
    with films.transaction() as connection:
        connection.exec_driver_sql(
            "insert into pipeline.recommendation_models (kind, method_version, inputs, parameters, persons, films, "
            "likes, entries, newest_entry, seconds, fitted_at, is_served) "
            "values ('ease', 'test', '', '{}', 1, 1, 1, 1, now(), 1, now(), true)"
        )
        for film, others in weights.items():
            connection.exec_driver_sql(
                "insert into pipeline.film_weights values (1, %(film)s, 1, %(others)s, %(weights)s, '{1}')",
                {"film": film, "others": list(others), "weights": list(others.values())},
            )


def test_films_by_histories_compete_with_similar_films(films: Database) -> None:
    assert ids(recommended(films, loved=[1], count=2)) == [3, 2]
    with_histories(films, {1: {7: 0.4, 3: 0.1, 999: 5.0}})
    rows = recommended(films, loved=[1], count=3, options=PLAIN | {"histories": 0.9})
    assert ids(rows) == [3, 7, 2]  # 3 is similar and liked by the same people, 7 liked by them, 2 similar
    assert ids(recommended(films, loved=[1], count=3, options=PLAIN | {"histories": 0})) == [3, 2, 9]
    assert ids(recommended(films, loved=[1], count=1, options=PLAIN | {"histories": 2})) == [7]


def test_the_film_with_the_largest_weight_is_the_reason(films: Database) -> None:
    with_histories(films, {1: {7: 0.1}, 4: {7: 0.4}})
    rows = {row.tmdb_id: row for row in recommended(films, loved=[1], liked=[4], count=7)}
    assert rows[7].because == 4
    assert [(r["tmdb_id"], r["title"], r["how"]) for r in rows[7].reasons] == [
        (4, "Comet", "liked"), (1, "Knives", "loved")
    ]  # fmt: skip
    assert rows[7].reasons[0]["weight"] == pytest.approx(0.6 * 0.4)
    assert rows[2].because == 1
    assert rows[2].reasons[0]["shared"] == {"genres": ["Crime"]}


def test_a_disliked_film_pulls_down_what_its_friends_like(films: Database) -> None:
    with_histories(films, {8: {3: 0.5}, 1: {9: 0.01}})
    assert ids(recommended(films, loved=[1], count=1)) == [3]
    assert ids(recommended(films, loved=[1], disliked=[8], count=1, options=PLAIN | {"histories": 1.0})) == [2]


def test_histories_obey_filters_and_need_no_vectors(films: Database) -> None:
    with_histories(films, {1: {7: 0.4, 4: 0.3}, 999: {5: 0.9}})
    assert 7 not in ids(recommended(films, loved=[1], filters={"without_genres": ["Romance"]}, count=9))
    with films.transaction() as connection:
        connection.exec_driver_sql("update pipeline.embedding_sets set is_active = false")
    assert ids(recommended(films, loved=[999], count=1, options=PLAIN | {"histories": 2})) == [5]


def test_a_film_after_hundreds_that_left_the_catalogue_is_found_by_histories(films: Database) -> None:
    with_histories(films, {1: {1000 + n: 0.5 for n in range(400)} | {7: 0.4}})
    with films.transaction() as connection:
        connection.exec_driver_sql("delete from catalog.title_vectors_1 where title_id = 7")
    assert ids(recommended(films, loved=[1], options=PLAIN | {"histories": 9}, count=1)) == [7]


def as_core_would(persons: dict[str, dict[int, float | None]]) -> list[list[tuple[int, float]]]:
    """Lists of `live` in the core, with TMDB's votes as the popularity, each film with its score before diversity."""
    known = histories_of(
        list(persons),
        [np.array(list(rated)) for rated in persons.values()],
        [np.array([np.nan if rating is None else rating for rating in rated.values()]) for rated in persons.values()],
        [np.ones(len(rated), dtype=np.bool_) for rated in persons.values()],
    )
    known = among(known, np.array(sorted(FILMS)))
    every = known.films
    vectors = np.array([FILMS[film][1] if film in FILMS else (0, 0, 0) for film in every.tolist()], dtype=np.float32)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-9)
    logs = np.log1p([FILMS[film][3] if film in FILMS else 0 for film in every.tolist()])
    entry = live(known, vectors, Popularity((logs / logs.max()).astype(np.float32)))
    scores = entry.model.scores(entry.given)
    scores[known.person, known.film] = -np.inf
    scores[:, ~np.isin(every, list(FILMS))] = -np.inf
    assert entry.choose
    return [
        [(int(every[place]), float(row[place])) for place in places if place != NO_MOVIE]
        for row, places in zip(scores, entry.choose(scores), strict=True)
    ]


RATED: dict[str, dict[int, float | None]] = {
    "one film": {1: 90},
    "all high": {1: 100, 4: 90, 7: 80},
    "all equal": {7: 80, 8: 80},
    "high and low": {5: 90, 6: 100, 1: 20, 2: 30},
    "some unrated": {1: None, 9: 60, 10: 100},
    "one not in the catalogue": {4: 70, 999: 10, 2: 100},
}


def test_a_person_with_ratings_gets_what_is_evaluated(films: Database) -> None:
    expected = as_core_would(RATED)
    for (name, ratings), by_core in zip(RATED.items(), expected, strict=True):
        rows = recommended(films, rated=list(ratings), ratings=list(ratings.values()), count=10, options={})
        unlowered = {row.tmdb_id: row.similarity for row in rows}
        assert ids(rows) == [film for film, _ in by_core], name
        assert rows[0].score == pytest.approx(by_core[0][1], abs=2e-3)
        standing = {film: np.log1p(FILMS[film][3]) / np.log1p(990) for film in FILMS}
        assert all(unlowered[film] + standing[film] == pytest.approx(score, abs=2e-3) for film, score in by_core), name


def test_ratings_count_by_how_far_they_are_from_the_persons_mean(films: Database) -> None:
    above = recommended(films, rated=[1, 4], ratings=[60, 100], count=2)
    assert set(ids(above)) == {5, 6}  # 60 is praise by no measure, and far below this person's mean
    assert ids(recommended(films, rated=[1, 4], ratings=[100, 60], count=1)) == [3]


def test_all_that_was_rated_is_left_out_and_loved_liked_and_unrated_films_are_reasons(films: Database) -> None:
    rows = recommended(films, rated=[1, 2, 5, 7], ratings=[100, None, 60, 20], count=10)
    assert not {1, 2, 5, 7} & set(ids(rows))
    assert {row.because for row in rows} == {1, 2}


def test_by_default_a_film_that_nobody_knows_is_not_before_one_as_near_that_all_know(films: Database) -> None:
    with films.transaction() as connection:
        connection.exec_driver_sql("update catalog.movie_stats set vote_count = 2 where tmdb_id = 3")
    assert ids(recommended(films, loved=[1], count=1)) == [3]
    assert ids(recommended(films, loved=[1], count=1, options={})) == [2]


def test_how_many_with_histories_like_a_film_counts_in_the_place_of_votes(films: Database) -> None:
    with_histories(films, {film: {999: 0.1} for film in FILMS})
    with films.transaction() as connection:
        connection.exec_driver_sql(
            "update pipeline.film_weights set popularity = case when tmdb_id = 9 then 1 else 0 end"
        )
    assert ids(recommended(films, loved=[1], count=1, options={})) == [9]
