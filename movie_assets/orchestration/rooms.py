"""The rooms whose definitions Dagster loads, in the order of the work."""

from movie_assets.applications import definitions as applications
from movie_assets.catalog import definitions as catalog
from movie_assets.embeddings import definitions as embeddings
from movie_assets.events import definitions as events
from movie_assets.exports import definitions as exports
from movie_assets.histories import definitions as histories
from movie_assets.lists import definitions as lists
from movie_assets.operations import definitions as operations
from movie_assets.ratings import definitions as ratings
from movie_assets.recommendations import definitions as recommendations
from movie_assets.runs.upkeep import Upkeep
from movie_assets.search import definitions as search

ROOMS = (
    catalog,
    lists,
    embeddings,
    search,
    ratings,
    histories,
    recommendations,
    applications,
    events,
    exports,
    operations,
)
ASSETS = tuple(asset for room in ROOMS for asset in room.ASSETS)
CHECKS = tuple(check for room in ROOMS for check in room.CHECKS)
UPKEEP: tuple[Upkeep, ...] = tuple(upkeep for room in ROOMS for upkeep in getattr(room, "UPKEEP", ()))
