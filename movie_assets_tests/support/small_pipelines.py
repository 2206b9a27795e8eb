"""A pipeline on a world of few films that the test moves by hand."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from typing import Any

import dagster as dg
import pytest

from movie_assets.config.filter_profiles import FilterProfiles
from movie_assets.database.database import Database
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.emulator.world import SeriesWorld
from movie_assets_tests.conftest import Pipeline, database_of_ones_own, settings_for
from movie_assets_tests.support.rows import put_films
from movie_assets_tests.support.world import Films

FIRST_DAY = date(2026, 10, 5)
FEW_BATCHES = ("batch_00", "batch_03")  # the worlds here have ids of these batches only


@dataclass
class SmallPipeline(Pipeline):
    """The pipeline with its world and stand-in at hand; a run looks at four batches instead of 64."""

    world: Films = field(default_factory=Films)
    tmdb_emulator: TmdbEmulator | None = None

    def run(self, job: str, *, batches: tuple[str, str] | None = None, **options: Any) -> Any:
        return super().run(job, batches=batches or FEW_BATCHES, **options)

    def run_all(self, *jobs: str) -> list[Any]:
        """Run jobs that have to succeed."""
        results = [self.run(job) for job in jobs or ("read_the_day", "fetch_details", "embed_texts", "publish")]
        failures = [str(event.event_specific_data) for r in results for event in r.all_events if event.is_step_failure]
        assert [result.success for result in results] == [True] * len(results), "\n".join(failures)
        return results

    def turn_day(self, days: int = 1) -> None:
        """Go to a later day, here and at the emulator."""
        self.day += timedelta(days=days)
        self.serving.today = self.day

    @property
    def serving(self) -> TmdbEmulator:
        """The emulator that serves the world."""
        assert self.tmdb_emulator is not None
        return self.tmdb_emulator

    def with_settings(self, **changes: Any) -> None:
        """Change settings, as a restart with other variables would."""
        self.settings = settings_for(self.serving, **changes)

    def with_profile(self, **changes: Any) -> None:
        """Change the rules of the profile in use."""
        (profile,) = (self.thresholds or self.settings.thresholds).profiles
        self.thresholds = FilterProfiles((replace(profile, **changes),))

    def column(self, sql: str) -> list[Any]:
        """The first column of all rows that a statement answers with."""
        with self.database.transaction() as connection:
            return list(connection.exec_driver_sql(sql).scalars())

    def state_of(self, tmdb_id: int) -> tuple[str, str | None]:
        """State and reason of an id."""
        with self.database.transaction() as connection:
            sql = f"select state, reason from pipeline.movie_ids where tmdb_id = {tmdb_id}"
            state, reason = connection.exec_driver_sql(sql).one()
            return state, reason

    @property
    def movies(self) -> list[int]:
        """Ids in the catalogue."""
        return self.column("select tmdb_id from catalog.movies order by 1")

    @property
    def found(self) -> list[int]:
        """Ids that searches see."""
        return self.column("select tmdb_id from catalog.movie_vectors order by 1")


@contextmanager
def small_pipelines(
    database: Database, port: int = 0, series: SeriesWorld | None = None
) -> Iterator[Callable[..., SmallPipeline]]:
    """Make a pipeline on a world of given films and series, over one emulator; port 0 takes a free one."""
    world = Films(series)
    options = EmulatorOptions(today=FIRST_DAY, rate_limit=0, stall_seconds=2, port=port)
    with TmdbEmulator(options, world=world) as tmdb_emulator, dg.DagsterInstance.ephemeral() as instance:

        def make(*films: dict[str, Any]) -> SmallPipeline:
            world.put(*films)
            embedder = LocalEmbedder("hashing-v1", 64)
            return SmallPipeline(
                database,
                settings_for(tmdb_emulator),
                instance,
                embedder,
                FIRST_DAY,
                world=world,
                tmdb_emulator=tmdb_emulator,
            )

        yield make


@contextmanager
def prepared_database(
    server: str, template: str, prepare: Callable[[Callable[..., SmallPipeline]], object]
) -> Iterator[str]:
    """Name of a database that a pipeline has worked on: tests copy it, so that they need not do that work again."""
    with database_of_ones_own(server, template) as database:
        with small_pipelines(database) as make:
            prepare(make)
        database.close()
        yield str(database.url.database)


@contextmanager
def pipeline_on_copy(server: str, prepared: str, *films: dict[str, Any]) -> Iterator[SmallPipeline]:
    """A pipeline on a copy of a prepared database; its Dagster has no records, and nothing was asked for yet."""
    with database_of_ones_own(server, prepared) as database, small_pipelines(database) as make:
        yield make(*films)


def publish_twelve_films(make: Callable[..., SmallPipeline], *statements: str) -> None:
    """Embed and publish three films in each of four batches, after the statements."""
    pipeline = make()
    for statement in statements:
        pipeline.do(statement)
    for batch in range(4):
        for n in range(1, 4):
            put_films(pipeline.database, 64 * n + batch, 64 * n + batch)
    pipeline.run_all("embed_texts", "publish")


@pytest.fixture
def small(database: Database) -> Iterator[Callable[..., SmallPipeline]]:
    """Make a pipeline on a world of given films; one to a test."""
    with small_pipelines(database) as make:
        yield make
