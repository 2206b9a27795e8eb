"""Embedding while details are still being fetched, by a second process of a refresh that has much to fetch.

A process and not a thread, as a run of Dagster's takes a process's signals and what it prints. Its standard input is
how it hears of the refresh: a line says that all is fetched, so that no further run begins; the end of the input says
that the refresh was stopped or killed, so that this process ends as by Ctrl-C. What each of its runs did it tells at
once, one line of JSON in a file that the refresh left open for it, so that nothing is lost with it; its standard output
is the refresh's standard error, as a run prints there. `python -m movie_assets.refresh.overlap TAGS FILE_DESCRIPTOR`.
"""

import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import IO

import dagster as dg

from movie_assets.catalog.eligibility import derivation_name
from movie_assets.config.embedding_limits import TEXTS_PER_REQUEST
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, open_database
from movie_assets.embeddings.embedder import Embedder, embedder_from
from movie_assets.embeddings.movie_embeddings import embedding_set
from movie_assets.embeddings.tokens import MAX_TOKENS_OF_A_TEXT
from movie_assets.orchestration.sensors import WORTH_A_RUN, DueWork
from movie_assets.refresh.in_process import run_job
from movie_assets.refresh.outcome import DayOutcome
from movie_assets.runs.run_time import run_time_in

EMBEDDED = "movie_embeddings:every_text_is_embedded_as_it_stands"
SECONDS_BETWEEN_POLLS = 1.0
SECONDS_BETWEEN_STARTS = 10.0  # a run costs two seconds of CPU, however few its texts
SECONDS_TO_STOP = 30
STANDARD_ERROR = 2
MEANWHILE = "embed_texts, meanwhile"


@contextmanager
def embedding_meanwhile(outcome: DayOutcome, tags: dict[str, str], say: Callable[[str], None]) -> Iterator[None]:
    """Embed in another process while the block fetches; then wait for the run it is in, and take over what it did.

    A failure of it is a problem of the outcome and no failed job, as the embed_texts that follows does what was left.
    Its checks are not taken over: that run evaluates each anew, on the whole set and on what is left of the budgets.
    """
    with tempfile.TemporaryFile("w+") as told:  # no pipe, which would have to be read meanwhile
        child = subprocess.Popen(
            [sys.executable, "-m", "movie_assets.refresh.overlap", json.dumps(tags), str(told.fileno())],
            stdin=subprocess.PIPE, stdout=STANDARD_ERROR, pass_fds=[told.fileno()], text=True, start_new_session=True,
        )  # fmt: skip
        assert child.stdin is not None  # noqa: S101  # it was started with a pipe
        try:
            yield
            with suppress(BrokenPipeError):  # it has ended, and its exit code tells
                child.stdin.write("all is fetched\n")
                child.stdin.flush()
            if child.poll() is None:
                say("wait for the texts that are being embedded")
            child.wait()
        finally:
            with suppress(BrokenPipeError):
                child.stdin.close()
            _end(child)
        told.seek(0)
        _take_over(outcome, told)
    if child.returncode:
        outcome.problems.append(f"{MEANWHILE}: the process ended with {child.returncode}, figures lack its last run")


def _take_over(outcome: DayOutcome, told: IO[str]) -> None:
    for line in told:
        if line.endswith("\n"):  # the last one may be cut where the process was killed
            ran = json.loads(line)
            outcome.problems += [f"{MEANWHILE}: {problem}" for problem in ran["problems"]]
            for name, figures in ran["figures"].items():
                outcome.keep(name, figures)


def is_worth_it(database: Database, settings: Settings, tags: dict[str, str]) -> bool:
    """Whether so much is to be fetched that embedding need not wait for the end of it.

    A run's budget is meant for all that a refresh embeds, which then is one run's.
    """
    due = database.fetch_one(
        DueWork, "count_due", as_of=run_time_in(tags), daily_films=settings.daily_films, derivation=derivation_name(),
        rules=settings.thresholds.name,
    )  # fmt: skip
    return due.work >= WORTH_A_RUN and not settings.run_dollars


def _end(child: "subprocess.Popen[str]") -> None:
    try:
        child.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def main() -> None:
    """Be the second process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the refresh itself ignores
    enough = threading.Event()
    try:
        threading.Thread(target=_listen, args=(enough,), daemon=True).start()
        with os.fdopen(int(sys.argv[2]), "w") as told:
            _embed(enough, json.loads(sys.argv[1]), told)
    except KeyboardInterrupt:
        sys.exit(130)


def _listen(enough: threading.Event) -> None:
    # Not through sys.stdin, whose lock a thread that waits for ever would keep when the process ends.
    if os.read(0, 64):
        enough.set()
        os.read(0, 64)
    os.kill(os.getpid(), signal.SIGINT)
    enough.set()  # as between its steps a run of Dagster's drops the signal
    time.sleep(SECONDS_TO_STOP)
    os._exit(130)


def _embed(enough: threading.Event, tags: dict[str, str], told: IO[str]) -> None:
    """Run the job whenever there is a request's worth of texts; not again after a run that was in vain.

    What arrives meanwhile makes the next one larger, so that few runs are made where texts arrive fast, and little is
    left when all is fetched where the service is slow.
    """
    settings = Settings.from_env()
    embedder = embedder_from(settings)
    with open_database(settings) as database, dg.DagsterInstance.get() as instance:
        pause = SECONDS_BETWEEN_POLLS
        while not enough.wait(pause):
            pause = SECONDS_BETWEEN_POLLS
            if _texts_due(database, settings, embedder, tags) >= TEXTS_PER_REQUEST:
                began = time.monotonic()
                ran = DayOutcome(datetime.now(UTC).date())
                run_job(instance, database, ran, "embed_texts", tags)
                print(json.dumps({"problems": ran.problems, "figures": ran.figures}), file=told, flush=True)
                if ran.failed_jobs or not ran.figures.get(EMBEDDED, {}).get("texts_embedded"):
                    break
                pause = max(pause, began + SECONDS_BETWEEN_STARTS - time.monotonic())


def _texts_due(database: Database, settings: Settings, embedder: Embedder, tags: dict[str, str]) -> int:
    due = database.fetch_one(
        DueWork, "count_texts_to_embed", as_of=run_time_in(tags), set_id=embedding_set(database, embedder),
        daily_dollars=settings.daily_dollars, least_dollars=embedder.price.of(MAX_TOKENS_OF_A_TEXT),
    )  # fmt: skip
    return due.work


if __name__ == "__main__":
    main()
