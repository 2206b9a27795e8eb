"""Embedding while details are still being fetched, by a second process of a refresh that has much to fetch.

A process and not a thread, as a run of Dagster's takes a process's signals and what it prints. Its standard input is
how it hears of the refresh: a line says that all is fetched, so that no further run begins; the end of the input says
that the refresh was stopped or killed, so that this process ends as by Ctrl-C. `python -m movie_assets.overlap TAGS`.
"""

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import Any

import dagster as dg

from movie_assets.assets.movie_embeddings import embedding_set
from movie_assets.automation.sensors import WORTH_A_RUN
from movie_assets.core.judgement import judge_name
from movie_assets.core.packing import TEXTS_PER_REQUEST
from movie_assets.core.tokens import MOST_TOKENS_OF_A_TEXT
from movie_assets.in_process import run_job
from movie_assets.moment import moment_in
from movie_assets.outcome import DayOutcome
from movie_assets.resources.embedder import Embedder, embedder_from
from movie_assets.resources.postgres import Database, open_database
from movie_assets.settings import Settings

EMBEDDED = "movie_embeddings:every_text_is_embedded_as_it_stands"
SECONDS_BETWEEN_LOOKS = 2.0
SECONDS_TO_STOP = 30


@contextmanager
def embedding_meanwhile(outcome: DayOutcome, tags: dict[str, str]) -> Iterator[None]:
    """Embed in another process while the block fetches; then wait for the run it is in, and take over what it did."""
    child = subprocess.Popen(
        [sys.executable, "-m", "movie_assets.overlap", json.dumps(tags)],
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True,
    )  # fmt: skip
    assert child.stdin is not None  # noqa: S101  # it was started with pipes
    assert child.stdout is not None  # noqa: S101
    try:
        yield
        with suppress(BrokenPipeError):  # it has ended, and its exit code tells
            child.stdin.write("all is fetched\n")
            child.stdin.flush()
        told = child.stdout.read()
    finally:
        with suppress(BrokenPipeError):
            child.stdin.close()
        _end(child)
    if child.returncode:
        lost = f"the process that embeds meanwhile ended with {child.returncode}"
        did: dict[str, Any] = {"failed_jobs": ["embed_texts"], "problems": [f"embed_texts: {lost}"], "figures": {}}
    else:
        did = json.loads(told)
    outcome.failed_jobs += did["failed_jobs"]
    outcome.problems += did["problems"]
    outcome.figures |= did["figures"]


def is_worth_it(database: Database, settings: Settings, tags: dict[str, str]) -> bool:
    """Whether so much is to be fetched that embedding need not wait for the end of it.

    A run's budget is meant for all that a refresh embeds, which then is one run's.
    """
    return _films_due(database, settings, tags) >= WORTH_A_RUN and not settings.run_dollars


def _end(child: "subprocess.Popen[str]") -> None:
    try:
        child.wait(SECONDS_TO_STOP)
    except subprocess.TimeoutExpired:
        child.kill()
        child.wait()


def main() -> None:
    """Be the second process."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # whatever the refresh itself ignores
    all_is_fetched = threading.Event()
    threading.Thread(target=_listen, args=(all_is_fetched,), daemon=True).start()
    try:
        outcome = _embed(all_is_fetched, json.loads(sys.argv[1]))
    except KeyboardInterrupt:
        sys.exit(130)
    told = {"failed_jobs": outcome.failed_jobs, "problems": outcome.problems, "figures": outcome.figures}
    sys.stdout.write(json.dumps(told))


def _listen(all_is_fetched: threading.Event) -> None:
    # Not through sys.stdin, whose lock a thread that waits for ever would keep when the process ends.
    if os.read(0, 64):
        all_is_fetched.set()
        os.read(0, 64)
    os.kill(os.getpid(), signal.SIGINT)


def _embed(all_is_fetched: threading.Event, tags: dict[str, str]) -> DayOutcome:
    """Run the job whenever there is enough for it, as the sensor would; not again after one that was in vain.

    Towards the end less is enough, as much as is still to be fetched: so little is left when all is fetched.
    """
    settings = Settings.from_env()
    embedder = embedder_from(settings)
    outcome = DayOutcome(datetime.now(UTC).date())
    database = open_database(settings)
    try:
        with dg.DagsterInstance.get() as instance:
            while not (all_is_fetched.wait(SECONDS_BETWEEN_LOOKS) or outcome.failed_jobs):
                texts = _texts_due(database, settings, embedder, tags)
                if texts >= WORTH_A_RUN or texts >= max(TEXTS_PER_REQUEST, _films_due(database, settings, tags)):
                    before = _embedded(outcome)
                    run_job(instance, outcome, "embed_texts", tags)
                    if _embedded(outcome) == before:
                        break
    finally:
        database.close()
    return outcome


def _embedded(outcome: DayOutcome) -> int:
    found: int = outcome.figures.get(EMBEDDED, {}).get("texts_embedded", 0)
    return found


def _films_due(database: Database, settings: Settings, tags: dict[str, str]) -> int:
    found: int = database.row(
        "count_due", moment=moment_in(tags), daily_films=settings.daily_films, judge=judge_name(settings.thresholds)
    ).work
    return found


def _texts_due(database: Database, settings: Settings, embedder: Embedder, tags: dict[str, str]) -> int:
    found: int = database.row(
        "count_texts_to_embed", moment=moment_in(tags), set_id=embedding_set(database, embedder),
        daily_dollars=settings.daily_dollars, least_dollars=embedder.price.of(MOST_TOKENS_OF_A_TEXT),
    ).work  # fmt: skip
    return found


if __name__ == "__main__":
    main()
