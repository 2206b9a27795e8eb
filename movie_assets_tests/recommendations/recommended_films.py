"""A small catalogue to recommend from."""

from typing import Any

import sqlalchemy as sa

from movie_assets.database.database import Database

# Directions: crime, space, romance; a film is a mixture, with a genre and votes.
FILMS = {
    1: ("Knives", (1.0, 0.0, 0.1), "Crime", 900),
    2: ("Glass", (1.0, 0.1, 0.0), "Crime", 800),
    3: ("Onion", (0.9, 0.0, 0.2), "Crime", 700),
    4: ("Comet", (0.0, 1.0, 0.1), "Science Fiction", 950),
    5: ("Star", (0.1, 1.0, 0.0), "Science Fiction", 600),
    6: ("Orbit", (0.0, 1.0, 0.2), "Science Fiction", 500),
    7: ("Kiss", (0.0, 0.1, 1.0), "Romance", 990),
    8: ("Heart", (0.1, 0.0, 1.0), "Romance", 400),
    9: ("Crime in Space", (0.7, 0.7, 0.0), "Crime", 300),
    10: ("Love in Space", (0.0, 0.7, 0.7), "Romance", 200),
}
PLAIN = {"diversity": 0, "popularity": 0}


def recommended(database: Database, **arguments: object) -> list[Any]:
    """Call catalog.recommend_movies with named arguments; return its rows."""
    statement = sa.text(
        "select * from catalog.recommend_movies(loved => cast(:loved as bigint[]), liked => cast(:liked as bigint[]), "
        "disliked => cast(:disliked as bigint[]), filters => cast(:filters as jsonb), match_count => :count, "
        "options => cast(:options as jsonb), rated => cast(:rated as bigint[]), "
        "ratings => cast(:ratings as double precision[]))"
    ).bindparams(sa.bindparam("filters", type_=sa.JSON), sa.bindparam("options", type_=sa.JSON))
    parameters: dict[str, object] = {
        "loved": [], "liked": [], "disliked": [], "filters": {}, "count": 3, "options": PLAIN, "rated": [],
        "ratings": [],
    } | arguments  # fmt: skip
    with database.transaction() as connection:
        return list(connection.execute(statement, parameters))


def ids(rows: list[Any]) -> list[int]:
    return [row.tmdb_id for row in rows]
