"""catalog.recommend_movies against the same sums in Python, with and without a model, after each kind of change."""

from collections import defaultdict
from typing import Any

import numpy as np
import pytest

from movie_assets.database.database import Database
from movie_assets_tests.recommendations.recommended_films import FILMS, PLAIN, ids, recommended
from movie_assets_tests.recommendations.test_recommending_by_histories import with_histories

WEIGHTS = {
    1: {2: 0.2, 7: 0.3, 9: -0.1, 999: 0.4},
    2: {1: 0.5, 7: 0.1, 8: 0.05},
    4: {5: 0.1, 7: 0.2, 9: 0.25, 2: 0.1},
    6: {9: -0.3, 10: 0.3},
}
NAMED: tuple[dict[str, list[int]], ...] = (
    {"loved": [1]},
    {"loved": [1, 4], "liked": [2], "disliked": [6]},
    {"loved": [1, 1], "liked": [1, 4]},
    {"liked": [3, 6, 999]},
)
FACTORS = {"loved": 1.0, "liked": 0.6, "disliked": -0.8}
OPTIONS = PLAIN | {"popularity": 1.0, "histories": 2.0}


def standings(database: Database) -> dict[int, float]:
    with database.transaction() as connection:
        rows = connection.exec_driver_sql("select tmdb_id, standing from catalog.standings").all()
    return {row.tmdb_id: row.standing for row in rows}


def film_weights(database: Database) -> dict[int, dict[int, float]]:
    with database.transaction() as connection:
        rows = connection.exec_driver_sql("select tmdb_id, others, weights from catalog.film_weights").all()
    return {film: dict(zip(others, weights, strict=True)) for film, others, weights in rows}


def expected(database: Database, named: dict[str, list[int]], similarities: dict[int, float]) -> list[Any]:
    """Return film, score and reasons (film and weight) in the order of the scores."""
    factors: dict[int, float] = {}
    for how, films in named.items():
        factors |= {film: max(FACTORS[how], factors.get(film, -1.0)) for film in films}
    weights = film_weights(database)
    sums: dict[int, float] = defaultdict(float)
    reasons: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for film, factor in factors.items():
        for other, weight in weights.get(film, {}).items():
            sums[other] += factor * weight
            if factor * weight > 0 and film not in named.get("disliked", []):
                reasons[other].append((film, factor * weight))
    largest = max([0.1, *(abs(sums[film]) for film in similarities)])
    known = standings(database)
    scores = {f: s + known.get(f, 0.0) + 2 * sums[f] / largest for f, s in similarities.items()}
    best = sorted(scores, key=lambda film: (-scores[film], film))
    return [(f, scores[f], sorted(reasons[f], key=lambda reason: -reason[1])[:3]) for f in best]


def agree(database: Database) -> None:
    """Compare each case with the sums; a film without a weight has the most similar positive one as its reason."""
    for named in NAMED:
        rows = recommended(database, **named, count=20, options=OPTIONS)
        wanted = expected(database, named, {row.tmdb_id: row.similarity for row in rows})
        assert ids(rows) == [film for film, _, _ in wanted], named
        for row, (_, score, reasons) in zip(rows, wanted, strict=True):
            assert row.score == pytest.approx(score, abs=1e-6)
            given = [(reason["tmdb_id"], reason["weight"]) for reason in row.reasons]
            assert given == [(film, pytest.approx(weight, abs=1e-4)) for film, weight in reasons] or (
                not reasons and [weight for _, weight in given] == [0]
            )
            assert row.because == row.reasons[0]["tmdb_id"]
            assert row.shared_features == row.reasons[0]["shared"]
        assert set(ids(rows)) == set(in_the_catalogue(database)) - {film for films in named.values() for film in films}


def in_the_catalogue(database: Database) -> list[int]:
    with database.transaction() as connection:
        return list(connection.exec_driver_sql("select tmdb_id from catalog.movies").scalars())


def changed(database: Database, statement: str) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql(statement)


def test_scores_and_reasons_are_the_sums_after_each_kind_of_change(films: Database) -> None:
    agree(films)  # without a model, by votes
    changed(films, "update catalog.movie_stats set vote_count = 5000 where tmdb_id = 10")
    assert standings(films)[10] == 1
    agree(films)
    with_histories(films, WEIGHTS)
    changed(films, "update pipeline.film_weights set popularity = tmdb_id / 10.0")
    assert standings(films) == pytest.approx({film: film / 10 for film in WEIGHTS})
    agree(films)
    changed(films, "delete from catalog.movies where tmdb_id = 7")
    agree(films)
    changed(films, "update pipeline.recommendation_models set is_served = false")
    assert standings(films)[9] == pytest.approx(np.log1p(FILMS[9][3]) / np.log1p(5000))
    agree(films)


@pytest.mark.parametrize(
    ("table", "column", "index"),
    [("film_weights", "popularity", "title_weights_standing"), ("movie_stats", "vote_count", "title_stats_standing")],
)
def test_the_best_known_films_are_read_from_an_index(films: Database, table: str, column: str, index: str) -> None:
    with_histories(films, WEIGHTS)
    with films.transaction() as connection:
        connection.exec_driver_sql("set local enable_seqscan = off; set local enable_sort = off")
        plan = connection.exec_driver_sql(
            f"explain select tmdb_id from catalog.{table} order by {column} desc, tmdb_id limit 10"
        ).scalars()
        lines = "\n".join(plan)
    assert index in lines
    assert "Sort" not in lines


@pytest.mark.parametrize("call", ["films_by_histories('{1,2}', '{1,0.6}')", "speakers_of('{7,9}', '{1,2}', '{1,0.6}')"])
def test_only_the_weights_of_named_films_are_read(films: Database, call: str) -> None:
    with_histories(films, WEIGHTS)
    with films.transaction() as connection:
        connection.exec_driver_sql("set local enable_seqscan = off; set local enable_bitmapscan = off")
        plan = connection.exec_driver_sql(f"explain select * from catalog.{call}").scalars()
        conditions = [line for line in plan if "Index Cond" in line and "model_id" in line]
    assert len(conditions) == 2, "movies and series"
    assert all("title_id = ANY" in line for line in conditions)
