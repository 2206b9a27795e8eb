"""The jobs: the steps of a day in their order, and the upkeep that rooms declare. Schedules and sensors launch them."""

import dagster as dg

from movie_assets.catalog.movie_details import movie_details
from movie_assets.catalog.movie_ids import movie_ids
from movie_assets.catalog.tmdb_changes import tmdb_changes
from movie_assets.catalog.tmdb_discoveries import tmdb_discoveries
from movie_assets.catalog.tmdb_export import tmdb_export
from movie_assets.embeddings.movie_embeddings import movie_embeddings
from movie_assets.histories.watch_histories import watch_histories
from movie_assets.operations.health.asset import health
from movie_assets.orchestration.rooms import UPKEEP
from movie_assets.ratings.rating_aggregates import rating_aggregates
from movie_assets.recommendations.recommendation_model import recommendation_model
from movie_assets.recommendations.recommendation_quality import recommendation_quality
from movie_assets.recommendations.recommendations import recommendations
from movie_assets.runs.dagster_compat import KeysAssetSelection, SubtractAssetSelection
from movie_assets.search.movie_vectors import movie_vectors
from movie_assets.search.search_documents import search_documents
from movie_assets.search.search_quality import search_quality
from movie_assets.search.similar_movies import similar_movies

# Their steps evaluate their checks with the run's figures; separate steps would evaluate them a second time.
DETAILS = dg.AssetSelection.assets(movie_details).without_checks()
EMBEDDINGS = dg.AssetSelection.assets(movie_embeddings).without_checks()
ONLY_MISSING = {"ops": {"movie_details": {"config": {"reasons": ["requested", "never fetched"]}}}}
IN_BULK = {"ops": {"movie_embeddings": {"config": {"bulk": True}}}}

read_the_day = dg.define_asset_job(
    "read_the_day",
    selection=[tmdb_export, movie_ids, tmdb_changes, tmdb_discoveries],
    description="Reads TMDB's ID export, change feed and lists of a day: the ids of films, changes and votes.",
)
read_the_lists = dg.define_asset_job(
    "read_the_lists",
    selection=[tmdb_discoveries],
    description="Reads TMDB's lists alone, on the ids of the last good export: for a day whose export cannot be used.",
)
fetch_details = dg.define_asset_job(
    "fetch_details",
    selection=DETAILS,
    description="Fetches from TMDB the details of the films that are due, for one batch or a range of batches.",
)
fetch_missing = dg.define_asset_job(
    "fetch_missing",
    selection=DETAILS,
    config=ONLY_MISSING,
    description="Fetches from TMDB the details of films that have none yet, for one batch or a range of batches. It "
    "does not refresh other films.",
)
embed_texts = dg.define_asset_job(
    "embed_texts",
    selection=EMBEDDINGS,
    description="Embeds the texts of films that are new or changed, for one batch or a range of batches.",
)
embed_in_bulk = dg.define_asset_job(
    "embed_in_bulk",
    selection=EMBEDDINGS,
    config=IN_BULK,
    description="Embeds new and changed texts through the embeddings service's Batch API: half the price of "
    "embed_texts, and done within a day. Meant for a new embedding set or a backfill.",
)
publish = dg.define_asset_job(
    "publish",
    selection=[movie_vectors, search_quality, similar_movies, search_documents, rating_aggregates],
    description="Updates what applications search and read: vectors with their index, similar films, search documents "
    "and rating scores, and measures the quality of searches.",
)
recommend = dg.define_asset_job(
    "recommend",
    selection=[watch_histories, recommendation_model, recommendations, recommendation_quality],
    description="Imports watch histories from the inbox, trains the recommendation model, makes each person's list and "
    "measures how good the lists are.",
)
look_at_health = dg.define_asset_job(
    "look_at_health",
    selection=[health],
    description="Checks everything that can be broken; records the problems and what to do about them.",
)
JOBS = [
    read_the_day, read_the_lists, fetch_details, fetch_missing, embed_texts, embed_in_bulk, publish, recommend,
    look_at_health,
    *(dg.define_asset_job(each.job, selection=each.assets, description=each.description) for each in UPKEEP),
]  # fmt: skip


def assets_of(name: str) -> list[str]:
    """Return the names of the assets that a job materializes."""
    (selection,) = (job.selection for job in JOBS if job.name == name)
    if isinstance(selection, SubtractAssetSelection):
        selection = selection.left
    if not isinstance(selection, KeysAssetSelection):
        raise TypeError(f"the job {name} does not name its assets one by one")
    return [key.to_user_string() for key in selection.selected_keys]
