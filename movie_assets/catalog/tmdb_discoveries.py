"""Beside stage 2: what TMDB's own lists say of votes, so that details are fetched of films that can be accepted.

The ID export has no votes. Without the lists, most detail calls would only find too few of them; a walk
through /discover tells them apart at 20 films a call. What follows from it is in sql/catalog/discoveries.sql.
"""

from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import dagster as dg
import sqlalchemy as sa

from movie_assets.catalog.detail_store import evaluate
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, as_dict, copy_rows, execute, rows
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


@dg.asset(group_name="source", kinds={"python", "postgres"}, partitions_def=days, deps=["movie_ids"], pool="tmdb")
@logged(fetched="listed", skipped="put_aside", changed="films_whose_numbers_moved")
def tmdb_discoveries(
    context: dg.AssetExecutionContext,
    database: dg.ResourceParam[Database],
    tmdb: dg.ResourceParam[Tmdb],
    settings: dg.ResourceParam[Settings],
) -> dg.MaterializeResult[None]:
    """A film that TMDB lists with at least as many votes as a profile asks for.

    Ids that are not listed, or whose listed votes, date and language fail every profile, are rejected without a call.
    Stored responses are evaluated again with the day and what the lists say. Profiles that ask for no votes need no
    lists. TMDB keeps its answers for eight hours; a run within that time works on what the last walk found, unless a
    person launched it.
    """
    day, as_of = date.fromisoformat(context.partition_key), run_time_of(context.run)
    votes = settings.thresholds.min_vote_count
    is_fresh = bool(database.row("last_walk", day=day, min_votes=votes, as_of=as_of).walks)
    found: Sequence[ListedMovie] = ()
    if votes > 0 and (not is_fresh or is_by_hand(context.run)):
        is_fresh = False
        try:
            found = run_until_done(_walk(tmdb, day, votes, context.run.run_id))
        except TmdbError as error:
            raise dg.Failure(f"{error}. What the lists said last stays in use.", allow_retries=False) from None

    def work(connection: sa.Connection) -> dict[str, int]:
        if found or is_fresh:
            execute(connection, "stage_discoveries")
            if is_fresh:
                execute(connection, "restage_discoveries")
            else:
                copy_rows(connection, "incoming_discoveries", COLUMNS, map(_columns, found))
            (told,) = rows(
                connection, "apply_discoveries", day=day, min_votes=votes, as_of=as_of, run_id=context.run.run_id,
                is_walk=not is_fresh,
            )  # fmt: skip
            figures = as_dict(told)
        else:  # a walk that finds nothing is no reason to reject every film
            execute(connection, "lift_discoveries")
            figures = dict.fromkeys(("listed", "new", "no_longer_listed"), 0)
        figures |= as_dict(evaluate(connection, settings.thresholds, as_of, are_lists_new=True))
        (moved,) = rows(connection, "record_stats", day=day)
        return figures | {"films_whose_numbers_moved": moved.films}

    return dg.MaterializeResult(metadata={"min_votes": votes, **database.once(work)})


def _columns(film: ListedMovie) -> tuple[Any, ...]:
    return film.tmdb_id, film.vote_count, film.vote_average, film.release_date, film.original_language


async def _walk(tmdb: Tmdb, day: date, min_votes: int, run_id: str) -> Sequence[ListedMovie]:
    async with tmdb.session(run_id) as client:
        return await discover(client, FIRST_FILMS, day + AHEAD, min_votes)
