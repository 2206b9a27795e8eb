"""catalog.match_movies as applications call it, on six thousand random vectors."""

import json
import uuid
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import numpy as np
import numpy.typing as npt
import psycopg
import pytest
import sqlalchemy as sa
from pgvector import HalfVector

from movie_assets.database.database import Database, copy_rows
from movie_assets_tests.conftest import address_of

FILMS = 6000
NOW = datetime(2026, 10, 5, 12, tzinfo=UTC)
WIDTH = 64
# Films that each filter lets through, from nearly all to a handful.
FILTERS: list[dict[str, Any]] = [
    {},
    {"year_from": 1901},
    {"languages": ["en", "fr"]},
    {"genres": ["Half"]},
    {"genres": ["South"]},
    {"countries": ["FR"]},
    {"genres": ["Rare"]},
    {"genres": ["Rare", "Half"], "languages": ["fr"], "year_to": 1999},
]


def vectors() -> npt.NDArray[np.float32]:
    return points(seed=7, count=FILMS)


def points(seed: int, count: int, north: float | None = None) -> npt.NDArray[np.float32]:
    """Vectors of length 1 that lie as those of texts do, near a space of fewer dimensions; their first points north."""
    chance = np.random.default_rng(seed)
    places = chance.standard_normal((count, 12))
    if north is not None:
        places[:, 0] = north
    made = places @ np.eye(12, WIDTH) + 0.1 * chance.standard_normal((count, WIDTH))
    return np.asarray(made / np.linalg.norm(made, axis=1, keepdims=True), dtype=np.float32)


@pytest.fixture(scope="module")
def catalogue(server: str, template: str) -> Iterator[Database]:
    """Films 1 to 6,000 with their vectors, indexed and active."""
    name = f"functions_{uuid.uuid4().hex[:8]}"
    with psycopg.connect(address_of(server, "postgres"), autocommit=True) as connection:
        connection.execute(f"create database {name} template {template}")
    opened = Database(address_of(server, name))
    with opened.transaction() as connection:
        connection.exec_driver_sql(
            f"""
            insert into catalog.movies (tmdb_id, title, original_title, original_language, release_date, genres,
                keywords, directors, leading_cast, countries, embedding_text, text_hash, changed_at)
            select n, 'Film ' || n, '', (array['en', 'fr', 'de'])[1 + n %% 3], make_date(1900 + n %% 120, 1, 1),
                array_remove(array['Any', case when n %% 2 = 0 then 'Half' end, case when n %% 200 = 0 then 'Rare' end],
                             null),
                '{{}}', '{{}}', '{{}}', '{{}}', '', n::text, now()
            from generate_series(1, {FILMS}) n
            """
        )
        connection.exec_driver_sql(
            "update catalog.movies set genres = genres || '{South}' where tmdb_id = any (%(ids)s)",
            {"ids": (np.flatnonzero(vectors()[:, 0] < 0) + 1).tolist()},
        )
        connection.exec_driver_sql(
            "insert into catalog.movie_countries (tmdb_id, country, name) "
            "select tmdb_id, 'FR', 'France' from catalog.movies where tmdb_id %% 2 = 1"
        )
        connection.exec_driver_sql(
            "insert into pipeline.embedding_sets (provider, model, dimensions, template) "
            f"values ('test', 'random', {WIDTH}, 'none')"
        )
        copy_rows(
            connection, "pipeline.title_embeddings",
            {"set_id": "int2", "title_id": "int8", "text_hash": "text", "embedding": "halfvec",
             "embedded_at": "timestamptz"},
            ((1, n, str(n), HalfVector(vector), NOW) for n, vector in enumerate(vectors(), start=1)),
        )  # fmt: skip
        for function in ("refresh_vectors", "build_vector_index", "activate_set"):
            connection.exec_driver_sql(f"select pipeline.{function}(1::smallint)")
    yield opened
    opened.close()
    with psycopg.connect(address_of(server, "postgres"), autocommit=True) as connection:
        connection.execute(f"drop database {name} with (force)")


def match(
    database: Database, vector: npt.NDArray[np.float32], *, threshold: float = -1, count: int = 10,
    filters: dict[str, Any] | None = None,
) -> list[Any]:  # fmt: skip
    """Call the function as an application would."""
    with database.transaction() as connection:
        return list(connection.exec_driver_sql(
            "select * from catalog.match_movies(%(v)s::vector, %(t)s, %(c)s, %(f)s::jsonb)",
            {"v": str(vector.tolist()), "t": threshold, "c": count, "f": json.dumps(filters or {})},
        ))  # fmt: skip


def passing(database: Database, filters: dict[str, Any]) -> set[int]:
    """Ids that a filter lets through, computed apart from the function."""
    with database.transaction() as connection:
        films = connection.exec_driver_sql(
            "select tmdb_id, genres, original_language, release_year from catalog.movies"
        ).all()
    return {
        f.tmdb_id for f in films
        if ("genres" not in filters or set(filters["genres"]) & set(f.genres))
        and ("countries" not in filters or f.tmdb_id % 2 == 1)
        and ("languages" not in filters or f.original_language in filters["languages"])
        and filters.get("year_from", 0) <= f.release_year <= filters.get("year_to", 9999)
    }  # fmt: skip


def nearest(vector: npt.NDArray[np.float32], among: set[int], count: int) -> list[int]:
    """The nearest films by looking at every vector."""
    ids = np.array(sorted(among))
    return [int(n) for n in ids[np.argsort(-(vectors()[ids - 1] @ vector), kind="stable")[:count]]]


@pytest.mark.parametrize("filters", FILTERS)
def test_as_many_films_as_asked_for_when_they_exist(catalogue: Database, filters: dict[str, Any]) -> None:
    exist = passing(catalogue, filters)
    found = match(catalogue, vectors()[0], count=25, filters=filters)
    assert len(found) == min(25, len(exist))
    assert {film.tmdb_id for film in found} <= exist


@pytest.mark.parametrize("filters", FILTERS)
def test_recall_at_10_is_at_least_99_percent(catalogue: Database, filters: dict[str, Any]) -> None:
    assert recall(catalogue, points(seed=11, count=20), filters) >= 0.99


def test_a_wide_filter_keeps_its_recall_where_its_films_lie_far_from_the_question(catalogue: Database) -> None:
    assert recall(catalogue, points(seed=12, count=20, north=4), {"genres": ["South"]}) >= 0.99


@pytest.mark.parametrize(
    ("filters", "north", "walks"),
    [
        ({}, None, 1),
        ({"genres": ["Half"]}, None, 1),
        ({"countries": ["FR"]}, None, 1),
        ({"genres": ["South"]}, 12, 2),  # the short walk finds none
        ({"genres": ["Rare"]}, None, 0),
    ],
)
def test_the_graph_is_walked_once_for_a_wide_filter_twice_for_one_that_lies_far_and_not_for_a_narrow_one(
    catalogue: Database, filters: dict[str, Any], north: float | None, walks: int
) -> None:
    scans = "select pg_stat_get_xact_numscans('catalog.title_vectors_1_nearest'::regclass)"
    search = "select * from catalog.match_movies(%(v)s::vector, filters => %(f)s::jsonb)"
    for question in points(seed=13, count=5, north=north):
        with catalogue.transaction() as connection:
            before = connection.exec_driver_sql(scans).scalar_one()
            found = connection.exec_driver_sql(search, {"v": str(question.tolist()), "f": json.dumps(filters)}).all()
            assert (len(found), connection.exec_driver_sql(scans).scalar_one() - before) == (10, walks)


def recall(database: Database, queries: npt.NDArray[np.float32], filters: dict[str, Any]) -> float:
    """Which share of the ten nearest that pass are found."""
    exist = passing(database, filters)
    hits = wanted = 0
    for query in queries:
        expected = nearest(query, exist, 10)
        found = [film.tmdb_id for film in match(database, query, filters=filters)]
        hits += len(set(found) & set(expected))
        wanted += len(expected)
    return hits / wanted


@pytest.mark.parametrize("count", [1, 200, 1000, FILMS])
def test_many_films_can_be_asked_for(catalogue: Database, count: int) -> None:
    assert len(match(catalogue, vectors()[0], count=count)) == count


def test_films_come_nearest_first(catalogue: Database) -> None:
    similarities = [film.similarity for film in match(catalogue, vectors()[4], count=50)]
    assert similarities == sorted(similarities, reverse=True)


def test_similarity_is_the_cosine(catalogue: Database) -> None:
    found = match(catalogue, 3 * vectors()[4], count=FILMS, filters={"genres": ["Any"]})
    assert found[0].tmdb_id == 5
    assert found[0].similarity == pytest.approx(1, abs=1e-3)
    assert all(-1 <= film.similarity <= 1 for film in found)
    assert found[9].similarity == pytest.approx(vectors()[4] @ vectors()[found[9].tmdb_id - 1], abs=2e-3)


@pytest.mark.parametrize("filters", [{}, {"genres": ["Half"]}])
def test_no_film_below_the_threshold_comes(catalogue: Database, filters: dict[str, Any]) -> None:
    above = match(catalogue, vectors()[3], threshold=0.5, count=1000, filters=filters)
    assert 1 < len(above) < 1000
    assert min(film.similarity for film in above) >= 0.5


def test_a_threshold_leaves_out_nothing_that_reaches_it(catalogue: Database) -> None:
    reach = int((vectors() @ vectors()[3] >= 0.5005).sum())
    assert len(match(catalogue, vectors()[3], threshold=0.5, count=1000)) >= reach


def test_the_defaults_are_ten_films_without_filter(catalogue: Database) -> None:
    with catalogue.transaction() as connection:
        found = connection.exec_driver_sql(
            "select * from catalog.match_movies(%(v)s::vector)", {"v": str(vectors()[0].tolist())}
        ).all()
    assert len(found) == 10


def test_genres_let_films_of_any_of_them_through(catalogue: Database) -> None:
    found = match(catalogue, vectors()[0], count=FILMS, filters={"genres": ["Rare", "Half"]})
    assert {film.tmdb_id for film in found} == passing(catalogue, {"genres": ["Half"]})


def test_years_are_inclusive(catalogue: Database) -> None:
    found = match(catalogue, vectors()[0], count=200, filters={"year_from": 1950, "year_to": 1951})
    assert {film.release_year for film in found} == {1950, 1951}
    assert len(found) == 100


def test_filters_are_joined_by_and(catalogue: Database) -> None:
    filters = {"genres": ["Rare"], "languages": ["de"]}
    found = match(catalogue, vectors()[0], count=100, filters=filters)
    assert {film.tmdb_id for film in found} == passing(catalogue, filters)


def test_a_filter_that_nothing_passes_gives_no_film(catalogue: Database) -> None:
    assert match(catalogue, vectors()[0], filters={"genres": ["Opera"]}) == []


def test_an_unknown_filter_is_an_error_that_names_it(catalogue: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError, match=r"there is no filter year\b"):
        match(catalogue, vectors()[0], filters={"year": 1999})


def test_a_vector_of_another_width_is_an_error(catalogue: Database) -> None:
    with pytest.raises(sa.exc.DBAPIError, match="dimensions"):
        match(catalogue, vectors()[0][:32])


def test_no_filters_at_all_may_be_said_with_null(catalogue: Database) -> None:
    with catalogue.transaction() as connection:
        found = connection.exec_driver_sql(
            "select * from catalog.match_movies(%(v)s::vector, -1, 10, null)", {"v": str(vectors()[0].tolist())}
        ).all()
    assert len(found) == 10


@pytest.mark.parametrize("filters", FILTERS)
def test_an_empty_catalogue_gives_no_film(database: Database, filters: dict[str, Any]) -> None:
    assert match(database, vectors()[0], filters=filters) == []


@pytest.mark.parametrize("filters", [{}, {"genres": ["Half"]}, {"genres": ["Rare"]}])
def test_a_film_that_left_since_the_last_publication_is_not_found(catalogue: Database, filters: dict[str, Any]) -> None:
    statement = "select tmdb_id from catalog.match_movies(%(v)s::vector, -1, 10, %(f)s::jsonb)"
    asked = {"v": str(vectors()[199].tolist()), "f": json.dumps(filters)}
    with catalogue.engine.connect() as connection:
        nearest_film = connection.exec_driver_sql(statement, asked).scalars().first()
        connection.exec_driver_sql("delete from catalog.movies where tmdb_id = 200")
        found = connection.exec_driver_sql(statement, asked).scalars().all()
        connection.rollback()
    assert nearest_film == 200
    assert 200 not in found
    assert len(found) == 10
