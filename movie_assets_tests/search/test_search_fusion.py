"""catalog.search_movies with a vector: how words and meaning are weighed against each other."""

from typing import Any

import pytest
import sqlalchemy as sa

from movie_assets.database.database import Database
from movie_assets.search.search_documents import update_documents
from movie_assets_tests.support.made_films import Made, ids, put, put_set, rows

FUSED = "select * from catalog.search_movies(:text, :count, '{}', cast(:v as vector), meaning_weight => :weight)"
AXES = 64


@pytest.fixture
def made(database: Database) -> Database:
    """Four films of which words and vectors say different things."""
    films = [Made(n, f"Castle {name}", 2000, 10 * n) for n, name in enumerate(("one", "two", "three"), start=1)]
    put(database, (*films, Made(4, "Something else", 2000, 5)))
    update_documents(database)
    put_set(database, "t", {4: vector(0.0), 1: vector(0.1), 2: vector(0.2), 3: vector(0.3)}, 8)
    return database


@pytest.fixture
def hashed(database: Database) -> Database:
    """A hundred and twenty films with vectors of the keyless model."""
    films = [
        Made(n, f"Film {n}", 2000, n, overview=f"A sailor meets the {kind} of harbour {n}.")
        for n, kind in enumerate(["captain", "baker", "whale"] * 40, start=1)
    ]
    put(database, tuple(films))
    update_documents(database)
    with database.transaction() as connection:
        vectors = {
            film.tmdb_id: connection.exec_driver_sql(
                "select catalog.hashed_vector(%(text)s, %(axes)s)::text",
                {"text": f"{film.title} {film.overview}", "axes": AXES},
            ).scalar_one()
            for film in films
        }
    put_set(database, "hashing-v1", vectors, AXES)
    return database


def vector(angle: float) -> str:
    return str([1.0, angle, 0, 0, 0, 0, 0, 0])


def fused(database: Database, text: str, weight: float | None = None, v: str | None = None) -> list[Any]:
    return rows(database, FUSED, text=text, count=10, weight=weight, v=v or vector(0.0))


def asked(database: Database, text: str, weight: float | None = None) -> list[Any]:
    """Search with the vector that an application would send."""
    embedded = rows(database, "select catalog.question_vector(:text)::text", text=text)[0][0]
    return rows(database, FUSED, text=text, count=10, weight=weight, v=embedded)


def test_words_and_meaning_are_added_by_their_weight(made: Database) -> None:
    # By words 3, 2, 1, of which votes decide; by meaning 4, 1, 2, 3.
    meant = {film.tmdb_id: film.similarity for film in rows(
        made, "select * from catalog.match_movies(cast(:v as vector))", v=vector(0.0))}  # fmt: skip
    worded = {film.tmdb_id: film.score for film in rows(made, "select * from catalog.search_movies('castle')")}
    assert list(worded) == [3, 2, 1]
    for weight in (0.1, 0.5, 0.9):
        found = fused(made, "castle", weight)
        expected = {n: (1 - weight) * worded.get(n, 0) + weight * meant[n] for n in meant}
        assert {film.tmdb_id: film.score for film in found} == pytest.approx(expected)
        assert ids(found) == sorted(expected, key=lambda n: -expected[n])
    assert [film.found_by for film in found] == [["title", "meaning"]] * 3 + [["meaning"]]


def test_the_ends_of_the_weight_are_words_alone_and_meaning_alone(made: Database) -> None:
    assert ids(fused(made, "castle", 0)) == [3, 2, 1]
    assert ids(fused(made, "castle", 1)) == [4, 1, 2, 3]
    assert [film.found_by for film in fused(made, "castle", 1)] == [["meaning"]] * 4


def test_a_weight_that_is_none_is_refused(made: Database) -> None:
    for weight in (-0.1, 1.1, float("nan")):
        with pytest.raises(sa.exc.DBAPIError, match="the weight is"):
            fused(made, "castle", weight)


def test_the_film_with_the_very_title_stays_first_whatever_its_meaning(made: Database) -> None:
    for weight in (None, 0.5):
        assert ids(fused(made, "Castle three", weight))[0] == 3
        assert ids(fused(made, "Castel three", weight))[0] == 3


def test_filters_apply_to_meaning_too(made: Database) -> None:
    statement = "select * from catalog.search_movies('castle', 10, '{\"exclude\": [4, 3]}', cast(:v as vector))"
    assert ids(rows(made, statement, v=vector(0.0))) == [2, 1]


def test_meaning_alone_answers_what_has_no_words(made: Database) -> None:
    assert ids(fused(made, "!?"))[:2] == [4, 1]


def test_a_hashed_vector_says_nothing_of_words_that_no_film_has(hashed: Database) -> None:
    assert asked(hashed, "zzzzqqqq") == []
    assert ids(asked(hashed, "zzzzqqqq whale")) == ids(asked(hashed, "whale"))
    assert ids(asked(hashed, "movies about a whale")) == ids(asked(hashed, "whale"))


def test_a_hashed_vector_leaves_a_misspelt_title_first(hashed: Database) -> None:
    for text in ("film 77", "flim 77", "fiml 77"):
        assert ids(asked(hashed, text))[0] == 77


def test_films_that_are_all_as_near_are_no_result(hashed: Database) -> None:
    """A vector of a service, that says as much of each film, for a word that no film has."""
    with hashed.transaction() as connection:
        connection.exec_driver_sql("update pipeline.embedding_sets set provider = 'openai', model = 'm'")
    even = rows(hashed, "select array_fill(0.1, array[64])::vector::text")[0][0]
    near = rows(hashed, "select embedding::vector::text from catalog.movie_vectors where tmdb_id = 9")[0][0]
    statement = "select * from catalog.search_movies('zzzzqqqq', 10, '{}', cast(:v as vector))"
    assert ids(rows(hashed, statement, v=near))[0] == 9
    with hashed.transaction() as connection:
        connection.exec_driver_sql("update catalog.title_vectors_1 set embedding = cast(%(v)s as halfvec)", {"v": even})
    assert rows(hashed, statement, v=near) == []
