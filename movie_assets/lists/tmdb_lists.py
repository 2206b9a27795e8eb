"""TMDB's lists as applications show them: popular, trending and so on, a snapshot for each day and country.

`lists.list_kinds` has the lists with their ages, `tmdb.title_lists` reads one of them.
"""

import json
from collections.abc import Sequence
from dataclasses import asdict
from datetime import date, datetime
from typing import Any, NamedTuple

import dagster as dg
import sqlalchemy as sa

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, execute
from movie_assets.database.interrupts import run_until_done
from movie_assets.lists.list_changes import ListChange, ages_of
from movie_assets.lists.list_kinds import ListKind, ListOfRegion, wanted_lists
from movie_assets.runs.metadata_tables import calls_table, shown_table
from movie_assets.runs.partitions import day_of_run, days
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import is_by_hand, run_time_of
from movie_assets.tmdb.client import Tmdb
from movie_assets.tmdb.json_values import UnusableResponseError
from movie_assets.tmdb.list_pages import TitleList
from movie_assets.tmdb.responses import CallCounts, TmdbError
from movie_assets.tmdb.title_lists import read_title_list

MAX_REQUESTS = 50  # of titles that the catalogue lacks, in 24 hours
COLUMNS = ("media type", "list", "region", "titles", "repeated by pages", "first", "problem")


class ReadList(NamedTuple):
    """A list of a region as it was read; the error in place of its titles if it could not be read as a whole."""

    kind: ListKind
    region: str
    result: TitleList | UnusableResponseError

    @property
    def cells(self) -> tuple[str | int | None, ...]:
        """The row of the list in the run's metadata."""
        key = self.kind.media.name, self.kind.name, self.region
        if isinstance(self.result, UnusableResponseError):
            return *key, None, None, None, str(self.result)
        first = self.result.titles[0].title if self.result.titles else None
        return *key, len(self.result.titles), self.result.repeated, first, None


class RequestedTitle(NamedTuple):
    """A title of a list that the catalogue lacks, and that was requested."""

    title_id: int


@dg.asset(group_name="source", kinds={"python", "postgres"}, partitions_def=days, pool="tmdb_lists")
@logged(fetched="lists_read", changed="titles_stored", failed="lists_failed")
def tmdb_lists(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    tmdb: dg.ResourceParam[Tmdb],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """A title at its place in one of TMDB's lists, as the list was on a day in a country; it can be any title of TMDB.

    Lists that are due are read as a whole or not at all: trends each six hours, the top rated weekly, others daily. A
    run that a person launched reads all of them. Titles that the catalogue lacks are requested, 50 a day at most. The
    calls do not wait for those of details: they have a pool of their own, and the rate limiter serves all in turn.
    """
    day, as_of = day_of_run(context), run_time_of(context.run)
    if day != as_of.date():
        message = f"TMDB shows its lists as they are now ({as_of.date()}); those of {day} cannot be read any more"
        raise dg.Failure(message, allow_retries=False)
    wanted = wanted_lists(settings.media_types, settings.regions, settings.list_pages)
    due = wanted if is_by_hand(context.run) else _due(database, wanted, as_of)
    try:
        read, calls = run_until_done(_read(tmdb, due, settings.list_pages, context.run.run_id))
    except TmdbError as error:
        raise dg.Failure(f"{error}. The snapshots of before stay; the next run reads the lists.", allow_retries=False) \
            from None  # fmt: skip
    for kind, region, result in read:
        if isinstance(result, TitleList):
            _store(database, kind, region, settings.regions, day, as_of, result)
    requested = database.execute_returning(
        RequestedTitle, "request_listed_titles", as_of=as_of, most=MAX_REQUESTS, media=list(settings.media_types)
    )
    return _reported(read, calls, len(wanted), len(requested))


def _due(database: Database, wanted: Sequence[ListOfRegion], as_of: datetime) -> list[ListOfRegion]:
    """Return the lists that were not read since they are due."""
    ages = ages_of(database.fetch(ListChange, "list_changes", as_of=as_of), wanted, as_of)
    return [(age.kind, age.region) for age in ages if age.read_at is None or age.read_at < age.kind.due_since(as_of)]


async def _read(tmdb: Tmdb, due: Sequence[ListOfRegion], pages: int, run_id: str) -> tuple[list[ReadList], CallCounts]:
    """Read lists one after the other, and return them with the calls."""
    read: list[ReadList] = []
    async with tmdb.session(run_id) as client:
        for kind, region in due:
            result: TitleList | UnusableResponseError
            try:
                result = await read_title_list(
                    client, kind.media, kind.path, region, pages, may_be_empty=kind.is_of_days
                )
            except UnusableResponseError as error:
                result = error
            read.append(ReadList(kind, region, result))
        return read, client.calls


def _store(
    database: Database, kind: ListKind, region: str, regions: Sequence[str], day: date, as_of: datetime, of: TitleList
) -> None:
    titles = [
        {**asdict(title), "rank": rank, "title_id": kind.media.title_id(title.tmdb_id)}
        for rank, title in enumerate(of.titles, start=1)
    ]
    key = {"media": kind.media.name, "name": kind.name, "region": region, "day": day, "as_of": as_of}

    def work(connection: sa.Connection) -> None:
        execute(connection, "delete_list_snapshot", **key)
        execute(
            connection, "store_list_snapshot", **key, region_position=regions.index(region) if region else 0,
            first_release=of.dates[0], last_release=of.dates[1], count=len(titles), total=of.total, pages=of.pages,
            repeated=of.repeated, unreadable=of.unreadable, titles=json.dumps(titles, default=str),
        )  # fmt: skip

    database.once(work)


def _reported(read: Sequence[ReadList], calls: CallCounts, wanted: int, requested: int) -> dg.MaterializeResult[None]:
    """Return the result of a run. Raises Failure when a list could not be read; the others are stored."""
    failed = [each for each in read if isinstance(each.result, UnusableResponseError)]
    metadata: dict[str, dg.MetadataValue[Any] | int] = {
        "lists_wanted": wanted,
        "lists_read": len(read) - len(failed),
        "lists_failed": len(failed),
        "titles_stored": sum(len(each.result.titles) for each in read if isinstance(each.result, TitleList)),
        "titles_requested": requested,
        "lists": shown_table(COLUMNS, [each.cells for each in read]),
        "calls": calls_table(calls),
    }
    if failed:
        names = "; ".join(" ".join(filter(None, map(str, (*each.cells[:3], each.result)))) for each in failed)
        message = f"{len(failed)} of {len(read)} lists could not be read, and keep their last snapshot ({names})"
        raise dg.Failure(message, metadata, allow_retries=False)
    return dg.MaterializeResult(metadata=metadata)
