"""The sizes and the address of TMDB's images, from which `catalog.image_url` makes addresses."""

import json
from datetime import datetime, timedelta
from typing import NamedTuple

import dagster as dg

from movie_assets.database.database import Database
from movie_assets.database.interrupts import run_until_done
from movie_assets.runs.metadata_tables import calls_table
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of
from movie_assets.tmdb.client import Tmdb
from movie_assets.tmdb.images import ImageSize, read_image_sizes
from movie_assets.tmdb.json_values import UnusableResponseError
from movie_assets.tmdb.responses import CallCounts, TmdbError

MAX_AGE = timedelta(hours=54)


class ImageConfiguration(NamedTuple):
    """Counts of the known sizes and kinds of images, when they were read, and the start of addresses."""

    sizes: int
    kinds: int
    read_at: datetime | None
    base_url: str | None


@dg.asset(group_name="source", kinds={"python", "postgres"}, pool="tmdb_lists")
@logged(fetched="sizes")
def tmdb_configuration(
    context: dg.AssetExecutionContext, database: dg.ResourceParam[Database], tmdb: dg.ResourceParam[Tmdb]
) -> dg.MaterializeResult[None]:
    """A size in which TMDB has images of a kind, with the start of their addresses; one call a day.

    A response without an address or without sizes of a kind changes nothing, and fails the run.
    """
    try:
        sizes, calls = run_until_done(_read(tmdb, context.run.run_id))
    except (TmdbError, UnusableResponseError) as error:
        raise dg.Failure(f"{error}. The sizes of before stay in use.", allow_retries=False) from None
    rows = json.dumps([size._asdict() for size in sizes])
    database.execute("replace_image_sizes", sizes=rows, as_of=run_time_of(context.run))
    return dg.MaterializeResult(
        metadata={"sizes": len(sizes), "base_url": sizes[0].base_url, "calls": calls_table(calls)}
    )


async def _read(tmdb: Tmdb, run_id: str) -> tuple[list[ImageSize], CallCounts]:
    async with tmdb.session(run_id) as client:
        return read_image_sizes(await client.json("/configuration", {}) or {}), client.calls


@dg.asset_check(
    asset="tmdb_configuration",
    description="The sizes of images were read from TMDB within the last 54 hours, so that addresses are right.",
)
def image_sizes_are_current(
    context: dg.AssetCheckExecutionContext, database: dg.ResourceParam[Database]
) -> dg.AssetCheckResult:
    """Compare the time of the last reading with the clock."""
    known = database.fetch_one(ImageConfiguration, "image_configuration")
    is_current = known.read_at is not None and run_time_of(context.run) - known.read_at <= MAX_AGE
    return dg.AssetCheckResult(
        passed=is_current,
        severity=dg.AssetCheckSeverity.WARN,
        description=None if is_current else f"the sizes were read from TMDB at {known.read_at or 'no time'}",
        metadata={"sizes": known.sizes, "kinds": known.kinds, "base_url": known.base_url},
    )
