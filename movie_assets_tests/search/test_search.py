"""Searching as the command line does it, on a handful of films."""

import numpy as np
import pytest

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.search.queries import NothingToSearchError, is_certain, resolve, search, similar
from movie_assets.search.search_documents import update_documents

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
                "insert into catalog.movies (tmdb_id, title, original_title, original_language, release_date, "
                "overview, genres, keywords, directors, leading_cast, countries, embedding_text, text_hash, "
                "changed_at) values "
                "(%(id)s, %(title)s, %(original)s, 'en', '2001-01-01', %(text)s, '{}', '{}', '{}', '{}', '{}', "
                "%(text)s, %(text)s, now())",
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
    update_documents(database)
    return database


def test_the_film_whose_words_were_asked_for_comes_first(films: Database) -> None:
    found, missing = search(films, SETTINGS, "a waitress in Paris", 3)
    assert (found[0].title, missing) == ("Amélie", None)


def test_films_that_only_mean_what_was_asked_for_are_found_too(films: Database) -> None:
    found, _ = search(films, SETTINGS, "a monster on a spaceship", 4)
    assert len(found) == 4
    assert {"meaning"} in [set(film.found_by) for film in found]


def test_a_text_is_embedded_as_the_active_set_was_whatever_todays_settings_are(films: Database) -> None:
    today = Settings.model_validate({"embedding_dimensions": 3072, "embedder": "openai"})
    found, missing = search(films, today, "a waitress in Paris", 1)
    assert "meaning" in found[0].found_by
    assert missing is None


def test_without_the_key_of_a_set_words_are_searched_and_the_key_is_named(films: Database) -> None:
    with films.transaction() as connection:
        connection.exec_driver_sql("update pipeline.embedding_sets set provider = 'openai'")
    found, missing = search(films, SETTINGS, "Alien", 1)
    assert [film.title_id for film in found] == [1]
    assert "OPENAI_API_KEY" in str(missing)


def test_without_vectors_words_are_searched(films: Database) -> None:
    with films.transaction() as connection:
        connection.exec_driver_sql("update pipeline.embedding_sets set is_active = false")
    found, missing = search(films, SETTINGS, "Alien", 1)
    assert [film.title_id for film in found] == [1]
    assert missing == "the catalogue has no vectors yet"


def test_in_an_empty_catalogue_a_search_says_what_to_do(database: Database) -> None:
    with pytest.raises(NothingToSearchError, match="movie-assets refresh"):
        search(database, SETTINGS, "anything", 1)


def test_an_exact_title_is_preferred_to_one_that_is_nearly_it(films: Database) -> None:
    assert [film.title_id for film in resolve(films, "alien")] == [1]


def test_a_title_with_a_slip_is_taken_for_what_was_meant(films: Database) -> None:
    film, *others = resolve(films, "Amelei")
    assert film.title_id == 3
    assert is_certain(film, others)


def test_of_two_titles_that_may_be_meant_none_is_certain(films: Database) -> None:
    film, *others = resolve(films, "Alienz")
    assert {film.title_id, *(other.title_id for other in others)} == {1, 2}
    assert not is_certain(film, others)


def test_an_original_title_is_a_title(films: Database) -> None:
    assert [film.title_id for film in resolve(films, "le fabuleux destin d'amélie poulain")] == [3]


def test_digits_are_an_id_first_and_a_title_after_that(films: Database) -> None:
    assert [film.title_id for film in resolve(films, "3")] == [3]
    assert [film.title_id for film in resolve(films, "12")] == [4]


def test_an_unknown_title_is_repeated_in_the_message(films: Database) -> None:
    with pytest.raises(NothingToSearchError, match="“Metropolis”"):
        resolve(films, "Metropolis")


def test_a_backslash_in_a_title_harms_nothing(films: Database) -> None:
    with pytest.raises(NothingToSearchError):
        resolve(films, "Zebra\\")


def test_similar_films_leave_the_film_out_even_when_another_is_its_equal(films: Database) -> None:
    with films.transaction() as connection:
        connection.exec_driver_sql(
            "update catalog.title_vectors_1 set embedding = (select embedding from catalog.title_vectors_1 "
            "where title_id = 4) where title_id = 5"
        )
    assert [film.title_id for film in similar(films, 5, 1)] == [4]
    assert [film.title_id for film in similar(films, 4, 1)] == [5]


def test_similarity_is_the_cosine_of_the_vectors(films: Database) -> None:
    vectors = LocalEmbedder("hashing-v1", 64).embed([TEXTS[1][2], TEXTS[2][2]]).vectors
    (nearest,) = similar(films, 1, 1)
    assert nearest.title_id == 2
    assert nearest.similarity == pytest.approx(float(np.dot(vectors[0], vectors[1])), abs=2e-3)
