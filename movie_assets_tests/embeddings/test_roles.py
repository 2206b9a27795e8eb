"""Documents and queries: which models tell them apart, how requests say it, and what it means for a set's name."""

from collections.abc import Callable
from typing import Any

import pytest
from pydantic import SecretStr

from movie_assets.catalog.embedding_text import TEMPLATE
from movie_assets.config.settings import Settings, SettingsError
from movie_assets.embeddings.embedder import EmbedderError
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets.embeddings.registry import embedder_for, embedder_from
from movie_assets.embeddings.roles import NO_ROLES, Roles, known_roles, roles_of_template
from movie_assets.search.queries import search
from movie_assets_tests.embeddings.test_movie_embeddings import with_films
from movie_assets_tests.support.small_pipelines import SmallPipeline

Make = Callable[..., SmallPipeline]
E5 = Roles("passage: ", "query: ")
DOCUMENT, QUERY = "MOVIE_ASSETS_EMBEDDING_DOCUMENT_PREFIX", "MOVIE_ASSETS_EMBEDDING_QUERY_PREFIX"


@pytest.mark.parametrize(
    ("model", "document", "query"),
    [
        ("intfloat/multilingual-e5-small", "passage: ", "query: "),
        ("e5-large-v2", "passage: ", "query: "),
        ("intfloat/multilingual-e5-large-instruct", "", "Instruct: "),
        ("Qwen/Qwen3-Embedding-0.6B", "", "Instruct: "),
        ("qwen3-embedding:8b", "", "Instruct: "),
        ("text-embedding-qwen3-embedding-4b", "", "Instruct: "),
        ("embeddinggemma:300m", "title: none | text: ", "task: search result | query: "),
        ("google/embeddinggemma-300m", "title: none | text: ", "task: search result | query: "),
        ("nomic-embed-text", "search_document: ", "search_query: "),
        ("text-embedding-nomic-embed-text-v1.5", "search_document: ", "search_query: "),
        ("BAAI/bge-small-en-v1.5", "", "Represent this sentence"),
        ("BAAI/bge-large-zh-v1.5", "", "为这个句子"),
        ("mxbai-embed-large", "", "Represent this sentence"),
        ("snowflake-arctic-embed2", "", "query: "),
        ("snowflake-arctic-embed:110m", "", "Represent this sentence"),
        *(
            (model, "", "")
            for model in ("BAAI/bge-m3", "bge-m3:latest", "text-embedding-3-small", "all-minilm", "mine")
        ),
        *(
            (model, "", "")
            for model in ("text-embedding-v4", "jina-embeddings-v2", "cafe5-large-language", "gte-large")
        ),
    ],
)
def test_prefixes_follow_from_the_models_name(model: str, document: str, query: str) -> None:
    roles = known_roles(model)
    assert roles.document == document
    assert roles.query.startswith(query)
    assert bool(roles.query) == bool(query)


def test_nvidias_models_are_told_by_a_parameter() -> None:
    roles = known_roles("nvidia/nv-embedqa-e5-v5")
    assert (roles.parameters("document"), roles.parameters("query")) == (
        {"input_type": "passage"},
        {"input_type": "query"},
    )


def test_a_prefix_stands_before_each_text_but_a_blank_one() -> None:
    assert E5.applied(["a film", " "], "document") == ["passage: a film", " "]
    assert E5.applied(["a film"], "query") == ["query: a film"]


def test_a_parameter_names_the_role_instead_of_a_prefix() -> None:
    roles = Roles("document", "query", "input_type")
    assert roles.applied(["a film"], "query") == ["a film"]
    assert roles.parameters("query") == {"input_type": "query"}
    assert roles.template == f'{TEMPLATE} input_type="document"'


def test_only_what_marks_documents_names_a_set() -> None:
    assert NO_ROLES.template == Roles(query="query: ").template == TEMPLATE
    assert E5.template == f'{TEMPLATE} prefix="passage: "'


def test_a_set_is_searched_with_the_roles_that_made_it() -> None:
    mine = Roles("film: ", "question: ")
    assert roles_of_template(mine.template, mine, E5) == mine
    assert roles_of_template(E5.template, mine, E5) == E5
    assert roles_of_template(TEMPLATE, mine, E5) == NO_ROLES
    assert roles_of_template(Roles("earlier: ").template, mine, E5) == mine


@pytest.mark.parametrize(
    ("told", "roles"),
    [
        ({}, E5),
        ({DOCUMENT: "none", QUERY: "None"}, NO_ROLES),
        ({QUERY: r"Find:\n"}, Roles("passage: ", "Find:\n")),
    ],
)
def test_settings_change_the_prefixes_or_switch_them_off(told: dict[str, str], roles: Roles) -> None:
    settings = Settings.from_env(
        {"OPENAI_API_KEY": "a-key", "MOVIE_ASSETS_EMBEDDING_MODEL": "multilingual-e5-base", **told}
    )
    assert embedder_from(settings).roles == roles


def test_a_prefix_of_a_page_is_refused() -> None:
    with pytest.raises(SettingsError, match=f"{QUERY}: a prefix has at most 500 characters"):
        Settings.from_env({QUERY: "x" * 501})


@pytest.mark.parametrize(
    ("model", "dimensions", "names"),
    [("text-embedding-3-small", 3072, "1 to 1536"), ("text-embedding-ada-002", 512, "of 1536 dimensions")],
)
def test_dimensions_that_a_model_cannot_make_are_told_before_a_request(model: str, dimensions: int, names: str) -> None:
    with pytest.raises(EmbedderError, match=names):
        embedder_for(Settings.from_env({"OPENAI_API_KEY": "a-key"}), "openai", model, dimensions)


def serving(pipeline: SmallPipeline, **values: str) -> Settings:
    """Embed with the emulator's service, and return the settings that name it."""
    environ = {"OPENAI_API_KEY": "a-key", "OPENAI_BASE_URL": pipeline.serving.openai_url, **values}
    settings = Settings.from_env({"MOVIE_ASSETS_EMBEDDING_DIMENSIONS": "64", **environ})
    pipeline.embedder = embedder_from(settings)
    return settings


def sets(pipeline: SmallPipeline) -> list[Any]:
    return pipeline.column("select template from pipeline.embedding_sets where provider <> 'local' order by set_id")


def test_the_set_of_an_existing_openai_catalogue_keeps_its_number(small: Make) -> None:
    pipeline = with_films(small, 64, 65)
    pipeline.embedder = OpenAiEmbedder("text-embedding-3-small", 64, SecretStr("a-key"), pipeline.serving.openai_url)
    pipeline.run_all("embed_texts")
    before = pipeline.serving.embedded_inputs
    serving(pipeline)
    pipeline.run_all("embed_texts")
    assert (before, pipeline.serving.embedded_inputs, sets(pipeline)) == (2, 2, [TEMPLATE])


def test_questions_are_asked_as_the_searched_set_was_made(small: Make) -> None:
    """The set without prefixes is searched without, until the new one is ready."""
    pipeline = with_films(small, 64, 65)
    model = {"MOVIE_ASSETS_EMBEDDING_MODEL": "multilingual-e5-small"}
    serving(pipeline, **model, **{DOCUMENT: "none", QUERY: "none"})
    pipeline.run_all("embed_texts", "publish")
    settings = serving(pipeline, **model)
    assert search(pipeline.database, settings, "a film", 2)[1] is None
    pipeline.run_all("embed_texts", "publish")
    assert sets(pipeline) == [TEMPLATE, E5.template]
    assert pipeline.column("select template from pipeline.embedding_sets where is_active") == [E5.template]
    assert search(pipeline.database, settings, "a film", 2)[1] is None
