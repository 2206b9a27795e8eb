"""Beside stage 1: TMDB's change feed, which names the ids whose details are fetched again before they are old."""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import dagster as dg

from movie_assets.catalog.media_assets import MediaAssets
from movie_assets.database.database import Database
from movie_assets.database.interrupts import run_until_done
from movie_assets.runs.metadata_tables import calls_table
from movie_assets.runs.partitions import day_of_run, days
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import run_time_of
from movie_assets.tmdb.client import Tmdb
from movie_assets.tmdb.lists import changed_ids
from movie_assets.tmdb.media import MediaType
from movie_assets.tmdb.responses import CallCounts, TmdbError

MAX_DAYS_BACK = 13  # older changes are covered: by then, details are fetched again for their age


class FeedCursor(NamedTuple):
    """The last day of the change feed that was read before a day; None without one."""

    day: date | None


class RecordedChanges(NamedTuple):
    """Counts of the ids in a day's feed: seen there for the first time, and of these, marked as changed."""

    fresh: int
    marked: int


def changes_asset(of: MediaAssets) -> dg.AssetsDefinition:
    """Return the asset of a media type's change feed."""

    @dg.asset(name=of.changes, group_name="source", kinds={"python", "postgres"}, partitions_def=days, pool="tmdb")
    @logged(fetched="rows_in", changed="known_ids_changed")
    def changes_of_day(
        context: dg.AssetExecutionContext,
        database: dg.ResourceParam[Database],
        tmdb: dg.ResourceParam[Tmdb],
    ) -> dg.MaterializeResult[None]:
        """An id that TMDB names in its change feed for a day, with the time at which it was first seen there.

        Days that were missed are read too. The last day that was read before is read again, to its end.
        """
        day, as_of, media = day_of_run(context), run_time_of(context.run), of.media
        wanted = _days_to_read(day, database.fetch_one(FeedCursor, "change_cursor", media=media.name, day=day).day)
        try:
            ids_by_day, calls = run_until_done(_read(tmdb, media, wanted, context.run.run_id))
        except TmdbError as error:
            raise dg.Failure(f"{error}. The next run reads these days too.", allow_retries=False) from None
        fresh = marked = 0
        for changed_on, title_ids in ids_by_day.items():
            (recorded,) = database.execute_returning(
                RecordedChanges, "record_changes", media=media.name, change_date=changed_on, title_ids=title_ids,
                as_of=as_of,
            )  # fmt: skip
            fresh, marked = fresh + recorded.fresh, marked + recorded.marked
        return dg.MaterializeResult(
            metadata={
                "days_read": len(wanted),
                "rows_in": sum(map(len, ids_by_day.values())),
                "rows_out": fresh,
                "known_ids_changed": marked,
                "calls": calls_table(calls),
            }
        )

    return changes_of_day


def _days_to_read(day: date, cursor: date | None) -> Sequence[date]:
    """Return the days from the cursor to a day, both included and at most 14; only the day without a cursor."""
    first = day if cursor is None else max(cursor, day - timedelta(days=MAX_DAYS_BACK))
    return [first + timedelta(days=n) for n in range((day - first).days + 1)]


async def _read(
    tmdb: Tmdb, media: MediaType, wanted: Sequence[date], run_id: str
) -> tuple[dict[date, list[int]], CallCounts]:
    """Return the keys of the titles in the feed of each day, and the calls."""
    async with tmdb.session(run_id) as client:
        ids_by_day = {day: await changed_ids(client, day, media) for day in wanted}
        return {day: [media.title_id(tmdb_id) for tmdb_id in ids] for day, ids in ids_by_day.items()}, client.calls
