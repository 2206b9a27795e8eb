"""Beside stage 2: the titles that TMDB's /discover lists with enough votes, so that only their details are fetched.

The ID export has no votes. Without the lists, most calls for details would only show that a title has too few votes.
The lists show the votes of 20 titles with each call. `tmdb.discovery` reads them, sql/catalog/discoveries.sql applies
them.
"""

import json
from datetime import date, datetime, timedelta
from typing import NamedTuple

import dagster as dg
import sqlalchemy as sa

from movie_assets.catalog.detail_store import evaluate
from movie_assets.catalog.media_assets import MediaAssets
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, copy_rows, execute, fetch_one, fetch_value
from movie_assets.database.interrupts import run_until_done
from movie_assets.runs.partitions import day_of_run, days
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import is_by_hand, run_time_of
from movie_assets.tmdb.client import Tmdb
from movie_assets.tmdb.discovery import Reading, Wanted, read_lists
from movie_assets.tmdb.list_slices import KnownMovie, Slice
from movie_assets.tmdb.media import MediaType
from movie_assets.tmdb.responses import TmdbError

FIRST_FILMS = date(1870, 1, 1)
AHEAD = timedelta(days=3 * 366)  # a film can have votes before it is released
COLUMNS = {
    "title_id": "int8",
    "vote_count": "int4",
    "vote_average": "float8",
    "release_date": "date",
    "original_language": "text",
    "slice": "date",
}


class AppliedLists(NamedTuple):
    """Counts of the films that TMDB lists: all of them, new ones, and accepted films that are no longer listed."""

    listed: int
    new: int
    no_longer_listed: int


def discoveries_asset(of: MediaAssets) -> dg.AssetsDefinition:
    """Return the asset of the lists of a media type."""

    @dg.asset(
        name=of.discoveries, group_name="source", kinds={"python", "postgres"}, partitions_def=days, deps=[of.ids],
        pool="tmdb",
    )  # fmt: skip
    @logged(fetched="listed", skipped="put_aside", changed="films_whose_numbers_moved")
    def discoveries_of_day(
        context: dg.AssetExecutionContext,
        database: dg.ResourceParam[Database],
        tmdb: dg.ResourceParam[Tmdb],
        settings: dg.ResourceParam[Settings],
    ) -> dg.MaterializeResult[None]:
        """A title that TMDB lists with at least as many votes as a profile requires.

        A title that joins or leaves the lists of a profile is noticed on the same day. The votes and averages are read
        at least every MOVIE_ASSETS_VOTES_DAYS days, of the 1,000 most popular titles and those of the last 90 days
        daily. Ids that are not listed, or whose listed votes, date and language fail every profile, are rejected
        without a call. Stored responses are evaluated again for the day and with the listed values. Profiles that
        require no votes need no lists. TMDB keeps its responses for eight hours; a run within that time uses the lists
        that were read last, unless a person launched it.
        """
        day, as_of, run_id = day_of_run(context), run_time_of(context.run), context.run.run_id
        profiles = settings.profiles_for(of.media.name)
        votes = profiles.vote_counts
        is_fresh = database.fetch_value(
            bool, "is_list_fresh", media=of.media.name, day=day, thresholds=votes, as_of=as_of
        )
        reading: Reading | None = None
        if votes[0] > 0 and (not is_fresh or is_by_hand(context.run)):
            is_fresh = False
            wanted = Wanted(FIRST_FILMS, day + AHEAD, votes, settings.votes_days, of.media)
            try:
                reading = _read(tmdb, database, wanted, as_of, run_id)
            except TmdbError as error:
                message = f"{error}. The lists that were read last stay in use."
                raise dg.Failure(message, allow_retries=False) from None

        def work(connection: sa.Connection) -> dict[str, int]:
            lists = _lists(connection, of.media, reading, day, votes, run_id, is_fresh=is_fresh)
            evaluation = evaluate(connection, profiles, as_of, are_lists_new=True)
            moved = fetch_value(connection, int, "record_stats", media=of.media.name, day=day)
            return {**lists._asdict(), **evaluation._asdict(), "films_whose_numbers_moved": moved}

        read = {} if reading is None else reading.figures
        return dg.MaterializeResult(metadata={"min_votes": votes[0], **read, **database.once(work)})

    return discoveries_of_day


def _lists(
    connection: sa.Connection,
    media: MediaType,
    reading: Reading | None,
    day: date,
    votes: list[int],
    run_id: str,
    *,
    is_fresh: bool,
) -> AppliedLists:
    """Apply the lists that were read; without any, fresh ones stay in use, and others are deleted."""
    if is_fresh:
        return AppliedLists(fetch_value(connection, int, "count_listed", media=media.name), 0, 0)
    if reading is not None and not reading.is_empty:
        return _apply(connection, reading, day, votes, run_id)
    execute(connection, "lift_discoveries", media=media.name)  # empty lists are no reason to reject every title
    return AppliedLists(0, 0, 0)


def _apply(connection: sa.Connection, reading: Reading, day: date, votes: list[int], run_id: str) -> AppliedLists:
    execute(connection, "stage_discoveries")
    first = reading.media.first_title_id
    rows = (
        (first + n, m.vote_count, m.vote_average, m.release_date, m.original_language, reading.homes[n])
        for n, m in reading.movies.items()
    )
    copy_rows(connection, "incoming_discoveries", COLUMNS, rows)
    slices = json.dumps([each._asdict() for each in reading.slices], default=str)
    return fetch_one(
        connection, AppliedLists, "apply_discoveries", media=reading.media.name, day=day, thresholds=votes,
        as_of=reading.as_of, run_id=run_id, slices=slices, kept_slices=sorted(reading.kept),
    )  # fmt: skip


def _read(tmdb: Tmdb, database: Database, wanted: Wanted, as_of: datetime, run_id: str) -> Reading:
    media = wanted.media.name
    slices = database.fetch(Slice, "list_slices", media=media, thresholds=wanted.votes)
    known = database.fetch(KnownMovie, "listed_films", media=media) if slices else ()

    async def read() -> Reading:
        async with tmdb.session(run_id) as client:
            return await read_lists(client, wanted, slices, known, as_of)

    return run_until_done(read())
