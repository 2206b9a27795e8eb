"""A pipeline that faults are put into at a chosen statement, the truth to hold its end against, and the figures."""

import sys
import time
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import psycopg
import pytest
import sqlalchemy as sa
from pydantic import SecretStr

from movie_assets.catalog import movie_details
from movie_assets.config.embedding_limits import IN_FLIGHT
from movie_assets.database.database import Database
from movie_assets.database.queries import query_text
from movie_assets.embeddings.providers.openai import OpenAiEmbedder
from movie_assets.emulator.world import ExportRow
from movie_assets.tmdb import client as tmdb
from movie_assets_tests.chaos.truth import KEY, PASSWORD, TOKEN, Differences, State, compared, count_secrets, state_of
from movie_assets_tests.chaos.worlds import FILMS, SeriesOfFewBatches, asked_of_series, credits_of, releases_of
from movie_assets_tests.conftest import address_of, database_of_ones_own
from movie_assets_tests.support.small_pipelines import SmallPipeline, small_pipelines
from movie_assets_tests.support.world import film

JOBS = ("read_the_day", "fetch_details", "embed_texts", "publish")

# Work is done in portions so small that this small world takes many of them.
FILMS_PER_CHUNK = 20
EPISODES_PER_CHUNK = 100
CONNECTIONS = 4
TEXTS_PER_REQUEST = 5
# What can be in hand, asked for and not committed: a chunk that is written, one that fills, and what waits for it.
MAX_FILMS_IN_HAND = 2 * FILMS_PER_CHUNK + 5 * CONNECTIONS
MAX_TEXTS_IN_HAND = IN_FLIGHT * TEXTS_PER_REQUEST


def work_in_small_portions(monkeypatch: pytest.MonkeyPatch) -> None:
    """Commit as often as a catalogue of real size does."""
    monkeypatch.setattr(movie_details, "CHUNK", FILMS_PER_CHUNK)
    monkeypatch.setattr(movie_details, "MAX_EPISODES", EPISODES_PER_CHUNK)
    monkeypatch.setattr(tmdb, "CONCURRENCY", CONNECTIONS)


@dataclass(frozen=True)
class Stage:
    """Where a fault strikes: at the nth run of a query in a job, or so many statements later.

    With `of`, only runs of the query count whose parameters contain it. A stage of series strikes in a world that has
    some beside the films.
    """

    name: str
    job: str
    query: str
    nth: int = 1
    later: int = 0
    of: str = ""


STAGES = (
    Stage("export", "read_the_day", "record_export"),
    Stage("ids", "read_the_day", "apply_export"),
    Stage("lists", "read_the_day", "apply_discoveries"),
    Stage("details", "fetch_details", "store_details", nth=2),
    Stage("embeddings", "embed_texts", "store_embeddings", nth=3),
    Stage("vectors", "publish", "refresh_vectors"),
    Stage("index build", "publish", "build_vector_index"),
    Stage("similar films", "publish", "store_similar_lists"),
    Stage("documents", "publish", "write_documents"),
    Stage("aggregates", "publish", "clear_aggregates"),
)
STAGES_OF_SERIES = (
    Stage("series export", "read_the_day", "record_export", of="series"),
    Stage("series ids", "read_the_day", "apply_export", of="series"),
    Stage("series changes", "read_the_day", "record_changes", of="series"),
    Stage("series lists", "read_the_day", "apply_discoveries", of="series"),
    Stage("series details", "fetch_details", "store_details", nth=2, of="series"),
)
ALL_STAGES = STAGES + STAGES_OF_SERIES
BY_NAME = {stage.name: stage for stage in ALL_STAGES}


def at(stages: list[Stage] | tuple[Stage, ...], *quick: str) -> list[Any]:
    """Stages as parameters; all but the quick ones are for `make chaos` only."""
    return [
        pytest.param(stage, id=stage.name, marks=() if stage.name in quick else pytest.mark.chaos) for stage in stages
    ]


def strike(database: Database, stage: Stage, action: Callable[[], object], when: str) -> None:
    """Let something happen once, `before` or `after` the statement of a stage, inside its transaction."""
    opening, seen, left = query_text(stage.query).partition("\n")[0], 0, stage.later

    def watch(_connection: object, _cursor: object, statement: str, parameters: object, *_: object) -> None:
        nonlocal seen, left
        seen += statement.startswith(opening) and stage.of in str(parameters)
        if seen >= stage.nth:
            left -= 1
            if left == -1:
                action()

    sa.event.listen(database.engine, f"{when}_cursor_execute", watch)


@dataclass(frozen=True)
class Truth:
    """What an undisturbed run leaves, in the end and as databases to copy before each of its jobs, and asks for.

    The copied databases have the embedding set of the service at `port`; a service at another port has another set.
    """

    state: State
    before: tuple[str, ...]
    details: int
    texts: int
    port: int


@dataclass
class Chaos:
    """A pipeline to be disturbed, and what it came to."""

    pipeline: SmallPipeline
    truth: Truth
    server: str
    record: Callable[[str, Any], None]
    log: Path  # what workers say …
    output: Callable[[], str]  # … and this process
    struck_at: float = 0.0
    asked_before: int = 0
    embedded_before: int = 0

    @property
    def asked(self) -> int:
        """How many details were asked for, in the runs before too."""
        return self.asked_before + self.pipeline.world.asked.total() + asked_of_series(self.pipeline)

    @property
    def embedded(self) -> int:
        """How many texts were paid for."""
        return self.embedded_before + self.pipeline.serving.embedded_inputs

    @property
    def database(self) -> Database:
        """The pipeline's database."""
        return self.pipeline.database

    def run_before(self, stage: Stage) -> None:
        """Bring the catalogue to where the jobs before a stage's leave it."""
        done = JOBS.index(stage.job)
        self.database.close()
        name = self.database.url.database
        # By files, as a copy through the log takes sequences back when the server crashes after it.
        copied = f"create database {name} template {self.truth.before[done]} strategy file_copy"
        self.administer(f"drop database {name}", copied)
        self.asked_before += self.truth.details if done > JOBS.index("fetch_details") else 0
        self.embedded_before += self.truth.texts if done > JOBS.index("embed_texts") else 0

    def run_after(self, stage: Stage) -> None:
        """Run the jobs after a stage's."""
        for job in JOBS[JOBS.index(stage.job) + 1 :]:
            self.pipeline.run_all(job)

    def strike(self, stage: Stage, action: Callable[[], object], when: str = "after") -> None:
        """Let something happen at a stage's statement; from then on the seconds count."""

        def act() -> None:
            self.struck_at = time.monotonic()
            action()

        strike(self.database, stage, act, when)

    def administer(self, *statements: str) -> None:
        """Run statements in another session, on another database of the server."""
        with psycopg.connect(address_of(self.server, "postgres"), autocommit=True) as administrator:
            for statement in statements:
                administrator.execute(statement.encode())

    def cut(self) -> None:
        """End every connection of the pipeline."""
        self.administer(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity "
            f"where datname = '{self.database.url.database}' and application_name = 'movie_assets'"
        )

    def seconds(self) -> float:
        """Seconds since the fault struck."""
        assert self.struck_at, "the fault never struck"
        return time.monotonic() - self.struck_at

    def is_frugal(self, job: str, times: int = 1) -> bool:
        """Whether a job that was cut off so many times did again no more than it can have had in hand each time."""
        films = MAX_FILMS_IN_HAND * times if job == "fetch_details" else 0
        texts = MAX_TEXTS_IN_HAND * times if job == "embed_texts" else 0
        return self.asked <= self.truth.details + films and self.embedded <= self.truth.texts + texts

    def compare(self, fault: str, stage: str, seconds: float, *, but: Collection[str] = ()) -> Differences:
        """Hold the end against the truth, all of its tables but some, and put the figures into the report."""
        logs = self.output() + (self.log.read_text() if self.log.exists() else "")
        secrets = count_secrets(self.database, self.pipeline.instance, logs)
        differences = replace(compared(state_of(self.database), self.truth.state, but=but), secrets=secrets)
        figures = {
            "fault": fault,
            "stage": stage,
            "lost": differences.lost,
            "duplicated": differences.duplicated,
            "wrong": differences.wrong,
            "secrets": differences.secrets,
            "details_asked": round(self.asked / self.truth.details, 3),
            "texts_paid": round(self.embedded / self.truth.texts, 3),
            "seconds": round(seconds, 1),
        }
        self.record("figures", figures)
        return differences


@contextmanager
def calm_pipelines(database: Database, port: int = 0, media: str = "movies") -> Iterator[SmallPipeline]:
    """A pipeline on the world of this folder's tests, with an embeddings service that is paid; port 0 is a free one."""
    series = SeriesOfFewBatches() if "series" in media else None
    with pytest.MonkeyPatch.context() as monkeypatch, small_pipelines(database, port, series) as make:
        work_in_small_portions(monkeypatch)
        films = (film(n, runtime=20 if n % 9 == 0 else 100, credits=credits_of(n), **releases_of(n)) for n in FILMS)
        pipeline = make(*films)
        pipeline.world.listed = [
            ExportRow(adult=False, tmdb_id=0, original_title="No film", popularity=1.0, video=False, softcore=None)
        ]
        pipeline.with_settings(tmdb_api_token=TOKEN, media=media)
        pipeline.embedder = OpenAiEmbedder(
            "text-embedding-3-small",
            64,
            SecretStr(KEY),
            pipeline.serving.openai_url,
            texts_per_request=TEXTS_PER_REQUEST,
        )  # fmt: skip
        yield pipeline


@pytest.fixture(scope="session")
def truth(server: str, template: str) -> Truth:
    """What an undisturbed run leaves."""
    return undisturbed(server, template, "movies")


@pytest.fixture(scope="session")
def truth_with_series(server: str, template: str) -> Truth:
    """What an undisturbed run leaves of films and series."""
    return undisturbed(server, template, "movies series")


def undisturbed(server: str, template: str, media: str) -> Truth:
    """Run all jobs, and keep the database as it is before each."""
    before = [template]
    with database_of_ones_own(server, template) as database, calm_pipelines(database, media=media) as pipeline:
        for job, following in pairwise(JOBS):
            pipeline.run_all(job)
            database.close()
            before.append(f"before_{following}_of_{media.replace(' ', '_')}")
            with psycopg.connect(address_of(server, "postgres"), autocommit=True) as administrator:
                administrator.execute(f"create database {before[-1]} template {database.url.database}".encode())
        pipeline.run_all(JOBS[-1])
        return truth_of(pipeline, *before)


def truth_of(pipeline: SmallPipeline, *before: str) -> Truth:
    """What an undisturbed pipeline came to."""
    asked = pipeline.world.asked.total() + asked_of_series(pipeline)
    embedded = pipeline.serving.embedded_inputs
    return Truth(state_of(pipeline.database), before, asked, embedded, pipeline.serving.port)


@pytest.fixture
def chaos(
    request: pytest.FixtureRequest,
    server: str,
    database: Database,
    record_property: Callable[[str, Any], None],
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[Chaos]:
    """A pipeline on an empty catalogue, about to be disturbed."""
    # The server asks for no password, and so takes any.
    address = database.url.set(password=PASSWORD).render_as_string(hide_password=False)

    def output() -> str:
        shown = "".join(capfd.readouterr())
        sys.stderr.write(shown)  # for whoever reads why a test failed
        return caplog.text + shown

    stage = getattr(request.node, "callspec", None) and request.node.callspec.params.get("stage")
    has_series = stage is not None and stage.of == "series"  # tests strike at copies of STAGES_OF_SERIES, too
    truth: Truth = request.getfixturevalue("truth_with_series" if has_series else "truth")
    media = "movies series" if has_series else "movies"
    with calm_pipelines(Database(address), truth.port, media) as pipeline:
        yield Chaos(pipeline, truth, server, record_property, tmp_path / "workers.log", output)
        pipeline.database.close()
