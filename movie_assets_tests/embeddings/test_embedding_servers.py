"""What servers of other makes leave in the catalogue: marks of cut texts, and the name of the model that answered."""

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from pydantic import SecretStr

from movie_assets.embeddings.checks import CURRENT
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets.operations.health.report import probe_database
from movie_assets_tests.conftest import failed_checks, figures
from movie_assets_tests.embeddings.test_movie_embeddings import rewrite, with_films
from movie_assets_tests.support.small_pipelines import SmallPipeline

Make = Callable[..., SmallPipeline]


def playing(pipeline: SmallPipeline, make: str | None, model: str = "films-embed", width: int = 64) -> None:
    """Have the emulator play a server, and the pipeline embed there with a client that knows nothing of it."""
    service = pipeline.serving.service
    service.options = replace(service.options, embeddings_like=make)
    pipeline.embedder = OpenAiEmbedder(model, width, SecretStr("a-key"), pipeline.serving.openai_url)


def embedder_finding(pipeline: SmallPipeline) -> tuple[str, str]:
    noon = datetime.combine(pipeline.day, datetime.min.time(), UTC).replace(hour=12)
    found = probe_database(pipeline.settings, pipeline.database, noon)
    (finding,) = [each for each in found if each.name == "embedder"]
    return finding.severity, finding.message


def test_a_text_that_was_cut_is_marked_until_it_changes(small: Make) -> None:
    pipeline = with_films(small, 64, 65, 66)
    rewrite(pipeline, 65, "a long story of a ship " * 120)  # 2,760 letters: 690 of the 512 tokens that a text may have
    playing(pipeline, "dashscope")
    (result,) = pipeline.run_all("embed_texts")
    assert failed_checks(result) == set()
    assert figures(result, CURRENT)["texts_cut"] == 1
    marked = "select tmdb_id from pipeline.embeddings where is_cut"
    assert pipeline.column(marked) == [65]
    (again,) = pipeline.run_all("embed_texts")
    assert figures(again, CURRENT)["texts_embedded"] == 0
    rewrite(pipeline, 65, "a short story")
    pipeline.run_all("embed_texts")
    assert pipeline.column(marked) == []


def test_another_models_name_is_recorded_and_its_change_is_a_warning(small: Make) -> None:
    pipeline = with_films(small, 64, 65)
    playing(pipeline, "azure")
    (result,) = pipeline.run_all("embed_texts")
    assert failed_checks(result) == set()
    assert figures(result, CURRENT)["answered_by"] == "text-embedding-3-small"
    assert pipeline.column("select answered_by from pipeline.embedding_sets") == ["text-embedding-3-small"]

    pipeline.turn_day()
    playing(pipeline, "openrouter")
    rewrite(pipeline, 64, "quite another story")
    (result,) = pipeline.run_all("embed_texts")
    assert failed_checks(result) == {CURRENT}
    (check,) = [e for e in result.get_asset_check_evaluations() if e.check_name == CURRENT]
    assert check.severity.value == "WARN"
    assert "made by text-embedding-3-small and the service now answers as openai/text-embedding-3-small" in str(
        check.description
    )
    severity, says = embedder_finding(pipeline)
    assert severity == "warn"
    assert "now answers as openai/text-embedding-3-small" in says

    forced: dict[str, Any] = {"ops": {"movie_embeddings": {"config": {"force": True}}}}
    pipeline.turn_day()
    assert pipeline.run("embed_texts", config=forced, batches=("batch_00", "batch_63")).success
    assert embedder_finding(pipeline)[0] == "ok"
    (result,) = pipeline.run_all("embed_texts")
    assert failed_checks(result) == set()


@pytest.mark.parametrize("make", ["fastapi", "litellm"])
def test_a_run_books_what_was_charged_or_an_estimate(small: Make, make: str) -> None:
    pipeline = with_films(small, 64, 65)
    playing(pipeline, make, width=768)
    (result,) = pipeline.run_all("embed_texts")
    assert figures(result, CURRENT)["tokens"] > 0
