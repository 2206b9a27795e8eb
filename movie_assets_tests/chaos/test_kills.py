"""Processes killed with -9 at each stage and at random moments; what they leave behind; three that start at once."""

import json
import random
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from datetime import timedelta
from typing import Any

import psycopg
import pytest

from movie_assets_tests.chaos.conftest import BY_NAME, FILMS, JOBS, STAGES, Chaos, Stage
from movie_assets_tests.conftest import address_of

KILLS = (
    (Stage("before the first write", "read_the_day", "stage_lines"), "before"),
    (Stage("between fetch and embed", "embed_texts", "texts_to_embed"), "before"),
    *((stage, "after") for stage in STAGES),
)
RANDOM_KILLS = 20
LONGEST_ORPHAN = 3.0  # seconds; the server looks every second whether a client is still there


@contextmanager
def worker(chaos: Chaos, *jobs: str, **order: Any) -> Iterator[subprocess.Popen[str]]:
    """A process that is ready to run jobs, and killed in the end if it still runs."""
    pipeline = chaos.pipeline
    whole = {
        "address": chaos.database.url.render_as_string(hide_password=False),
        "tmdb_url": pipeline.serving.tmdb_url,
        "export_url": pipeline.serving.export_url,
        "openai_url": pipeline.serving.openai_url,
        "day": pipeline.day.isoformat(),
        "jobs": jobs,
        **order,
    }
    with subprocess.Popen(
        [sys.executable, "-m", "movie_assets_tests.chaos.worker", json.dumps(whole)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    ) as process:  # fmt: skip
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == "ready\n", process.communicate()[1]
            yield process
        finally:
            process.kill()


def go(process: subprocess.Popen[str]) -> None:
    assert process.stdin is not None
    process.stdin.write("go\n")
    process.stdin.flush()


def seconds_until_nobody_is_left(chaos: Chaos) -> float:
    """How long the server keeps what a killed client left: connections with their locks and transactions."""
    chaos.database.close()
    began = time.monotonic()
    left = f"select count(*) from pg_stat_activity where datname = '{chaos.database.url.database}'"
    with psycopg.connect(address_of(chaos.server, "postgres"), autocommit=True) as administrator:
        while administrator.execute(left.encode()).fetchone() != (0,):
            assert time.monotonic() - began < 30
            time.sleep(0.02)
    return time.monotonic() - began


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
        assert process.wait(60) == -9, process.communicate()[1]
    chaos.struck_at = time.monotonic()
    assert seconds_until_nobody_is_left(chaos) < LONGEST_ORPHAN
    chaos.pipeline.run_all(stage.job)
    seconds = chaos.seconds()
    chaos.run_after(stage)
    assert chaos.verdict("F38 SIGKILL", stage.name, seconds).is_true
    # Before the kill one chunk of 100 was committed; of the answers in hand, the rest.
    assert chaos.pipeline.world.asked.total() <= len(FILMS) + (100 if stage.name == "details" else 0)
    assert chaos.pipeline.serving.embedded_inputs <= len(FILMS) * (2 if stage.name == "embeddings" else 1)


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
    assert chaos.pipeline.world.asked.total() <= len(FILMS) * (1 + kills)
    assert chaos.pipeline.serving.embedded_inputs <= len(FILMS) * (1 + kills)


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
        codes = [process.wait(60) for process in (one, two, three)]
    seconds = chaos.seconds()
    assert codes.count(0) <= 1
    chaos.run_after(stage)
    assert chaos.verdict("F40 three runs at once", name, seconds).is_true
    assert chaos.pipeline.world.asked.total() == len(FILMS)
    assert chaos.pipeline.serving.embedded_inputs <= len(FILMS)


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


def wait_for(chaos: Chaos, condition: str) -> None:
    """Return when a session on the pipeline's database is in some state."""
    found = f"select exists (select from pg_stat_activity where datname = '{chaos.database.url.database}' and "
    deadline = time.monotonic() + 60
    with psycopg.connect(address_of(chaos.server, "postgres"), autocommit=True) as administrator:
        while administrator.execute(f"{found} {condition})".encode()).fetchone() != (True,):
            assert time.monotonic() < deadline
            time.sleep(0.02)


# Clocks


@pytest.mark.chaos
@pytest.mark.parametrize("zone", ["America/St_Johns", "Pacific/Kiritimati"])
def test_a_host_whose_clock_shows_another_zone(chaos: Chaos, zone: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", zone)
    chaos.struck_at = time.monotonic()
    with worker(chaos, *JOBS) as process:
        go(process)
        assert process.wait(120) == 0, process.communicate()[1]
    assert chaos.verdict(f"F43 host in {zone}", "all", chaos.seconds()).is_true


@pytest.mark.chaos
def test_a_clock_that_is_set_back(chaos: Chaos) -> None:
    chaos.pipeline.run_all()
    chaos.pipeline.turn_day(-1)
    chaos.struck_at = time.monotonic()
    chaos.pipeline.run_all()
    assert chaos.verdict("F43 clock back by a day", "all", chaos.seconds()).is_true
    assert chaos.pipeline.world.asked.total() == len(FILMS)


@pytest.mark.chaos
def test_midnight_in_the_middle_of_a_run(chaos: Chaos) -> None:
    def midnight() -> None:
        chaos.pipeline.serving.today += timedelta(days=1)

    chaos.strike(BY_NAME["export"], midnight)
    chaos.pipeline.run_all()
    days = chaos.pipeline.column("select export_date from pipeline.exports")
    assert days == [chaos.pipeline.day]
    assert chaos.verdict("F43 midnight", "export", chaos.seconds()).is_true
