"""After the details: where a film went whose id TMDB gave up.

TMDB merges films without a trace in the answer of the old id; the IMDb id, which we know from the film's last
answer, finds the new one. Applications follow it in the view catalog.successors.
"""

from datetime import datetime
from typing import Any

import sqlalchemy as sa

from movie_assets.database.database import Database
from movie_assets.tmdb.client import TmdbClient
from movie_assets.tmdb.lists import find_imdb

MAX_A_RUN = 500  # TMDB gives up a few dozen ids a day


def gone_without_successor(database: Database) -> list[sa.Row[Any]]:
    """Ids that are gone and whose successor was never sought, with the IMDb ids of their films."""
    return database.rows("gone_without_successor", most=MAX_A_RUN)


async def find_successors(client: TmdbClient, database: Database, as_of: datetime) -> int:
    """Ask TMDB for the successors of ids that are gone, once an id; tells how many were found."""
    found: dict[int, int | None] = {}
    for row in gone_without_successor(database):
        other = await find_imdb(client, row.imdb_id)
        found[row.tmdb_id] = None if other == row.tmdb_id else other
    if found:
        database.execute("record_successors", tmdb_ids=list(found), successor_ids=list(found.values()), as_of=as_of)
    return sum(successor is not None for successor in found.values())
