"""Searching as the command line does it, on a handful of films."""

import numpy as np
import pytest

from movie_assets.resources.embedder import EmbedderError, LocalEmbedder
from movie_assets.resources.postgres import Database
from movie_assets.search import NothingToSearchError, resolve, search, similar
from movie_assets.settings import Settings

SETTINGS = Settings.model_validate({})
TEXTS = {
    1: ("Alien", "Alien", "a monster hunts the crew of a spaceship"),
    2: ("Aliens", "Aliens", "marines meet monsters on a colony and a spaceship"),
    3: ("Amélie", "Le Fabuleux Destin d'Amélie Poulain", "a waitress in paris helps her neighbours"),
    4: ("12", "12", "twelve jurors decide on a murder"),
    5: ("Twelve's Double", "12 bis", "a murder that twelve jurors decide on"),
}


@pytest.fixture
def films(database: Database) -> Database:
    """Five films with vectors of 64 dimensions."""
    embedded = LocalEmbedder("hashing-v1", 64).embed([text for _, _, text in TEXTS.values()])
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "insert into pipeline.embedding_sets (provider, model, dimensions, template) "
            "values ('local', 'hashing-v1', 64, 'film-v1')"
        )
        for (tmdb_id, (title, original, text)), vector in zip(TEXTS.items(), embedded.vectors, strict=True):
            values = {"id": tmdb_id, "title": title, "original": original, "text": text, "vector": str(vector.tolist())}
            connection.exec_driver_sql(
                "insert into catalog.movies (tmdb_id, title, original_title, original_language, release_date, genres, "
                "keywords, directors, leading_cast, countries, embedding_text, text_hash, changed_at) values "
                "(%(id)s, %(title)s, %(original)s, 'en', '2001-01-01', '{}', '{}', '{}', '{}', '{}', %(text)s, "
                "%(text)s, now())",
                values,
            )
            connection.exec_driver_sql(
                "insert into catalog.movie_stats values (%(id)s, 1, 7, 1000 - 100 * %(id)s, now())", values
            )
            connection.exec_driver_sql(
                "insert into pipeline.embeddings (set_id, tmdb_id, text_hash, embedding, embedded_at) "
                "values (1, %(id)s, %(text)s, %(vector)s, now())",
                values,
            )
        connection.exec_driver_sql("select pipeline.refresh_vectors(1::smallint), pipeline.activate_set(1::smallint)")
    return database


def test_the_film_whose_words_were_asked_for_comes_first(films: Database) -> None:
    assert search(films, SETTINGS, "a waitress in Paris", 3)[0].title == "Amélie"


def test_as_many_films_as_asked_for_come_nearest_first(films: Database) -> None:
    found = search(films, SETTINGS, "a monster on a spaceship", 4)
    assert len(found) == 4
    assert [film.similarity for film in found] == sorted((film.similarity for film in found), reverse=True)


def test_a_text_is_embedded_as_the_active_set_was_whatever_todays_settings_are(films: Database) -> None:
    today = Settings.model_validate({"embedding_dimensions": 3072, "embedder": "openai"})
    assert search(films, today, "a waitress in Paris", 1)[0].title == "Amélie"


def test_a_set_that_needs_a_key_asks_for_it_by_name(films: Database) -> None:
    with films.transaction() as connection:
        connection.exec_driver_sql("update pipeline.embedding_sets set provider = 'openai'")
    with pytest.raises(EmbedderError, match="OPENAI_API_KEY"):
        search(films, SETTINGS, "a waitress in Paris", 1)


def test_without_vectors_a_search_says_what_to_do(database: Database) -> None:
    with pytest.raises(NothingToSearchError, match="movie-assets refresh"):
        search(database, SETTINGS, "anything", 1)


def test_an_exact_title_is_preferred_to_one_that_contains_it(films: Database) -> None:
    assert [film.tmdb_id for film in resolve(films, "alien")] == [1]


def test_a_part_of_a_title_finds_all_of_them_the_most_voted_first(films: Database) -> None:
    assert [film.tmdb_id for film in resolve(films, "lien")] == [1, 2]


def test_an_original_title_is_a_title(films: Database) -> None:
    assert [film.tmdb_id for film in resolve(films, "le fabuleux destin d'amélie poulain")] == [3]


def test_digits_are_an_id_first_and_a_title_after_that(films: Database) -> None:
    assert [film.tmdb_id for film in resolve(films, "3")] == [3]
    assert [film.tmdb_id for film in resolve(films, "12")] == [4]


def test_an_unknown_title_is_repeated_in_the_message(films: Database) -> None:
    with pytest.raises(NothingToSearchError, match="“Metropolis”"):
        resolve(films, "Metropolis")


def test_a_backslash_in_a_title_is_a_letter(films: Database) -> None:
    with pytest.raises(NothingToSearchError):
        resolve(films, "Alie\\n")


def test_similar_films_leave_the_film_out_even_when_another_is_its_equal(films: Database) -> None:
    with films.transaction() as connection:
        connection.exec_driver_sql(
            "update catalog.movie_vectors_1 set embedding = (select embedding from catalog.movie_vectors_1 "
            "where tmdb_id = 4) where tmdb_id = 5"
        )
    assert [film.tmdb_id for film in similar(films, 5, 1)] == [4]
    assert [film.tmdb_id for film in similar(films, 4, 1)] == [5]


def test_similarity_is_the_cosine_of_the_vectors(films: Database) -> None:
    vectors = LocalEmbedder("hashing-v1", 64).embed([TEXTS[1][2], TEXTS[2][2]]).vectors
    (nearest,) = similar(films, 1, 1)
    assert nearest.tmdb_id == 2
    assert nearest.similarity == pytest.approx(float(np.dot(vectors[0], vectors[1])), abs=2e-3)
