"""Vectors of a model joined with those of words: their cosine, their set, questions in SQL, and upgrades of a set."""

import numpy as np
import psycopg
import pytest
from pydantic import SecretStr

from movie_assets.config.settings import Settings, SettingsError
from movie_assets.database.database import Database
from movie_assets.embeddings.embedder import EmbedderError, UnlimitedBudget
from movie_assets.embeddings.hashing import hashed_vectors, weighted_vectors
from movie_assets.embeddings.joined import JoinedEmbedder
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets.embeddings.registry import embedder_for, embedder_from
from movie_assets.embeddings.sets import embedding_set
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.conftest import DAY

TEXTS = ["A detective investigates a murder.", "Two robots fall in love.", "Un détective enquête."]
JOIN = {"MOVIE_ASSETS_EMBEDDING_JOIN_WORDS": "0.7"}


def joined(share: float = 0.7, width: int = 64) -> JoinedEmbedder:
    """An embedder whose model stands for any model."""
    return JoinedEmbedder(LocalEmbedder("hashing-v1", width), share)


@pytest.mark.parametrize("share", [0.01, 0.3, 0.7, 0.99])
def test_the_cosine_is_the_weighted_sum(share: float) -> None:
    vectors = joined(share).embed(TEXTS).vectors
    models, words = hashed_vectors(TEXTS, 64), weighted_vectors(TEXTS, 4000 - 64)
    assert vectors.shape == (3, 4000)
    assert vectors @ vectors.T == pytest.approx((1 - share) * models @ models.T + share * words @ words.T, abs=1e-6)


def test_parts_are_the_same_as_at_once() -> None:
    texts = [f"{text} {n}" for n in range(300) for text in TEXTS]
    parts = list(joined().stream(texts, UnlimitedBudget()))
    assert len(parts) == 2
    assert np.concatenate([part.vectors for part in parts]) == pytest.approx(joined().embed(texts).vectors, abs=1e-6)


def test_the_settings_join_a_services_vectors_under_a_name_of_their_own() -> None:
    with TmdbEmulator(EmulatorOptions(movies=1, today=DAY, rate_limit=0)) as service:
        settings = Settings.from_env({
            "OPENAI_API_KEY": "a-key", "OPENAI_BASE_URL": service.openai_url,
            "MOVIE_ASSETS_EMBEDDING_DIMENSIONS": "256", **JOIN,
        })  # fmt: skip
        embedder = embedder_from(settings)
        assert (embedder.model, embedder.dimensions) == ("text-embedding-3-small:256+words:0.7", 4000)
        assert embedder.bulk_api is None
        alone = OpenAiEmbedder("text-embedding-3-small", 256, SecretStr("a-key"), service.openai_url)
        expected = np.sqrt(0.3) * alone.embed(TEXTS).vectors
        vectors = embedder.embed(TEXTS).vectors
        assert vectors[:, :256] == pytest.approx(expected, abs=1e-6)
        # The set is read as it was made, whatever the settings say now.
        other = settings.model_copy(update={"embedding_join_words": None, "embedding_dimensions": 512})
        same = embedder_for(other, embedder.provider, embedder.model, 4000, embedder.roles.template)
        assert same.embed(TEXTS).vectors == pytest.approx(vectors, abs=1e-6)


def test_hashing_models_are_not_joined() -> None:
    assert embedder_from(Settings.from_env(JOIN)).model == "hashing-v2"


def test_a_model_that_leaves_no_place_for_words_is_refused() -> None:
    with pytest.raises(EmbedderError, match=r"3,072 dimensions .* MOVIE_ASSETS_EMBEDDING_DIMENSIONS to 3,000"):
        joined(width=3072)


@pytest.mark.parametrize("share", ["0", "1", "-0.5", "nan", "much"])
def test_a_share_is_between_0_and_1(share: str) -> None:
    with pytest.raises(SettingsError, match="MOVIE_ASSETS_EMBEDDING_JOIN_WORDS"):
        Settings.from_env({"MOVIE_ASSETS_EMBEDDING_JOIN_WORDS": share})


def test_a_question_is_joined_in_sql(database: Database) -> None:
    embedder = joined()
    set_id = embedding_set(database, embedder)
    database.execute("refresh_vectors", set_id=set_id)
    database.execute("activate_set", set_id=set_id, hold=False)
    questions = [*TEXTS, ""]
    models = 3 * hashed_vectors(questions, 64)  # of any length
    with database.transaction() as connection:
        for question, model, expected in zip(questions, models, embedder.embed(questions).vectors, strict=True):
            row = connection.exec_driver_sql("select catalog.joined_vector(%s, %s)", (str(model.tolist()), question))
            assert np.abs(row.scalar_one().to_numpy() - expected).max() < 1e-6, question


@pytest.mark.parametrize(
    ("call", "says"),
    [
        ("joined_vector('[1,0]', 'a')", "takes a vector of hashing-v1 with 64 dimensions and a length, not of 2"),
        ("joined_vector(array_fill(0.0, array[64])::vector, 'a')", "with 64 dimensions and a length"),
        ("joined_vector(array_fill(1.0, array[64])::vector, repeat('a', 10001))", "10,000 characters"),
        ("joined_vector('[1,0]', 'a', 99)", "no such embedding set"),
        ("joined_vector('[1,0]', 'a', 2)", "vectors of hashing-v1, which are not joined"),
        ("question_vector('a')", "which SQL cannot make"),
    ],
)
def test_what_cannot_be_joined_is_an_error(database: Database, call: str, says: str) -> None:
    for embedder in (joined(), LocalEmbedder("hashing-v1", 8)):
        database.execute("refresh_vectors", set_id=embedding_set(database, embedder))
    database.execute("activate_set", set_id=1, hold=False)
    address = database.url.set(drivername="postgresql").render_as_string(hide_password=False)
    with pytest.raises(psycopg.Error, match=says), psycopg.connect(address) as connection:
        connection.execute(f"select catalog.{call}".encode())
