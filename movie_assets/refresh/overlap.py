"""Embedding while details are still being fetched, in a second process of a refresh with much to fetch.

It is a process because a run of Dagster handles the signals and the output of its process. A line on its standard input
means that all details are fetched, so that no further run begins. The end of the input means that the refresh was
stopped or killed, so that this process ends as by Ctrl-C. After each of its runs it writes the outcome as a line of
JSON to a file that the refresh has opened for it, so that a kill loses no earlier outcome. Its standard output is the
refresh's standard error, as a run prints there. `python -m movie_assets.refresh.overlap TAGS FILE_DESCRIPTOR`.
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

from movie_assets.catalog.eligibility import derivation_names
from movie_assets.config.embedding_limits import TEXTS_PER_REQUEST
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, open_database
from movie_assets.embeddings.embedder import Embedder
from movie_assets.embeddings.registry import embedder_from, hashes_words
from movie_assets.embeddings.sets import embedding_set
from movie_assets.embeddings.tokens import MAX_TOKENS_OF_A_TEXT
from movie_assets.orchestration.sensors import MIN_WORK_OF_A_RUN, DueWork
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
    """Embed in another process while the block fetches; then wait for its current run, and add its outcome.

    Its failure is a problem of the outcome and no failed job, as the embed_texts that follows does the rest. Its checks
    are not added: that run evaluates each of them on the whole set and on the rest of the budgets.
    """
    with tempfile.TemporaryFile("w+") as outcomes:  # a pipe would have to be read meanwhile
        child = subprocess.Popen(
            [sys.executable, "-m", "movie_assets.refresh.overlap", json.dumps(tags), str(outcomes.fileno())],
            stdin=subprocess.PIPE, stdout=STANDARD_ERROR, pass_fds=[outcomes.fileno()], text=True,
            start_new_session=True,
        )  # fmt: skip
        assert child.stdin is not None  # noqa: S101  # it was started with a pipe
        try:
            yield
            with suppress(BrokenPipeError):  # it has ended; its exit code is checked below
                child.stdin.write("all is fetched\n")
                child.stdin.flush()
            if child.poll() is None:
                say("wait for the texts that are being embedded")
            child.wait()
        finally:
            with suppress(BrokenPipeError):
                child.stdin.close()
            _end(child)
        outcomes.seek(0)
        _add_outcomes(outcome, outcomes)
    if child.returncode:
        outcome.problems.append(f"{MEANWHILE}: the process ended with {child.returncode}, figures lack its last run")


def _add_outcomes(outcome: DayOutcome, lines: IO[str]) -> None:
    for line in lines:
        if line.endswith("\n"):  # the last line is incomplete if the process was killed
            ran = json.loads(line)
            outcome.problems += [f"{MEANWHILE}: {problem}" for problem in ran["problems"]]
            for name, figures in ran["figures"].items():
                outcome.keep(name, figures)


def has_enough_to_overlap(database: Database, settings: Settings, tags: dict[str, str]) -> bool:
    """Return whether there is so much to fetch that embedding meanwhile saves time.

    It does not with vectors of hashed words, which take less time than the start of a process. With a budget for each
    run it does not overlap, as the budget is meant for all texts of a refresh. Nor does it if so many films may have to
    be embedded that their texts go through the Batch API, as few at a time would not.
    """
    if settings.run_dollars or hashes_words(settings):
        return False
    due = database.fetch_one(
        DueWork, "count_due", as_of=run_time_in(tags), daily_films=settings.daily_films,
        derivations=derivation_names(settings.media_types),
        media=list(settings.media_types), rules=settings.rules_in_use,
    )  # fmt: skip
    return due.work >= MIN_WORK_OF_A_RUN and not settings.goes_in_bulk(due.work)


def _end(child: "subprocess.Popen[str]") -> None:
    try:
        child.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def main() -> None:
    """Run the second process: see the module's docstring."""
    # Until there is a run to end, a signal ends the process at once. An exception would be lost, or become another one,
    # in the libraries that are being set up. The handler is set even if the refresh ignores the signal.
    signal.signal(signal.SIGINT, lambda *_: os._exit(130))
    all_is_fetched = threading.Event()
    try:
        threading.Thread(target=_listen, args=(all_is_fetched,), daemon=True).start()
        with os.fdopen(int(sys.argv[2]), "w") as outcomes:
            _embed(all_is_fetched, json.loads(sys.argv[1]), outcomes)
    except KeyboardInterrupt:
        sys.exit(130)


def _listen(all_is_fetched: threading.Event) -> None:
    # Not through sys.stdin: a waiting thread would hold its lock at the end of the process.
    if os.read(0, 64):
        all_is_fetched.set()
        os.read(0, 64)
    os.kill(os.getpid(), signal.SIGINT)
    all_is_fetched.set()  # because a run of Dagster drops the signal between its steps
    time.sleep(SECONDS_TO_STOP)
    os._exit(130)


def _embed(all_is_fetched: threading.Event, tags: dict[str, str], outcomes: IO[str]) -> None:
    """Run the job whenever there are enough texts for a full request; end after a run in vain.

    Texts that arrive during a run make the next one larger. So there are few runs when texts arrive fast, and few texts
    are left at the end of fetching when the service is slow.
    """
    settings = Settings.from_env()
    embedder = embedder_from(settings)
    with open_database(settings) as database, dg.DagsterInstance.get() as instance:
        signal.signal(signal.SIGINT, signal.default_int_handler)
        pause = SECONDS_BETWEEN_POLLS
        while not all_is_fetched.wait(pause):
            pause = SECONDS_BETWEEN_POLLS
            if _texts_due(database, settings, embedder, tags) >= TEXTS_PER_REQUEST:
                began = time.monotonic()
                ran = DayOutcome(datetime.now(UTC).date())
                run_job(instance, database, ran, "embed_texts", tags)
                print(json.dumps({"problems": ran.problems, "figures": ran.figures}), file=outcomes, flush=True)
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
