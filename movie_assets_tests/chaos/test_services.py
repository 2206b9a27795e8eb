"""Every fault of TMDB and of the embeddings service, as the emulator makes them, through the whole pipeline.

What one call must do about each of them is in `test_source_faults` and `test_openai_embedder`; here only the end
counts: a bad day, then a good one, and the catalogue is the truth.
"""

import time
from dataclasses import replace
from datetime import timedelta

import pytest

from movie_assets.embeddings import request_queue, request_stream
from movie_assets.emulator.faults import FAULTS
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.tmdb import call as tmdb_call
from movie_assets.tmdb import export as tmdb_export
from movie_assets.tmdb.client import FAILURES_IN_A_ROW
from movie_assets_tests.chaos.conftest import BY_NAME, CONNECTIONS, Chaos, Stage, at
from movie_assets_tests.chaos.truth import OF_BAD_DAYS
from movie_assets_tests.tmdb.tmdb_calls import shorten_waits

SHARE = 0.3  # of the calls
MAX_ASKED = 1.1 / (1 - SHARE)  # a film is asked for until it is answered
MAX_PAID = 2.5  # what is no good is asked for again, then in halves, until too much was: then the day is over
NOT_HERE = {
    "404": "an answer like any other: the film is gone",
    "odd": "odd values are what TMDB says: a row for each among the bad inputs",
    "wrong_id": "the same",
    "oa_scaled": "brought to length one, which moves the last bits; test_openai_embedder holds it to 1e-6",
}
OF_TMDB = [name for name, fault in FAULTS.items() if fault.where in ("tmdb", "details") and name not in NOT_HERE]
OF_THE_EXPORT = [name for name, fault in FAULTS.items() if fault.where.startswith("export")]
# Those of single texts ("cursed") and of the Batch API have tests of their own in assets/.
OF_EMBEDDINGS = [
    name
    for name, fault in FAULTS.items()
    if fault.where in ("embeddings", "vectors") and "cursed" not in name and name not in NOT_HERE
]


@pytest.fixture(autouse=True)
def quick(chaos: Chaos, monkeypatch: pytest.MonkeyPatch) -> None:
    service = chaos.pipeline.serving.service
    service.options = replace(service.options, retry_after=0)
    shorten_waits(monkeypatch)
    monkeypatch.setattr(tmdb_call, "SECONDS_PER_CALL", 1.0)
    monkeypatch.setattr(tmdb_export, "SECONDS_PER_EXPORT", 1.0)
    monkeypatch.setattr(request_queue, "backoff", lambda attempt, _dice, asked=None: max(0.002 * attempt, asked or 0))


def a_good_day_follows(chaos: Chaos, fault: str, stage: str) -> None:
    """The seconds are those of the good day: waits of the bad one are shortened."""
    chaos.pipeline.serving.faults = {}
    chaos.pipeline.turn_day()
    chaos.struck_at = time.monotonic()
    chaos.pipeline.run_all()
    assert chaos.compare(fault, stage, chaos.seconds(), but=OF_BAD_DAYS).is_true
    assert chaos.asked <= MAX_ASKED * chaos.truth.details
    assert chaos.embedded <= MAX_PAID * chaos.truth.texts


@pytest.mark.chaos
@pytest.mark.parametrize("fault", OF_TMDB)
def test_tmdb_for_a_day(chaos: Chaos, fault: str) -> None:
    """All calls for lists; then, when the day has been read, a share of those for details."""
    struck = chaos.pipeline.serving.service.struck
    chaos.pipeline.serving.faults = {fault: 1.0}
    chaos.pipeline.run("read_the_day")
    of_lists = struck[fault]
    assert of_lists
    chaos.pipeline.serving.faults = {}
    chaos.pipeline.run_all("read_the_day")
    chaos.pipeline.serving.faults = {fault: SHARE}
    for job in ("fetch_details", "embed_texts", "publish"):
        chaos.pipeline.run(job)
    assert struck[fault] > of_lists
    a_good_day_follows(chaos, fault, "lists and details")


@pytest.mark.chaos
@pytest.mark.parametrize("fault", ["503", "html200", "reset_head"])
def test_an_outage_in_the_middle(chaos: Chaos, fault: str) -> None:
    """From the second chunk on TMDB answers nothing else; the run ends, with few calls for what is left."""
    stage = BY_NAME["details"]
    chaos.run_before(stage)
    chaos.strike(stage, lambda: chaos.pipeline.serving.service.set_faults({fault: 1.0}))
    result = chaos.pipeline.run(stage.job)
    assert not result.success
    assert chaos.pipeline.serving.service.struck[fault] <= FAILURES_IN_A_ROW + 2 * CONNECTIONS
    a_good_day_follows(chaos, f"{fault} from the middle on", stage.name)


@pytest.mark.parametrize("stage", at([BY_NAME["details"], BY_NAME["embeddings"]]))
def test_a_service_that_is_stopped_in_the_middle(chaos: Chaos, stage: Stage) -> None:
    """Nobody listens any more, until the next day."""
    chaos.run_before(stage)
    stopped = chaos.pipeline.serving
    chaos.strike(stage, stopped.stop)
    assert not chaos.pipeline.run(stage.job).success
    options = replace(stopped.options, port=stopped.port)
    with TmdbEmulator(options, world=stopped.world) as again:
        chaos.pipeline.tmdb_emulator = again
        chaos.embedded_before += stopped.embedded_inputs
        a_good_day_follows(chaos, "nobody listens, from the middle on", stage.name)


@pytest.mark.chaos
def test_an_export_that_is_not_out_yet(chaos: Chaos) -> None:
    chaos.pipeline.run_all()
    chaos.pipeline.turn_day()
    chaos.pipeline.serving.today -= timedelta(days=1)
    chaos.pipeline.run_all()
    assert chaos.pipeline.column("select export_date from pipeline.exports") == [chaos.pipeline.serving.today]
    a_good_day_follows(chaos, "not out yet", "export")


@pytest.mark.chaos
@pytest.mark.parametrize("fault", OF_THE_EXPORT)
def test_the_export_of_a_day(chaos: Chaos, fault: str) -> None:
    chaos.pipeline.run_all()
    chaos.pipeline.turn_day()
    chaos.pipeline.serving.faults = {fault: 1.0}
    for job in ("read_the_day", "fetch_details", "embed_texts", "publish"):
        chaos.pipeline.run(job)
    assert chaos.pipeline.serving.service.struck[fault]
    a_good_day_follows(chaos, fault, "export")


@pytest.mark.chaos
@pytest.mark.parametrize("fault", OF_EMBEDDINGS)
def test_embeddings_for_a_day(chaos: Chaos, fault: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(request_stream, "MAX_SECONDS_PER_CALL", 2.0)
    chaos.run_before(BY_NAME["embeddings"])
    chaos.pipeline.serving.faults = {fault: 1.0}
    for job in ("embed_texts", "publish"):
        chaos.pipeline.run(job)
    assert chaos.pipeline.serving.service.struck[fault]
    a_good_day_follows(chaos, fault, "embeddings")
