"""Beside stage 2: the films that TMDB's /discover lists with enough votes, so that only their details are fetched.

The ID export has no votes. Without the lists, most calls for details would only show that a film has too few votes. The
lists show the votes of 20 films with each call. sql/catalog/discoveries.sql applies them.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import NamedTuple

import dagster as dg
import sqlalchemy as sa

from movie_assets.catalog.detail_store import evaluate
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, copy_rows, execute, fetch_one, fetch_value
from movie_assets.database.interrupts import run_until_done
from movie_assets.runs.partitions import days
from movie_assets.runs.run_log import logged
from movie_assets.runs.run_time import is_by_hand, run_time_of
from movie_assets.tmdb.client import Tmdb
from movie_assets.tmdb.lists import discover
from movie_assets.tmdb.responses import ListedMovie, TmdbError

FIRST_FILMS = date(1870, 1, 1)
AHEAD = timedelta(days=3 * 366)  # a film can have votes before it is released
COLUMNS = {
    "tmdb_id": "int8",
    "vote_count": "int4",
    "vote_average": "float8",
    "release_date": "date",
    "original_language": "text",
}


class AppliedLists(NamedTuple):
    """Counts of the films that TMDB lists: all of them, new ones, and accepted films that are no longer listed."""

    listed: int
    new: int
    no_longer_listed: int


@dg.asset(group_name="source", kinds={"python", "postgres"}, partitions_def=days, deps=["movie_ids"], pool="tmdb")
@logged(fetched="listed", skipped="put_aside", changed="films_whose_numbers_moved")
def tmdb_discoveries(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    tmdb: dg.ResourceParam[Tmdb],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """A film that TMDB lists with at least as many votes as a profile requires.

    Ids that are not listed, or whose listed votes, date and language fail every profile, are rejected without a call.
    Stored responses are evaluated again for the day and with the listed values. Profiles that require no votes need no
    lists. TMDB keeps its responses for eight hours; a run within that time uses the lists that were read last, unless
    a person launched it.
    """
    day, as_of = date.fromisoformat(context.partition_key), run_time_of(context.run)
    votes = settings.thresholds.min_vote_count
    is_fresh = database.fetch_value(bool, "is_list_fresh", day=day, min_votes=votes, as_of=as_of)
    movies: Sequence[ListedMovie] = ()
    if votes > 0 and (not is_fresh or is_by_hand(context.run)):
        is_fresh = False
        try:
            movies = run_until_done(_read(tmdb, day, votes, context.run.run_id))
        except TmdbError as error:
            raise dg.Failure(f"{error}. The lists that were read last stay in use.", allow_retries=False) from None

    def work(connection: sa.Connection) -> dict[str, int]:
        applied = AppliedLists(0, 0, 0)
        if movies or is_fresh:
            execute(connection, "stage_discoveries")
            if is_fresh:
                execute(connection, "restage_discoveries")
            else:
                copy_rows(connection, "incoming_discoveries", COLUMNS, map(_columns, movies))
            applied = fetch_one(
                connection, AppliedLists, "apply_discoveries", day=day, min_votes=votes, as_of=as_of,
                run_id=context.run.run_id, is_walk=not is_fresh,
            )  # fmt: skip
        else:  # empty lists are no reason to reject every film
            execute(connection, "lift_discoveries")
        evaluation = evaluate(connection, settings.thresholds, as_of, are_lists_new=True)
        moved = fetch_value(connection, int, "record_stats", day=day)
        return {**applied._asdict(), **evaluation._asdict(), "films_whose_numbers_moved": moved}

    return dg.MaterializeResult(metadata={"min_votes": votes, **database.once(work)})


def _columns(movie: ListedMovie) -> tuple[object, ...]:
    return movie.tmdb_id, movie.vote_count, movie.vote_average, movie.release_date, movie.original_language


async def _read(tmdb: Tmdb, day: date, min_votes: int, run_id: str) -> Sequence[ListedMovie]:
    async with tmdb.session(run_id) as client:
        return await discover(client, FIRST_FILMS, day + AHEAD, min_votes)
