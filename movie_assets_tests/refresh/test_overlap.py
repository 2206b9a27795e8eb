"""A refresh that has much to fetch embeds meanwhile: what is paid for, what its end leaves behind, what it tells."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from movie_assets.config.embedding_limits import TEXTS_PER_REQUEST
from movie_assets.database.embedded import embedded_postgres
from movie_assets.embeddings.preflight import SAMPLE
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.refresh import overlap
from movie_assets.refresh.outcome import DayOutcome
from movie_assets_tests.refresh.test_kill import Refresh, read, refreshing, run_states, server_runs
from movie_assets_tests.support.world import Films, film

FILMS = 1_500
FREELY = 400  # films that are answered at once; a request's worth of texts is worth a run
RUNS = "select pipeline_name, status, start_time, end_time from runs order by id"


@contextmanager
def overlapping(home: Path, seconds: float = 0.0, **faults: float) -> Iterator[tuple[Refresh, TmdbEmulator]]:
    """A first refresh against an emulator that answers slowly at the end, until texts are embedded."""
    films = Films()
    films.put(*(film(n) for n in range(1, FILMS + 1)))
    options = EmulatorOptions(rate_limit=0, embedding_seconds=seconds, faults=faults)
    with TmdbEmulator(options, world=films) as tmdb_emulator:

        def wait_for_embedding() -> None:
            if films.asked.total() > FREELY and not tmdb_emulator.requests.get("embeddings"):
                time.sleep(0.1)

        films.before_answer = wait_for_embedding
        openai = {"OPENAI_API_KEY": "a-key", "OPENAI_BASE_URL": tmdb_emulator.openai_url}
        with refreshing(home, tmdb_emulator, 0, **openai) as refresh:
            yield refresh, tmdb_emulator


def wait_until(it_is_so: Callable[[], Any], seconds: float) -> None:
    deadline = time.monotonic() + seconds
    while not it_is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def embeds(refresh: Refresh, tmdb_emulator: TmdbEmulator) -> bool:
    """Whether the second process has begun; the refresh itself must not have ended."""
    assert refresh.process.poll() is None, refresh.output.read_text()
    return bool(tmdb_emulator.requests.get("embeddings"))


def second_process(refresh: Refresh) -> int:
    children = Path(f"/proc/{refresh.process.pid}/task/{refresh.process.pid}/children").read_text().split()
    (second,) = [child for child in map(int, children) if "movie_assets.refresh.overlap" in _command(child)]
    return second


def test_texts_are_embedded_while_others_are_fetched_and_paid_for_once(tmp_path: Path) -> None:
    with overlapping(tmp_path / "home") as (refresh, tmdb_emulator):
        assert refresh.wait() == 0, refresh.output.read_text()
        embedded = tmdb_emulator.embedded_inputs
    report = json.loads(refresh.output.read_text().splitlines()[-1])
    assert report["figures"]["movie_embeddings:every_text_is_embedded_as_it_stands"]["texts_embedded"] == FILMS
    assert report["failed_checks"] == []
    runs = read(tmp_path / "home", "movie_assets_dagster", runs=RUNS)["runs"]
    assert {state for _, state, _, _ in runs} == {"SUCCESS"}
    (fetched,) = [end for job, _, _, end in runs if job == "fetch_details"]
    embedding = [start for job, _, start, _ in runs if job == "embed_texts"]
    assert len(embedding) >= 2
    assert embedding[0] < fetched < embedding[-1]
    assert embedded - FILMS in [SAMPLE * runs for runs in range(1, len(embedding) + 1)]  # pre-flights of longer runs


def test_ctrl_c_ends_both_processes_and_keeps_what_is_done(tmp_path: Path) -> None:
    with overlapping(tmp_path / "home", seconds=10) as (refresh, tmdb_emulator):
        wait_until(lambda: embeds(refresh, tmdb_emulator), 200)
        refresh.process.send_signal(signal.SIGINT)
        assert refresh.wait(60) == 130
    assert "Traceback" not in refresh.output.read_text()
    assert not server_runs(tmp_path / "home")
    assert not {"STARTING", "STARTED", "CANCELING"} & set(run_states(tmp_path / "home"))
    stored = read(tmp_path / "home", "movie_assets", films="select count(*) from catalog.movies")["films"]
    assert stored[0][0] >= TEXTS_PER_REQUEST


def test_a_killed_refresh_leaves_no_second_process(tmp_path: Path) -> None:
    with overlapping(tmp_path / "home", seconds=20) as (refresh, tmdb_emulator):
        wait_until(lambda: embeds(refresh, tmdb_emulator), 200)
        second = second_process(refresh)
        refresh.process.kill()
        wait_until(lambda: not _command(second), 60)
    with embedded_postgres(tmp_path / "home"):  # the last to leave stops the server
        pass
    assert not server_runs(tmp_path / "home")


def test_the_day_goes_on_without_a_second_process_that_was_killed(tmp_path: Path) -> None:
    with overlapping(tmp_path / "home", seconds=2) as (refresh, tmdb_emulator):
        wait_until(lambda: embeds(refresh, tmdb_emulator), 200)
        os.kill(second_process(refresh), signal.SIGKILL)
        assert refresh.wait() == 0, refresh.output.read_text()
    report = json.loads(refresh.output.read_text().splitlines()[-1])
    assert report["failed_jobs"] == []
    assert report["problems"] == ["embed_texts, meanwhile: the process ended with -9, figures lack its last run"]
    vectors = read(tmp_path / "home", "movie_assets", vectors="select count(*) from catalog.movie_vectors")["vectors"]
    assert vectors == [(FILMS,)]


def test_the_report_of_a_second_process_is_taken_over() -> None:
    outcome = DayOutcome(None)  # type: ignore[arg-type]
    outcome.keep("check", {"texts_embedded": 1})
    first = {"problems": [], "figures": {"check": {"texts_embedded": 3, "films": 5}}}
    second = {"problems": ["movie_embeddings: no quota"], "figures": {"check": {"texts_embedded": 4, "films": 0}}}
    overlap._add_outcomes(outcome, StringIO(f'{json.dumps(first)}\n{json.dumps(second)}\n{{"problems": ["cut'))
    assert outcome.figures == {"check": {"texts_embedded": 8, "films": 0}}
    assert outcome.problems == ["embed_texts, meanwhile: movie_embeddings: no quota"]
    assert outcome.failed_jobs == []


DROPS_THE_SIGNAL = """
import threading, time
from dagster._utils.interrupts import capture_interrupts
from movie_assets.refresh import overlap
from movie_assets.config.embedding_limits import TEXTS_PER_REQUEST
overlap.SECONDS_TO_STOP = 1
enough = threading.Event()
with capture_interrupts():  # as between the steps of a run
    threading.Thread(target=overlap._listen, args=(enough,), daemon=True).start()
    print("no further run" if enough.wait(30) else "goes on", flush=True)
    time.sleep(60)
"""


def test_a_second_process_ends_with_the_refresh_though_dagster_drops_its_signal() -> None:
    ran = python("-c", DROPS_THE_SIGNAL)
    assert (ran.returncode, ran.stdout) == (130, "no further run\n"), ran.stderr


def test_a_second_process_that_is_stopped_at_its_start_prints_no_traceback(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "dagster.yaml").touch()  # or Dagster says that there is none, if it comes so far
    with (tmp_path / "told").open("w") as report, socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("MOVIE_ASSETS_DATABASE_URL", f"postgresql://u:p@127.0.0.1:{silent.getsockname()[1]}/films")
        monkeypatch.setenv("DAGSTER_HOME", str(tmp_path))
        ran = python("-m", "movie_assets.refresh.overlap", "{}", str(report.fileno()), pass_fds=[report.fileno()])
    assert (ran.returncode, ran.stdout, ran.stderr) == (130, "", "")


def python(*arguments: str, pass_fds: Sequence[int] = ()) -> "subprocess.CompletedProcess[str]":
    """Run Python with an input that is at its end, as of a refresh that was killed."""
    return subprocess.run(
        [sys.executable, *arguments],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=90, check=False, pass_fds=pass_fds,
    )  # fmt: skip


def test_a_failure_is_told_and_not_repeated_while_others_are_fetched(tmp_path: Path) -> None:
    with overlapping(tmp_path / "home", oa_429quota=1.0) as (refresh, _):
        assert refresh.wait() == 1
    report = json.loads(refresh.output.read_text().splitlines()[-1])
    assert report["failed_jobs"] == ["embed_texts"]
    assert [problem.split(":")[0] for problem in report["problems"]] == ["embed_texts, meanwhile", "movie_embeddings"]
    runs = read(tmp_path / "home", "movie_assets_dagster", runs=RUNS)["runs"]
    assert [state for job, state, _, _ in runs if job == "embed_texts"] == ["FAILURE", "FAILURE"]


@pytest.mark.parametrize("key", ["texts_embedded", "tokens", "dollars"])
def test_what_several_runs_embedded_is_added_up_and_what_the_set_is_like_is_the_last_ones(key: str) -> None:
    outcome = DayOutcome(None)  # type: ignore[arg-type]
    outcome.keep("check", {key: 3, "films": 5})
    outcome.keep("check", {key: 4, "films": 0})
    assert outcome.figures["check"] == {key: 7, "films": 0}


def _command(process: int) -> str:
    """The command line of a process; empty when it has ended, also while nobody has asked how."""
    try:
        return Path(f"/proc/{process}/cmdline").read_text()
    except (FileNotFoundError, ProcessLookupError):
        return ""
