"""After the details: the ids that took the place of deleted ones.

TMDB merges titles, and its response for the old id does not name the new one. The IMDb id in the last stored response
leads to the new id. Applications read both in the view catalog.successors.
"""

from datetime import datetime
from typing import NamedTuple

from movie_assets.database.database import Database
from movie_assets.tmdb.client import TmdbClient
from movie_assets.tmdb.lists import find_imdb
from movie_assets.tmdb.media import MediaType
from movie_assets.tmdb.titles import IDS_OF_A_TYPE

MAX_IDS = 500  # of a run; TMDB deletes a few dozen ids a day


class IdWithoutSuccessor(NamedTuple):
    """A deleted id whose successor was never sought, with the IMDb id of its title."""

    title_id: int
    imdb_id: str


def ids_without_successor(database: Database, media: MediaType) -> list[IdWithoutSuccessor]:
    """Return at most 500 deleted ids of a media type whose successors were never sought, the last deleted first."""
    return database.fetch(IdWithoutSuccessor, "ids_without_successor", most=MAX_IDS, media=media.name)


async def find_successors(client: TmdbClient, database: Database, as_of: datetime, media: MediaType) -> int:
    """Request the successors of deleted ids from TMDB, once for each id; return the number of successors."""
    successors: dict[int, int | None] = {}
    for row in ids_without_successor(database, media):
        other = await find_imdb(client, row.imdb_id, media)
        other_id = media.title_id(other) if other is not None and other < IDS_OF_A_TYPE else None
        successors[row.title_id] = None if other_id == row.title_id else other_id
    if successors:
        database.execute(
            "record_successors", title_ids=list(successors), successor_ids=list(successors.values()), as_of=as_of
        )
    return sum(successor is not None for successor in successors.values())
