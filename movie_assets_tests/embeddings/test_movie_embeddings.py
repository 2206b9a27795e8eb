"""Which texts are embedded, what is kept of a run that cannot go on, and how one set takes another's place."""

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from typing import Any

import dagster as dg
import pytest
from pydantic import SecretStr

from movie_assets.config.embedding_limits import TEXTS_PER_REQUEST
from movie_assets.embeddings import checks as embedding_checks
from movie_assets.embeddings import roles
from movie_assets.embeddings.embedder import ResultChunk
from movie_assets.embeddings.preflight import SAMPLE
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets.embeddings.sets import embedding_set
from movie_assets.embeddings.store import EmbeddingStore, Text
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.operations import reconciliation
from movie_assets_tests.conftest import failed_checks, figures
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.small_pipelines import SmallPipeline
from movie_assets_tests.support.world import film

Make = Callable[..., SmallPipeline]
EMBEDDINGS = dg.AssetKey("movie_embeddings")
CURRENT = "every_text_is_embedded_as_it_stands"
ALL_BATCHES = ("batch_00", "batch_63")


def message_of(result: Any) -> str:
    """Why the step failed."""
    (event,) = [e for e in result.all_events if e.event_type_value == "STEP_FAILURE"]
    return str(event.step_failure_data.user_failure_data.description)


def with_films(make: Make, *tmdb_ids: int) -> SmallPipeline:
    """A pipeline whose catalogue has films that nobody embedded yet."""
    pipeline = make()
    for tmdb_id in tmdb_ids:
        put_films(pipeline.database, tmdb_id, tmdb_id)
    return pipeline


def openai(url: str) -> OpenAiEmbedder:
    return OpenAiEmbedder("text-embedding-3-small", 64, SecretStr("a-key"), url)


def rewrite(pipeline: SmallPipeline, tmdb_id: int, text: str) -> None:
    """Give a film another text, with its hash."""
    pipeline.do(
        f"update catalog.movies set embedding_text = '{text}', "
        f"text_hash = encode(sha256(convert_to(E'film-v1\\n{text}', 'UTF8')), 'hex') where tmdb_id = {tmdb_id}"
    )


def widths(pipeline: SmallPipeline) -> list[int]:
    """Widths of the vectors that searches see."""
    return pipeline.column("select distinct vector_dims(embedding) from catalog.movie_vectors order by 1")


def test_every_film_gets_a_vector_of_its_text(small: Make) -> None:
    pipeline = with_films(small, 64, 65)
    (result,) = pipeline.run_all("embed_texts")
    assert failed_checks(result) == set()
    assert pipeline.column("select tmdb_id from pipeline.embeddings order by 1") == [64, 65]


def test_only_a_changed_text_is_embedded_again(small: Make) -> None:
    pipeline = with_films(small, 64, 65, 66)
    pipeline.run_all("embed_texts")
    kept = pipeline.column("select embedding::text from pipeline.embeddings where tmdb_id <> 65 order by tmdb_id")
    rewrite(pipeline, 65, "quite another story")
    (result,) = pipeline.run_all("embed_texts")
    assert figures(result, CURRENT)["texts_embedded"] == 1
    assert (
        pipeline.column("select embedding::text from pipeline.embeddings where tmdb_id <> 65 order by tmdb_id") == kept
    )


def test_equal_texts_are_paid_for_once_and_both_films_get_the_vector(small: Make) -> None:
    pipeline = with_films(small, 64, 65, 66)
    rewrite(pipeline, 64, "the same story")
    rewrite(pipeline, 65, "the same story")
    pipeline.embedder = openai(pipeline.serving.openai_url)
    pipeline.run_all("embed_texts")
    assert pipeline.serving.embedded_inputs == 2
    vectors = pipeline.column("select embedding::text from pipeline.embeddings where tmdb_id in (64, 65)")
    assert len(vectors) == 2
    assert vectors[0] == vectors[1]


def test_texts_tokens_and_dollars_are_recorded(small: Make) -> None:
    pipeline = with_films(small, 64, 65)
    pipeline.embedder = openai(pipeline.serving.openai_url)
    (result,) = pipeline.run_all("embed_texts")
    tokens = figures(result, CURRENT)["tokens"]
    with pipeline.database.transaction() as connection:
        (cost,) = connection.exec_driver_sql("select texts, tokens, dollars from pipeline.embedding_costs").all()
    assert (cost.texts, cost.tokens) == (2, tokens)
    assert tokens > 0
    assert float(cost.dollars) == pytest.approx(tokens * 0.02 / 1e6, abs=1e-6)


def costs(pipeline: SmallPipeline) -> list[tuple[int, int]]:
    with pipeline.database.transaction() as connection:
        found = connection.exec_driver_sql("select tokens, text_bytes from pipeline.embedding_costs order by cost_id")
        return [tuple(row) for row in found]


def test_a_service_that_tells_no_usage_is_booked_by_what_tokens_were_so_far(small: Make) -> None:
    """Thirty texts whose usage was told teach the ratio; without them a token is four bytes, as in English."""
    pipeline = with_films(small, *range(64, 64 * 31, 64))
    pipeline.embedder = openai(pipeline.serving.openai_url)
    pipeline.run_all("embed_texts")
    ((tokens, text_bytes),) = costs(pipeline)
    pipeline.serving.faults = {"oa_no_usage": 1.0}
    rewrite(pipeline, 64, "A story of some length about a ship and its crew. " * 20)
    (result,) = pipeline.run_all("embed_texts")
    booked = round(1000 / (text_bytes / tokens))
    assert costs(pipeline)[1] == (booked, 0)  # no bytes: an estimate teaches nothing
    assert figures(result, CURRENT)["dollars"] == pytest.approx(booked * 0.02 / 1e6, abs=1e-6)
    pipeline.do("delete from pipeline.embedding_costs")
    rewrite(pipeline, 64, "A story of some length about a ship and its fate. " * 20)
    pipeline.run_all("embed_texts")
    assert costs(pipeline) == [(250, 0)]


def test_a_run_without_work_costs_nothing(small: Make) -> None:
    pipeline = with_films(small, 64)
    pipeline.run_all("embed_texts", "embed_texts")
    assert pipeline.one("select count(*) from pipeline.embedding_costs") == 1


def test_a_film_that_left_and_returned_needs_no_new_vector(small: Make) -> None:
    pipeline = with_films(small, 64, 65)
    pipeline.run_all("embed_texts")
    pipeline.do("delete from catalog.movies where tmdb_id = 64")
    pipeline.run_all("embed_texts")
    put_films(pipeline.database, 64, 64)
    (result,) = pipeline.run_all("embed_texts")
    assert figures(result, CURRENT)["texts_embedded"] == 0


@pytest.mark.parametrize(
    ("vector", "check"),
    [(str([0] * 64), "every_vector_is_finite_and_not_zero"), (str([0.5] * 64), "every_vector_is_finite_and_not_zero"),
     ("[1, 0, 0]", "every_vector_has_the_declared_dimensions")],
)  # fmt: skip
def test_a_damaged_vector_fails_its_check_in_the_run_of_another_batch(small: Make, vector: str, check: str) -> None:
    pipeline = with_films(small, 64, 65)
    pipeline.run_all("embed_texts")
    pipeline.do(f"update pipeline.embeddings set embedding = '{vector}' where tmdb_id = 64")
    result = pipeline.run("embed_texts", batches=("batch_01", "batch_01"))
    assert failed_checks(result) == {check}
    assert figures(result, check)["by_batch"] == {"batch_00": 1}


DAMAGED = {"too narrow": "[1, 0, 0]", "too long": str([0.5] * 64), "zero": str([0] * 64)}


@pytest.mark.parametrize("vector", DAMAGED.values(), ids=list(DAMAGED))
def test_running_the_batch_of_a_damaged_vector_repairs_it_and_no_other(small: Make, vector: str) -> None:
    pipeline = with_films(small, 64, 65)
    pipeline.run_all("embed_texts")
    vectors = "select embedding::text from pipeline.embeddings order by tmdb_id"
    (repaired, _) = pipeline.column(vectors)
    pipeline.do(f"update pipeline.embeddings set embedding = '{vector}'")
    damaged = pipeline.column(vectors)[1]
    pipeline.run("embed_texts", batches=("batch_00", "batch_00"))
    assert pipeline.column(vectors) == [repaired, damaged]
    result = pipeline.run("embed_texts", batches=("batch_01", "batch_01"))
    assert failed_checks(result) == set()


def test_a_film_without_the_vector_of_its_text_fails_the_check_by_batch(small: Make) -> None:
    pipeline = with_films(small, 64, 65)
    pipeline.run_all("embed_texts")
    rewrite(pipeline, 64, "quite another story")
    result = pipeline.run("embed_texts", batches=("batch_01", "batch_01"))
    assert failed_checks(result) == {CURRENT}
    assert figures(result, CURRENT)["by_batch"] == {"batch_00": 1}


def test_other_dimensions_make_a_set_of_their_own(small: Make) -> None:
    pipeline = with_films(small, 64, 65)
    pipeline.run_all("embed_texts")
    pipeline.embedder = LocalEmbedder("hashing-v1", 32)
    pipeline.run_all("embed_texts")
    assert pipeline.column(
        "select count(*) from pipeline.embeddings e join pipeline.embedding_sets s using (set_id) "
        "where vector_dims(e.embedding) = s.dimensions group by s.dimensions order by s.dimensions"
    ) == [2, 2]


def test_asking_for_the_set_again_and_again_uses_up_no_numbers(small: Make) -> None:
    # Sensors ask every 30 seconds; the numbers are smallints and would be used up in four days.
    pipeline = small()
    sequence = "select last_value from pipeline.embedding_sets_set_id_seq"
    embedding_set(pipeline.database, pipeline.embedder)
    before = pipeline.one(sequence)
    for _ in range(3):
        embedding_set(pipeline.database, pipeline.embedder)
    assert pipeline.one(sequence) == before


def test_the_old_set_is_searched_until_the_new_one_covers_the_catalogue(small: Make) -> None:
    pipeline = with_films(small, 64, 65)
    pipeline.run_all("embed_texts", "publish")
    pipeline.embedder = LocalEmbedder("hashing-v1", 32)
    pipeline.run("embed_texts", batches=("batch_00", "batch_00"))
    pipeline.run("publish")
    assert (widths(pipeline), pipeline.found) == ([64], [64, 65])
    pipeline.run_all("embed_texts", "publish")
    assert (widths(pipeline), pipeline.found) == ([32], [64, 65])


@pytest.mark.parametrize("change", ["model", "template"])
def test_another_model_or_template_of_the_same_width_gets_a_set_of_its_own(
    small: Make, monkeypatch: pytest.MonkeyPatch, change: str
) -> None:
    pipeline = with_films(small, 64, 65)
    pipeline.run_all("embed_texts", "publish")
    if change == "model":
        pipeline.embedder = LocalEmbedder("hashing-v2", 64)
    else:
        for module in (roles, embedding_checks, reconciliation):
            monkeypatch.setattr(module, "TEMPLATE", "film-v2")
    searched = "select set_id from catalog.embedding_sets where is_active"
    pipeline.run("embed_texts", batches=("batch_00", "batch_00"))
    pipeline.run("publish")
    assert (pipeline.column(searched), pipeline.found) == ([1], [64, 65])
    pipeline.run_all("embed_texts", "publish")
    assert (pipeline.column(searched), pipeline.found) == ([2], [64, 65])
    assert pipeline.column("select set_id from pipeline.embeddings order by 1") == [1, 1, 2, 2]


def test_a_new_set_takes_over_at_99_percent(small: Make) -> None:
    pipeline = small()
    put_films(pipeline.database, 1, 200)
    pipeline.run("embed_texts", batches=ALL_BATCHES)
    pipeline.run("publish")
    pipeline.embedder = LocalEmbedder("hashing-v1", 32)
    pipeline.run("embed_texts", batches=ALL_BATCHES)
    new = pipeline.one("select set_id from pipeline.embedding_sets where dimensions = 32")
    pipeline.do(f"delete from pipeline.embeddings where set_id = {new} and tmdb_id <= 3")
    pipeline.run("publish")
    assert widths(pipeline) == [64]
    pipeline.do(
        "insert into pipeline.embeddings (set_id, tmdb_id, text_hash, embedding, embedded_at) "
        "select e.set_id, 1, m.text_hash, e.embedding, now() from pipeline.embeddings e, catalog.movies m "
        f"where e.set_id = {new} and e.tmdb_id = 4 and m.tmdb_id = 1"
    )
    pipeline.run("publish")
    assert widths(pipeline) == [32]


def test_going_back_to_the_old_model_costs_nothing(small: Make) -> None:
    pipeline = with_films(small, 64, 65)
    before = pipeline.embedder
    pipeline.run_all("embed_texts", "publish")
    pipeline.embedder = LocalEmbedder("hashing-v1", 32)
    pipeline.run_all("embed_texts", "publish")
    pipeline.embedder = before
    (result, _) = pipeline.run_all("embed_texts", "publish")
    assert figures(result, CURRENT)["texts_embedded"] == 0
    assert widths(pipeline) == [64]


@pytest.fixture
def second_request_is_refused() -> TmdbEmulator:
    """An emulator that lets a pre-flight and the first request pass and tells the others that the quota is used up."""
    # Python's generator seeded with 0 draws 0.84, 0.76, 0.42; a fault strikes when the draw is below its rate.
    return TmdbEmulator(EmulatorOptions(seed=0, faults={"oa_429quota": 0.75}, rate_limit=0))


def test_an_exhausted_quota_keeps_what_was_embedded_and_names_the_remedy(
    small: Make, second_request_is_refused: TmdbEmulator
) -> None:
    pipeline = small()
    put_films(pipeline.database, 1, 600)
    with second_request_is_refused as service:
        pipeline.embedder = openai(service.openai_url)
        result = pipeline.run("embed_texts", batches=ALL_BATCHES)
        assert not result.success
        assert "quota is used up" in message_of(result)
        assert "raise it and run again: what was embedded is kept" in message_of(result)
        assert pipeline.one("select count(*) from pipeline.embeddings") == TEXTS_PER_REQUEST
        # The third request was on its way beside the second.
        assert service.requests["embeddings"][429] in (1, 2)


def test_the_run_after_an_exhausted_quota_pays_only_for_the_rest(
    small: Make, second_request_is_refused: TmdbEmulator
) -> None:
    pipeline = small()
    put_films(pipeline.database, 1, 600)
    with second_request_is_refused as service:
        pipeline.embedder = openai(service.openai_url)
        pipeline.run("embed_texts", batches=ALL_BATCHES)
        service.faults = {}
        service.reset_counts()
        assert pipeline.run("embed_texts", batches=ALL_BATCHES).success
        assert service.embedded_inputs == 600 - TEXTS_PER_REQUEST + SAMPLE
    assert pipeline.one("select sum(texts) from pipeline.embedding_costs") == 600


def test_batches_before_an_exhausted_quota_are_green(small: Make, second_request_is_refused: TmdbEmulator) -> None:
    pipeline = small()
    put_films(pipeline.database, 1, 600)
    with second_request_is_refused as service:
        pipeline.embedder = openai(service.openai_url)
        pipeline.run("embed_texts", batches=ALL_BATCHES)
    green = pipeline.instance.get_materialized_partitions(EMBEDDINGS)
    assert "batch_00" in green
    assert "batch_63" not in green


def test_a_refused_key_is_asked_once_and_the_variable_is_named(small: Make) -> None:
    pipeline = with_films(small, 64)
    pipeline.embedder = openai(pipeline.serving.openai_url)
    pipeline.serving.faults = {"oa_401": 1.0}
    result = pipeline.run("embed_texts")
    assert "check OPENAI_API_KEY" in message_of(result)
    assert pipeline.serving.requests["embeddings"] == {401: 1}


def test_vectors_of_another_width_stop_the_run_and_name_the_setting(small: Make) -> None:
    pipeline = with_films(small, 64, 65)
    pipeline.embedder = openai(pipeline.serving.openai_url)
    pipeline.serving.faults = {"oa_wrong_width": 1.0}
    result = pipeline.run("embed_texts")
    assert "MOVIE_ASSETS_EMBEDDING_DIMENSIONS" in message_of(result)
    assert pipeline.one("select count(*) from pipeline.embeddings") == 0


@pytest.mark.parametrize(
    ("fault", "reason"),
    [("oa_cursed_nan", "vector_not_finite"), ("oa_cursed_short", "no_vector"), ("oa_cursed_400", "too_long")],
)
def test_a_text_without_a_vector_is_rejected_and_fails_no_batch(small: Make, fault: str, reason: str) -> None:
    pipeline = with_films(small, 64, 65, 66)
    rewrite(pipeline, 65, "an unembeddable film")
    pipeline.embedder = openai(pipeline.serving.openai_url)
    pipeline.serving.faults = {fault: 1.0}
    result = pipeline.run("embed_texts")
    assert result.success
    assert pipeline.column("select tmdb_id from pipeline.embeddings order by 1") == [64, 66]
    with pipeline.database.transaction() as connection:
        (reject,) = connection.exec_driver_sql("select * from pipeline.rejects").all()
    assert (reject.stage, reject.tmdb_id, reject.reason) == ("movie_embeddings", 65, reason)
    assert "an unembeddable film" in reject.sample
    assert reject.run_id == result.run_id
    assert failed_checks(result) == {CURRENT}
    assert figures(result, CURRENT) | {"refused": 1, "films": 0, "texts_rejected": 1} == figures(result, CURRENT)


def test_a_rejected_text_is_left_alone_for_hours_and_then_tried_again(small: Make) -> None:
    pipeline = with_films(small, 64, 65)
    rewrite(pipeline, 65, "an unembeddable film")
    pipeline.embedder = openai(pipeline.serving.openai_url)
    pipeline.serving.faults = {"oa_cursed_nan": 1.0}
    pipeline.run("embed_texts")
    asked = pipeline.serving.embedded_inputs
    pipeline.run("embed_texts")
    assert pipeline.serving.embedded_inputs == asked
    pipeline.serving.faults = {}
    pipeline.turn_day()
    pipeline.run_all("embed_texts")
    assert pipeline.column("select tmdb_id from pipeline.embeddings order by 1") == [64, 65]
    assert pipeline.one("select count(*) from pipeline.refused_texts") == 0


def test_each_refusal_doubles_the_wait_up_to_a_week_and_gives_the_last_reason(small: Make) -> None:
    pipeline = with_films(small, 64)
    pipeline.run_all("embed_texts")
    set_id = pipeline.one("select set_id from pipeline.embedding_sets")
    waits = []
    for attempt in range(1, 13):
        pipeline.database.execute(
            "refuse_texts", set_id=set_id, as_of=datetime(2026, 10, 5, tzinfo=UTC), text_hashes=["hash"],
            reasons=[f"reason {attempt}"],
        )  # fmt: skip
        waits += pipeline.column(
            "select (attempts, extract(epoch from next_attempt_at - '2026-10-05 00:00+00')::int / 3600, reason)::text "
            "from pipeline.refused_texts"
        )
    hours = [2, 4, 8, 16, 32, 64, 128, *[7 * 24] * 5]
    assert waits == [f'({n},{wait},"reason {n}")' for n, wait in enumerate(hours, start=1)]


def test_a_changed_text_is_not_held_back_by_the_one_that_was_refused(small: Make) -> None:
    pipeline = with_films(small, 64, 65)
    rewrite(pipeline, 65, "an unembeddable film")
    pipeline.embedder = openai(pipeline.serving.openai_url)
    pipeline.serving.faults = {"oa_cursed_nan": 1.0}
    pipeline.run("embed_texts")
    rewrite(pipeline, 65, "quite another story")
    (result,) = pipeline.run_all("embed_texts")
    assert figures(result, CURRENT)["texts_embedded"] == 1


def test_a_handful_of_rejects_is_borne(small: Make) -> None:
    ids = [64 * n for n in range(1, 8)]  # seven films of batch 0
    pipeline = with_films(small, *ids)
    for tmdb_id in ids[:5]:
        rewrite(pipeline, tmdb_id, f"the unembeddable film {tmdb_id}")
    pipeline.embedder = openai(pipeline.serving.openai_url)
    pipeline.serving.faults = {"oa_cursed_nan": 1.0}
    assert pipeline.run("embed_texts").success


def test_every_film_of_a_rejected_text_counts_for_its_batch(small: Make) -> None:
    ids = [64 * n for n in range(1, 8)]
    pipeline = with_films(small, *ids)
    for tmdb_id in ids[:6]:
        rewrite(pipeline, tmdb_id, "the unembeddable film")
    pipeline.embedder = openai(pipeline.serving.openai_url)
    pipeline.serving.faults = {"oa_cursed_nan": 1.0}
    assert "batch_00: 6 or more of its 7 texts got no vector" in message_of(pipeline.run("embed_texts"))


def test_more_than_a_handful_of_rejects_fails_their_batch_alone(small: Make) -> None:
    ids = [64 * n for n in range(1, 8)]  # seven films of batch 0
    pipeline = with_films(small, *ids, 65)
    for tmdb_id in ids[:6]:
        rewrite(pipeline, tmdb_id, f"the unembeddable film {tmdb_id}")
    pipeline.embedder = openai(pipeline.serving.openai_url)
    pipeline.serving.faults = {"oa_cursed_nan": 1.0}
    result = pipeline.run("embed_texts")
    assert "batch_00: 6 or more of its 7 texts got no vector" in message_of(result)
    assert pipeline.column("select tmdb_id from pipeline.embeddings order by 1") == [65, ids[6]]
    assert "batch_01" in pipeline.instance.get_materialized_partitions(EMBEDDINGS)


def test_a_text_that_changes_while_it_is_embedded_waits_for_its_next_turn(
    small: Make, monkeypatch: pytest.MonkeyPatch
) -> None:
    pipeline = with_films(small, 64, 65)
    store_chunk = EmbeddingStore.store

    def store_late(store: EmbeddingStore, chunk: ResultChunk, texts: Sequence[Text]) -> list[int]:
        rewrite(pipeline, 64, "quite another story")
        return store_chunk(store, chunk, texts)

    monkeypatch.setattr(EmbeddingStore, "store", store_late)
    assert failed_checks(pipeline.run("embed_texts")) == {CURRENT}
    assert pipeline.column("select tmdb_id from pipeline.embeddings") == [65]


def test_a_change_of_votes_embeds_nothing(small: Make) -> None:
    pipeline = small(film(64), film(65))
    pipeline.run_all()
    pipeline.world.put(film(64, vote_count=900, vote_average=8.1, popularity=9.5))
    pipeline.turn_day()
    pipeline.world.changed[pipeline.day] = [64]
    results = pipeline.run_all()
    assert pipeline.world.asked[64] == 2
    assert figures(results[2], CURRENT)["texts_embedded"] == 0


def test_a_set_that_another_run_makes_at_the_same_time_is_shared(small: Make) -> None:
    pipeline = small()
    with ThreadPoolExecutor(1) as threads, pipeline.database.engine.connect() as other:
        other.exec_driver_sql(
            "insert into pipeline.embedding_sets (provider, model, dimensions, template) "
            "values ('local', 'hashing-v1', 64, 'film-v1')"
        )
        found = threads.submit(embedding_set, pipeline.database, pipeline.embedder)
        waits = "select exists (select from pg_locks where not granted and locktype = 'transactionid')"
        until = time.monotonic() + 30
        while not pipeline.one(waits):
            assert time.monotonic() < until
            time.sleep(0.02)
        other.commit()
    assert pipeline.column("select set_id from pipeline.embedding_sets") == [found.result()]
