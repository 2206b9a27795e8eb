"""The choice of films of which each differs from those before it."""

import numpy as np
import pytest

from movie_assets.database.database import Database
from movie_assets.embeddings.vectors import Matrix


def chosen_one_by_one(directions: Matrix, scores: list[float], diversity: float, wanted: int) -> list[int]:
    """Places of the films by the definition: each film is compared with all that were chosen."""
    chosen: list[int] = []
    similarities = directions @ directions.T
    while len(chosen) < min(wanted, len(scores)):
        values = {
            place: score - diversity * max([0.0, *similarities[place, chosen]])
            for place, score in enumerate(scores)
            if place not in chosen
        }
        chosen.append(max(values, key=lambda place: (values[place], -place)))
    return [place + 1 for place in chosen]


@pytest.mark.parametrize("diversity", [0, 0.2, 1.5, -0.4])
@pytest.mark.parametrize("wanted", [1, 10, 50])
def test_each_film_is_the_one_with_the_highest_value(database: Database, diversity: float, wanted: int) -> None:
    chance = np.random.default_rng(3)
    directions = chance.normal(size=(40, 4)).astype(np.float32)
    directions /= np.linalg.norm(directions, axis=1, keepdims=True)
    scores = sorted(chance.normal(size=40).round(1).tolist(), reverse=True)
    with database.transaction() as connection:
        chosen, values = connection.exec_driver_sql(
            "select * from catalog.diversified(%(directions)s::text::vector[], %(scores)s, %(diversity)s, %(wanted)s)",
            {
                "directions": "{" + ",".join(f'"{row.tolist()}"' for row in directions) + "}",
                "scores": scores,
                "diversity": float(diversity),
                "wanted": wanted,
            },
        ).one()
    assert chosen == chosen_one_by_one(directions, scores, diversity, wanted)
    assert len(values) == len(chosen) == min(wanted, 40)


def test_a_film_without_a_vector_is_like_no_other(database: Database) -> None:
    with database.transaction() as connection:
        chosen = connection.exec_driver_sql(
            "select chosen from catalog.diversified("
            "array['[1,0]', '[1,0]', null]::vector[], array[1, 0.9, 0.8]::float8[], 0.5, 3)"
        ).scalar()
        assert chosen == [1, 3, 2]
        without = "select chosen from catalog.diversified(null, array[1, 0.9]::float8[], 0.5, 3)"
        assert connection.exec_driver_sql(without).scalar() == [1, 2]
