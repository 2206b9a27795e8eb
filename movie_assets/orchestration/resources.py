"""The Dagster resources: one for each name in the parameters of assets.

Settings are read when a run starts, never at import. No resource has a setting in its configuration, so that the web UI
cannot show any.
"""

from collections.abc import Iterator
from contextlib import ExitStack
from datetime import timedelta

import dagster as dg

from movie_assets.config.filter_profiles import FilterProfiles
from movie_assets.config.prices import Budgets
from movie_assets.config.rating_files import RatingFiles
from movie_assets.config.settings import Settings
from movie_assets.database.database import Database, open_database
from movie_assets.database.migrations import require_current_schema
from movie_assets.database.run_lock import run_lock
from movie_assets.embeddings.embedder import Embedder, embedder_from
from movie_assets.histories.inbox import Inbox
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


@dg.resource(description="The filter's profiles (MOVIE_ASSETS_PROFILES)")
def thresholds(_: dg.InitResourceContext) -> FilterProfiles:
    """Return the filter profiles of the settings."""
    return Settings.from_env().thresholds


@dg.resource(description="The largest number of films fetched in a day (MOVIE_ASSETS_DAILY_FILMS); 0: no limit")
def daily_films(_: dg.InitResourceContext) -> int:
    """Return the daily limit of films in the settings."""
    return Settings.from_env().daily_films


@dg.resource(description="How long embedding sets are kept (MOVIE_ASSETS_KEEP_SETS_DAYS)")
def keep_sets(_: dg.InitResourceContext) -> timedelta:
    """Return the time for which embedding sets are kept."""
    return timedelta(days=Settings.from_env().keep_sets_days)


@dg.resource(description="Number of runs that share a large backlog (MOVIE_ASSETS_PARALLEL_RUNS)")
def parallel_runs(_: dg.InitResourceContext) -> int:
    """Return the number of parallel runs in the settings."""
    return Settings.from_env().parallel_runs


@dg.resource(description="Budgets of embeddings (MOVIE_ASSETS_RUN_DOLLARS, MOVIE_ASSETS_DAILY_DOLLARS); 0: no limit")
def budgets(_: dg.InitResourceContext) -> Budgets:
    """Return the budgets of the settings."""
    return Settings.from_env().budgets


@dg.resource(description="Destinations of alerts (MOVIE_ASSETS_ALERT_…)")
def destinations(_: dg.InitResourceContext) -> Destinations:
    """Return the destinations of alerts in the settings."""
    return destinations_from(Settings.from_env())


@dg.resource(description="Folder with exports of watch histories (MOVIE_ASSETS_INBOX)")
def inbox(_: dg.InitResourceContext) -> Inbox:
    """Return the inbox; it has no folder if the settings have none."""
    return Inbox(Settings.from_env().inbox)


@dg.resource(
    description="Files of ratings (MOVIE_ASSETS_IMDB_RATINGS, MOVIE_ASSETS_MOVIELENS_RATINGS, MOVIE_ASSETS_RATINGS_CSV)"
)
def rating_files(_: dg.InitResourceContext) -> RatingFiles:
    """Return the files of ratings in the settings."""
    return Settings.from_env().rating_files


@dg.resource(description="Whether recommendation_model learns from films' content (MOVIE_ASSETS_LEARN_FROM_CONTENT)")
def learn_from_content(_: dg.InitResourceContext) -> bool:
    """Return whether the model learns from films' content."""
    return Settings.from_env().learn_from_content


RESOURCES = {
    "database": database,
    "tmdb": tmdb,
    "embedder": embedder,
    "thresholds": thresholds,
    "daily_films": daily_films,
    "keep_sets": keep_sets,
    "parallel_runs": parallel_runs,
    "budgets": budgets,
    "destinations": destinations,
    "inbox": inbox,
    "rating_files": rating_files,
    "learn_from_content": learn_from_content,
}
