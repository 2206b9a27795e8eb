"""The Dagster resources: one for each name in the parameters of assets.

Settings are read when a run starts, never at import. No resource has a setting in its configuration, so that the web UI
cannot show any.
"""

from collections.abc import Iterator
from contextlib import ExitStack

import dagster as dg

from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, open_database
from movie_assets.database.migrations import require_current_schema
from movie_assets.database.run_lock import run_lock
from movie_assets.embeddings.embedder import Embedder
from movie_assets.embeddings.registry import embedder_from
from movie_assets.operations.alerts.destinations import Destinations, destinations_from
from movie_assets.tmdb.client import Tmdb


@dg.resource(description="Postgres with the catalogue (MOVIE_ASSETS_DATABASE_URL, or embedded)")
def database(context: dg.InitResourceContext) -> Iterator[Database]:
    """Open a pool of connections for a run or a sensor's tick; a run also holds its lock."""
    with ExitStack() as stack:
        opened = stack.enter_context(open_database(Settings.from_env()))
        require_current_schema(opened)
        if context.run is not None:
            stack.enter_context(run_lock(opened, context.run.run_id))
        yield opened


@dg.resource(required_resource_keys={"database"}, description="TMDB over HTTP (TMDB_API_TOKEN, TMDB_API_URL)")
def tmdb(context: dg.InitResourceContext) -> Tmdb:
    """Return TMDB at the address in the settings."""
    return Tmdb(Settings.from_env(), context.resources.database)


@dg.resource(description="Makes vectors of texts (MOVIE_ASSETS_EMBEDDER)")
def embedder(_: dg.InitResourceContext) -> Embedder:
    """Return the embedder of the settings."""
    return embedder_from(Settings.from_env())


@dg.resource(description="The settings of the pipeline (docs/settings.md)")
def settings(_: dg.InitResourceContext) -> Settings:
    """Return the settings."""
    return Settings.from_env()


@dg.resource(description="Destinations of alerts (MOVIE_ASSETS_ALERT_…)")
def destinations(_: dg.InitResourceContext) -> Destinations:
    """Return the destinations of alerts in the settings."""
    return destinations_from(Settings.from_env())


RESOURCES = {
    "database": database,
    "tmdb": tmdb,
    "embedder": embedder,
    "settings": settings,
    "destinations": destinations,
}
