"""The keyless model in SQL makes the vectors that it makes in Python."""
# ruff: noqa: RUF001  # letters of many alphabets are what is tested

import sys
import unicodedata
import zlib

import numpy as np
import numpy.typing as npt
import psycopg
import pytest

from movie_assets.database.database import Database
from movie_assets.embeddings.common_words import COMMON, EVERYWHERE, FREQUENT, WEIGHTS, word_weight
from movie_assets.embeddings.hashing import hashed_vectors, weighted_vectors, words_of
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.embeddings.sets import embedding_set
from movie_assets.search.search_documents import update_documents
from movie_assets_tests.support.rows import put_films

TEXTS = (
    "", " ", "the of and", "a murder in a mansion", "Ocean's Eleven: the heist's heists", "aliens Aliens alien's",
    "Alien³ 8½ ½ x²", "Amélie & Ægir's Øre, Łódź, straße, ẞ, ĳ, ﬁlm", "ΟΔΥΣΣΕΥΣ Ὀδυσσεύς ΣΑΣ Σ", "İstanbul ISTANBUL ıI",
    "Война и мир",
    "七人の侍 ななにん ｶﾀｶﾅ", "기생충 한국", "مرحبا بالعالم ٣٤", "नमस्ते दुनिया १२", "שלום", "Ⅷ Ⅻ ①② 𝟙𝔸", "👽 🎬 a👽b",
    "O'Brien's d'Artagnan l’été rock'n'roll",
    "class bass glass gas as is yes", "under_score 12ab34 x1y2", "ss s's 's s",
    "Z͑ͫ̓ͪ̂ͫ̽͏̴̙̤̞͉͚̯̞̠͍A̴̵̜̰͔ͫ͗͢L̠ͨͧͩ͘G̴̻͈͍͔̹̑͗̎̅͛́Ǫ̵̹̻̝̳͂̌̌͘!͖̬̰̙̗̿̋ͥͥ̂ͣ̐́́͜͞", "word " * 300, "\u0130\u0307 \u1e9e \ufb03 \u212b", "a\u200db c\u00add",
)  # fmt: skip


def of_sql(database: Database, texts: list[str], dimensions: int) -> list[npt.NDArray[np.float32]]:
    statement = (
        "select catalog.hashed_vector(t.words, %s) from unnest(%s::text[]) with ordinality t (words, n) order by n"
    )
    with database.transaction() as connection:
        found = connection.exec_driver_sql(statement, (dimensions, texts)).scalars()
        return [vector.to_numpy() for vector in found]


@pytest.mark.parametrize("dimensions", [8, 64, 1536])
def test_texts_have_the_vectors_that_python_makes(database: Database, dimensions: int) -> None:
    texts = list(TEXTS)
    for text, ours, theirs in zip(
        texts, of_sql(database, texts, dimensions), hashed_vectors(texts, dimensions), strict=True
    ):
        assert np.abs(ours - theirs).max() < 1e-6, text


@pytest.mark.parametrize("dimensions", [8, 2048, 4000])
def test_texts_have_the_weighted_vectors_that_python_makes(database: Database, dimensions: int) -> None:
    texts = [*TEXTS, "a detective of 1999 finds a Zuzzick in 3000", f"{EVERYWHERE} {COMMON} {FREQUENT}"]
    statement = (
        "select catalog.vector_of_words(array(select catalog.hashed_words(t.words)), %s) "
        "from unnest(%s::text[]) with ordinality t (words, n) order by n"
    )
    with database.transaction() as connection:
        found = [v.to_numpy() for v in connection.exec_driver_sql(statement, (dimensions, texts)).scalars()]
    for text, ours, theirs in zip(texts, found, weighted_vectors(texts, dimensions), strict=True):
        assert np.abs(ours - theirs).max() < 1e-6, text


def test_words_have_the_weights_of_python(database: Database) -> None:
    words = [*WEIGHTS, "1899", "1900", "2099", "2100", "199", "zuzzick", "", "İ"]
    statement = "select catalog.word_weight(t.word) from unnest(%s::text[]) with ordinality t (word, n) order by n"
    with database.transaction() as connection:
        weights = list(connection.exec_driver_sql(statement, (words,)).scalars())
    assert weights == [word_weight(word) for word in words]


@pytest.mark.parametrize("words", [EVERYWHERE, COMMON, FREQUENT])
def test_common_words_are_normalized_and_in_one_group(words: str) -> None:
    assert words_of(words) == words.split()
    assert sum(words.split().count(word) for word in WEIGHTS) == len(set(words.split())) == len(words.split())
    assert len(WEIGHTS) == len(f"{EVERYWHERE} {COMMON} {FREQUENT}".split())


def test_words_that_no_film_has_are_left_out_of_a_question(database: Database) -> None:
    embedder = LocalEmbedder("hashing-v2", 64)
    set_id = embedding_set(database, embedder)
    put_films(database, 1, 1)
    with database.transaction() as connection:
        connection.exec_driver_sql(
            "update catalog.movies set title = 'Mansions', overview = 'He is haunted; Ægir''s Straße', keywords = "
            "'{murder}' where tmdb_id = 1"
        )
    update_documents(database)
    database.execute("refresh_vectors", set_id=set_id)
    database.execute("activate_set", set_id=set_id, hold=False)
    statement = "select catalog.question_vector(%s)"
    for question, known in (
        ("a murder zzzz in the haunting mansion qqqq", "murder haunting mansion"),
        ("Aegir straße", "Aegir straße"),
        ("zzzz qqqq", "zzzz qqqq"),  # all are kept where no film has any
        ("", ""),
    ):
        with database.transaction() as connection:
            vector = connection.exec_driver_sql(statement, (question,)).scalar_one()
        assert np.abs(vector.to_numpy() - embedder.embed([known]).vectors[0]).max() < 1e-6, question


def test_every_character_is_read_as_python_reads_it(database: Database) -> None:
    codes = [*range(1, 0xD800), *range(0xE000, sys.maxunicode + 1)]
    known = [chr(code) for code in codes if unicodedata.category(chr(code)) not in ("Cn", "Co")]
    blocks = [" ".join(f"a{c}b" for c in known[start : start + 500]) for start in range(0, len(known), 500)]
    with database.transaction() as connection:
        found = connection.exec_driver_sql(
            "select array(select catalog.hashed_words(t.words)) from unnest(%s::text[]) with ordinality t (words, n) "
            "order by n",
            (blocks,),
        ).scalars()
        wrong = [
            set(ours) ^ set(words_of(block)) for ours, block in zip(found, blocks, strict=True)
            if ours != words_of(block)
        ]  # fmt: skip
    assert not wrong, wrong[:5]


def test_the_checksum_is_that_of_zlib(database: Database) -> None:
    for word in ("", "a", "murder", "Ünïcode", "七"):
        with database.transaction() as connection:
            digest = connection.exec_driver_sql("select catalog.checksum(%s)", (word.encode(),)).scalar()
        assert digest == zlib.crc32(word.encode())


@pytest.mark.parametrize("model", ["hashing-v1", "hashing-v2"])
def test_a_question_is_embedded_as_the_active_set_is(database: Database, model: str) -> None:
    embedder = LocalEmbedder(model, 64)
    set_id = embedding_set(database, embedder)
    database.execute("refresh_vectors", set_id=set_id)
    database.execute("activate_set", set_id=set_id, hold=False)
    with database.transaction() as connection:
        vector = connection.exec_driver_sql("select catalog.question_vector('a murder')").scalar_one()
    assert np.abs(vector.to_numpy() - embedder.embed(["a murder"]).vectors[0]).max() < 1e-6


def test_what_sql_cannot_embed_is_an_error(database: Database) -> None:
    with database.transaction() as connection:
        connection.exec_driver_sql("insert into pipeline.embedding_sets (provider, model, dimensions, template) "
                                   "values ('openai', 'text-embedding-3-small', 8, 't')")  # fmt: skip
        connection.exec_driver_sql("select pipeline.refresh_vectors(1)")
    for statement, says in (
        ("select catalog.question_vector('a')", "none is active yet"),
        ("select catalog.question_vector('a', 1)", "openai text-embedding-3-small, which SQL cannot make"),
        ("select catalog.hashed_vector(repeat('a', 10001), 8)", "may have 10,000 characters"),
        ("select catalog.hashed_vector('a', 0)", "1 to 16,000 dimensions"),
    ):
        with pytest.raises(psycopg.Error, match=says), psycopg.connect(_address(database)) as raw:
            raw.execute(statement.encode())


def _address(database: Database) -> str:
    return database.url.set(drivername="postgresql").render_as_string(hide_password=False)
