"""Processes killed with -9 at each stage and at random moments; what they leave behind; three that start at once."""

import random
import signal
import time
from collections import Counter
from dataclasses import replace

import pytest

from movie_assets_tests.chaos.conftest import (
    ALL_STAGES,
    BY_NAME,
    JOBS,
    MAX_FILMS_IN_HAND,
    MAX_TEXTS_IN_HAND,
    Chaos,
    Stage,
    at,
    calm_pipelines,
    truth_of,
)
from movie_assets_tests.chaos.processes import LONGEST_ORPHAN, seconds_until_nobody_is_left, wait_for, worker
from movie_assets_tests.chaos.truth import compared, state_of
from movie_assets_tests.chaos.worlds import FILMS, a_new_day
from movie_assets_tests.conftest import database_of_ones_own

BEFORE_THE_FIRST_WRITE = Stage("before the first write", "read_the_day", "stage_lines")
BETWEEN_FETCH_AND_EMBED = Stage("between fetch and embed", "embed_texts", "texts_to_embed")
KILLS = (
    (BEFORE_THE_FIRST_WRITE, "before"),
    (BETWEEN_FETCH_AND_EMBED, "before"),
    *((stage, "after") for stage in ALL_STAGES),
)
# How many statements after the stage's own, at most: those that come before what the stage is named after have none.
KILLED_OFTEN = (
    (BEFORE_THE_FIRST_WRITE, 0),
    (replace(BY_NAME["details"], nth=1), 8),
    (replace(BY_NAME["series details"], nth=1), 4),
    (BETWEEN_FETCH_AND_EMBED, 0),
    (replace(BY_NAME["embeddings"], nth=1), 8),
    (BY_NAME["index build"], 8),
    (BY_NAME["aggregates"], 8),
)
ASKED_TO_STOP = [stage for stage in ALL_STAGES if stage.name not in ("ids", "lists", "index build", "documents")]
MANY = 20
MAX_MISSES = 3  # rounds without a kill, as a draw can lie behind the job's last statement
# Steps that planned work and were killed before its end count as killed at work; figures are committed with each chunk.
KILLED_AT_WORK = """
    select step, count(*) filter (where status = 'killed' and checked > skipped), sum(fetched), sum(embedded)
    from pipeline.run_log group by step
"""


def the_next_run_goes_on(chaos: Chaos, stage: Stage, fault: str) -> None:
    """From what was committed; nothing is left of the process that ended."""
    chaos.struck_at = time.monotonic()
    assert seconds_until_nobody_is_left(chaos) < LONGEST_ORPHAN
    chaos.pipeline.run_all(stage.job)
    seconds = chaos.seconds()
    chaos.run_after(stage)
    assert chaos.compare(fault, stage.name, seconds).is_true
    assert chaos.is_frugal(stage.job)


@pytest.mark.parametrize(
    ("stage", "when"),
    [
        pytest.param(*kill, id=kill[0].name, marks=() if kill[0].name == "embeddings" else pytest.mark.chaos)
        for kill in KILLS
    ],
)
def test_a_kill(chaos: Chaos, stage: Stage, when: str) -> None:
    chaos.run_before(stage)
    with worker(chaos, stage.job, kill=stage, when=when) as process:
        process.go()
        assert process.wait() == -9, chaos.log.read_text()
    the_next_run_goes_on(chaos, stage, "F38 SIGKILL")


@pytest.mark.parametrize("stage", at(ASKED_TO_STOP, "details"))
def test_a_process_that_is_asked_to_stop(chaos: Chaos, stage: Stage) -> None:
    """By SIGTERM, in the middle of a transaction: it ends within ten seconds, and goes on from what was committed."""
    chaos.run_before(stage)
    with worker(chaos, stage.job, kill=stage, by=signal.SIGTERM) as process:
        process.go()
        began = time.monotonic()
        code = process.wait()
    assert code > 0, chaos.log.read_text()
    assert time.monotonic() - began < 10
    the_next_run_goes_on(chaos, stage, "F39 SIGTERM")


@pytest.mark.chaos
def test_many_kills_at_random_moments(chaos: Chaos, server: str, template: str) -> None:
    """On each day a process is killed in each job, at a moment drawn from the job's beginning; the next goes on.

    Each day brings all details and all texts anew, so that kills in these jobs land in paid work.
    """
    dice = random.Random(20261125)  # noqa: S311  # repeatable
    chaos.pipeline.world.before_answer = lambda: time.sleep(0.01)
    service = chaos.pipeline.serving.service
    service.options = replace(service.options, embedding_seconds=1.0)
    for day in range(MANY // len(JOBS)):
        if day:
            a_new_day(chaos.pipeline)
        for job in JOBS:
            with worker(chaos, *JOBS) as process:
                process.go()
                process.wait_until_begun(job)
                time.sleep(dice.uniform(0, 0.8))
                process.kill()
                assert process.wait() == -9
    landed, seconds = kills_left_the_truth(chaos, server, template, days=day + 1)
    stages = f"{landed['movie_details']} in details, {landed['movie_embeddings']} in embeddings"
    # A day has the numbers of its new films once it is read again, which a kill decides.
    fault = f"F38 SIGKILL at random, {MANY} times"
    assert chaos.compare(fault, stages, seconds, but=["stats by day"]).is_true
    assert min(landed["movie_details"], landed["movie_embeddings"]) >= 3


def kills_left_the_truth(chaos: Chaos, server: str, template: str, days: int) -> tuple[Counter[str], float]:
    """End the work undisturbed, and let another pipeline live through the same days; tells the kills within work,
    and the seconds that the end took.

    What was committed is never asked for again, so what was asked for beyond it was in hand when a process was killed.
    """
    chaos.struck_at = time.monotonic()
    seconds_until_nobody_is_left(chaos)
    chaos.pipeline.run_all()
    seconds = chaos.seconds()
    with database_of_ones_own(server, template) as database, calm_pipelines(database) as undisturbed:
        undisturbed.run_all()
        for _ in range(days - 1):
            a_new_day(undisturbed)
            undisturbed.run_all()
        chaos.truth = truth_of(undisturbed)
    landed, committed = Counter[str](), Counter[str]()
    with chaos.database.transaction() as connection:
        for step, kills, fetched, embedded in connection.exec_driver_sql(KILLED_AT_WORK):
            landed[step] = kills
            committed[step] = fetched + embedded
    assert committed["movie_details"] == chaos.truth.details
    assert committed["movie_embeddings"] == chaos.truth.texts
    assert chaos.asked <= chaos.truth.details + landed["movie_details"] * MAX_FILMS_IN_HAND
    assert chaos.embedded <= chaos.truth.texts + landed["movie_embeddings"] * MAX_TEXTS_IN_HAND
    return landed, seconds


@pytest.mark.chaos
@pytest.mark.parametrize(("stage", "most"), [pytest.param(*often, id=often[0].name) for often in KILLED_OFTEN])
def test_many_kills_at_a_stage(chaos: Chaos, stage: Stage, most: int) -> None:
    """At statements that are drawn, from the stage's on, of processes that follow one another on the same work.

    Where the job ends before the statement, or the last kill was, the end is held against the truth; for the next
    kill the stage's work is all to do again.
    """
    dice = random.Random(stage.name)  # noqa: S311  # repeatable
    kills = rounds = 0
    longest = 0.0
    while kills < MANY:
        chaos.run_before(stage)
        while kills < MANY:
            when = dice.choice(["before", "after"]) if most else "before"
            if not is_killed(chaos, replace(stage, later=dice.randint(0, most)), when):
                break
            kills += 1
        rounds += 1
        assert rounds <= kills + MAX_MISSES, f"{kills} kills in {rounds} rounds: the job does not come to the statement"
        chaos.struck_at = time.monotonic()
        seconds_until_nobody_is_left(chaos)
        chaos.pipeline.run_all(stage.job)
        longest = max(longest, chaos.seconds())
        chaos.run_after(stage)
        left = compared(state_of(chaos.database), chaos.truth.state)
        assert left.is_true, left
    chaos.truth = replace(chaos.truth, details=rounds * chaos.truth.details, texts=rounds * chaos.truth.texts)
    fault = f"F38 SIGKILL, {kills} times, the end reached {'once' if rounds == 1 else f'{rounds} times'}"
    assert chaos.compare(fault, stage.name, longest).is_true
    assert chaos.is_frugal(stage.job, kills)


def is_killed(chaos: Chaos, stage: Stage, when: str) -> bool:
    """Run a stage's job in a process that is to be killed; False when it ended well before it came to that."""
    with worker(chaos, stage.job, kill=stage, when=when) as process:
        process.go()
        code = process.wait()
    assert code in (0, -9), chaos.log.read_text()
    return code == -9


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
            process.go()
        codes = [process.wait() for process in (one, two, three)]
    seconds = chaos.seconds()
    assert set(codes) <= {0, 1}, chaos.log.read_text()
    assert codes.count(0) <= 1
    assert chaos.log.read_text().count("another run is working on this batch") >= codes.count(1)
    chaos.run_after(stage)
    assert chaos.compare("F40 three runs at once", name, seconds).is_true
    assert chaos.asked == len(FILMS)
    assert chaos.embedded == chaos.truth.texts


@pytest.mark.chaos
def test_sessions_of_a_killed_client_end_by_themselves(chaos: Chaos) -> None:
    stage = BY_NAME["details"]
    chaos.run_before(stage)
    with worker(chaos, stage.job, hang=stage) as process:
        process.go()
        wait_for(chaos, "query = 'select pg_sleep(60)'")
        process.kill()
        process.wait()
    chaos.struck_at = time.monotonic()
    assert seconds_until_nobody_is_left(chaos) < LONGEST_ORPHAN
    seconds = chaos.seconds()
    chaos.pipeline.run_all(stage.job)
    chaos.run_after(stage)
    assert chaos.compare("F41 orphan on the server", stage.name, seconds).is_true
