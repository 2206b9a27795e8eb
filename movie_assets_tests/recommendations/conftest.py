"""Fixtures that several test modules of this room use."""

import numpy as np
import pytest

from movie_assets.database.database import Database
from movie_assets_tests.recommendations.recommended_films import FILMS


@pytest.fixture
def films(database: Database) -> Database:
    """Ten films with vectors of 8 dimensions."""
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "insert into pipeline.embedding_sets (provider, model, dimensions, template) "
            "values ('test', 'by hand', 8, 'none')"
        )
        for tmdb_id, (title, direction, genre, votes) in FILMS.items():
            vector = np.zeros(8)
            vector[:3] = direction
            values = {
                "id": tmdb_id, "title": title, "genre": genre, "votes": votes,
                "vector": str((vector / np.linalg.norm(vector)).tolist()),
            }  # fmt: skip
            connection.exec_driver_sql(
                "insert into catalog.movies (tmdb_id, title, original_title, release_date, genres, keywords, "
                "directors, leading_cast, countries, embedding_text, text_hash, changed_at) values (%(id)s, %(title)s, "
                "'', '2001-01-01', array[%(genre)s], '{}', '{}', '{}', '{}', '', %(title)s, now())",
                values,
            )
            connection.exec_driver_sql(
                "insert into catalog.movie_stats values (%(id)s, %(votes)s, 7, %(votes)s, now())", values
            )
            connection.exec_driver_sql(
                "insert into pipeline.embeddings (set_id, tmdb_id, text_hash, embedding, embedded_at) "
                "values (1, %(id)s, %(title)s, %(vector)s, now())",
                values,
            )
        connection.exec_driver_sql("select pipeline.refresh_vectors(1), pipeline.build_vector_index(1)")
        connection.exec_driver_sql("select pipeline.activate_set(1)")
    return database
