"""First build and next day in bulk by the setting: sensors, batches and a day's work together."""

from dataclasses import replace
from datetime import UTC, datetime

from pydantic import SecretStr

from movie_assets.embeddings.preflight import SAMPLE
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets.emulator.server import TmdbEmulator
from movie_assets_tests.conftest import Pipeline
from movie_assets_tests.orchestration.ticks import tick

SENSOR = "texts_are_not_embedded"


def launched(pipeline: Pipeline, sensor: str) -> bool:
    """Whether a sensor launches its job now."""
    result = tick(sensor, pipeline.database, pipeline.instance, embedder=pipeline.embedder, bulk_above_texts=100)
    return bool(result.run_requests)


def count(pipeline: Pipeline, what: str) -> int:
    return int(pipeline.one(f"select count(*) from {what}"))


def dollars(pipeline: Pipeline) -> float:
    return float(pipeline.one("select sum(dollars) from pipeline.embedding_costs"))


def test_a_first_build_costs_half_and_small_changes_do_not_wait(
    pipeline: Pipeline, tmdb_emulator: TmdbEmulator
) -> None:
    tmdb_emulator.service.options = replace(tmdb_emulator.service.options, batch_seconds=3600)
    pipeline.embedder = OpenAiEmbedder("text-embedding-3-small", 64, SecretStr("a-key"), tmdb_emulator.openai_url)
    pipeline.settings = pipeline.settings.model_copy(update={"bulk_above_texts": 100})
    pipeline.day, pipeline.by_the_clock = datetime.now(UTC).date(), True
    tmdb_emulator.today = pipeline.day
    assert [pipeline.run(job).success for job in ("read_the_day", "fetch_details")] == [True, True]
    films = count(pipeline, "catalog.movies")
    assert launched(pipeline, SENSOR)
    assert pipeline.run("embed_texts").success
    assert not launched(pipeline, SENSOR)  # all texts are in the batch
    assert pipeline.run("publish").success  # words can be searched meanwhile

    pipeline.do(
        "update catalog.movies set embedding_text = 'new words ' || tmdb_id, "
        "text_hash = encode(sha256(convert_to('film-v1' || E'\\n' || 'new words ' || tmdb_id, 'UTF8')), 'hex') "
        "where tmdb_id in (select tmdb_id from catalog.movies order by 1 limit 3)"
    )
    assert launched(pipeline, SENSOR)
    assert pipeline.run("embed_texts").success
    assert count(pipeline, "pipeline.embeddings") == 3

    tmdb_emulator.service.options = replace(tmdb_emulator.service.options, batch_seconds=0)
    pipeline.do("update pipeline.embedding_batches set seen_at = moment, moment = moment - interval '3 minutes'")
    pipeline.do("update pipeline.embedding_batches set seen_at = seen_at - interval '3 minutes'")
    assert launched(pipeline, SENSOR)
    assert [pipeline.run(job).success for job in ("embed_texts", "publish")] == [True, True]
    assert count(pipeline, "pipeline.embeddings") == count(pipeline, "catalog.movie_vectors") == films
    assert tmdb_emulator.service.embedded_inputs == films + 3 + SAMPLE  # the first texts of three films, the pre-flight
    assert not launched(pipeline, SENSOR)
    in_bulk = dollars(pipeline)

    pipeline.settings = pipeline.settings.model_copy(update={"bulk_above_texts": 0})
    pipeline.embedder = OpenAiEmbedder("text-embedding-3-small", 65, SecretStr("a-key"), tmdb_emulator.openai_url)
    assert pipeline.run("embed_texts").success
    at_once = dollars(pipeline) - in_bulk
    assert in_bulk / at_once < 0.55  # pre-flight and changes at the full price
