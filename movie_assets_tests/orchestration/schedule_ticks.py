"""Ticks of schedules for tests."""

from datetime import UTC, datetime
from typing import Any

import dagster as dg

from movie_assets.database.database import Database
from movie_assets.emulator.server import TmdbEmulator
from movie_assets.tmdb.client import Tmdb
from movie_assets_tests.conftest import settings_for
from movie_assets_tests.support.definitions import definitions_of

READ = dg.DagsterRunStatus.SUCCESS


def tick_of_the_day(
    at: datetime,
    database: Database,
    tmdb_emulator: TmdbEmulator,
    instance: dg.DagsterInstance,
    media: tuple[str, ...] = ("movies",),
) -> dg.RunRequest | dg.SkipReason:
    """Evaluate the schedule as of a time, in the emulator's world of today."""
    tmdb_emulator.today = datetime.now(UTC).date()
    context = dg.build_schedule_context(
        instance=instance,
        scheduled_execution_time=at,
        resources={"database": database, "tmdb": Tmdb(settings_for(tmdb_emulator, media=media), database)},
    )
    result: Any = definitions_of(*media).resolve_schedule_def("read_the_day_at_0830")(context)
    assert isinstance(result, dg.RunRequest | dg.SkipReason)
    return result
