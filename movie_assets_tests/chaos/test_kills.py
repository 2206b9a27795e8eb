"""Processes killed with -9 at each stage and at random moments; what they leave behind; three that start at once."""

import random
import time
from dataclasses import asdict, replace

import pytest

from movie_assets_tests.chaos.conftest import BY_NAME, FILMS, JOBS, STAGES, Chaos, Stage
from movie_assets_tests.chaos.processes import LONGEST_ORPHAN, go, seconds_until_nobody_is_left, wait_for, worker

KILLS = (
    (Stage("before the first write", "read_the_day", "stage_lines"), "before"),
    (Stage("between fetch and embed", "embed_texts", "texts_to_embed"), "before"),
    *((stage, "after") for stage in STAGES),
)
RANDOM_KILLS = 20


@pytest.mark.parametrize(
    ("stage", "when"),
    [
        pytest.param(*kill, id=kill[0].name, marks=() if kill[0].name == "embeddings" else pytest.mark.chaos)
        for kill in KILLS
    ],
)
def test_a_kill(chaos: Chaos, stage: Stage, when: str) -> None:
    chaos.run_before(stage)
    with worker(chaos, stage.job, kill=asdict(stage), when=when) as process:
        go(process)
        assert process.wait(300) == -9, chaos.log.read_text()
    chaos.struck_at = time.monotonic()
    assert seconds_until_nobody_is_left(chaos) < LONGEST_ORPHAN
    chaos.pipeline.run_all(stage.job)
    seconds = chaos.seconds()
    chaos.run_after(stage)
    assert chaos.verdict("F38 SIGKILL", stage.name, seconds).is_true
    # Before the kill one chunk of 100 was committed; of the answers in hand, the rest.
    assert chaos.asked <= len(FILMS) + (100 if stage.name == "details" else 0)
    assert chaos.embedded <= chaos.truth.texts * (2 if stage.name == "embeddings" else 1)


@pytest.mark.chaos
def test_many_kills_at_random_moments(chaos: Chaos) -> None:
    """Each process works on the whole day and is killed somewhere in it; the next begins at once."""
    dice = random.Random(20261125)  # noqa: S311  # repeatable
    began = time.monotonic()
    kills = 0
    while kills < RANDOM_KILLS:
        with worker(chaos, *JOBS) as process:
            go(process)
            time.sleep(dice.uniform(0.05, 4.0))
            kills += process.poll() is None
            process.kill()
        if time.monotonic() - began > 300:  # a machine under load
            break
    chaos.struck_at = time.monotonic()
    seconds_until_nobody_is_left(chaos)
    chaos.pipeline.run_all()
    assert chaos.verdict(f"F38 SIGKILL at random, {kills} times", "all", chaos.seconds()).is_true
    assert chaos.asked <= len(FILMS) * (1 + kills)
    assert chaos.embedded <= len(FILMS) * (1 + kills)


@pytest.mark.chaos
@pytest.mark.parametrize("name", ["details", "embeddings"])
def test_the_same_batches_three_times_at_once(chaos: Chaos, name: str) -> None:
    """Whoever comes second steps aside, batch by batch: no film is asked for twice, no text paid for twice."""
    stage = BY_NAME[name]
    chaos.run_before(stage)
    chaos.pipeline.world.before_answer = lambda: time.sleep(0.01)
    service = chaos.pipeline.serving.service
    service.options = replace(service.options, embedding_seconds=1.5)
    with worker(chaos, stage.job) as one, worker(chaos, stage.job) as two, worker(chaos, stage.job) as three:
        chaos.struck_at = time.monotonic()
        for process in (one, two, three):
            go(process)
        codes = [process.wait(300) for process in (one, two, three)]
    seconds = chaos.seconds()
    assert codes.count(0) <= 1
    chaos.run_after(stage)
    assert chaos.verdict("F40 three runs at once", name, seconds).is_true
    assert chaos.asked == len(FILMS)
    assert chaos.embedded == chaos.truth.texts


@pytest.mark.chaos
def test_what_a_killed_client_left_on_the_server_ends_by_itself(chaos: Chaos) -> None:
    stage = BY_NAME["details"]
    chaos.run_before(stage)
    with worker(chaos, stage.job, hang=asdict(stage)) as process:
        go(process)
        wait_for(chaos, "query = 'select pg_sleep(60)'")
        process.kill()
        process.wait()
    chaos.struck_at = time.monotonic()
    assert seconds_until_nobody_is_left(chaos) < LONGEST_ORPHAN
    seconds = chaos.seconds()
    chaos.pipeline.run_all(stage.job)
    chaos.run_after(stage)
    assert chaos.verdict("F41 orphan on the server", stage.name, seconds).is_true
