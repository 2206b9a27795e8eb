"""The details of series on worlds of series: one that moves by itself, and one of few series in the test's hands."""

import json
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from typing import Any, cast

import dagster as dg
import pytest

from movie_assets.catalog.detail_checks import checks_of
from movie_assets.catalog.media_assets import SERIES_ASSETS
from movie_assets.catalog.movie_details import details_asset
from movie_assets.config.filter_profiles import FilterProfile, FilterProfiles
from movie_assets.database.database import Database
from movie_assets.embeddings.providers.local import LocalEmbedder
from movie_assets.emulator.moving_series import MovingSeries
from movie_assets.emulator.moving_world import MovingWorld
from movie_assets.emulator.options import EmulatorOptions
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.emulator.world import Change
from movie_assets.orchestration.resources import RESOURCES
from movie_assets.runs.run_time import AS_OF_TAG, noon_of
from movie_assets.tmdb.media import SERIES
from movie_assets_tests.conftest import Pipeline, settings_for
from movie_assets_tests.support.small_pipelines import FEW_BATCHES
from movie_assets_tests.tmdb.series_bodies import series_details as series_details_of_tmdb

FIRST_DAY = date(2026, 10, 5)
SERIES_DETAILS = details_asset(SERIES_ASSETS)
FETCH = dg.Definitions(
    assets=[SERIES_DETAILS],
    asset_checks=checks_of(SERIES),
    resources=RESOURCES,
    jobs=[dg.define_asset_job("fetch_series", selection=dg.AssetSelection.assets(SERIES_DETAILS).without_checks())],
).resolve_job_def("fetch_series")
ACCEPTS_ALL = FilterProfiles((FilterProfile("all", media="series"),))

Row = tuple[Any, ...]


class FewSeries:
    """A world of few series; `asked` has the numbers of the seasons of each call."""

    def __init__(self) -> None:
        self.series: dict[int, dict[str, Any]] = {}
        self.seasons: dict[int, dict[int, Any]] = {}
        self.changed: set[int] = set()
        self.asked: list[list[int]] = []

    def put(self, tmdb_id: int, had: Sequence[dict[str, Any]], **changes: Any) -> None:
        listed = [
            {**each, "episodes": None, "episode_count": each.get("episode_count", len(each["episodes"]))}
            for each in had
        ]
        numbered = [each for each in listed if each["season_number"]]
        self.series[tmdb_id] = series_details_of_tmdb(
            **{
                "id": tmdb_id,
                "seasons": listed,
                "number_of_seasons": len(numbered),
                "number_of_episodes": sum(each["episode_count"] for each in numbered),
                "last_episode_to_air": None,
                "next_episode_to_air": None,
                **changes,
            }
        )
        self.seasons[tmdb_id] = {each["season_number"]: each for each in had}
        self.changed.add(tmdb_id)

    def ids(self, day: date) -> list[int]:  # noqa: ARG002
        return sorted(self.series)

    def changes(self, day: date) -> list[Change]:  # noqa: ARG002
        changed, self.changed = self.changed, set()
        return [Change(tmdb_id, adult=False) for tmdb_id in changed]

    def body(self, tmdb_id: int, day: date, parts: Collection[str]) -> bytes | None:  # noqa: ARG002
        numbers = [int(part.removeprefix("season/")) for part in parts if part.startswith("season/")]
        self.asked.append(sorted(numbers))
        if tmdb_id not in self.series:
            return None
        had = self.seasons[tmdb_id]
        return json.dumps(
            self.series[tmdb_id] | {f"season/{number}": had[number] for number in numbers if number in had}
        ).encode()

    def season_body(self, tmdb_id: int, number: int, day: date, parts: Collection[str]) -> bytes | None:  # noqa: ARG002
        self.asked.append([number])
        return json.dumps(self.seasons[tmdb_id][number]).encode()


@dataclass
class SeriesPipeline(Pipeline):
    """A catalogue of series alone. `read_the_day` puts in the ids that the export has, and the changes of the feed."""

    tmdb_emulator: TmdbEmulator | None = None
    calls: list[int] = field(default_factory=list)  # of each day

    @property
    def serving(self) -> TmdbEmulator:
        assert self.tmdb_emulator is not None
        return self.tmdb_emulator

    @property
    def world(self) -> MovingSeries:
        assert isinstance(self.serving.world, MovingWorld)
        assert self.serving.world.series is not None
        return self.serving.world.series

    @property
    def few(self) -> "FewSeries":
        """The world of few series."""
        return cast("FewSeries", self.world)

    def put(self, tmdb_id: int, had: Sequence[dict[str, Any]], **changes: Any) -> None:
        """Let TMDB have a series with these seasons from now on, as the feed of today says."""
        self.few.put(tmdb_id, had, **changes)

    def read_the_day(self) -> None:
        """Put in the ids that TMDB has today, and mark those that its feed names."""
        changed = [SERIES.title_id(change.tmdb_id) for change in self.world.changes(self.day)]
        with self.database.transaction() as connection:
            connection.exec_driver_sql(
                "insert into pipeline.title_ids (title_id, original_title, first_seen) "
                "select t, '', %(day)s from unnest(%(ids)s::bigint[]) t on conflict do nothing",
                {"ids": [SERIES.title_id(n) for n in self.world.ids(self.day)], "day": self.day},
            )
            connection.exec_driver_sql(
                "update pipeline.title_ids set changed_at = %(now)s "
                "where title_id = any(%(ids)s) and gone_since is null",
                {"ids": changed, "now": datetime.combine(self.day, time(4), UTC)},
            )

    def fetch(self, **config: Any) -> Any:
        """Fetch the series that are due; return the run, which has to succeed."""
        self.serving.reset_counts()
        first, last = "batch_00", "batch_63"
        if isinstance(self.world, FewSeries):
            self.world.asked.clear()
            first, last = FEW_BATCHES
        result = FETCH.execute_in_process(
            instance=self.instance,
            tags={
                AS_OF_TAG: noon_of(self.day.isoformat()),
                "dagster/asset_partition_range_start": first,
                "dagster/asset_partition_range_end": last,
            },
            run_config={"loggers": {"console": {}}, "ops": {"series_details": {"config": config}}},
            raise_on_error=False,
            resources=self.resources(),
        )
        failures = [str(event.event_specific_data) for event in result.all_events if event.is_step_failure]
        assert result.success, "\n".join(failures)
        self.calls.append(sum(sum(counts.values()) for counts in self.serving.requests.values()))
        return result

    def turn_day(self, days: int = 1) -> None:
        self.day += timedelta(days=days)
        self.serving.today = self.day

    def column(self, sql: str) -> list[Any]:
        with self.database.transaction() as connection:
            return list(connection.exec_driver_sql(sql).scalars())

    def rows(self, sql: str) -> set[Row]:
        with self.database.transaction() as connection:
            found = connection.exec_driver_sql(sql)
            return {tuple(tuple(v) if isinstance(v, list) else v for v in row) for row in found}


Make = Callable[..., SeriesPipeline]


@pytest.fixture
def few(living: Make) -> SeriesPipeline:
    """A pipeline on a world of few series that the test puts in."""
    world = MovingWorld(1, 4)
    world.series = cast("Any", FewSeries())
    return living(0, world=world)


@pytest.fixture
def living(database: Database) -> Iterator[Make]:
    """Make a pipeline on a world of so many series."""
    running: list[TmdbEmulator] = []
    with dg.DagsterInstance.ephemeral() as instance:

        def make(series: int, seed: int = 6, world: MovingWorld | None = None) -> SeriesPipeline:
            options = EmulatorOptions(today=FIRST_DAY, rate_limit=0, stall_seconds=2)
            emulator = TmdbEmulator(options, world=world or MovingWorld(1, seed, series=series))
            running.append(emulator.__enter__())
            pipeline = SeriesPipeline(
                database, settings_for(emulator), instance, LocalEmbedder("hashing-v1", 64), FIRST_DAY, ACCEPTS_ALL
            )
            pipeline.tmdb_emulator = emulator
            return pipeline

        yield make
        for emulator in running:
            emulator.__exit__(None, None, None)
