"""Runs the jobs of each day as `movie-assets refresh` does, then compares the catalogue with the truth."""

import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from itertools import islice
from pathlib import Path
from unittest.mock import patch

import dagster as dg
import sqlalchemy as sa

from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.tmdb import list_slices
from movie_assets_tests.conftest import Pipeline, database_of_ones_own, settings_for
from movie_assets_tests.rehearsal.applications import (
    LANGUAGES,
    PAGES,
    REGIONS,
    SERIES,
    ApplicationsDay,
    ApplicationsTruth,
)
from movie_assets_tests.rehearsal.comparison import Comparison, Differences
from movie_assets_tests.rehearsal.series import SeriesDay, SeriesTruth
from movie_assets_tests.rehearsal.storylines import LOSS_DAY, REQUESTS, Request
from movie_assets_tests.rehearsal.truth import Truth
from movie_assets_tests.rehearsal.world import RehearsalWorld

FIRST = date(2026, 10, 1)
PROFILES = "quality new_releases"
JOBS = ("read_the_day", "fetch_details", "embed_texts", "publish")
LISTS = ("changes", "discover", "find")
DIMENSIONS = 64
FILMS_OF_A_SLICE = 40  # so few films as here would otherwise be read whole each day


@dataclass
class Day:
    """What a day came to."""

    number: int
    day: date
    expected: int = 0  # accepted movies
    differences: Differences = field(default_factory=Differences)
    calls: int = 0  # for details
    needed: int = 0  # the fewest with which the day's truth can be known
    needless: list[str] = field(default_factory=list)
    not_asked: list[str] = field(default_factory=list)
    list_calls: int = 0
    failed_jobs: list[str] = field(default_factory=list)
    series: SeriesDay | None = None  # where the world has series
    applications: ApplicationsDay | None = None  # where everything is on
    seconds: float = 0.0

    @property
    def examples(self) -> list[str]:
        """Some of what differs from the truth."""
        return [example for part in self._parts for example in part.examples]

    @property
    def is_right(self) -> bool:
        """Whether every job succeeded and the catalogue is the truth."""
        return all(part.are_none for part in self._parts) and not self.failed_jobs

    @property
    def _parts(self) -> list[Differences]:
        return [self.differences, *(part.differences for part in (self.series, self.applications) if part)]

    @property
    def found(self) -> int:
        """Accepted movies that are in the catalogue."""
        return self.expected - self.differences.missing + self.differences.beyond


@dataclass
class Rehearsal:
    """The pipeline, the emulator with its world, and the truth."""

    pipeline: Pipeline
    emulator: TmdbEmulator
    world: RehearsalWorld
    truth: Truth
    truth_of_series: SeriesTruth | None = None
    truth_of_applications: ApplicationsTruth | None = None

    def days(self, count: int) -> Iterator[Day]:
        """Live through so many days; gives each with its comparison. A day on which a job failed is the last."""
        for number in range(count):
            day = self._live(number)
            yield day
            if day.failed_jobs:
                return

    def _live(self, number: int) -> Day:
        began, day = time.monotonic(), FIRST + timedelta(days=number)
        self.pipeline.day = self.emulator.today = day
        self.emulator.reset_counts()
        self.world.asked.clear()
        self.world.offers.clear()
        self._insert_requests(day)
        result = Day(number, day)
        first, *others = JOBS
        morning = (first, "read_list_snapshots") if self.truth_of_applications else (first,)
        if self._run(morning, result):
            return result
        requests = [Request(number, None, each, keep=False) for each in self._requested_by_lists(day, "movie")]
        requests += [each for each in REQUESTS if each.day == number]
        self.truth.turn_to(day, self._read_on(), requests)
        evening = ("read_images", "write_exports") if self.truth_of_applications else ()
        self._run((*others, *evening), result)
        asked = Counter(self.world.asked)
        self.truth.note_asked(asked)
        result.calls, result.needed = asked.total(), len(self.truth.due)
        needless = asked - Counter(self.truth.due)
        result.needless = [self.world.named(tmdb_id) for tmdb_id in sorted(needless.elements())]
        result.not_asked = [self.world.named(tmdb_id) for tmdb_id in sorted(self.truth.due - asked.keys())]
        result.list_calls = sum(sum(self.emulator.requests.get(name, {}).values()) for name in LISTS)
        result.expected = len(self.truth.accepted)
        with self.pipeline.database.transaction() as connection:
            result.differences = Comparison(connection, self.truth).of_everything()
            if self.truth_of_series is not None:
                result.series = self.truth_of_series.live(
                    connection, day, self._read_on("series"), self._requested_by_lists(day, "series")
                )
            if self.truth_of_applications is not None:
                result.applications = self._applications(connection, day, self.truth_of_applications)
        result.seconds = time.monotonic() - began
        return result

    def _run(self, jobs: Sequence[str], result: Day) -> list[str]:
        """Run jobs until one fails, and note it in the day's result."""
        result.failed_jobs = list(islice((job for job in jobs if not self.pipeline.run(job).success), 1))
        return result.failed_jobs

    def _requested_by_lists(self, day: date, media: str) -> list[int]:
        """The ids in the lists of the day that the catalogue lacks, as the pipeline requested them."""
        with self.pipeline.database.transaction() as connection:
            rows = connection.exec_driver_sql(
                "select catalog.tmdb_id(title_id) from pipeline.requested_titles where requested_by = 'tmdb_lists' and "
                f"catalog.media_type(title_id) = '{media}' and (requested_at at time zone 'utc')::date = '{day}'"
            )
            return [row[0] for row in rows]

    def _applications(self, connection: sa.Connection, day: date, truth: ApplicationsTruth) -> ApplicationsDay:
        accepted, offers = set(self.truth.accepted), dict(self.world.offers)
        if self.truth_of_series is not None:
            accepted |= {SERIES + tmdb_id for tmdb_id in self.truth_of_series.accepted}
            offers |= {SERIES + tmdb_id: part for tmdb_id, part in self.truth_of_series.world.offers.items()}
            self.truth_of_series.world.offers.clear()
        return truth.live(connection, day, self.emulator.requests, frozenset(accepted), offers)

    def _read_on(self, media: str = "movie") -> dict[int, date]:
        """The day on which TMDB's lists were last read for each title of a media type that they have."""
        with self.pipeline.database.transaction() as connection:
            rows = connection.exec_driver_sql(
                "select catalog.tmdb_id(title_id), (read_at at time zone 'utc')::date "
                f"from pipeline.discovered_titles where catalog.media_type(title_id) = '{media}'"
            )
            return {row[0]: row[1] for row in rows}

    def _insert_requests(self, day: date) -> None:
        """Ask for movies as an application does, in the morning."""
        for request in REQUESTS:
            if request.day == self.world.number(day):
                tmdb_id = request.tmdb_id if request.kind is None else self.world.ids_of(request.kind)[0]
                self.pipeline.do(
                    "insert into pipeline.requested_ids (tmdb_id, keep, requested_by, requested_at) "
                    f"values ({tmdb_id}, {request.keep}, 'the rehearsal', '{day} 06:00+00')"
                )


def what_happens(number: int) -> str:
    """The events of a day that the report names."""
    events = ["the export lacks 9 % of its ids"] if number == LOSS_DAY else []
    requests = sum(request.day == number for request in REQUESTS)
    return "; ".join(events + ([f"{requests} requested"] if requests else []))


@contextmanager
def rehearsal(
    server: str, template: str, ids: int, seed: int, votes_days: int = 7, series: int = 0, *, everything: bool = False
) -> Iterator[Rehearsal]:
    """Prepare an empty catalogue and the emulator for a rehearsal; votes may be up to `votes_days` days old.

    With `everything`, the pipeline also has what applications read.
    """
    world = RehearsalWorld(ids, seed, FIRST, series)
    with (
        database_of_ones_own(server, template) as database,
        TmdbEmulator(EmulatorOptions(today=FIRST, rate_limit=0), world=world) as emulator,
        dg.DagsterInstance.ephemeral() as instance,
        tempfile.TemporaryDirectory(prefix="exports") as folder,
        patch.multiple(
            list_slices, FILMS_OF_A_SLICE=FILMS_OF_A_SLICE, POPULAR_PAGES=1,
            saves_calls=lambda slices, *_: bool(slices),
        ),
    ):  # fmt: skip
        media = "movies series" if series else "movies"
        settings = settings_for(
            emulator, profiles=PROFILES, votes_days=votes_days, media=media, regions=" ".join(REGIONS),
            languages=" ".join(LANGUAGES), list_pages=PAGES, images=everything,
            export_to=folder if everything else None,
        )  # fmt: skip
        pipeline = Pipeline(database, settings, instance, LocalEmbedder("hashing-v1", DIMENSIONS), FIRST)
        truth_of_series = SeriesTruth(world.series) if world.series else None
        truth_of_applications = ApplicationsTruth(emulator, settings.media_types, Path(folder)) if everything else None
        yield Rehearsal(pipeline, emulator, world, Truth(world, votes_days), truth_of_series, truth_of_applications)
