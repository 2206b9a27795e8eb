"""The keyless embedder's vectors: length one, the same everywhere, near for like texts."""

import os
import subprocess
import sys

import numpy as np
import pytest

from movie_assets.embeddings.hashing import STOP_WORDS, hashed_vectors, words_of

PRINT_VECTOR = (
    "from movie_assets.embeddings.hashing import hashed_vectors as h;"
    "print(h(['A hacker learns that the world is a simulation', 'Ein Mädchen in Tokio'], 64).tobytes().hex())"
)
ALIEN = (
    "Alien (1979). The crew of a commercial spaceship meets a deadly alien creature. Genres: Horror, Science Fiction. "
    "Keywords: alien, spaceship, xenomorph. Starring Sigourney Weaver."
)
ALIENS = (
    "Aliens (1986). Ripley returns with marines to the planet of the alien creature. Genres: Horror, Science Fiction. "
    "Keywords: alien, marines, xenomorph. Starring Sigourney Weaver."
)
FRANCHISE = [ALIEN, ALIENS]
UNRELATED = (
    "Notting Hill (1999). A bookseller in London falls in love with a famous actress. Genres: Comedy, Romance. "
    "Keywords: bookshop, london, love. Starring Julia Roberts."
)


@pytest.mark.parametrize("dimensions", [8, 64, 1536, 4000])
def test_every_vector_has_length_one(dimensions: int) -> None:
    texts = [*FRANCHISE, UNRELATED, "", "the of and", "a" * 10_000, "映画", "one one one", "!!!"]
    vectors = hashed_vectors(texts, dimensions)
    assert vectors.shape == (len(texts), dimensions)
    assert vectors.dtype == np.float32
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(np.ones(len(texts)), abs=1e-6)


def test_a_vector_is_the_same_in_every_process() -> None:
    outputs = {
        subprocess.run(
            [sys.executable, "-c", PRINT_VECTOR], env=os.environ | {"PYTHONHASHSEED": seed}, capture_output=True,
            check=True, text=True,
        ).stdout
        for seed in ("0", "1", "4711")
    }  # fmt: skip
    assert len(outputs) == 1


def test_a_vector_does_not_depend_on_its_neighbours() -> None:
    assert (hashed_vectors(FRANCHISE, 64)[1] == hashed_vectors([FRANCHISE[1]], 64)[0]).all()


def test_the_arithmetic_has_not_moved_since_vectors_were_stored() -> None:
    vector = hashed_vectors(["spaceship spaceship harbor"], 16)[0]
    assert {int(place): round(float(vector[place]), 4) for place in np.flatnonzero(vector)} == {8: -0.5085, 14: 0.861}


def test_films_of_a_franchise_are_nearer_than_unrelated_ones() -> None:
    first, second, other = hashed_vectors([*FRANCHISE, UNRELATED], 1536)
    assert first @ second > 0.4
    assert first @ second > 3 * abs(first @ other)


@pytest.mark.parametrize("text", ["", "   ", "the of and", "!!! ...", "The Directed Starring genres keywords"])
def test_a_text_without_words_gets_the_first_axis(text: str) -> None:
    vector = hashed_vectors([text], 8)[0]
    assert vector.tolist() == [1, 0, 0, 0, 0, 0, 0, 0]


def test_words_that_cancel_each_other_out_get_the_first_axis() -> None:
    words = [f"word{number}" for number in range(200)]
    vectors = hashed_vectors([f"{one} {other}" for one in words for other in words if one < other], 8)
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1, abs=1e-6)


def test_case_and_order_do_not_matter() -> None:
    assert (hashed_vectors(["Dark City"], 64) == hashed_vectors(["city DARK"], 64)).all()


def test_a_word_that_comes_often_weighs_more_but_not_as_often() -> None:
    once, twice = hashed_vectors(["ship love", "ship ship love"], 1536)
    ship = int(np.argmax(np.abs(twice)))
    assert abs(once[ship]) < abs(twice[ship]) < 2 * abs(once[ship])


def test_no_texts_give_no_vectors() -> None:
    assert hashed_vectors([], 8).shape == (0, 8)


def test_words_are_cut_at_everything_but_letters_and_apostrophes() -> None:
    assert words_of("Dracula_eleven: dawn-part II, d'Artagnan!") == [
        "dracula",
        "eleven",
        "dawn",
        "part",
        "ii",
        "d'artagnan",
    ]


@pytest.mark.parametrize("text", ["it", "It's", "he's", "that's", "who's"])
def test_function_words_are_left_out_in_every_form(text: str) -> None:
    assert words_of(text) == []


def test_the_templates_labels_are_no_words() -> None:
    assert {"genres", "keywords", "directed", "starring"} <= STOP_WORDS
